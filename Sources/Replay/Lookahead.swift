import Etcd

/// Brings what the next calls will need into the processor's caches.
///
/// In a plan of gigabytes, a call's key, the calls that wait for it and the revisions that it names lie anywhere: each
/// is a miss of cache and page table, and a call on its way through the engine meets one after the other. Reads that do
/// not depend on each other overlap, so that those of several calls in a row take little longer than those of one.
struct Lookahead: ~Copyable, Sendable {
    /// How many calls are looked at together, and how far ahead: enough for their reads to overlap, few enough that
    /// all of it is still there when their turn comes (a kilobyte or two a call).
    static let calls = 16

    /// What is read is added up here: reads that nothing uses would not be compiled.
    private var sum: UInt64 = 0
    /// The calls' keys, then where they end.
    private var ends: [UInt32] = Array(repeating: 0, count: calls)

    /// Whether it is to `advance` before the call at `cursor`.
    @inline(__always)
    static func isDue(at cursor: UInt32) -> Bool { cursor % UInt32(calls) == 0 }

    /// Looks at the calls of the lookahead behind `cursor`.
    mutating func advance(
        to cursor: UInt32, end: UInt32, of plan: borrowing ReplayPlan, _ nodes: borrowing NodeTable,
        _ learned: borrowing LearnedNumbers, _ recording: borrowing ReplayRecording
    ) {
        let first = Int(cursor) + Self.calls
        look(first..<max(first, min(first + Self.calls, Int(end))), plan, nodes, learned, recording)
    }

    private mutating func look(
        _ calls: Range<Int>, _ plan: borrowing ReplayPlan, _ nodes: borrowing NodeTable,
        _ learned: borrowing LearnedNumbers, _ recording: borrowing ReplayRecording
    ) {
        if calls.isEmpty { return }
        if !plan.keys.bytes.isEmpty {
            // One loop for each step of the way: within a loop, no read waits for another.
            for call in calls { ends[call % Self.calls] = plan.calls[call].key }
            for call in calls {
                let key = ends[call % Self.calls]
                sum &+= recording.look(key)
                ends[call % Self.calls] = plan.keys.ends[Int(max(key, 1))]
            }
            // The cache line in which a key ends, and the one before it: most keys of Kubernetes lie in two.
            for call in calls {
                let last = Int(ends[call % Self.calls]) - 1
                sum &+= UInt64(plan.keys.bytes[last]) &+ UInt64(plan.keys.bytes[max(0, last - 64)])
            }
        }
        sum &+= nodes.look(calls)
        for call in calls {
            for place in plan.calls[call].patches.range { sum &+= learned.look(plan.patches[place]) }
        }
    }
}
