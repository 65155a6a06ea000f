/// Which keys and leases of a plan belong together: a partition that only ever gets coarser.
///
/// Nodes are keys, by their places in etcd's order of keys, and behind them leases. A component is named by its
/// smallest node.
struct KeyComponents {
    private(set) var count: Int
    private var parents: [UInt32]
    /// Of each key the last one of its run, by way of others: the keys of a run are joined with their neighbours.
    private var lasts: [UInt32]
    /// By component: the last interval that it was counted for.
    private var stamps: [UInt32]
    private var stamp: UInt32 = 0
    /// How many components and runs may still be looked at for intervals.
    private var steps: Int
    private var refused: RefusedIntervals

    /// - Parameters:
    ///   - steps: `PlanLimits.shardSteps`.
    init(keyCount: Int, steps: Int) {
        count = keyCount
        parents = Array(0..<UInt32(keyCount))
        lasts = parents
        stamps = Array(repeating: 0, count: keyCount)
        self.steps = steps
        refused = RefusedIntervals(keyCount: keyCount)
    }

    var nodeCount: Int { parents.count }

    /// A component of its own, behind all that are there.
    mutating func addNode() -> UInt32 {
        let node = UInt32(parents.count)
        parents.append(node)
        stamps.append(0)
        count += 1
        return node
    }

    /// The smallest node that belongs together with this one.
    mutating func component(of node: UInt32) -> UInt32 { Self.follow(node, &parents) }

    mutating func join(_ left: UInt32, _ right: UInt32) {
        let (left, right) = (component(of: left), component(of: right))
        if left == right { return }
        parents[Int(max(left, right))] = min(left, right)
        count -= 1
    }

    /// Joins neighbouring keys, unless fewer components than `least` would remain. What is refused once stays so, and
    /// so does every interval around it. Narrower intervals are to come before wider ones.
    ///
    /// All joins together take about as many steps as there are keys and intervals, since joined neighbours are one
    /// step; refused ones take up to as many as there are components, which `steps` bounds.
    mutating func join(_ interval: Range<Int>, leaving least: Int) {
        if interval.count < 2 || refused.holdsOne(inside: interval) { return }
        stamp += 1
        var distinct = 0
        var key = interval.lowerBound
        while key < interval.upperBound {
            let component = Int(component(of: UInt32(key)))
            if stamps[component] != stamp {
                stamps[component] = stamp
                distinct += 1
            }
            steps -= 1
            if steps < 0 || distinct > 1 && count - distinct + 1 < least { return refused.insert(interval) }
            key = Int(Self.follow(UInt32(key), &lasts)) + 1
        }
        let first = UInt32(interval.lowerBound)
        var last = Int(Self.follow(first, &lasts))
        while last < interval.upperBound - 1 {
            join(first, UInt32(last + 1))
            lasts[last] = UInt32(last + 1)
            last = Int(Self.follow(first, &lasts))
        }
    }

    /// Whether the keys of an interval were refused to be joined.
    func isRefused(_ interval: Range<Int>) -> Bool { interval.count > 1 && refused.holdsOne(inside: interval) }

    /// The end of the way from a number to the next, which becomes shorter each time.
    private static func follow(_ number: UInt32, _ next: inout [UInt32]) -> UInt32 {
        var number = Int(number)
        while next[number] != number {
            next[number] = next[Int(next[number])]
            number = Int(next[number])
        }
        return UInt32(number)
    }
}

/// Intervals that were refused, so that those around them need not be looked at: the smallest upper bound of those that
/// begin at or behind a key (a Fenwick tree, from the last key on).
private struct RefusedIntervals {
    private var ends: [Int]

    init(keyCount: Int) { ends = Array(repeating: .max, count: keyCount + 1) }

    mutating func insert(_ interval: Range<Int>) {
        var place = ends.count - 1 - interval.lowerBound
        while place < ends.count {
            ends[place] = min(ends[place], interval.upperBound)
            place += place & -place
        }
    }

    func holdsOne(inside interval: Range<Int>) -> Bool {
        var place = ends.count - 1 - interval.lowerBound
        while place > 0 {
            if ends[place] <= interval.upperBound { return true }
            place &= place - 1
        }
        return false
    }
}
