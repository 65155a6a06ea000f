import Wire

/// Which revision the store had shown at most, at any time, in the answers to a recording's calls.
struct ShownRevisions {
    /// Ends of the answers that showed a new one, ascending, and what they showed.
    private var ends: [Int64] = []
    private var revisions: [Int64] = []

    init(_ calls: [PlannedCall], _ facts: [CallFacts]) {
        let answered = calls.indices.filter { calls[$0].headerRevision > 0 && facts[$0].end != .max }
            .sorted { (facts[$0].end, $0) < (facts[$1].end, $1) }
        for place in answered where calls[place].headerRevision > revisions.last ?? 0 {
            ends.append(facts[place].end)
            revisions.append(calls[place].headerRevision)
        }
    }

    /// The highest that an answer showed which had ended by then; 0 if none had.
    func revision(at time: Int64) -> Int64 {
        let later = ends.partitioningIndex { $0 > time }
        return later == 0 ? 0 : revisions[later - 1]
    }
}
