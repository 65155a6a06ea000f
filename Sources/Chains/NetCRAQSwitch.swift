/// A NetCRAQ switch, with versions: linearizable whatever is lost, repeated, reordered or delayed.
///
/// Every node answers reads. A key has one committed version and up to `versions` - 1 uncommitted ones above it; a
/// node that holds uncommitted ones asks the tail (CRAQ, ATC 2009 §2.3). The head numbers a write and sends it down
/// the chain; the tail commits it, answers the client and tells the others by COMMIT, NetCRAQ's ACKNOWLEDGE with a
/// version, which never lowers anything and drops only what it does not exceed.
package struct NetCRAQSwitch: ReplicaMachine {
    private var core: ReplicaCore

    package init(_ configuration: ReplicaConfiguration) { core = ReplicaCore(configuration, format: .cqx) }

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
