/// Why something of a trace is not part of its history.
package enum Exclusion: Int, Sendable, CaseIterable {
    /// The method is not known.
    case methodUnknown = 0
    /// Bytes of the request were lost, or it could not be read: a change by it has no place.
    case requestLost
    /// Bytes of the answer were lost, or it could not be read.
    case answerLost
    /// A read without an answer.
    case readUnanswered
    /// A change without an answer: it may have taken effect, at a revision that nobody was told.
    case writeUnanswered
    /// The client took it back before the server could read it.
    case withdrawn
    /// The answer is an error.
    case failed
    /// A read that may be served from an old state (`serializable`).
    case serializable
    /// A read at a revision that the client named.
    case atRevision
    /// A read that counts keys, of which there are some.
    case countOnly
    /// A read that returns keys by their revisions, and returned none.
    case filtered
    /// Of a range with a limit, or of which not all keys were recorded: that other keys were absent. Keys returned are
    /// part of the history.
    case incompleteRanges
    /// A range answered in pieces.
    case rangeStreams
    /// A range deleted, when the answer does not name all keys.
    case rangesDeleted
    /// A comparison that does not tell the key's revision.
    case comparesWithoutState
    /// An event of a watch: when it was true is not known.
    case watchEvents
    /// Of a replay in shards: a call that also meets other shards' keys, of whose writes this one knows nothing.
    case crossing
    case absencesBeyondLimit
    case operationsBeyondLimit

    /// The name in JSON.
    package var name: String {
        switch self {
        case .methodUnknown: "method_unknown"
        case .requestLost: "request_lost"
        case .answerLost: "answer_lost"
        case .readUnanswered: "read_unanswered"
        case .writeUnanswered: "write_unanswered"
        case .withdrawn: "withdrawn"
        case .failed: "failed"
        case .serializable: "serializable"
        case .atRevision: "at_revision"
        case .countOnly: "count_only"
        case .filtered: "filtered"
        case .incompleteRanges: "incomplete_ranges"
        case .rangeStreams: "range_streams"
        case .rangesDeleted: "ranges_deleted"
        case .comparesWithoutState: "compares_without_state"
        case .watchEvents: "watch_events"
        case .crossing: "crossing"
        case .absencesBeyondLimit: "absences_beyond_limit"
        case .operationsBeyondLimit: "operations_beyond_limit"
        }
    }
}

/// How much is left out, by reason.
package struct ExclusionCounts: Sendable, Equatable {
    private var counts = [Int](repeating: 0, count: Exclusion.allCases.count)

    package init() {}

    package subscript(_ reason: Exclusion) -> Int {
        get { counts[reason.rawValue] }
        set { counts[reason.rawValue] = newValue }
    }
}
