package import Chains
import Synchronization

/// How a node runs, whatever its machine.
package struct NodeSettings: Sendable {
    /// All nodes; frames are taken from these, and sent to these, alone.
    package var nodes: [NodeAddress]
    /// Packets a second that it takes, of clients and of nodes together; nil: as many as it can.
    package var rate: Int?
    /// The core that its thread stays on, counted among those that the process may use.
    package var core: Int?
    /// Between two reports to the controller, nanoseconds.
    package var heartbeat = ControlTimes().heartbeat
    /// Datagrams taken by one system call: a small part of what a socket holds, and enough that the call costs little
    /// beside them.
    package var batch = 64

    package init(nodes: [NodeAddress]) { self.nodes = nodes }
}

/// What a node thread is asked between two batches.
package enum NodeCommand: Sendable {
    case control(ControlMessage)
    case statistics(Answer<NodeStatistics>)
    case visit(any NodeVisitor)
    case stop
}

/// A node: one thread with a request and a fabric socket, and the machine that nobody else touches.
package final class NodeThread: Sendable {
    package let address: NodeAddress
    /// Tells one life of a node from the next at the same address.
    package let generation: Int
    private let mailbox: Mailbox<NodeCommand>
    private let last: Answer<NodeStatistics>
    private let thread: RunningThread
    private let hold = Mutex<NodeHold?>(nil)

    /// Starts the thread. `report` gets, on that thread, what the machine has for the controller; `ended` is called
    /// last.
    package init<Machine: NodeMachine>(
        _ machine: Machine, sockets: NodeSockets, settings: NodeSettings, generation: Int = 0,
        report: @escaping @Sendable (ControlMessage) -> Void = { _ in }, ended: @escaping @Sendable () -> Void = {}
    ) throws(SystemError) {
        address = sockets.address
        self.generation = generation
        let mailbox = try Mailbox<NodeCommand>()
        let last = Answer<NodeStatistics>()
        self.mailbox = mailbox
        self.last = last
        let handover = Handover(
            NodeLoop(machine: machine, sockets: sockets, settings: settings, mailbox: mailbox, report: report))
        thread = RunningThread("node \(Endpoint.text(of: sockets.address.address))") {
            let statistics = handover.run()
            last.give(statistics)
            for command in mailbox.close() {
                switch command {
                case .statistics(let answer): answer.give(statistics)
                case .visit(let visitor): visitor.abandon()
                case .control, .stop: break
                }
            }
            ended()
        }
    }

    /// Hands a message of the controller to the machine. False: the thread has ended.
    @discardableResult
    package func receive(control message: ControlMessage) -> Bool { mailbox.post(.control(message)) }

    /// Shows the machine to `visitor`, on the node's thread.
    package func visit(_ visitor: any NodeVisitor) {
        if !mailbox.post(.visit(visitor)) { visitor.abandon() }
    }

    /// False once it has ended.
    package var isRunning: Bool { !mailbox.isClosed }

    /// As they are between two batches; of a thread that has ended, its last.
    package func statistics() -> NodeStatistics {
        let answer = Answer<NodeStatistics>()
        return (mailbox.post(.statistics(answer)) ? answer : last).wait() ?? NodeStatistics()
    }

    package func pause() {
        let hold = NodeHold()
        let isFirst = self.hold.withLock { present in
            guard present == nil else { return false }
            present = hold
            return true
        }
        if isFirst { visit(hold) }
    }

    package func resume() { hold.withLock { $0.take() }?.release() }

    /// Ends the thread and waits until it has; its sockets close with it. Answers its last statistics.
    @discardableResult
    package func stop() -> NodeStatistics {
        // One that stands still would not hear it.
        resume()
        mailbox.post(.stop)
        thread.join()
        return last.wait() ?? NodeStatistics()
    }
}

/// A visitor that stays: the node's thread does nothing until it leaves.
private final class NodeHold: NodeVisitor {
    private let released = Answer<Bool>()

    func visit<Machine: NodeMachine>(_ machine: inout Machine) { _ = released.wait() }
    func abandon() {}
    func release() { released.give(true) }
}

/// Carries a node's loop to its thread, where it ends: its sockets are closed when `run` returns, whoever still knows
/// the thread.
private final class Handover<Machine: NodeMachine>: Sendable {
    private let loop: Mutex<NodeLoop<Machine>?>

    init(_ loop: NodeLoop<Machine>) { self.loop = Mutex(loop) }

    func run() -> NodeStatistics {
        guard var taken = loop.withLock({ $0.take() }) else { return NodeStatistics() }
        return taken.run()
    }
}
