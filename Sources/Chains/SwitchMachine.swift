/// One switch of a chain: datagrams and a time in, datagrams out. The runtime drives it from sockets, the simulator
/// from events, the fuzzer from anything.
///
/// Times are nanoseconds of a clock that only grows; where it starts does not matter. A datagram that is not well
/// formed, or comes from whom it may not, is counted and changes nothing else. Nothing is allocated per datagram once
/// the outbox has grown to its batch.
package protocol SwitchMachine: Sendable {
    /// Takes the payload of a datagram at the request port, straight from `client`.
    mutating func receive(
        request payload: Span<UInt8>, from client: Endpoint, at now: UInt64, into outbox: inout Outbox)

    /// Takes a fabric frame (its header included) from the switch at `address`.
    mutating func receive(
        fabric datagram: Span<UInt8>, from address: UInt32, at now: UInt64, into outbox: inout Outbox)

    /// Does what is due at `now`: what has waited too long is sent again.
    mutating func advance(to now: UInt64, into outbox: inout Outbox)

    /// When `advance` has something to do next; nil while nothing waits.
    var nextDeadline: UInt64? { get }

    var counters: SwitchCounters { get }
}
