import Analysis
import ArgumentParser
import Chains
import Consistency
import Simulation

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run NetChain or NetCRAQ in a simulated network, and check that it is linearizable.",
        discussion: """
              kvreel simulate netcraq:4 --seeds 200 --faults loss,duplicate,reorder,crash,suspect
              kvreel simulate netchain:3 --variant paper --faults suspect --seed 6
              kvreel simulate --published

            The switches are the machines that serve; network, clocks, clients and faults are made from a seed, and \
            the same seed gives the same run, byte for byte. Each seed has its own fault rates. Of the failing seeds \
            the smallest part of a history that shows it is drawn. Without --faults nothing goes wrong. Page: \
            docs/simulate.md

            Exit status: 0 every seed is linearizable, and every client went on once the faults were over; 1 a \
            violation, a stall, or unknown since the search reached its limit; 2 wrong usage; 4 output failed.
            """)

    @Argument(help: "netcraq:N or netchain:N, N switches in the chain, 1 to 9.", transform: ChainOption.init)
    var chain: ChainOption?

    @Option(help: ArgumentHelp("Seeds that are run (default: 1 with --seed, else 200).", valueName: "n"))
    var seeds: Int?

    @Option(help: ArgumentHelp("The first seed (default: 1).", valueName: "seed"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "What goes wrong, of: loss, duplicate, reorder, crash, suspect, pause (default: nothing).",
            valueName: "list"),
        transform: SimulateOption.faults)
    var faults: FaultKinds = []

    @Option(help: ArgumentHelp("What is checked (default: linearizable).", valueName: "property"))
    var check: SimulateOption.Property = .linearizable

    @Option(help: ArgumentHelp("Clients (default: 4).", valueName: "n"), transform: SimulateOption.clients)
    var clients = 4

    @Option(
        help: ArgumentHelp("Operations of all clients together, at least (default: 500).", valueName: "n"),
        transform: SimulateOption.operations)
    var operations = 500

    @Option(help: ArgumentHelp("Keys (default: 8).", valueName: "n"), transform: SimulateOption.keys)
    var keys = 8

    @Option(
        help: ArgumentHelp("Operations that a client has under way (default: 1).", valueName: "n"),
        transform: SimulateOption.window)
    var window = 1

    @Option(
        help: ArgumentHelp(
            "Delays and costs: hardware-switch, software-switch or shared-host (default: software-switch).",
            valueName: "set"))
    var model: ModelSet = .softwareSwitch

    @OptionGroup var variant: VariantOptions

    @Option(
        help: ArgumentHelp(
            "paper: a write sent again stands in the history as several writes, or as one (default: several).",
            valueName: "how"))
    var retries: SimulationOptions.Retries?

    @Flag(
        help: ArgumentHelp(
            "paper: every key is written once before clients begin and anything goes wrong, since NetCRAQ's first "
                + "write of a key is a case of its own."))
    var writesFirst = false

    @Option(
        help: ArgumentHelp("default: a rule left out on purpose; docs/simulate.md names them.", valueName: "name"),
        transform: SimulateOption.mutant)
    var mutant: Mutations?

    @Option(help: ArgumentHelp("Write the seed's history there, for kvreel check.", valueName: "file"))
    var history: String?

    @Option(help: ArgumentHelp("Write what happened there, a line an event.", valueName: "file"))
    var log: String?

    @Flag(help: "Write over existing files.")
    var force = false

    @Flag(help: "Predict the throughput that was published of both, instead of running seeds.")
    var published = false

    @Flag(help: "One JSON document, schema kvreel.simulate/1.")
    var json = false

    func validate() throws {
        if published {
            let others: [(Bool, String)] = [
                (chain != nil, "a chain"), (seeds != nil, "--seeds"), (seed != nil, "--seed"),
                (!faults.isEmpty, "--faults"), (history != nil, "--history"), (log != nil, "--log"),
            ]
            for (isGiven, name) in others where isGiven {
                throw ValidationError("--published runs what was published: \(name) has no use with it")
            }
            return
        }
        guard let chain else { throw ValidationError("name a chain, such as netcraq:4") }
        if let seeds, !(1...10_000_000).contains(seeds) { throw ValidationError("--seeds is 1 to 10000000") }
        if history != nil || log != nil, seedCount != 1 {
            throw ValidationError("--history and --log are of one seed: name it with --seed")
        }
        if let seed, seed > UInt64(Int64.max) - 10_000_000 { throw ValidationError("a seed is below 2^63") }
        if chain.nodes == 1, !faults.isDisjoint(with: [.crash, .suspect]) {
            throw ValidationError("one switch alone has nobody to take over: crash and suspect need two or more")
        }
        if clients * window > 1024 { throw ValidationError("clients times window are 1024 at most") }
        try checkUse(chain)
    }

    /// An option that would be ignored is refused.
    private func checkUse(_ chain: ChainOption) throws {
        try variant.check(chain)
        if retries != nil, !variant.isPaper { throw ValidationError("--retries is for --variant paper only") }
        if writesFirst, !variant.isPaper { throw ValidationError("--writes-first is for --variant paper only") }
        if mutant != nil, variant.isPaper { throw ValidationError("--mutant is for --variant default only") }
    }

    private var seedCount: Int { seeds ?? (seed == nil ? 200 : 1) }

    private func options(_ chain: ChainOption) -> SimulationOptions {
        var options = SimulationOptions(chain.store, nodes: chain.nodes)
        options.variant = variant.variant
        options.clients = clients
        options.operations = operations
        options.keys = keys
        options.window = window
        options.faults = faults
        options.model = model
        options.netCRAQ = variant.netCRAQ
        options.netChain = variant.netChain
        options.retries = retries ?? .several
        options.writesFirst = writesFirst
        options.mutations = mutant ?? []
        options.keepsLog = log != nil
        return options
    }

    mutating func run() throws {
        guard let chain else { return try PublishedReport.print(json: json) }
        let options = options(chain)
        let first = seed ?? 1
        var report = SimulateReport(options)
        for offset in 0..<UInt64(seedCount) {
            let result = Simulator.run(options, seed: first &+ offset)
            if let history { try write(historyOf: result, to: history) }
            if let log { try OutputFile.write(result.log, to: log, force: force) }
            report.add(result)
        }
        var output = StandardOutput()
        if json {
            var writer = JSONWriter(style: .pretty)
            report.write(to: &writer)
            try output.write(writer.bytes)
        } else {
            try output.write(report.text(width: min(max(Terminal.outputWidth, 80), 100)))
        }
        try output.flush()
        if !report.isGood { throw ExitStatus.untrusted }
    }

    private func write(historyOf result: SimulationResult, to path: String) throws {
        var writer = HistoryWriter()
        writer.write(result.recorder.history)
        try OutputFile.write(writer.bytes, to: path, force: force)
    }
}
