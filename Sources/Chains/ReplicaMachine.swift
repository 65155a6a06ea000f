/// A switch of a default variant: a `SwitchMachine` that a controller tells its place.
package protocol ReplicaMachine: SwitchMachine {
    init(_ configuration: ReplicaConfiguration)

    /// Takes a message of the controller; answers what to send back, if anything. What it makes due is sent by the next
    /// `advance`.
    mutating func receive(control message: ControlMessage, at now: UInt64) -> ControlMessage?

    /// What to send the controller every `ControlTimes.heartbeat` and after each ACTIVATE: without the lease that
    /// answers it no reads are answered.
    func heartbeat(at now: UInt64) -> ControlMessage

    /// The address in its configuration.
    var address: UInt32 { get }
}
