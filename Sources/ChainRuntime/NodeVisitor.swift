/// What is done to a node's machine by its own thread, between two batches.
package protocol NodeVisitor: Sendable {
    func visit<Machine: NodeMachine>(_ machine: inout Machine)
    /// The node's thread has ended: nothing will be visited.
    func abandon()
}

/// A machine that its node lends to whoever changes several of them as one: the node does nothing until it is back.
final class Loan<Lent: NodeMachine>: NodeVisitor {
    private let lent = Answer<Lent?>()
    private let returned = Answer<Lent>()

    func visit<Machine: NodeMachine>(_ machine: inout Machine) {
        lent.give(machine as? Lent)
        guard machine is Lent, let back = returned.wait() as? Machine else { return }
        machine = back
    }

    func abandon() { lent.give(nil) }

    /// Waits for the machine; nil: the node has ended, or is another variant's.
    func take() -> Lent? { lent.wait() ?? nil }

    /// Gives back what `take` answered. Precondition: the first call.
    func give(_ machine: Lent) { returned.give(machine) }
}
