import ArgumentParser
import Replay
import Report
import Trace

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Compare replays: throughput, distributions of times, outcomes, verdicts.",
        discussion: """
              kvreel report one.kvr three.kvr
              kvreel report --format md one-*.kvr three-*.kvr > comparison.md
              kvreel report --json one.kvr three.kvr

            Each trace is a replay, as kvreel replay -o writes it; they stand side by side, a column each. Runs that \
            repeat one another (the same trace on the same backend, by the same schedule and order, ...) share a \
            column, which gives the median and the spread of each figure, so that a difference can be told from \
            noise. Shards of one run are added up, as kvreel merge does. Times are computed from every call, to \
            three significant digits. What was not replayed, and whether a replay may be trusted, stands below. Page: \
            docs/report.md

            Exit status: 0 done; 1 a replay is invalid or was broken off, shards of it are missing, or blocks of a \
            trace are lost; 2 wrong usage; 3 no usable trace, or one that is no replay; 4 output failed.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, md }

    @Option(name: .long, help: "text, or md for Markdown (default: text).")
    var format: Format?

    @Flag(help: "One JSON document, schema kvreel.report/1.")
    var json = false

    @Flag(name: .long, help: "A column for each run, repeats too.")
    var each = false

    @Argument(help: "Replays; - is standard input.")
    var traces: [String]

    func validate() throws {
        if traces.isEmpty { throw ValidationError("name a replay") }
        if traces.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
        for (place, trace) in traces.enumerated() where traces[..<place].contains(trace) {
            throw ValidationError("\(trace) is named twice: a run is no repeat of itself")
        }
        if json, format != nil { throw ValidationError("--json and --format exclude each other") }
    }

    mutating func run() throws {
        var runs: [ReportedRun] = []
        var isDoubtful = false
        for trace in traces {
            let (run, isDamaged) = try ReportedRun.read(trace)
            if isDamaged { isDoubtful = true }
            runs.append(run)
        }
        runs = try ReportedRun.joiningShards(runs)
        for run in runs {
            if !["valid", "capacity"].contains(run.summary.meta[.verdict] ?? "") { isDoubtful = true }
            if let missing = run.summary.meta.shards?.missing, !missing.isEmpty {
                isDoubtful = true
                StandardError.warn(
                    "\(run.summary.name) is a part of a run: name \(missing.count == 1 ? "shard" : "shards") "
                        + missing.map { "\($0)" }.joined(separator: ", ") + ", too")
            }
        }
        let summaries = runs.map(\.summary)
        let comparison = RunComparison(summaries, expressed: try expressed(runs), each: each)
        for warning in comparison.warnings { StandardError.warn(warning) }
        var output = StandardOutput()
        switch format ?? .text {
        case _ where json: try output.write(comparison.json())
        case .text: try output.write(comparison.text(width: Terminal.showsOutput ? Terminal.outputWidth : nil))
        case .md: try output.write(comparison.markdown())
        }
        try output.flush()
        if isDoubtful { throw ExitStatus.untrusted }
    }

    /// Of each run the calls that all chains of the comparison do as recorded; nothing where there is no chain, or a
    /// trace cannot be read again.
    private func expressed(_ runs: [ReportedRun]) throws -> [RunSummary] {
        let chains = runs.compactMap { $0.summary.meta[.chain].flatMap { ChainAbilities(text: $0) } }
        guard let first = chains.first, !traces.contains("-") else { return [] }
        let abilities = chains.dropFirst().reduce(first) { $0.intersection($1) }
        return try runs.map { try $0.expressed(by: abilities) }
    }
}
