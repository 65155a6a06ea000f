import ArgumentParser
import Replay

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay a recorded workload on a store, in its order and at its times, and measure it.",
        discussion: """
              kvreel replay etcd.kvr --backend etcd:3 --preload -o three.kvr
              kvreel replay etcd.kvr --backend etcd://10.0.0.1:2379 --speed 10 -o run.kvr
              kvreel replay etcd.kvr --backend netcraq:4 --preload -o chain.kvr
              kvreel replay etcd.kvr --backend etcd://10.0.0.1:2379 --preload --shard 2/4 -o part-2.kvr
              kvreel replay etcd.kvr --backend null --max

            BACKEND is etcd:N (N members of a local etcd, started for the run and removed behind it), \
            etcd://HOST:PORT[,HOST:PORT...], etcds://... for TLS, netcraq:N or netchain:N (a chain of N switches, \
            started for the run), netcraq://HOST:PORT or netchain://HOST:PORT (the control interface of kvreel \
            serve), or null, which answers at once and measures the engine itself. Revisions, leases and watches in \
            requests are translated to what the target answered. A call is measured from when it was to be sent by \
            the timetable, whatever the store did before. The result is a trace, which kvreel report, analyze and \
            check read; those of shards are joined by kvreel merge. Page: docs/replay.md

            Exit status: 0 done; 1 done, but the replay is invalid, since it was not sent as the timetable says, or \
            --verify found no order that explains the answers; 2 wrong usage; 3 no usable trace; 4 the store, the \
            output or the system failed; 130 interrupted, with the result until then.
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "etcd:N, etcd://HOST:PORT, etcds://HOST:PORT, netcraq:N, netchain:N, netcraq://HOST:PORT, "
                + "netchain://HOST:PORT or null.", valueName: "store"))
    var backend: String?

    @Option(
        name: [.customShort("o"), .customLong("output"), .customShort("w")],
        help: ArgumentHelp("The trace to write; - is standard output (default: none).", valueName: "trace"))
    var output: String?

    @OptionGroup(title: "Schedule")
    var schedule: ScheduleOptions

    @Option(
        name: .long,
        help: "What a call waits for: causal (what it depends on), connection (what its own had answered), none.")
    var order = PlanBuilder.Order.causal

    @Flag(name: .long, help: "First write what the recording shows to have been there before it.")
    var preload = false

    @Flag(name: .long, help: "Replay on a store that holds keys already.")
    var allowWrites = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Connections to the store (default: as many as recorded, at most 512).", valueName: "n"),
        transform: OptionValue.connections)
    var connections: Int?

    @OptionGroup(title: "Shards")
    var shards: ShardOptions

    @OptionGroup(title: "Store")
    var store: StoreOptions

    @OptionGroup(title: "Chain")
    var chain: ChainOptions

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "At a time of the run, kill, restart, pause or resume a member of a store that was started for it; may be "
                + "given several times: 10s kill:member=2,for=5s.", valueName: "time fault"),
        transform: MemberFault.faults)
    var at: [[MemberFault]] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Check what the store answered: linearizable, key by key (docs/check.md).", valueName: "property"))
    var verify: ReplayVerification?

    @Flag(help: "The result as one JSON document, schema kvreel.replay/1.")
    var json = false

    @Flag(name: .long, help: "Replace an existing trace.")
    var force = false

    @Flag(name: [.short, .long], help: "No progress, only the result, warnings and errors.")
    var quiet = false

    @Argument(help: "The trace to replay.")
    var trace: String

    func validate() throws {
        if backend == nil {
            throw ValidationError("name the store with --backend: etcd:3, etcd://HOST:PORT, netcraq:4, null")
        }
        if output == "json" { throw ValidationError("-o names the trace file; for JSON say --json") }
        if output == "-", json { throw ValidationError("-o - and --json both write to standard output") }
        if output == "-", SystemCalls.isTerminal(1) {
            throw ValidationError("a trace is no text for a terminal: name a file with -o, or send -o - into one")
        }
        if shards.shard != nil, let backend, !["etcd://", "etcds://"].contains(where: backend.hasPrefix) {
            throw ValidationError(
                "shards meet at a store that runs already, etcd://HOST:PORT: with \(backend) each would have its own")
        }
        if output == nil, force { throw ValidationError("--force is for the trace that --output (-o) names") }
    }

    mutating func run() throws {
        let interruption = Interruption.watch()
        let choice = try BackendChoice(backend ?? "", store, chain)
        var session = try ReplaySession(
            ReplaySession.Options(
                trace: trace, output: output, force: force, order: order, schedule: try schedule.schedule(),
                isPreloaded: preload, allowsWrites: allowWrites, connections: connections, part: try shards.part(),
                faults: at.flatMap { $0 }, verification: verify, json: json, quiet: quiet),
            choice)
        try session.run(until: interruption)
    }
}

extension PlanBuilder.Order: ExpressibleByArgument {}

/// What is checked of the answers.
enum ReplayVerification: String, CaseIterable, ExpressibleByArgument { case linearizable }
