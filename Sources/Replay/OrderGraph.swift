import Etcd

/// What waits for what. Nodes are the plan's calls, by their numbers, and behind them joints: a joint is answered when
/// all it waits for is, and stands for many calls where many wait for the same ones. Without cycles.
package struct OrderGraph: Sendable {
    /// Calls and joints.
    package var nodeCount = 0
    /// How many nodes each node waits for.
    package var waits: [UInt32] = []
    /// Those that wait for node n are `successors[starts[n]..<starts[n + 1]]`.
    package var starts: [UInt64] = [0]
    package var successors: [UInt32] = []

    package init() {}

    /// - Parameters:
    ///   - edges: `before` is waited for by `after`; the same edge may be there twice.
    package init(nodeCount: Int, edges: [(before: UInt32, after: UInt32)]) {
        self.nodeCount = nodeCount
        waits = Array(repeating: 0, count: nodeCount)
        starts = Array(repeating: 0, count: nodeCount + 1)
        successors = Array(repeating: 0, count: edges.count)
        for edge in edges {
            waits[Int(edge.after)] += 1
            starts[Int(edge.before) + 1] += 1
        }
        for node in 0..<nodeCount { starts[node + 1] += starts[node] }
        var next = starts
        for edge in edges {
            successors[Int(next[Int(edge.before)])] = edge.after
            next[Int(edge.before)] += 1
        }
    }
}
