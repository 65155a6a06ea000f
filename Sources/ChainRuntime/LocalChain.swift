package import Chains
import Synchronization

/// How a chain on this machine is built.
package struct LocalChainConfiguration: Sendable {
    package var format: ChainFormat
    /// Nodes, 1 to 9, all in one chain.
    package var nodes: Int
    /// Where clients may be.
    package var clients = IPv4Network(address: 0x7f00_0000, prefixLength: 8)
    /// NetCRAQ: version cells a key.
    package var versions = 8
    /// Packets a second that each node takes; nil: as many as it can.
    package var rate: Int?
    /// Whether each node stays on a core of its own, as far as there are enough.
    package var isPinned = false
    package var times = ControlTimes()
    /// 0: the system's choice.
    package var requestPort: UInt16 = 8888
    package var fabricPort: UInt16 = 8890
    /// Where the control interface listens; nil: nowhere, unless nodes are processes. Port 0 is the system's choice.
    package var control: Endpoint?
    package var controlLimits = ControlServerLimits()
    /// What runs each node as a process of its own; nil: they are threads.
    package var program: NodeProgram?
    /// A node's process that ended unasked is started again after these nanoseconds; nil: it is not. A second lets one
    /// see the chain go on without it, and a program that ends at once does not keep the machine busy.
    package var replacement: UInt64? = 1_000_000_000

    package init(_ format: ChainFormat, nodes: Int) {
        self.format = format
        self.nodes = nodes
    }

    /// What the node of that number is to be.
    func assignment(_ index: Int, _ addresses: [NodeAddress]) -> NodeAssignment {
        var assignment = NodeAssignment(
            format: format, index: UInt8(index), nodes: addresses, clients: clients, heartbeat: times.heartbeat)
        assignment.versions = UInt8(clamping: versions)
        assignment.rate = rate.map { UInt32(clamping: $0) }
        assignment.core = isPinned ? UInt16(index) : nil
        return assignment
    }
}

