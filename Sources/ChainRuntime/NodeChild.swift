package import Chains
import Glibc

/// What the process of a node does: `NodeProcess` is its other side.
package enum NodeChild {
    /// How long the last statistics are tried to be sent, nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    /// Runs the node until the controller says that it is to end, or is gone. `parent`: the process that started this
    /// one, with which it ends, however that ends.
    package static func run(control: Endpoint, parent: Int32, ticket: UInt64) throws(SystemError) {
        guard ProcessCalls.endWithParent(parent) else { return }
        let stream = try ControlStream(to: control, wakeup: try Wakeup())
        var reader = ControlFrameReader()
        stream.send(.node(ticket: ticket))
        guard case .assignment(let assignment) = try stream.next(&reader) else {
            throw SystemError(what: "take a place at \(control)", code: EPROTO)
        }
        let own = assignment.nodes[Int(assignment.index)]
        let sockets = try NodeSockets(
            address: own.address, requestPort: own.requestPort, fabricPort: own.fabricPort)
        // Before the node's first report, and no datagram is lost: the sockets hold them.
        stream.send(.ready)
        let node = try NodeThread.start(
            assignment, sockets: sockets, generation: 0, report: { stream.send(.message($0)) },
            ended: { stream.giveUp() })
        var last: NodeStatistics?
        while last == nil, let frame = try stream.next(&reader) {
            switch frame {
            case .message(let message): node.receive(control: message)
            case .statisticsRequest: stream.send(.statistics([node.statistics().counts(of: node)]))
            case .stop: last = try end(node, stream)
            default: last = node.stop()
            }
        }
        let failure = (last ?? node.stop()).failure
        if let failure { throw failure }
    }

    private static func end(_ node: NodeThread, _ stream: ControlStream) throws(SystemError) -> NodeStatistics {
        let statistics = node.statistics()
        stream.send(.statistics([statistics.counts(of: node)]))
        try stream.drain(until: SystemClock.monotonic + patience)
        return node.stop()
    }
}
