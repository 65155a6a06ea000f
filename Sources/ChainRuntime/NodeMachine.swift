package import Chains

/// A switch that a node thread can run.
package protocol NodeMachine: SwitchMachine {
    /// Takes a message of the controller; answers what to send back, if anything.
    mutating func receive(control message: ControlMessage, at now: UInt64) -> ControlMessage?

    /// What to tell the controller from time to time; nil where there is none.
    func report(at now: UInt64) -> ControlMessage?
}

extension NetCRAQSwitch: NodeMachine {
    package func report(at now: UInt64) -> ControlMessage? { heartbeat(at: now) }
}

extension NetChainSwitch: NodeMachine {
    package func report(at now: UInt64) -> ControlMessage? { heartbeat(at: now) }
}

/// The papers' control planes reach into the switches themselves: before they start, and by a `NodeVisitor`.
extension NetCRAQPaperSwitch: NodeMachine {
    package mutating func receive(control message: ControlMessage, at now: UInt64) -> ControlMessage? { nil }
    package func report(at now: UInt64) -> ControlMessage? { nil }
}

extension NetChainPaperSwitch: NodeMachine {
    package mutating func receive(control message: ControlMessage, at now: UInt64) -> ControlMessage? { nil }
    package func report(at now: UInt64) -> ControlMessage? { nil }
}
