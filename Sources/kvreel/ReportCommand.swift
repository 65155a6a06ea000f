import ArgumentParser
import Etcd
import Report
import Trace
import Wire

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Compare replays: throughput, distributions of times, outcomes, verdicts.",
        discussion: """
              kvreel report one.kvr three.kvr
              kvreel report --format md one.kvr three.kvr > comparison.md

            Each trace is a replay, as kvreel replay -o writes it; they stand side by side, a column each. Times are \
            computed from every call, to three significant digits. What was not replayed, and whether a replay may be \
            trusted, stands below. Page: docs/replay.md

            Exit status: 0 done; 1 a replay is invalid or was broken off, or blocks of a trace are lost; 2 wrong \
            usage; 3 no usable trace, or one that is no replay; 4 output failed.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, md }

    @Option(name: .long, help: "text, or md for Markdown.")
    var format = Format.text

    @Argument(help: "Replays; - is standard input.")
    var traces: [String]

    func validate() throws {
        if traces.isEmpty { throw ValidationError("name a replay") }
        if traces.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
    }

    mutating func run() throws {
        var runs: [RunSummary] = []
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
            runs.append(summary)
        }
        let comparison = RunComparison(runs)
        switch format {
        case .text:
            try StandardOutput.print(comparison.text(width: Terminal.showsOutput ? Terminal.outputWidth : nil))
        case .md: try StandardOutput.print(comparison.markdown())
        }
        if isDoubtful { throw ExitStatus.untrusted }
    }
}
