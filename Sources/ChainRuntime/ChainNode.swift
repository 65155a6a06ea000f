package import Chains

/// A node of a chain as its controller's process sees it: a thread, or a process of its own.
package protocol ChainNode: AnyObject, Sendable {
    var address: NodeAddress { get }
    /// Tells one life of a node from the next at the same address.
    var generation: Int { get }
    var isRunning: Bool { get }

    /// Hands a message of the controller on. False: nobody takes it any more.
    @discardableResult
    func receive(control message: ControlMessage) -> Bool

    /// What it has counted so far; of one that does not answer, what is known of it.
    func statistics() -> NodeStatistics

    /// Lets it stand still, as a machine does that got no processor: it keeps its sockets and its state, and answers
    /// nothing, nor its statistics, until `resume`. Without effect on one that stands still or has ended.
    func pause()
    func resume()

    /// Ends it as a crash does, and waits until it has; its last statistics, as far as they are known.
    @discardableResult
    func kill() -> NodeStatistics

    /// Ends it in good order, and waits until it has; its last statistics.
    @discardableResult
    func stop() -> NodeStatistics
}

extension NodeThread: ChainNode {
    @discardableResult
    package func kill() -> NodeStatistics { stop() }
}

extension NodeThread {
    /// Starts the node that `assignment` describes.
    static func start(
        _ assignment: NodeAssignment, sockets: NodeSockets, generation: Int,
        report: @escaping @Sendable (ControlMessage) -> Void, ended: @escaping @Sendable () -> Void
    ) throws(SystemError) -> NodeThread {
        var replica = ReplicaConfiguration(
            address: assignment.nodes[Int(assignment.index)].address, clients: assignment.clients)
        replica.versions = Int(assignment.versions)
        var settings = NodeSettings(nodes: assignment.nodes)
        settings.rate = assignment.rate.map(Int.init)
        settings.core = assignment.core.map(Int.init)
        settings.heartbeat = assignment.heartbeat
        switch assignment.format {
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
}
