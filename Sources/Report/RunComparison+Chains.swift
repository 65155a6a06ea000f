import Analysis
import Replay

// What only runs on chains have.
extension RunComparison {
    /// What a chain could not do, and why, in calls of the trace.
    var expression: Section {
        var section = Section(
            title: "Expressed", note: "Calls and messages of the trace, each once: what a chain does of them.")
        func add(_ label: String, _ count: (ExpressionTable) -> Int) {
            if runs.allSatisfy({ $0.expression.map(count) ?? 0 == 0 }) { return }
            section.rows += figures(
                label, .count,
                note: { runs in
                    let tables = runs.compactMap(\.expression)
                    let all = tables.reduce(0) { $0 + $1.total }
                    return all == 0 ? "" : Self.share(tables.reduce(0) { $0 + count($1) }, of: all)
                }, { $0.expression.map { Double(count($0)) } })
        }
        add("as recorded") { $0.executed }
        add("approximated") { $0.approximated }
        for obstacle in ChainObstacle.allCases { add("  " + obstacle.words) { $0.approximated(obstacle) } }
        add("left out") { $0.leftOut }
        for obstacle in ChainObstacle.allCases { add("  " + obstacle.words) { $0.leftOut(obstacle) } }
        add("replayed on no store") { $0.omitted }
        return section
    }

    /// All runs over the calls that a chain does as recorded, so that the same is compared.
    var overExpressed: Section {
        var section = Section(
            title: "Over what a chain does as recorded",
            note: "Other stores' calls are those that the chain could do, judged by their own traces.")
        if expressed.isEmpty { return section }
        section.rows += figures("answered", .count, of: expressed) { Double($0.total) }
        section.rows += figures("as recorded", .count, of: expressed, note: Self.shareAsRecorded) {
            Double($0.compared - $0.different)
        }
        for (title, times) in [("response time", \RunSummary.response), ("service time", \RunSummary.service)] {
            for (label, percent) in Self.percentiles where percent != 90 {
                section.rows += figures("\(title) \(label)", .time, of: expressed) {
                    Self.percentile(percent, of: $0[keyPath: times])
                }
            }
        }
        return section
    }
}
