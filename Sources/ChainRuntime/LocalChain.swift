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

    package init(_ format: ChainFormat, nodes: Int) {
        self.format = format
        self.nodes = nodes
    }
}

/// A chain of nodes on the loopback, each a thread, with its controller. Its threads run until it is stopped.
package final class LocalChain: Sendable {
    package let configuration: LocalChainConfiguration
    /// Where the nodes listen, in the chain's first order: head first.
    package let addresses: [NodeAddress]
    package let controller: ControllerThread

    private struct Nodes: Sendable {
        var threads: [NodeThread]
        var lives = 1
    }

    private let nodes: Mutex<Nodes>
    private let block: LoopbackBlock

    /// Starts the nodes, then the controller, which forms the chain. `event` is called on the controller's thread.
    package init(
        _ configuration: LocalChainConfiguration,
        event: @escaping @Sendable (ControllerEvent, UInt64) -> Void = { _, _ in }
    ) throws(SystemError) {
        precondition((1...ChainPacket.hopsMax).contains(configuration.nodes), "a chain has 1 to 9 nodes")
        self.configuration = configuration
        let (block, sockets) = try LoopbackBlock.bind(
            configuration.nodes, requestPort: configuration.requestPort, fabricPort: configuration.fabricPort)
        self.block = block
        addresses = sockets.map(\.address)
        var control = ControllerConfiguration(nodes: addresses.map(\.address))
        control.groups = 1
        control.chainLength = configuration.nodes
        control.times = configuration.times
        controller = try ControllerThread(control, event: event)
        var threads: [NodeThread] = []
        do throws(SystemError) {
            for (index, sockets) in sockets.enumerated() {
                threads.append(try Self.start(index, sockets, 0, configuration, addresses, controller))
            }
        } catch {
            for thread in threads { thread.stop() }
            controller.stop()
            throw error
        }
        nodes = Mutex(Nodes(threads: threads))
        for thread in threads { controller.connect(thread) }
    }

    private static func start(
        _ index: Int, _ sockets: NodeSockets, _ generation: Int, _ configuration: LocalChainConfiguration,
        _ addresses: [NodeAddress], _ controller: ControllerThread
    ) throws(SystemError) -> NodeThread {
        let address = sockets.address.address
        var replica = ReplicaConfiguration(address: address, clients: configuration.clients)
        replica.versions = configuration.versions
        var settings = NodeSettings(nodes: addresses)
        settings.rate = configuration.rate
        settings.core = configuration.isPinned ? index : nil
        settings.heartbeat = configuration.times.heartbeat
        let report: @Sendable (ControlMessage) -> Void = { message in
            controller.receive(message, from: address, generation: generation)
        }
        let ended: @Sendable () -> Void = { controller.ended(address, generation: generation) }
        switch configuration.format {
        case .cqx:
            return try NodeThread(
                NetCRAQSwitch(replica), sockets: sockets, settings: settings, generation: generation, report: report,
                ended: ended)
        case .ncx:
            return try NodeThread(
                NetChainSwitch(replica), sockets: sockets, settings: settings, generation: generation,
                report: report, ended: ended)
        }
    }

    /// Ends a node as a crash does: what it holds is lost, and the controller sees its stream close. Answers its last
    /// statistics.
    @discardableResult
    package func kill(_ index: Int) -> NodeStatistics { nodes.withLock { $0.threads[index] }.stop() }

    /// Starts a node that was killed, empty, at its old address; the controller brings it into the chain.
    package func restart(_ index: Int) throws(SystemError) {
        try nodes.withLock { nodes throws(SystemError) in
            nodes.threads[index].stop()
            let old = addresses[index]
            let sockets = try NodeSockets(
                address: old.address, requestPort: old.requestPort, fabricPort: old.fabricPort)
            nodes.threads[index] = try Self.start(
                index, sockets, nodes.lives, configuration, addresses, controller)
            nodes.lives += 1
            controller.connect(nodes.threads[index])
        }
    }

    /// Of each node, in the order of `addresses`.
    package func statistics() -> [NodeStatistics] { nodes.withLock { $0.threads }.map { $0.statistics() } }

    /// Whether each node's thread still runs: false after `kill`, or when the system refused to go on.
    package var isRunning: [Bool] { nodes.withLock { $0.threads.map(\.isRunning) } }

    /// Ends the controller, then the nodes; answers their last statistics.
    @discardableResult
    package func stop() -> [NodeStatistics] {
        controller.stop()
        return nodes.withLock { $0.threads }.map { $0.stop() }
    }
}
