/// A NetChain switch, with epochs and request numbers: linearizable whatever is lost, repeated, reordered or delayed.
///
/// A key has its newest version alone (NSDI 2018 §4.1). The head numbers a write, replicas store what is newer and
/// pass on everything, the tail answers writes and alone answers reads. In a group with CAS the tail tells the head
/// what is committed, since a CAS may only follow a version that no failure can undo.
package struct NetChainSwitch: ReplicaMachine {
    private var core: ReplicaCore

    package init(_ configuration: ReplicaConfiguration) { core = ReplicaCore(configuration, format: .ncx) }

    package var address: UInt32 { core.configuration.address }
    package var counters: SwitchCounters { core.counters }
    package var nextDeadline: UInt64? { core.resendAt == .max ? nil : core.resendAt }

    package mutating func receive(
        request payload: Span<UInt8>, from client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        core.receive(request: payload, from: client, at: now, into: &outbox)
    }

    package mutating func receive(
        fabric datagram: Span<UInt8>, from address: UInt32, at now: UInt64, into outbox: inout Outbox
    ) {
        core.receive(fabric: datagram, from: address, at: now, into: &outbox)
    }

    package mutating func advance(to now: UInt64, into outbox: inout Outbox) {
        core.advance(to: now, into: &outbox)
    }

    package mutating func receive(control message: ControlMessage, at now: UInt64) -> ControlMessage? {
        core.receive(control: message, at: now)
    }

    package func heartbeat(at now: UInt64) -> ControlMessage { core.heartbeat(at: now) }
}
