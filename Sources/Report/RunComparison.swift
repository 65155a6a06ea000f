import Analysis
import Etcd
import Replay
import Trace

/// Replays side by side: a row a figure, a column a run, or the runs that are repeats of one another.
package struct RunComparison: Sendable {
    package let runs: [RunSummary]
    /// Of each run what a chain expresses of it; empty where no run is of a chain.
    let expressed: [RunSummary]
    /// Columns: places in `runs`, in their order; a column stands where its first run was named.
    package let columns: [[Int]]
    /// Of each column: the backend, how many runs, and where two would have the same, a trace's name.
    package let titles: [String]
    /// What is to be said of the comparison itself, a line each.
    package let warnings: [String]

    /// - Parameters:
    ///   - expressed: of each run, the calls that a chain does as recorded; empty if there is no such.
    ///   - each: every run is a column of its own.
    package init(_ runs: [RunSummary], expressed: [RunSummary] = [], each: Bool = false) {
        precondition(expressed.isEmpty || expressed.count == runs.count, "a part of each run")
        self.runs = runs
        self.expressed = expressed
        let identities = runs.map(RunIdentity.init)
        var columns: [[Int]] = []
        for run in runs.indices {
            let place = each ? nil : columns.firstIndex { identities[$0[0]] == identities[run] }
            if let place { columns[place].append(run) } else { columns.append([run]) }
        }
        self.columns = columns
        titles = Self.titles(columns, of: runs)
        warnings = Self.warnings(columns, of: runs, identities)
    }

    private static func titles(_ columns: [[Int]], of runs: [RunSummary]) -> [String] {
        let titles = columns.map { column in
            (runs[column[0]].meta[.backend] ?? runs[column[0]].name)
                + (column.count > 1 ? ", \(column.count) runs" : "")
        }
        return zip(titles, columns).map { title, column in
            if titles.count(where: { $0 == title }) == 1 { return title }
            let name = runs[column[0]].name.split(separator: "/").last ?? ""
            return "\(title) \(name)" + (column.count > 1 ? " ..." : "")
        }
    }

    /// Runs on one backend that are no repeats of the first one on it.
    private static func warnings(
        _ columns: [[Int]], of runs: [RunSummary], _ identities: [RunIdentity]
    ) -> [String] {
        columns.indices.compactMap { place in
            let run = columns[place][0]
            let earlier = columns[..<place].map { $0[0] }
            guard let backend = runs[run].meta[.backend],
                let first = earlier.first(where: { runs[$0].meta[.backend] == backend })
            else { return nil }
            let differences = identities[run].differences(from: identities[first])
            if differences.isEmpty { return nil }
            return "\(runs[run].name) is no repeat of \(runs[first].name), both on \(backend): another "
                + differences.joined(separator: ", ")
        }
    }

    /// Whether a column has several runs, and so a spread.
    package var hasRepeats: Bool { columns.contains { $0.count > 1 } }

    /// Rows that belong together, and what is to be known of them.
    struct Section {
        var title: String
        var note: String?
        var rows: [Row] = []
    }

    struct Row {
        var label: String
        /// One a column.
        var cells: [Cell]
    }

    enum Cell {
        case absent
        case words(String)
        case figure(Figure)
    }

    var sections: [Section] {
        [what, calls]
            + [
                times(
                    "Response time", "From when a call was to be sent by the timetable to when it had ended.",
                    \.response),
                times("Service time", "From when it was sent to when it had ended.", \.service),
                times(
                    "Send lag", "From when it could have been sent to when it was: the replayer's own delay.",
                    \.sendLag),
                times(
                    "Dependency wait", "From when it was to be sent to when all that it waits for was answered.",
                    \.dependencyWait),
            ] + [mix, outcomes, expression, overExpressed]
    }

    // MARK: Sections

    private var what: Section {
        var section = Section(title: "Run")
        section.rows += words("replay of") { $0.meta[.traces]?.split(separator: "\n").joined(separator: ", ") }
        section.rows += words("schedule") { $0.meta[.schedule] }
        section.rows += words("order") { $0.meta[.order] }
        section.rows += words("connections") { $0.meta[.connections] }
        section.rows += words("preload") { $0.meta[.preload] }
        section.rows += words("shards") { $0.shards }
        section.rows += words("verdict") { $0.meta[.verdict] ?? "none: it was broken off" }
        section.rows += figures("engine", .busy, note: Self.engineNote) { $0.engine?.busy }
        section.rows += words("consistency") { $0.consistency }
        return section
    }

    /// What all runs of a column say of their engine; what only some say stands below the tables.
    private static func engineNote(_ runs: [RunSummary]) -> String {
        let notes = runs.map { $0.engine?.note ?? "" }
        return notes.allSatisfy { $0 == notes[0] } ? notes[0] : ""
    }

    private var calls: Section {
        var section = Section(
            title: "Calls", note: "Calls and messages; a stream's messages count one by one.")
        section.rows += figures("answered", .count) { Double($0.total) }
        section.rows += figures("  of the warm-up, not timed", .count) { $0.warmUp == 0 ? nil : Double($0.warmUp) }
        section.rows += figures("a second", .rate) { $0.throughput }
        section.rows += figures("took", .duration) { Double($0.nanoseconds) }
        section.rows += figures("errors", .count) { Double($0.errors) }
        let statuses = Set(runs.flatMap { $0.statuses.keys }).subtracting([0]).sorted()
        for status in statuses {
            section.rows += figures("  gRPC status \(status)", .count) { Double($0.statuses[status] ?? 0) }
        }
        if runs.contains(where: { $0.lost > 0 }) {
            section.rows += figures("  without an answer, not timed", .count) { Double($0.lost) }
        }
        section.rows += figures("watch events", .count, note: { Self.of($0.map(\.recordedEvents)) }) {
            Double($0.events)
        }
        for label in ["p50", "p99"] { section.rows += figures("  delivery \(label)", .time) { $0.delivery(label) } }
        return section
    }

    /// The percentiles that reports show.
    static let percentiles: [(label: String, percent: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9),
    ]

    private func times(_ title: String, _ note: String, _ times: KeyPath<RunSummary, TimeHistogram>) -> Section {
        var section = Section(title: title, note: note)
        for (label, percent) in Self.percentiles {
            section.rows += figures(label, .time) { Self.percentile(percent, of: $0[keyPath: times]) }
        }
        section.rows += figures("max", .time) { Self.percentile(100, of: $0[keyPath: times]) }
        if hasRepeats {
            for (label, percent) in Self.percentiles {
                section.rows += percentile(label, percent) { $0[keyPath: times] }
            }
        }
        return section
    }

    static func percentile(_ percent: Double, of times: TimeHistogram) -> Double? {
        times.count == 0 ? nil : Double(percent < 100 ? times.percentile(percent) : times.max)
    }

    /// A row of a percentile of the calls of all runs of a column together.
    private func percentile(
        _ label: String, _ percent: Double, _ times: (RunSummary) -> TimeHistogram
    ) -> [Row] {
        row("all calls \(label)") { column in
            let all = combined(column.map { runs[$0] }, times)
            if all.count == 0 { return .absent }
            return .words(Figures.latency(nanoseconds: Int64(all.percentile(percent))))
        }
    }

    /// The times of all calls of some runs.
    func combined(_ runs: [RunSummary], _ times: (RunSummary) -> TimeHistogram) -> TimeHistogram {
        var all = TimeHistogram()
        for run in runs { all.add(times(run)) }
        return all
    }

    private var mix: Section {
        var section = Section(
            title: "Mix", note: "Calls and messages by kind: answered in the first loop, of those that were recorded.")
        for kind in OperationKind.allCases {
            func part(_ run: RunSummary) -> RunSummary.PartOfMix? { run.mix?.first { $0.kind == kind } }
            section.rows += figures("\(kind)", .count, note: { Self.of($0.map { part($0)?.recorded ?? 0 }) }) {
                part($0).map { Double($0.outcomes.answered) }
            }
            if runs.contains(where: { part($0)?.outcomes.different ?? 0 > 0 }) {
                section.rows += figures("  with another outcome", .count) {
                    part($0).map { Double($0.outcomes.different) }
                }
            }
        }
        return section
    }

    /// ` of 1 204`, where that is so of all runs.
    private static func of(_ recorded: [Int]) -> String {
        guard let first = recorded.first, first > 0, recorded.allSatisfy({ $0 == first }) else { return "" }
        return " of \(Figures.count(first))"
    }

    private var outcomes: Section {
        var section = Section(
            title: "Outcomes", note: "Beside the recorded ones: status, branch taken, found or not, how many.")
        section.rows += figures("compared", .count) { Double($0.compared) }
        section.rows += figures("as recorded", .count, note: Self.shareAsRecorded) {
            Double($0.compared - $0.different)
        }
        let reasons = Set(runs.flatMap { $0.differences.keys }).sorted()
        for reason in reasons {
            section.rows += figures("  " + (Difference(rawValue: reason)?.words ?? "reason \(reason)"), .count) {
                Double($0.differences[reason] ?? 0)
            }
        }
        section.rows += figures("approximated, as recorded", .count, note: Self.shareOfApproximated) {
            $0.approximated == 0 ? nil : Double($0.approximated - $0.approximatedDifferent)
        }
        section.rows += figures("fidelity", .share) { $0.fidelity }
        return section
    }

    // Of all calls of the runs.
    static func shareAsRecorded(_ runs: [RunSummary]) -> String {
        share(runs.reduce(0) { $0 + $1.compared - $1.different }, of: runs.reduce(0) { $0 + $1.compared })
    }

    private static func shareOfApproximated(_ runs: [RunSummary]) -> String {
        share(
            runs.reduce(0) { $0 + $1.approximated - $1.approximatedDifferent },
            of: runs.reduce(0) { $0 + $1.approximated })
    }

    /// ` (98.00 %)`; of nothing, everything.
    static func share(_ count: Int, of all: Int) -> String {
        " (\(Figures.decimal((all == 0 ? 1 : Double(count) / Double(all)) * 100, places: 2)) %)"
    }

    // MARK: Rows

    /// A row of a cell a column, unless all are absent.
    private func row(_ label: String, _ cell: ([Int]) -> Cell) -> [Row] {
        let cells = columns.map(cell)
        if cells.allSatisfy({ if case .absent = $0 { true } else { false } }) { return [] }
        return [Row(label: label, cells: cells)]
    }

    /// A row of words: of runs that do not say the same, each with how many say it.
    private func words(_ label: String, _ words: (RunSummary) -> String?) -> [Row] {
        row(label) { column in
            var said: [(words: String, count: Int)] = []
            for run in column {
                let text = words(runs[run]) ?? "-"
                if let place = said.firstIndex(where: { $0.words == text }) {
                    said[place].count += 1
                } else {
                    said.append((text, 1))
                }
            }
            if said.count == 1 { return said[0].words == "-" ? .absent : .words(said[0].words) }
            return .words(said.map { "\($0.words) (\($0.count))" }.joined(separator: ", "))
        }
    }

    /// A row of numbers.
    ///
    /// - Parameter parts: what stands for each run; nil for the runs themselves.
    func figures(
        _ label: String, _ unit: Figure.Unit, of parts: [RunSummary]? = nil,
        note: ([RunSummary]) -> String = { _ in "" }, _ value: (RunSummary) -> Double?
    ) -> [Row] {
        row(label) { column in
            let runs = column.map { (parts ?? self.runs)[$0] }
            guard let spread = Spread(runs.compactMap(value)) else { return .absent }
            let some = spread.count < runs.count ? " (of \(spread.count) runs)" : ""
            return .figure(Figure(spread: spread, unit: unit, note: note(runs) + some))
        }
    }

    // MARK: Lines below the tables

    /// What each run says in words: its verdict's rule, what it left out, the coverage of what it replayed.
    var remarks: [(column: String, lines: [String])] {
        zip(titles, columns).compactMap { title, column in
            var said: [(line: String, runs: [Int])] = []
            for (number, run) in column.enumerated() {
                for line in Self.remarks(runs[run], isAlone: column.count == 1) {
                    if let place = said.firstIndex(where: { $0.line == line }) {
                        if said[place].runs.last != number { said[place].runs.append(number) }
                    } else {
                        said.append((line, [number]))
                    }
                }
            }
            // What all of them say goes first.
            var lines = said.filter { $0.runs.count == column.count }.map(\.line)
            for (line, numbers) in said where numbers.count < column.count {
                lines.append("run \(numbers.map { "\($0 + 1)" }.joined(separator: ", ")): \(line)")
            }
            if column.count > 1 {
                lines.insert("runs: " + column.map { runs[$0].name }.joined(separator: ", "), at: 0)
            }
            return lines.isEmpty ? nil : (title, lines)
        }
    }

    /// - Parameter isAlone: no other run shares its column, so that how much was checked stands for all of it.
    private static func remarks(_ run: RunSummary, isAlone: Bool) -> [String] {
        var lines: [String] = []
        if let rule = run.meta[.rule] { lines += rule.split(separator: "\n").map { "verdict: \($0)" } }
        if let fidelity = run.meta[.fidelity] { lines.append("fidelity: \(fidelity)") }
        if isAlone, let consistency = run.meta[.consistency] { lines.append("consistency: \(consistency)") }
        if let excluded = run.meta[.excluded] {
            lines += excluded.split(separator: "\n").map { "not replayed: \($0)" }
        }
        if let faults = run.meta[.faults] { lines += faults.split(separator: "\n").map { "at \($0)" } }
        lines += run.conditions?.lines ?? []
        if let remarks = run.meta[.remarks] { lines += remarks.split(separator: "\n").map(String.init) }
        if let coverage = run.meta[.coverage] { lines.append(coverage) }
        return lines
    }
}