/// A chain of nodes on the loopback, each a thread or a process, with its controller. They run until it is stopped.
package final class LocalChain: Sendable {
    package let configuration: LocalChainConfiguration
    /// Where the nodes listen, in the chain's first order: head first.
    package let addresses: [NodeAddress]
    package let controller: ControllerThread
    /// The control interface, if there is one.
    package let control: ControlServer?
    private let keeper: ProcessKeeper?

    private struct Nodes: Sendable {
        var all: [any ChainNode] = []
        var lives = 0
        var isStopping = false
    }

    private let nodes = Mutex(Nodes())
    private let block: LoopbackBlock

    private let started: @Sendable (Int, Int32, UInt64) -> Void

    /// Starts the nodes and the controller, which forms the chain. `event` is called on the controller's thread,
    /// `started` whenever a node's process was started, with the node's number, from 1, the process's id and the time.
    package init(
        _ configuration: LocalChainConfiguration,
        event: @escaping @Sendable (ControllerEvent, UInt64) -> Void = { _, _ in },
        started: @escaping @Sendable (Int, Int32, UInt64) -> Void = { _, _, _ in }
    ) throws(SystemError) {
        precondition((1...ChainPacket.hopsMax).contains(configuration.nodes), "a chain has 1 to 9 nodes")
        self.configuration = configuration
        self.started = started
        var (block, sockets) = try LoopbackBlock.bind(
            configuration.nodes, requestPort: configuration.requestPort, fabricPort: configuration.fabricPort)
        self.block = block
        addresses = sockets.map(\.address)
        var settings = ControllerConfiguration(nodes: addresses.map(\.address))
        settings.groups = 1
        settings.chainLength = configuration.nodes
        settings.times = configuration.times
        controller = try ControllerThread(settings, event: event)
        do throws(SystemError) {
            keeper = configuration.program == nil ? nil : try ProcessKeeper()
            let place = configuration.control ?? (keeper == nil ? nil : Endpoint(address: 0x7f00_0001, port: 0))
            let description = ChainDescription(
                format: configuration.format, nodes: addresses, clients: configuration.clients)
            control =
                if let place {
                    try ControlServer(at: place, controller, description, limits: configuration.controlLimits)
                } else { nil }
        } catch {
            controller.stop()
            throw error
        }
        control?.answerStatistics { [weak self] in self?.counts() ?? [] }
        do throws(SystemError) {
            if keeper == nil {
                for index in addresses.indices { try startThread(index, sockets[index]) }
            } else {
                // A process binds its own sockets: what they hold ends with it.
                sockets = []
                for index in addresses.indices { try startProcess(index) }
                try waitForProcesses()
            }
        } catch {
            stop()
            throw error
        }
    }

    // Lives of a node.

    /// Takes `node` in, in place of what was there; false: the chain is being stopped.
    private func enter(_ index: Int, _ make: (_ generation: Int) throws(SystemError) -> any ChainNode)
        throws(SystemError)
    {
        try nodes.withLock { nodes throws(SystemError) in
            guard !nodes.isStopping else { return }
            let node = try make(nodes.lives)
            nodes.lives += 1
            if index < nodes.all.count { nodes.all[index] = node } else { nodes.all.append(node) }
        }
    }

    private func startThread(_ index: Int, _ sockets: NodeSockets) throws(SystemError) {
        let address = sockets.address.address
        let controller = controller
        let assignment = configuration.assignment(index, addresses)
        try enter(index) { generation throws(SystemError) in
            let node = try NodeThread.start(
                assignment, sockets: sockets, generation: generation,
                report: { controller.receive($0, from: address, generation: generation) },
                ended: { controller.ended(address, generation: generation) })
            controller.connect(node)
            return node
        }
    }

    private func startProcess(_ index: Int) throws(SystemError) {
        guard let keeper else { return }
        let outcome = keeper.perform { [self] in
            do throws(SystemError) {
                try startProcessHere(index)
                return nil as SystemError?
            } catch {
                return error
            }
        }
        if let error = outcome ?? nil { throw error }
    }

    /// On the keeper's thread.
    private func startProcessHere(_ index: Int) throws(SystemError) {
        guard let control, let program = configuration.program else { return }
        let assignment = configuration.assignment(index, addresses)
        try enter(index) { generation throws(SystemError) in
            let node = NodeProcess(assignment, generation: generation, ticket: NodeTicket.next())
            control.expect(node)
            do throws(SystemError) {
                try node.start(program, control: control.endpoint) { [weak self] in self?.processEnded(node, index) }
                started(index + 1, node.id, SystemClock.monotonic)
            } catch {
                control.forget(node)
                throw error
            }
            return node
        }
    }

    private func processEnded(_ node: NodeProcess, _ index: Int) {
        control?.forget(node)
        controller.ended(node.address.address, generation: node.generation)
        guard let keeper, let delay = configuration.replacement, !node.isMeantToEnd else { return }
        keeper.perform(at: SystemClock.monotonic + delay) { [weak self] in
            guard let self, isPresent(node, index) else { return }
            // One that cannot be started now is tried again, as one that ended is.
            do throws(SystemError) { try startProcessHere(index) } catch { processEnded(node, index) }
        }
    }

    private func isPresent(_ node: NodeProcess, _ index: Int) -> Bool {
        nodes.withLock { !$0.isStopping && $0.all.indices.contains(index) && $0.all[index] === node }
    }

    private func waitForProcesses() throws(SystemError) {
        for (index, node) in all.enumerated() {
            guard let process = node as? NodeProcess, !process.waitUntilReady() else { continue }
            throw SystemError(what: "run node \(index + 1) in a process of its own", code: SystemError.endedEarly)
        }
    }

    private var all: [any ChainNode] { nodes.withLock { $0.all } }

    /// Ends a node as a crash does: what it holds is lost, and the controller sees its stream close. Answers its last
    /// statistics, as far as they are known.
    @discardableResult
    package func kill(_ index: Int) -> NodeStatistics { all[index].kill() }

    /// Lets a node stand still: it keeps what it holds and answers nothing. The controller goes on without it, and
    /// takes it in again, emptied, once it reports.
    package func pause(_ index: Int) { all[index].pause() }

    package func resume(_ index: Int) { all[index].resume() }

    /// Starts a node that was killed, empty, at its old address; the controller brings it into the chain.
    package func restart(_ index: Int) throws(SystemError) {
        all[index].kill()
        guard keeper == nil else { return try startProcess(index) }
        let old = addresses[index]
        try startThread(
            index,
            try NodeSockets(address: old.address, requestPort: old.requestPort, fabricPort: old.fabricPort))
    }

    // What is known of them.

    /// The nodes' processes, in the order of `addresses`; empty if they are threads.
    package var processes: [NodeProcess] { all.compactMap { $0 as? NodeProcess } }

    /// Of each node, in the order of `addresses`.
    package func statistics() -> [NodeStatistics] { all.map { $0.statistics() } }

    /// The same as it goes over a stream.
    package func counts() -> [NodeCounts] { all.map { $0.statistics().counts(of: $0) } }

    /// Whether each node still runs: false after `kill`, or when the system refused to go on.
    package var isRunning: [Bool] { all.map(\.isRunning) }

    /// Ends the controller, then the nodes, then the control interface; answers the nodes' last statistics.
    @discardableResult
    package func stop() -> [NodeStatistics] {
        controller.stop()
        let last = nodes.withLock { nodes in
            nodes.isStopping = true
            return nodes.all
        }
        for node in last { (node as? NodeProcess)?.askToStop() }
        let statistics = last.map { $0.stop() }
        keeper?.stop()
        control?.stop()
        return statistics
    }
}

/// Numbers that nobody guesses, by which processes are told from strangers.
private enum NodeTicket {
    static func next() -> UInt64 {
        var numbers = SystemRandomNumberGenerator()
        return numbers.next()
    }
}
