/// Calls that come one after the other and are waited for all together by some that come later: those wait for the
/// chain's tail, which stands for all members so far.
struct WaitChain {
    private var tail: UInt32?
    private var members: [UInt32] = []

    mutating func append(_ node: UInt32) { members.append(node) }

    /// What to wait for; nil if there are no members. Makes a joint where there are several.
    mutating func tail(in edges: inout OrderEdges) -> UInt32? {
        if members.isEmpty { return tail }
        if tail == nil, members.count == 1 {
            tail = members[0]
        } else {
            let joint = edges.makeJoint()
            if let tail { edges.add(before: tail, after: joint) }
            for member in members { edges.add(before: member, after: joint) }
            tail = joint
        }
        members.removeAll(keepingCapacity: members.count <= 64)
        return tail
    }
}

/// The edges of an order graph while it is made.
struct OrderEdges {
    private(set) var nodeCount: Int
    private(set) var edges: [(before: UInt32, after: UInt32)] = []
    /// The last node that each node was made to be waited for by: most repetitions come one after the other.
    private var latest: [UInt32]

    init(callCount: Int) {
        nodeCount = callCount
        latest = Array(repeating: .max, count: callCount)
    }

    mutating func makeJoint() -> UInt32 {
        let joint = UInt32(nodeCount)
        nodeCount += 1
        latest.append(.max)
        return joint
    }

    /// `after` waits for `before`. An edge to itself is none.
    mutating func add(before: UInt32, after: UInt32) {
        if before == after || latest[Int(before)] == after { return }
        latest[Int(before)] = after
        edges.append((before, after))
    }
}

extension OrderEdges {
    /// Takes out edges until nothing waits for itself; how many nodes had to wait for less. Recordings have no cycles;
    /// traces that contradict themselves may.
    mutating func breakCycles() -> Int {
        let graph = OrderGraph(nodeCount: nodeCount, edges: edges)
        var open = graph.waits
        var position = Array(repeating: UInt32.max, count: nodeCount)
        var ready: [UInt32] = []
        for node in open.indices where open[node] == 0 { ready.append(UInt32(node)) }
        var done: UInt32 = 0
        var lowest = 0
        var broken = 0
        while Int(done) < nodeCount {
            if ready.isEmpty {
                while position[lowest] != .max { lowest += 1 }
                ready.append(UInt32(lowest))
                broken += 1
            }
            while let node = ready.popLast() {
                // A node that was let go may become free a second time.
                if position[Int(node)] != .max { continue }
                position[Int(node)] = done
                done += 1
                for place in graph.starts[Int(node)]..<graph.starts[Int(node) + 1] {
                    let successor = Int(graph.successors[Int(place)])
                    open[successor] -= 1
                    if open[successor] == 0 { ready.append(UInt32(successor)) }
                }
            }
        }
        if broken > 0 { edges.removeAll { position[Int($0.before)] >= position[Int($0.after)] } }
        return broken
    }
}
