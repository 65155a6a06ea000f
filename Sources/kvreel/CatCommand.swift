import Analysis
import ArgumentParser
import Etcd
import Trace

struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print the operations of a trace, one a line, in the order in which they ended.",
        discussion: """
              kvreel cat etcd.kvr | less
              kvreel cat --json etcd.kvr | jq 'select(.type == "call") | .method'

            A line is a call, a message of a stream (watch and keep-alive requests with their answers), an event \
            batch, or a stream that was open before the recording. With --json, what is not known is absent; \
            names are those of docs/analyze.md. Keys are printed as text, bytes that are not UTF-8 as \\xNN.

            Exit status: 0 done; 1 blocks of the trace are lost; 2 wrong usage; 3 no usable trace; 4 output failed.
            """)

    @Flag(help: "JSON Lines: one object an operation.")
    var json = false

    @Argument(help: "The trace; - is standard input.")
    var trace: String

    mutating func run() throws {
        let input = try TraceInput(trace)
        var output = StandardOutput()
        var batch = OperationBatch()
        var names = ConnectionNames()
        var coverage = Coverage()
        var lines = OperationJSON()
        while try input.next(into: &batch) {
            names.add(batch)
            coverage.add(batch)
            for (place, operation) in batch.operations.enumerated() {
                if json {
                    lines.json.bytes.removeAll(keepingCapacity: true)
                    lines.write(
                        operation, replay: batch.replays.isEmpty ? nil : batch.replays[place], of: batch, names: names)
                    lines.json.bytes.append(UInt8(ascii: "\n"))
                    try output.write(lines.json.bytes)
                } else {
                    try output.write(OperationText.line(operation, of: batch, names: names))
                }
            }
            if output.isClosed { return }
        }
        try output.flush()
        if output.isClosed { return }
        let isIncomplete = input.warnOfDamage()
        StandardError.write(coverage.line + "\n")
        if isIncomplete { throw ExitStatus.untrusted }
    }
}
