import Etcd

/// Where an order goes from one shard to another: calls that have to do with those of other shards, and do not wait for
/// them.
struct ShardBorders {
    private(set) var isCrossing: [Bool]
    /// The order's nodes, each behind those that it waits for.
    let sequence: [UInt32]

    /// Whose calls a node stands for: those that it waits for, or that wait for it, joints looked through.
    private enum Owner: Equatable {
        case nobody
        case shard(UInt16)
        case several

        mutating func add(_ other: Owner) {
            if other == .nobody || self == other { return }
            self = self == .nobody ? other : .several
        }

        func isForeign(to shard: UInt16) -> Bool { self != .nobody && self != .shard(shard) }
    }

    /// - Parameter known: calls that cross whatever the order says.
    init(_ order: OrderGraph, _ assignment: ShardAssignment, known: [Bool]) {
        isCrossing = known
        sequence = Self.sequence(of: order)
        let callCount = assignment.shards.count
        if order.nodeCount <= callCount, order.successors.isEmpty { return }
        let shards = assignment.shards
        let isWide = (0..<callCount).map { assignment.isWide[$0] || known[$0] }
        func owner(_ call: Int) -> Owner {
            shards[call] == ShardAssignment.everywhere ? .nobody : .shard(shards[call])
        }
        // By joint: all that it waits for, the same without wide calls, and all that waits for it.
        var before = Array(repeating: Owner.nobody, count: order.nodeCount - callCount)
        var plainBefore = before
        var after = before
        for node in sequence {
            let place = Int(node)
            let isCall = place < callCount
            let all = isCall ? owner(place) : before[place - callCount]
            let plain = isCall ? (isWide[place] ? Owner.nobody : all) : plainBefore[place - callCount]
            for next in order.successors(of: place) {
                if next >= callCount {
                    before[next - callCount].add(all)
                    plainBefore[next - callCount].add(plain)
                } else if shards[next] != ShardAssignment.everywhere,
                    (isWide[next] ? all : plain).isForeign(to: shards[next])
                {
                    isCrossing[next] = true
                }
            }
        }
        for node in sequence.reversed() {
            let place = Int(node)
            for next in order.successors(of: place) {
                let all = next < callCount ? owner(next) : after[next - callCount]
                if place >= callCount {
                    after[place - callCount].add(all)
                } else if isWide[place], shards[place] != ShardAssignment.everywhere, all.isForeign(to: shards[place]) {
                    isCrossing[place] = true
                }
            }
        }
    }

    private static func sequence(of order: OrderGraph) -> [UInt32] {
        var open = order.waits
        var sequence = open.indices.filter { open[$0] == 0 }.map(UInt32.init)
        var done = 0
        while done < sequence.count {
            for next in order.successors(of: Int(sequence[done])) {
                open[next] -= 1
                if open[next] == 0 { sequence.append(UInt32(next)) }
            }
            done += 1
        }
        return sequence
    }
}

extension OrderGraph {
    /// The nodes that wait for one.
    func successors(of node: Int) -> some Collection<Int> {
        successors[Int(starts[node])..<Int(starts[node + 1])].lazy.map(Int.init)
    }
}
