import Analysis
import ArgumentParser
import Consistency
import Etcd

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check whether a history, or what a trace shows of etcd, is linearizable.",
        discussion: """
              kvreel check history.jsonl
              kvreel check --json etcd.kvr

            A history is JSON Lines, an operation a line: who did what to which key, when it was called and when it \
            returned, and what came of it. Of a trace, reads and writes of each key are checked by their mod \
            revisions; what says nothing certain is left out and counted. If no order of the operations explains \
            their results, the fewest that show it are drawn. Page: docs/check.md

            Exit status: 0 linearizable; 1 violation, or unknown because the search reached a limit, or blocks of \
            the trace are lost; 2 wrong usage; 3 no usable history or trace; 4 output failed.
            """)

    @Flag(help: "One JSON document, schema kvreel.check/1.")
    var json = false

    @Flag(help: "The verdict and the coverage line only.")
    var quiet = false

    @Argument(help: "A history or a trace; - is standard input.")
    var file: String

    func validate() throws {
        if json, quiet { throw ValidationError("--json and --quiet exclude each other: a document is whole") }
    }

    mutating func run() throws {
        let input = try CheckInput(file)
        let result: CheckResult
        var isIncomplete = false
        switch input.content {
        case .history:
            result = CheckResult(history: try input.history())
        case .trace(let trace):
            var mapping = TraceHistory()
            var batch = OperationBatch()
            while try trace.next(into: &batch) { mapping.add(batch) }
            mapping.finish()
            isIncomplete = trace.warnOfDamage()
            result = CheckResult(trace: mapping)
        }
        if result.history.operations.isEmpty {
            throw Failure(
                .input, "nothing to check: \(file): " + result.whyEmpty,
                remedy: "docs/check.md says what a history is, and what of a trace becomes one.")
        }
        var output = StandardOutput()
        if json {
            var writer = JSONWriter(style: .pretty)
            result.write(to: &writer)
            try output.write(writer.bytes)
            if let coverage = result.trace?.coverage { StandardError.write(coverage.line + "\n") }
        } else {
            try output.write(result.text(isQuiet: quiet, width: min(max(Terminal.outputWidth, 80), 100)))
        }
        try output.flush()
        if isIncomplete || result.verdict != .linearizable { throw ExitStatus.untrusted }
    }
}
