package import Chains
import Glibc

/// A program that runs a node: `kvreel`, or a test's or a bench's own. It gets the controller's port and the starting
/// process's id as its last arguments, a ticket as a line of standard input, and calls `NodeChild.run` with them.
package struct NodeProgram: Sendable {
    package var path: String
    package var arguments: [String]

    package init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }
}

/// A node that is a process of its own, joined to the controller by a stream.
package final class NodeProcess: ChainNode {
    /// How long it may take to answer, nanoseconds: a process that was stopped never does.
    private static let patience: UInt64 = 2_000_000_000

    private struct State: Sendable {
        var id: Int32 = 0
        var stream: ControlStream?
        var isReady = false
        var hasEnded = false
        /// It was told to end, and nobody is to be put in its place.
        var isMeantToEnd = false
        var last = NodeStatistics()
        /// Answers to questions that came.
        var answers = 0
    }

    package let generation: Int
    let assignment: NodeAssignment
    /// Who says this over a stream is this process.
    let ticket: UInt64
    private let state = Watched(State())

    init(_ assignment: NodeAssignment, generation: Int, ticket: UInt64) {
        self.assignment = assignment
        self.generation = generation
        self.ticket = ticket
    }

    package var address: NodeAddress { assignment.nodes[Int(assignment.index)] }
    package var id: Int32 { state.now.id }
    package var isRunning: Bool { !state.now.hasEnded }
    var isMeantToEnd: Bool { state.now.isMeantToEnd }

    /// Starts the process; `ended` is called when it has ended.
    func start(
        _ program: NodeProgram, control: Endpoint, ended: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let id = try ProcessCalls.start(
            program.path, program.arguments + ["\(control)", String(ProcessCalls.own)], input: "\(ticket)\n")
        state.change { $0.id = id }
        let state = state
        _ = RunningThread("end of a node") {
            ProcessCalls.wait(for: id)
            // Nobody signals it after it was reaped: the id may be another's then.
            state.change { state in
                state.hasEnded = true
                ProcessCalls.reap(id)
            }
            ended()
        }
    }

    /// Waits until it takes datagrams, or has ended; whether it does.
    func waitUntilReady() -> Bool {
        let state = state.wait { $0.isReady || $0.hasEnded }
        return state.isReady
    }

    // From the stream, on the thread of its other end.

    func attach(_ stream: ControlStream) { state.change { $0.stream = stream } }

    func becomeReady() { state.change { $0.isReady = true } }

    func streamEnded() { state.change { $0.stream = nil } }

    func take(_ counts: NodeCounts) {
        guard let statistics = NodeStatistics(counts.counts) else { return }
        state.change { state in
            state.last = statistics
            state.answers += 1
        }
    }

    // To the process.

    @discardableResult
    package func receive(control message: ControlMessage) -> Bool {
        guard let stream = state.now.stream else { return false }
        stream.send(.message(message))
        return true
    }

    package func statistics() -> NodeStatistics {
        let before = state.now
        guard let stream = before.stream else { return before.last }
        stream.send(.statisticsRequest)
        return state.wait(atMost: Self.patience) { $0.answers > before.answers || $0.stream == nil }.last
    }

    package func signal(_ number: Int32) {
        state.change { state in
            if !state.hasEnded, state.id > 0 { ProcessCalls.signal(state.id, number) }
        }
    }

    package func pause() { signal(SIGSTOP) }
    package func resume() { signal(SIGCONT) }

    @discardableResult
    package func kill() -> NodeStatistics {
        state.change { $0.isMeantToEnd = true }
        signal(SIGKILL)
        return state.wait { $0.hasEnded }.last
    }

    /// Tells it to end, without waiting for it.
    func askToStop() {
        state.change { $0.isMeantToEnd = true }
        // One that stands still would not hear it.
        resume()
        state.now.stream?.send(.stop)
    }

    @discardableResult
    package func stop() -> NodeStatistics {
        askToStop()
        // The stream's end comes behind the last statistics.
        state.wait(atMost: Self.patience) { $0.hasEnded && $0.stream == nil }
        return kill()
    }
}
