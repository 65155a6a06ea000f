import ArgumentParser

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merge traces into one: recordings by time, or the shards of a replay.",
        discussion: """
              kvreel merge etcd-*.kvr -o etcd.kvr
              kvreel merge east.kvr west.kvr -o both.kvr
              kvreel merge shard-*.kvr -o run.kvr

            Recordings become what one recorder would have written that saw all of them: operations in the order of \
            their ends, connections side by side, totals added up. Files of a recording in several (capture \
            --rotate-size, --rotate-time) become that recording; name all of them at once. Shards of one replay \
            (replay --shard) become one run for kvreel report. Memory holds a batch of each trace, never a whole one. \
            Page: docs/merge.md

            Exit status: 0 done; 1 blocks of a trace are lost, or shards of the run are missing; 2 wrong usage; 3 no \
            usable trace, or traces that do not belong together; 4 output failed; 130 interrupted, nothing is left.
            """)

    @Option(
        name: [.customShort("o"), .customLong("output"), .customShort("w")],
        help: ArgumentHelp("The trace to write; - is standard output.", valueName: "trace"))
    var output: String

    @Flag(name: .long, help: "Replace an existing trace.")
    var force = false

    @Flag(name: [.short, .long], help: "Only the coverage, warnings and errors.")
    var quiet = false

    @Argument(help: "Traces; - is standard input.")
    var traces: [String]

    func validate() throws {
        if traces.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input (-) is named twice") }
        if output == "json" { throw ValidationError("-o names the trace file; there is no JSON of it") }
        if output == "-", SystemCalls.isTerminal(1) {
            throw ValidationError("a trace is no text for a terminal: name a file with -o, or send -o - into one")
        }
    }

    mutating func run() throws {
        let interruption = Interruption.watch()
        try MergeSession(traces, output: output, force: force).run(until: interruption, quiet: quiet)
    }
}
