/// How long events of watches take: from when the call that caused them was sent, which is the one that was answered
/// their mod revision. Events may come before that answer.
struct EventDelivery: ~Copyable, Sendable {
    /// A revision of the target.
    private struct Write: Sendable {
        var revision: Int64 = 0
        var sent: Int64 = 0
    }
    /// An event of which the call was not answered yet; `next` is the place of another of the same revision, −1 none.
    private struct Waiting: Sendable {
        var revision: Int64
        var done: Int64
        var next: Int32
    }

    /// By revision modulo their number.
    private var writes: [Write] = []
    /// First waiting event by revision modulo their number, −1 for none.
    private var heads: [Int32] = []
    private var waiting: [Waiting] = []
    private var free: [Int32] = []
    private let limits: EngineLimits
    /// From when a call that caused an event was sent to when the event was there.
    private(set) var latency = TimeHistogram()
    /// Events that no call of the replay caused, or one that is too long ago: expired leases, other clients.
    private(set) var unattributed: Int64 = 0

    var waitingCount: Int { waiting.count - free.count }

    init(limits: EngineLimits) {
        precondition(limits.revisions.nonzeroBitCount == 1, "the number of revisions must be a power of two")
        self.limits = limits
    }

    /// Called before a plan with watches is played; without, nothing is kept.
    mutating func begin() {
        writes = Array(repeating: Write(), count: limits.revisions)
        heads = Array(repeating: -1, count: limits.revisions)
    }

    private func place(_ revision: Int64) -> Int { Int(truncatingIfNeeded: revision) & (limits.revisions - 1) }

    /// A call that changed something was answered. The latency of events that waited for it is recorded.
    @inline(__always)
    mutating func write(_ revision: Int64, sent: Int64) {
        if writes.isEmpty || revision == 0 { return }
        let slot = place(revision)
        writes[slot] = Write(revision: revision, sent: sent)
        if heads[slot] >= 0 { settle(slot, revision, sent) }
    }

    private mutating func settle(_ slot: Int, _ revision: Int64, _ sent: Int64) {
        var index = heads[slot]
        heads[slot] = -1
        while index >= 0 {
            let event = waiting[Int(index)]
            // One of another revision is older than the table reaches back: its call will not be answered any more.
            if event.revision == revision { latency.record(event.done &- sent) } else { unattributed += 1 }
            free.append(index)
            index = event.next
        }
    }

    /// An event came.
    mutating func event(_ revision: Int64, done: Int64) {
        if writes.isEmpty { return unattributed += 1 }
        let slot = place(revision)
        if writes[slot].revision == revision { return latency.record(done &- writes[slot].sent) }
        // The store gives revisions in their order: a younger write in this place means that this one's is forgotten.
        guard writes[slot].revision < revision, waitingCount < limits.waitingEvents else { return unattributed += 1 }
        let entry = Waiting(revision: revision, done: done, next: heads[slot])
        if let index = free.popLast() {
            waiting[Int(index)] = entry
            heads[slot] = index
        } else {
            heads[slot] = Int32(waiting.count)
            waiting.append(entry)
        }
    }

    /// Nothing will be answered any more: what still waits has no call.
    mutating func finish() {
        unattributed += Int64(waitingCount)
        waiting.removeAll()
        free.removeAll()
        for slot in heads.indices { heads[slot] = -1 }
    }
}
