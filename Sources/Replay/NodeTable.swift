/// How far the order of a plan's calls has come: for each node how many answers it still waits for.
///
/// A call that was sent, and a joint that was answered, waits for as many as at first again: all that it waited for is
/// answered, and will be answered again in the next loop only.
struct NodeTable: ~Copyable, Sendable {
    struct Node: Sendable {
        /// Of a call that is due and waits: when it was due. Of one that does not wait any more: when the last answer
        /// came, `Int64.min` where it never waited.
        var moment: Int64
        var waits: UInt32
    }

    private(set) var nodes: [Node]
    private let order: OrderGraph
    /// How many nodes each node waits for in every loop.
    private let waits: [UInt32]
    private let callCount: UInt32
    /// Answered joints whose successors are not told yet.
    private var answered: [UInt32] = []

    /// - Parameters:
    ///   - skipped: calls before this one are never sent, and never waited for.
    init(_ order: OrderGraph, callCount: Int, skipped: Int) {
        precondition(order.nodeCount == 0 || order.nodeCount >= callCount, "all calls or none must be in the order")
        self.order = order
        self.callCount = UInt32(callCount)
        waits = order.nodeCount == 0 ? [] : Self.waits(order, callCount: callCount, skipped: skipped)
        nodes = waits.map { Node(moment: .min, waits: $0) }
    }

    /// The order's counts without what is never answered, and without joints that wait for nothing.
    private static func waits(_ order: OrderGraph, callCount: Int, skipped: Int) -> [UInt32] {
        var known = Array(0..<UInt32(skipped))
        known += (callCount..<order.nodeCount).lazy.filter { order.waits[$0] == 0 }.map(UInt32.init)
        // The plan's own array serves where there is nothing to change.
        if known.isEmpty { return order.waits }
        var waits = order.waits
        while let node = known.popLast() {
            for place in order.starts[Int(node)]..<order.starts[Int(node) + 1] {
                let next = order.successors[Int(place)]
                waits[Int(next)] -= 1
                if next >= callCount, waits[Int(next)] == 0 { known.append(next) }
            }
        }
        return waits
    }

    /// Whether all that the call waits for was answered, and when; nil if not: then it is remembered that it was due
    /// at `intended`.
    @inline(__always)
    mutating func take(_ call: UInt32, due intended: Int64) -> Int64? {
        if nodes.isEmpty { return .min }
        if nodes[Int(call)].waits > 0 {
            nodes[Int(call)].moment = intended
            return nil
        }
        let moment = nodes[Int(call)].moment
        rearm(call)
        return moment
    }

    @inline(__always)
    private mutating func rearm(_ node: UInt32) {
        nodes[Int(node)] = Node(moment: .min, waits: waits[Int(node)])
    }

    /// Tells those that wait for the call that it was answered. Of the calls that then wait for nothing more, those
    /// before `cursor`, which are due, go to `late`.
    mutating func answer(_ call: UInt32, at moment: Int64, cursor: UInt32, late: inout CallHeap) {
        if nodes.isEmpty { return }
        tell(call, moment, cursor, &late)
        while let joint = answered.popLast() {
            rearm(joint)
            tell(joint, moment, cursor, &late)
        }
    }

    @inline(__always)
    private mutating func tell(_ node: UInt32, _ moment: Int64, _ cursor: UInt32, _ late: inout CallHeap) {
        var place = Int(order.starts[Int(node)])
        let end = Int(order.starts[Int(node) + 1])
        while place < end {
            let next = order.successors[place]
            place += 1
            var successor = nodes[Int(next)]
            successor.waits -= 1
            if successor.waits == 0, next >= cursor, next < callCount { successor.moment = moment }
            nodes[Int(next)] = successor
            if successor.waits > 0 { continue }
            if next >= callCount {
                answered.append(next)
            } else if next < cursor {
                let intended = successor.moment
                late.insert(CallHeap.Entry(call: next, intended: intended, released: max(intended, moment)))
                rearm(next)
            }
        }
    }

    /// Reads those that wait for these calls (`Lookahead`).
    func look(_ calls: Range<Int>) -> UInt64 {
        if nodes.isEmpty { return 0 }
        var sum: UInt64 = 0
        for place in Int(order.starts[calls.lowerBound])..<Int(order.starts[calls.upperBound]) {
            sum &+= UInt64(nodes[Int(order.successors[place])].waits)
        }
        return sum
    }

    /// Begins again, where some calls could not be sent.
    mutating func reset() {
        for node in nodes.indices { rearm(UInt32(node)) }
    }
}
