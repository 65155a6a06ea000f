import ArgumentParser
import Etcd
import Replay
import Report
import Trace
import Wire

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
            noise. Times are computed from every call, to three significant digits. What was not replayed, and \
            whether a replay may be trusted, stands below. Page: docs/report.md

            Exit status: 0 done; 1 a replay is invalid or was broken off, or blocks of a trace are lost; 2 wrong \
            usage; 3 no usable trace, or one that is no replay; 4 output failed.
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
        var runs: [RunSummary] = []
        var abilities: ChainAbilities?
        var isDoubtful = false
        var batch = OperationBatch()
        for trace in traces {
            let input = try TraceInput(trace)
            var summary = RunSummary(name: trace)
            while try input.next(into: &batch) { summary.add(batch) }
            summary.meta = input.meta
            guard summary.isReplay else {
                throw Failure(
                    .input, "cannot compare: \(trace): it is a recording, not a replay",
                    remedy: "Replays are made by kvreel replay --backend BACKEND \(trace) -o RUN.kvr.")
            }
            if input.warnOfDamage() { isDoubtful = true }
            if !["valid", "capacity"].contains(summary.meta[.verdict] ?? "") { isDoubtful = true }
            if let chain = summary.meta[.chain].flatMap({ ChainAbilities(text: $0) }) {
                abilities = abilities?.intersection(chain) ?? chain
            }
            runs.append(summary)
        }
        let expressed = try abilities.map { try self.expressed(by: $0, runs) } ?? []
        let comparison = RunComparison(runs, expressed: expressed, each: each)
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

    /// Of each run the calls that a chain does as recorded; nothing where a trace cannot be read again.
    private func expressed(by abilities: ChainAbilities, _ runs: [RunSummary]) throws -> [RunSummary] {
        if traces.contains("-") { return [] }
        return try zip(traces, runs).map { trace, run in
            var part = RunSummary(name: run.name, meta: run.meta)
            var batch = OperationBatch()
            if run.meta[.chain] != nil {
                let input = try TraceInput(trace)
                while try input.next(into: &batch) { part.add(batch, expressed: []) }
                return part
            }
            do {
                var survey = ChainSurvey(abilities)
                let first = try TraceInput(trace)
                while try first.next(into: &batch) { try survey.add(batch) }
                survey.finish()
                var expression = ChainExpression(abilities, .skip, survey)
                let second = try TraceInput(trace)
                while try second.next(into: &batch) {
                    try expression.express(&batch)
                    part.add(batch, expressed: expression.expressed)
                }
            } catch let error as PlanError {
                throw Failure(.input, "cannot compare: \(trace): \(error.why)", remedy: error.remedy)
            }
            return part
        }
    }
}
