import Analysis
import Replay
import Trace

/// Replays side by side: a row a figure, a column a run.
package struct RunComparison: Sendable {
    private let runs: [RunSummary]
    /// Of each run what a chain expresses of it; empty where no run is of a chain.
    private let expressed: [RunSummary]

    /// - Parameter expressed: of each run, the calls that a chain does as recorded; empty if there is no such.
    package init(_ runs: [RunSummary], expressed: [RunSummary] = []) {
        precondition(expressed.isEmpty || expressed.count == runs.count, "a part of each run")
        self.runs = runs
        self.expressed = expressed
    }

    /// Rows that belong together, and what is to be known of them.
    struct Section {
        var title: String
        var note: String?
        var rows: [[String]] = []
    }

    var titles: [String] { runs.map { $0.meta[.backend] ?? $0.name } }

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
            ] + [outcomes, expression, overExpressed]
    }

    // MARK: Sections

    private var what: Section {
        var section = Section(title: "Run")
        section.row("replay of", runs) { $0.meta[.traces]?.split(separator: "\n").joined(separator: ", ") }
        section.row("schedule", runs) { $0.meta[.schedule] }
        section.row("order", runs) { $0.meta[.order] }
        section.row("connections", runs) { $0.meta[.connections] }
        section.row("preload", runs) { $0.meta[.preload] }
        section.row("verdict", runs) { $0.meta[.verdict] ?? "none: it was broken off" }
        section.row("engine", runs) { $0.meta[.engine] }
        section.row("consistency", runs) { $0.meta[.consistency] }
        return section
    }

    private var calls: Section {
        var section = Section(
            title: "Calls", note: "Answered calls and messages; a stream's messages count one by one.")
        section.row("answered", runs) { Figures.count($0.total) }
        section.row("a second", runs) { $0.throughput.map { Figures.decimal($0, places: 1) } }
        section.row("took", runs) { Figures.duration(nanoseconds: $0.nanoseconds) }
        section.row("errors", runs) { Figures.count($0.errors) }
        let statuses = Set(runs.flatMap { $0.statuses.keys }).subtracting([0]).sorted()
        for status in statuses {
            section.row("  gRPC status \(status)", runs) { Figures.count($0.statuses[status] ?? 0) }
        }
        section.row("watch events", runs) { Figures.count($0.events) }
        section.row("  delivery", runs) { $0.meta[.delivery] }
        return section
    }

    private func times(_ title: String, _ note: String, _ times: KeyPath<RunSummary, TimeHistogram>) -> Section {
        var section = Section(title: title, note: note)
        let percentiles: [(String, Double)] = [("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9)]
        for (label, percent) in percentiles {
            section.row(label, runs) { run in
                let times = run[keyPath: times]
                return times.count == 0 ? nil : Figures.latency(nanoseconds: Int64(times.percentile(percent)))
            }
        }
        section.row("max", runs) { run in
            let times = run[keyPath: times]
            return times.count == 0 ? nil : Figures.latency(nanoseconds: Int64(times.max))
        }
        return section
    }

    private var outcomes: Section {
        var section = Section(
            title: "Outcomes", note: "Beside the recorded ones: status, branch taken, found or not, how many.")
        section.row("compared", runs) { Figures.count($0.compared) }
        section.row("as recorded", runs) { run in
            let same = run.compared - run.differences.values.reduce(0, +)
            let share = run.compared == 0 ? 1 : Double(same) / Double(run.compared)
            return "\(Figures.count(same)) (\(Figures.decimal(share * 100, places: 2)) %)"
        }
        let reasons = Set(runs.flatMap { $0.differences.keys }).sorted()
        for reason in reasons {
            section.row("  " + (Difference(rawValue: reason)?.words ?? "reason \(reason)"), runs) {
                Figures.count($0.differences[reason] ?? 0)
            }
        }
        section.row("approximated", runs) { run in
            if run.approximated == 0 { return nil }
            let same = run.approximated - run.approximatedDifferent
            return "\(Figures.count(same)) of \(Figures.count(run.approximated)) as recorded"
        }
        section.row("fidelity", runs) { $0.meta[.fidelity]?.split(separator: " ").first.map(String.init) }
        return section
    }

    // MARK: Chains

    /// What a chain could not do, and why, in calls of the trace.
    private var expression: Section {
        var section = Section(
            title: "Expressed", note: "Calls and messages of the trace, each once: what a chain does of them.")
        let tables = runs.map { $0.meta[.expression].map { ExpressionTable(text: $0) } }
        if tables.allSatisfy({ $0 == nil }) { return section }
        func row(_ label: String, _ count: (ExpressionTable) -> Int) {
            let counts = tables.map { $0.map(count) }
            if counts.allSatisfy({ $0 ?? 0 == 0 }) { return }
            section.rows.append(
                [label]
                    + zip(counts, tables).map { count, table in
                        guard let count, let table else { return "-" }
                        let share = table.total == 0 ? 0 : Double(count) / Double(table.total)
                        return "\(Figures.count(count)) (\(Figures.decimal(share * 100, places: 2)) %)"
                    })
        }
        row("as recorded") { $0.executed }
        row("approximated") { $0.approximated }
        for obstacle in ChainObstacle.allCases { row("  " + obstacle.words) { $0.approximated(obstacle) } }
        row("left out") { $0.leftOut }
        for obstacle in ChainObstacle.allCases { row("  " + obstacle.words) { $0.leftOut(obstacle) } }
        row("replayed on no store") { $0.omitted }
        return section
    }

    /// All runs over the calls that a chain does as recorded, so that the same is compared.
    private var overExpressed: Section {
        var section = Section(
            title: "Over what a chain does as recorded",
            note: "Other stores' calls are those that the chain could do, judged by their own traces.")
        if expressed.isEmpty { return section }
        section.row("answered", expressed) { Figures.count($0.total) }
        section.row("as recorded", expressed) { Figures.count($0.compared - $0.differences.values.reduce(0, +)) }
        for (title, times) in [("response time", \RunSummary.response), ("service time", \RunSummary.service)] {
            for (label, percent) in [("p50", 50.0), ("p99", 99), ("p99.9", 99.9)] {
                section.row("\(title) \(label)", expressed) { run in
                    let times = run[keyPath: times]
                    return times.count == 0 ? nil : Figures.latency(nanoseconds: Int64(times.percentile(percent)))
                }
            }
        }
        return section
    }

    // MARK: Lines below the tables

    /// What each run says in words: its verdict's rule, what it left out, the coverage of what it replayed.
    var remarks: [(run: String, lines: [String])] {
        zip(titles, runs).compactMap { title, run in
            var lines: [String] = []
            if let rule = run.meta[.rule] { lines.append("verdict: \(rule)") }
            if let fidelity = run.meta[.fidelity] { lines.append("fidelity: \(fidelity)") }
            if let excluded = run.meta[.excluded] {
                lines += excluded.split(separator: "\n").map { "not replayed: \($0)" }
            }
            if let faults = run.meta[.faults] { lines += faults.split(separator: "\n").map { "at \($0)" } }
            if let remarks = run.meta[.remarks] { lines += remarks.split(separator: "\n").map(String.init) }
            if let coverage = run.meta[.coverage] { lines.append(coverage) }
            return lines.isEmpty ? nil : (title, lines)
        }
    }
}

extension RunComparison.Section {
    /// Adds a row, unless no run has anything for it.
    fileprivate mutating func row(_ label: String, _ runs: [RunSummary], _ value: (RunSummary) -> String?) {
        let values = runs.map(value)
        if values.allSatisfy({ $0 == nil }) { return }
        rows.append([label] + values.map { $0 ?? "-" })
    }
}

extension RunComparison {
    /// For people at a terminal.
    package func text(width: Int?) -> String {
        var text = ""
        for section in sections where !section.rows.isEmpty {
            if !text.isEmpty { text += "\n" }
            text += section.title + "\n"
            if let note = section.note { text += "  " + note + "\n" }
            var table = TextTable(columns: [.left("")] + titles.map { .right($0) })
            table.rows = section.rows
            text += table.text(width: width)
        }
        for remark in remarks {
            text += "\n\(remark.run)\n"
            for line in remark.lines { text += "  \(line)\n" }
        }
        return text
    }

    /// A document with a table a section.
    package func markdown() -> String {
        var text = "# Replays\n"
        for section in sections where !section.rows.isEmpty {
            text += "\n## \(section.title)\n\n"
            if let note = section.note { text += note + "\n\n" }
            text += "| |" + titles.map { " \(Self.escaped($0)) |" }.joined() + "\n"
            text += "| --- |" + titles.map { _ in " ---: |" }.joined() + "\n"
            for row in section.rows {
                text += "|" + row.map { " \(Self.escaped(String($0.drop { $0 == " " }))) |" }.joined() + "\n"
            }
        }
        for remark in remarks {
            text += "\n## \(Self.escaped(remark.run))\n\n"
            for line in remark.lines { text += "- \(Self.escaped(line))\n" }
        }
        return text
    }

    /// What would end a cell or begin markup stands for itself.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if "|\\`*_<>[]#".contains(character) { escaped.append("\\") }
            escaped.append(character == "\n" ? " " : character)
        }
        return escaped
    }
}
