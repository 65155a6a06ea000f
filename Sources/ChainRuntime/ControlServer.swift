package import Chains
import Synchronization

/// What the control interface bears.
package struct ControlServerLimits: Sendable {
    /// Streams at a time. Nodes are nine at most; the others are clients, of which a machine runs a few dozen.
    package var streams = 64
    /// A stream that has not said who it is after these nanoseconds is closed: strangers must not keep clients out.
    package var greeting: UInt64 = 5_000_000_000
    /// Bytes that wait until a stream's other side reads.
    package var queueBytes = ControlStreamLimits.queueBytes

    package init() {}
}

/// Streams of the control interface since it began.
package struct ControlCounts: Equatable, Sendable {
    /// Those of nodes and clients.
    package var greeted = 0
    // Those that were closed, and why.
    /// There were too many.
    package var refused = 0
    /// What came is no frame, or not one that its sender may send.
    package var malformed = 0
    /// It did not say who it is.
    package var silent = 0
    /// It did not read.
    package var slow = 0

    package init(greeted: Int = 0, refused: Int = 0, malformed: Int = 0, silent: Int = 0, slow: Int = 0) {
        self.greeted = greeted
        self.refused = refused
        self.malformed = malformed
        self.silent = silent
        self.slow = slow
    }
}

/// The control interface of a chain: a TCP port by which nodes of other processes report to the controller, and clients
/// of other processes get the directory and ask for statistics.
package final class ControlServer: Sendable {
    /// Where it listens.
    package let endpoint: Endpoint
    private let board: ControlBoard
    private let wakeup: Wakeup
    private let thread: RunningThread

    package init(
        at endpoint: Endpoint, _ controller: ControllerThread, _ description: ChainDescription,
        limits: ControlServerLimits = ControlServerLimits()
    ) throws(SystemError) {
        let wakeup = try Wakeup()
        let listener = try StreamCalls.listen(at: endpoint)
        let board = ControlBoard()
        self.endpoint = listener.endpoint
        self.board = board
        self.wakeup = wakeup
        thread = RunningThread("control interface") {
            var loop = ControlLoop(
                listener: listener.descriptor, wakeup: wakeup, board: board, controller: controller,
                description: description, limits: limits)
            loop.run()
        }
    }

    package var counts: ControlCounts { board.contents.withLock { $0.counts } }

    /// What clients that ask for statistics get.
    func answerStatistics(_ body: @escaping @Sendable () -> [NodeCounts]) {
        board.contents.withLock { $0.statistics = body }
    }

    /// The process of a node is about to be started.
    func expect(_ node: NodeProcess) { board.contents.withLock { $0.expected.append(node) } }

    /// It has ended, and will not come any more.
    func forget(_ node: NodeProcess) {
        board.contents.withLock { board in board.expected.removeAll { $0.ticket == node.ticket } }
    }

    /// Closes all streams, and waits until the thread has ended.
    package func stop() {
        board.contents.withLock { $0.isStopping = true }
        wakeup.set()
        thread.join()
    }
}

/// What the thread of a control interface shares with others.
private final class ControlBoard: Sendable {
    struct Contents: Sendable {
        /// Processes that were started and have not come yet.
        var expected: [NodeProcess] = []
        var statistics: @Sendable () -> [NodeCounts] = { [] }
        var counts = ControlCounts()
        var isStopping = false
    }

    let contents = Mutex(Contents())
}

/// What the thread does.
private struct ControlLoop {
    private enum Role {
        case stranger(until: UInt64)
        case node(NodeProcess, isReady: Bool)
        /// The controller's number for it, and whether statistics are being gathered for it.
        case client(UInt64, isAsking: Watched<Bool>)
    }

    private struct Peer {
        var stream: ControlStream
        var reader = ControlFrameReader()
        var role: Role
    }

    let listener: Int32
    let wakeup: Wakeup
    let board: ControlBoard
    let controller: ControllerThread
    let description: ChainDescription
    let limits: ControlServerLimits
    private var peers: [Peer] = []
    /// When new streams are looked for again, after the system had no room for one.
    private var listensFrom: UInt64 = 0

    init(
        listener: Int32, wakeup: Wakeup, board: ControlBoard, controller: ControllerThread,
        description: ChainDescription, limits: ControlServerLimits
    ) {
        self.listener = listener
        self.wakeup = wakeup
        self.board = board
        self.controller = controller
        self.description = description
        self.limits = limits
    }

    mutating func run() {
        while !board.contents.withLock({ $0.isStopping }) {
            let isListening = SystemClock.monotonic >= listensFrom
            var requests = [PollRequest(isListening ? listener : -1), PollRequest(wakeup.descriptor)]
            for peer in peers {
                requests.append(PollRequest(peer.stream.descriptor, wantsWrite: peer.stream.hasOutput))
            }
            // A wait that the system refuses becomes a look at all of them.
            try? PollRequest.wait(&requests, until: nextDeadline, now: SystemClock.monotonic)
            if requests[1].isReadable { wakeup.clear() }
            for place in peers.indices {
                if requests[2 + place].isWritable { peers[place].stream.flush() }
                if requests[2 + place].isReadable { receive(place) }
            }
            closeOver()
            if requests[0].isReadable { accept() }
        }
        closeOver()
        for place in peers.indices { end(place) }
        StreamCalls.close(listener)
    }

