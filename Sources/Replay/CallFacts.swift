import Etcd
import Wire

/// What of a recorded call decides its place among the others.
struct CallFacts: Sendable {
    /// Nanoseconds since the epoch; `end` is `Int64.max` where no answer was seen.
    var time: Int64
    var end = Int64.max
    /// Place in the recorded history: 2r for what changed something at revision r, 2r + 1 for what saw the store
    /// between r and r + 1.
    var place: Int64 = 0
    /// Whether it changed keys, as far as the answer tells.
    var hasChanged = false
    /// Whether the answer tells what became of it.
    var isAnswered = false
    /// Others do not wait for it: it asks for the past, or saw it.
    var isOfThePast = false

    init(time: Int64) { self.time = time }

    static func place(_ revision: Int64, hasChanged: Bool) -> Int64 {
        // No store comes near 2^62 revisions.
        let revision = min(max(revision, 0), Int64.max / 4)
        return revision * 2 + (hasChanged ? 0 : 1)
    }
}

extension Operation {
    /// Whether its status leaves open if the store did it: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL,
    /// UNAVAILABLE, DATA_LOSS, or none seen.
    var isOutcomeOpen: Bool {
        guard let status else { return true }
        return [1, 2, 4, 10, 13, 14, 15].contains(status)
    }

    /// Nanoseconds since the epoch of the last byte of the answer; `Int64.max` where it was not seen.
    var answerEnd: Int64 {
        if responseEnd == Operation.absent { return .max }
        let (end, overflow) = time.nanoseconds.addingReportingOverflow(responseEnd)
        return overflow ? .max : end
    }
}
