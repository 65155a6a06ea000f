import Analysis
import ArgumentParser
import Etcd
import Trace
import Wire

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Show the workload of a trace: operations, transactions, hot keys, and two papers' tables.",
        discussion: """
              kvreel analyze etcd.kvr
              kvreel analyze --json monday.kvr tuesday.kvr

            Prints, beside the published numbers, Table 1 of "Rearchitecting Kubernetes for the Edge" (EdgeSys '21) \
            and the request counts of "Scalable Data Plane Caching for Kubernetes" (NetCRAQ), by rules that \
            docs/analyze.md states. Several traces are analysed as one. The coverage line says how much the figures \
            stand on. On a terminal, keys that are too long for its width are cut.

            Exit status: 0 done; 1 blocks of a trace are lost, figures are too small; 2 wrong usage; 3 no usable \
            trace; 4 output failed.
            """)

    @Flag(help: "One JSON document, schema kvreel.analysis/1.")
    var json = false

    @Option(
        name: [.customLong("top")], help: ArgumentHelp("Hot keys shown in the text (default: 15).", valueName: "n"),
        transform: OptionValue.hotKeys)
    var top = 15

    @Argument(help: "Traces; - is standard input.")
    var traces: [String]

    func validate() throws {
        if traces.isEmpty { throw ValidationError("name a trace") }
        if traces.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
    }

    mutating func run() throws {
        var whole: WorkloadAnalysis?
        var isIncomplete = false
        var files: Set<FileIdentity> = []
        var batch = OperationBatch()
        for trace in traces {
            let input = try TraceInput(trace)
            if let identity = input.identity, !files.insert(identity).inserted {
                throw Failure(
                    .usage, "\(trace) is named twice: every operation of it would count twice",
                    remedy: "Name each trace once.")
            }
            var analysis = WorkloadAnalysis()
            while try input.next(into: &batch) { analysis.add(batch) }
            if input.warnOfDamage() { isIncomplete = true }
            if whole == nil { whole = analysis } else { whole?.merge(analysis) }
        }
        guard let report = whole?.result() else { return }
        var output = StandardOutput()
        if json {
            var writer = JSONWriter(style: .pretty)
            report.write(to: &writer)
            try output.write(writer.bytes)
            StandardError.write(report.coverage.line + "\n")
        } else {
            let text = TextReport(
                report, width: Terminal.outputWidth, cutsKeys: Terminal.showsOutput, hotKeys: top)
            try output.write(text.render())
        }
        try output.flush()
        if isIncomplete { throw ExitStatus.untrusted }
    }
}