    private var nextDeadline: UInt64 {
        var next = listensFrom > SystemClock.monotonic ? listensFrom : UInt64.max
        for peer in peers { if case .stranger(let end) = peer.role { next = min(next, end) } }
        return next
    }

    private func count(_ body: (inout ControlCounts) -> Void) { board.contents.withLock { body(&$0.counts) } }

    private mutating func accept() {
        do throws(SystemError) {
            while let descriptor = try StreamCalls.accept(listener) {
                let stream = ControlStream(descriptor: descriptor, wakeup: wakeup, queueBytes: limits.queueBytes)
                guard peers.count < limits.streams else {
                    count { $0.refused += 1 }
                    continue
                }
                peers.append(Peer(stream: stream, role: .stranger(until: SystemClock.monotonic + limits.greeting)))
            }
        } catch {
            // No descriptors or no memory: who waits stays readable, and would keep this thread running.
            listensFrom = SystemClock.monotonic + Self.refusalPause
        }
    }

    /// Nanoseconds; as long as a person takes for a network that is slow.
    private static let refusalPause: UInt64 = 1_000_000_000

    /// Takes leave of those that were given up, and of strangers that say nothing.
    private mutating func closeOver() {
        let now = SystemClock.monotonic
        for place in peers.indices.reversed() {
            if case .stranger(let end) = peers[place].role, now >= end, !peers[place].stream.isOver {
                count { $0.silent += 1 }
                peers[place].stream.giveUp()
            }
            guard peers[place].stream.isOver else { continue }
            if peers[place].stream.isSlow { count { $0.slow += 1 } }
            end(place)
            peers.remove(at: place)
        }
    }

    private func end(_ place: Int) {
        peers[place].stream.giveUp()
        switch peers[place].role {
        case .stranger: break
        case .node(let node, _):
            controller.ended(node.address.address, generation: node.generation)
            node.streamEnded()
        case .client(let number, _): controller.close(number)
        }
    }

    private mutating func receive(_ place: Int) {
        let isOpen = peers[place].stream.receive(into: &peers[place].reader)
        do throws(ControlFormatError) {
            while !peers[place].stream.isOver, let frame = try peers[place].reader.next() { try take(frame, place) }
            if !isOpen { peers[place].stream.giveUp() }
        } catch {
            count { $0.malformed += 1 }
            peers[place].stream.giveUp()
        }
    }

    /// Throws if the frame is none that its sender may send.
    private mutating func take(_ frame: ControlFrame, _ place: Int) throws(ControlFormatError) {
        switch peers[place].role {
        case .stranger: try greet(frame, place)
        case .node(let node, let isReady): try take(frame, of: node, isReady, place)
        case .client(let number, let isAsking):
            try take(frame, of: number, isAsking, peers[place].stream)
        }
    }

    private mutating func greet(_ frame: ControlFrame, _ place: Int) throws(ControlFormatError) {
        let stream = peers[place].stream
        switch frame {
        case .node(let ticket):
            let node = board.contents.withLock { board -> NodeProcess? in
                guard let index = board.expected.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return board.expected.remove(at: index)
            }
            guard let node else { throw .value }
            node.attach(stream)
            peers[place].role = .node(node, isReady: false)
            stream.send(.assignment(node.assignment))
        case .client:
            let number = controller.open { stream.send(.message($0)) }
            peers[place].role = .client(number, isAsking: Watched(false))
            stream.send(.welcome(description))
        default: throw .value
        }
        count { $0.greeted += 1 }
    }

    private mutating func take(
        _ frame: ControlFrame, of node: NodeProcess, _ isReady: Bool, _ place: Int
    ) throws(ControlFormatError) {
        switch frame {
        case .ready where !isReady:
            peers[place].role = .node(node, isReady: true)
            controller.connect(node)
            node.becomeReady()
        case .message(let message) where isReady:
            controller.receive(message, from: node.address.address, generation: node.generation)
        case .statistics(let counts) where counts.count == 1: node.take(counts[0])
        default: throw .value
        }
    }

    private func take(
        _ frame: ControlFrame, of client: UInt64, _ isAsking: Watched<Bool>, _ stream: ControlStream
    ) throws(ControlFormatError) {
        switch frame {
        case .message(.subscribe), .message(.slotRequest):
            guard case .message(let message) = frame else { return }
            controller.receive(message, fromClient: client)
        case .place(let name, let width) where width != .none:
            stream.send(.placed(controller.place(name, width: width)))
        case .evict(let name): controller.evict(name)
        case .statisticsRequest:
            guard !isAsking.now else { throw .value }
            isAsking.change { $0 = true }
            let statistics = board.contents.withLock { $0.statistics }
            // Nodes answer by this thread, which therefore cannot wait for them.
            _ = RunningThread("statistics") {
                let counts = statistics()
                isAsking.change { $0 = false }
                stream.send(.statistics(counts))
            }
        default: throw .value
        }
    }
}
