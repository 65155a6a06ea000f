package import Chains
import Synchronization

/// How a chain of a paper variant on this machine is built.
package struct PaperChainConfiguration<Control: PaperControl>: Sendable {
    package var options: Control.Options
    /// Nodes, 1 to 9, all in one chain.
    package var nodes: Int
    /// Keys that every node has registers for, numbered from 1.
    package var keys = PaperLimits.keys
    /// Where clients may be.
    package var clients = IPv4Network(address: 0x7f00_0000, prefixLength: 8)
    /// Packets a second that each node takes; nil: as many as it can.
    package var rate: Int?
    /// Whether each node stays on a core of its own, as far as there are enough.
    package var isPinned = false
    /// 0: the system's choice.
    package var requestPort: UInt16 = 8888
    package var fabricPort: UInt16 = 8890
    /// Addresses of clients and the positions of the nodes that they hang on. Where there are any, the nodes stand in a
    /// line: packets cross each node between, as in the papers' networks. Else each sends to each directly.
    package var line: [(client: UInt32, position: Int)] = []

    package init(_ options: Control.Options, nodes: Int) {
        self.options = options
        self.nodes = nodes
    }

    /// What the node at `position` knows of the network.
    fileprivate func network(_ position: Int, _ addresses: [UInt32]) -> PaperNetwork {
        var network = PaperNetwork(own: addresses[position], switches: addresses, clients: clients)
        guard !line.isEmpty else { return network }
        let towards: (Int) -> UInt32 = { addresses[position + ($0 > position ? 1 : -1)] }
        for (other, address) in addresses.enumerated() where abs(other - position) > 1 {
            network.routes.append(PaperNetwork.Route(to: address, via: towards(other)))
        }
        for (client, other) in line where other != position {
            network.routes.append(PaperNetwork.Route(to: client, via: towards(other)))
        }
        return network
    }
}

/// A chain of a paper variant on the loopback, each node a thread, set up by its control plane before it starts. A node
/// A chain of a paper variant on the loopback, each node a thread, set up by its control plane before it starts. How
/// failures are noticed is not published: the control plane is told of a node that is killed, and nobody watches.
package final class LocalPaperChain<Control: PaperControl>: Sendable where Control.Switch: NodeMachine {
    package let configuration: PaperChainConfiguration<Control>
    /// Where the nodes listen, in the chain's first order: head first.
    package let addresses: [NodeAddress]

    private struct State: Sendable {
        var control: Control
        var threads: [NodeThread] = []
        var lives = 1
    }

    private let state: Mutex<State>
    private let block: LoopbackBlock

    package init(_ configuration: PaperChainConfiguration<Control>) throws(SystemError) {
        precondition((1...ChainPacket.hopsMax).contains(configuration.nodes), "a chain has 1 to 9 nodes")
        self.configuration = configuration
        let (block, sockets) = try LoopbackBlock.bind(
            configuration.nodes, requestPort: configuration.requestPort, fabricPort: configuration.fabricPort)
        self.block = block
        let nodes = sockets.map(\.address)
        addresses = nodes
        let names = nodes.map(\.address)
        var control = Control(chain: names)
        var machines = names.indices.map {
            Control.node(configuration.options, network: configuration.network($0, names), keys: configuration.keys)
        }
        control.start(&machines)
        for key in 0..<UInt32(configuration.keys) { _ = control.insert(key: key + 1, into: &machines) }
        var threads: [NodeThread] = []
        do throws(SystemError) {
            for (position, sockets) in sockets.enumerated() {
                threads.append(
                    try Self.start(machines[position], position, sockets, generation: 0, configuration, nodes))
            }
        } catch {
            for thread in threads { thread.stop() }
            throw error
        }
        state = Mutex(State(control: control, threads: threads))
    }

    private static func start(
        _ machine: Control.Switch, _ position: Int, _ sockets: NodeSockets, generation: Int,
        _ configuration: PaperChainConfiguration<Control>, _ nodes: [NodeAddress]
    ) throws(SystemError) -> NodeThread {
        var settings = NodeSettings(nodes: nodes)
        settings.rate = configuration.rate
        settings.core = configuration.isPinned ? position : nil
        return try NodeThread(machine, sockets: sockets, settings: settings, generation: generation)
    }

    /// What clients say.
    package var speech: PaperProtocol { Control.speech(configuration.options) }

    // The control plane.

    /// Changes the machines of all nodes that run, as one, while they stand still.
    private static func change(
        _ state: inout State, _ body: (inout Control, inout [Control.Switch]) -> Void
    ) {
        var loans: [Loan<Control.Switch>] = []
        for thread in state.threads {
            let loan = Loan<Control.Switch>()
            thread.visit(loan)
            loans.append(loan)
        }
        var machines: [Control.Switch] = []
        var lenders: [Loan<Control.Switch>] = []
        for loan in loans {
            guard let machine = loan.take() else { continue }
            machines.append(machine)
            lenders.append(loan)
        }
        body(&state.control, &machines)
        for (loan, machine) in zip(lenders, machines) { loan.give(machine) }
    }

    /// Ends a node as a crash does: what it holds is lost, and the chain goes on without it. Answers its last
    /// statistics.
    @discardableResult
    package func kill(_ index: Int) -> NodeStatistics {
        state.withLock { state in
            let last = state.threads[index].stop()
            Self.change(&state) { control, machines in
                control.failOver(of: addresses[index].address, &machines)
            }
            return last
        }
    }

    /// Starts a node that was killed: it is filled from its neighbour while writes, or what is for it, stop, and takes
    /// its old place. False: no node is left that has what the chain held.
    package func restart(_ index: Int) throws(SystemError) -> Bool {
        try state.withLock { state throws(SystemError) in
            let running = zip(addresses, state.threads).filter { $1.isRunning }.map(\.0.address)
            guard state.control.chain.contains(where: { running.contains($0) }) else { return false }
            let own = addresses[index]
            let names = addresses.map(\.address)
            let machine = Control.node(
                configuration.options, network: configuration.network(index, names), keys: configuration.keys)
            let sockets = try NodeSockets(
                address: own.address, requestPort: own.requestPort, fabricPort: own.fabricPort)
            state.threads[index] = try Self.start(
                machine, index, sockets, generation: state.lives, configuration, addresses)
            state.lives += 1
            // Running nodes are lent in the order of the chain.
            let place = running.filter { names.firstIndex(of: $0).map { $0 < index } ?? false }.count
            let position = state.control.chain.filter { names.firstIndex(of: $0).map { $0 < index } ?? false }.count
            Self.change(&state) { control, machines in
                if let neighbour = machines.indices.first(where: { $0 != place }) {
                    let known = machines[neighbour]
                    control.welcome(&machines[place], beside: known)
                }
                control.stop(for: own.address, &machines)
                control.recover(own.address, with: own.address, at: position, &machines)
            }
            return true
        }
    }

    // As they are.

    /// Of each node, in the order of `addresses`.
    package func statistics() -> [NodeStatistics] { state.withLock { $0.threads }.map { $0.statistics() } }

    /// Whether each node's thread still runs.
    package var isRunning: [Bool] { state.withLock { $0.threads.map(\.isRunning) } }

    /// The nodes in service by the control plane, head first.
    package var chain: [UInt32] { state.withLock { $0.control.chain } }

    /// Ends the nodes; answers their last statistics.
    @discardableResult
    package func stop() -> [NodeStatistics] { state.withLock { $0.threads }.map { $0.stop() } }
}
