import Analysis
import ArgumentParser
import Etcd
import Generation
import Replay
import Trace
import Wire

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a trace that nobody recorded: a real one enlarged, or a workload from a few numbers.",
        usage: """
            kvreel generate --like <trace> --times <n> --output <trace> [<options>]
            kvreel generate --operations <n> --output <trace> [<options>]
            """,
        discussion: """
              kvreel generate --like etcd.kvr --times 10 -o large.kvr
              kvreel generate --operations 1M --keys 100k --skew 0.9 --rate 20k -o zipf.kvr
              kvreel generate --mix range=80,txn=20 --duration 60s -o mix.kvr

            With --like, copies of a recording are laid over each other, each with keys, clients and leases of its \
            own, as clusters that share an etcd have; outcomes, sizes, order and skew are the recorded ones. Without \
            it, clients ask for keys by Zipf's law. Every answer is one that a store would have given, so a replay \
            has outcomes to compare with. The same options and seed make the same trace, which says that it is \
            generated. Page: docs/generate.md

            Exit status: 0 done; 1 done, but blocks of the trace to enlarge are lost; 2 wrong usage; 3 no usable \
            trace to enlarge; 4 output failed; 130 interrupted, with the trace until then.
            """)

    @Option(
        name: [.customShort("o"), .customLong("output"), .customShort("w")],
        help: ArgumentHelp("The trace to write; - is standard output.", valueName: "trace"))
    var output: String?

    @Option(name: .long, help: ArgumentHelp("Enlarge this trace; - is standard input.", valueName: "trace"))
    var like: String?

    @Option(
        name: .long, help: ArgumentHelp("With --like: how many copies of it (default: 10).", valueName: "n"),
        transform: GenerateOption.times)
    var times: Int?

    @Option(
        name: .long, help: ArgumentHelp("Of everything that is drawn (default: 1).", valueName: "n"),
        transform: OptionValue.seed)
    var seed: UInt64?

    @OptionGroup(title: "Synthetic workload")
    var synthetic: SyntheticArguments

    @Flag(name: .long, help: "Replace an existing trace.")
    var force = false

    @Flag(name: [.short, .long], help: "No summary, only warnings, errors and the coverage line.")
    var quiet = false

    func validate() throws {
        if output == nil { throw ValidationError("name the trace to write with --output (-o)") }
        if output == "-", SystemCalls.isTerminal(1) {
            throw ValidationError("a trace is no text for a terminal: name a file with -o, or send -o - into one")
        }
        if like != nil {
            if let name = synthetic.given.first {
                throw ValidationError("\(name) is for a synthetic workload; --like keeps what was recorded")
            }
        } else {
            if times != nil { throw ValidationError("--times is for --like") }
            if synthetic.operations == nil, synthetic.duration == nil {
                throw ValidationError("say how much: --operations, --duration, or a trace to enlarge with --like")
            }
            if let refusal = synthetic.options(seed: 1).refusal() { throw ValidationError(refusal.why) }
        }
    }

    mutating func run() throws {
        guard let output else { return }
        let interruption = Interruption.watch()
        if let like {
            try enlarge(like, to: output, until: interruption)
        } else {
            let options = synthetic.options(seed: seed ?? 1)
            var workload: SyntheticWorkload
            do { workload = try SyntheticWorkload(options) } catch { throw Failure(.usage, error.why) }
            let session = GenerateSession(
                output: output, force: force, inputs: [], meta: meta(synthetic.words(options)))
            try session.run(until: interruption) { workload.next(into: &$0) }
            session.report(quiet: quiet, words: "")
        }
    }

    private func enlarge(_ path: String, to output: String, until interruption: Interruption) throws {
        let copies = times ?? 10
        let input = try TraceInput(path)
        var recorded = RecordedTrace(copies: copies)
        var batch = OperationBatch()
        var enlargement: Enlargement
        do {
            while try input.next(into: &batch) { try recorded.add(batch) }
            if recorded.isEmpty { throw GenerationError(why: "it holds no operation") }
            enlargement = try Enlargement(recorded, copies: copies, seed: seed ?? 1)
        } catch let error as GenerationError {
            throw Failure(.input, "cannot enlarge: \(path): \(error.why)", remedy: error.remedy)
        }
        let isDamaged = input.warnOfDamage()
        let name = path.split(separator: "/").last.map(String.init) ?? path
        var meta = input.meta
        meta.merge(self.meta("--like \(name) --times \(copies) --seed \(seed ?? 1)"))
        let session = GenerateSession(
            output: output, force: force, inputs: input.identity.map { [$0] } ?? [], meta: meta)
        try session.run(until: interruption) { enlargement.next(into: &$0) }
        session.report(quiet: quiet, words: Self.words(enlargement, copies))
        if isDamaged { throw ExitStatus.untrusted }
    }

    private static func words(_ enlargement: Enlargement, _ copies: Int) -> String {
        if copies == 1 { return "" }
        let place = enlargement.isNumberedInFirstSegment ? "behind the first segment of every key" : "before every key"
        var words =
            "\(copies) copies, with "
            + "\(Terminal.counted(enlargement.keyBytesAdded, "byte")) of number \(place), "
            + "each up to \(Figures.latency(nanoseconds: enlargement.shifts.max() ?? 0)) later than the first"
        if enlargement.leftOut > 0 {
            words += "; \(Terminal.counted(enlargement.leftOut, "call")) for the whole cluster left to the first copy"
        }
        return words + "\n"
    }

    private func meta(_ options: String) -> TraceMeta {
        var meta = TraceMeta()
        meta.tool = "kvreel \(Kvreel.version)"
        meta["generated"] = "by kvreel generate: no recording"
        meta["options"] = options
        meta["values"] = "none"
        meta["keys"] = "plain"
        return meta
    }
}

/// What a synthetic workload is made of.
struct SyntheticArguments: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Shares of operations: range (one key), put, txn (a put guarded by the key's revision), delete, list (a "
                + "folder of up to 100 keys) (default: range=60,put=10,txn=20,delete=5,list=5).", valueName: "list"),
        transform: GenerateOption.mix)
    var mix: [Double]?

    @Option(
        name: .long, help: ArgumentHelp("Keys, all there at the start (default: 1000).", valueName: "n"),
        transform: GenerateOption.keys)
    var keys: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Every key has so many bytes, k0001234 (default: paths).", valueName: "n"),
        transform: GenerateOption.keyBytes)
    var keyBytes: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Share of range, 0 to 1, that asks for keys that never exist (default: 0).", valueName: "share"),
        transform: GenerateOption.share)
    var missing: Double?

    @Option(
        name: .long, help: ArgumentHelp("Exponent of Zipf's law; 0 is all alike (default: 0.9).", valueName: "s"),
        transform: GenerateOption.skew)
    var skew: Double?

    @Option(
        name: .long, help: ArgumentHelp("Sizes of values: 1024, 512-4096 (default: 512-4096).", valueName: "bytes"),
        transform: GenerateOption.valueBytes)
    var valueBytes: ClosedRange<Int64>?

    @Option(
        name: [.customShort("R"), .long],
        help: ArgumentHelp("Operations a second, of a Poisson process: 500, 20k (default: 1k).", valueName: "rate"),
        transform: OptionValue.callRate)
    var rate: Schedule.Ratio?

    @Flag(name: .long, help: "At equal gaps instead.")
    var constant = false

    @Option(
        name: [.customShort("n"), .long], help: ArgumentHelp("So many operations: 500, 1M.", valueName: "n"),
        transform: GenerateOption.operations)
    var operations: Int?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Operations of so long a time: 30s, 5m.", valueName: "time"),
        transform: OptionValue.duration)
    var duration: UInt64?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Clients, a connection each (default: 4).", valueName: "n"),
        transform: GenerateOption.clients)
    var clients: Int?

    func validate() throws {
        if operations != nil, duration != nil {
            throw ValidationError("--operations and --duration exclude each other")
        }
    }

    /// Names of the options that were given.
    var given: [String] {
        let all: [(Bool, String)] = [
            (mix != nil, "--mix"), (keys != nil, "--keys"), (keyBytes != nil, "--key-bytes"),
            (missing != nil, "--missing"), (skew != nil, "--skew"), (valueBytes != nil, "--value-bytes"),
            (rate != nil, "--rate"), (constant, "--constant"),
            (operations != nil, "--operations"), (duration != nil, "--duration"), (clients != nil, "--clients"),
        ]
        return all.filter(\.0).map(\.1)
    }

    func options(seed: UInt64) -> SyntheticOptions {
        var options = SyntheticOptions()
        if let mix { options.weights = mix }
        if let keys { options.keys = keys }
        options.keyBytes = keyBytes
        if let missing { options.missing = missing }
        if let skew { options.skew = skew }
        if let valueBytes { options.valueBytes = valueBytes }
        if let rate { options.rate = Double(rate.numerator) / Double(rate.denominator) }
        if constant { options.arrivals = .constant }
        if let operations { options.length = .operations(operations) }
        if let duration { options.length = .nanoseconds(Int64(clamping: duration)) }
        if let clients { options.clients = clients }
        options.seed = seed
        return options
    }

    /// All options, also those that were not given, as one would write them.
    func words(_ options: SyntheticOptions) -> String {
        let mix = zip(SyntheticOptions.Word.allCases, options.weights).filter { $0.1 > 0 }
            .map { "\($0.0.rawValue)=\(Self.short($0.1))" }.joined(separator: ",")
        let sizes =
            options.valueBytes.count == 1
            ? "\(options.valueBytes.lowerBound)" : "\(options.valueBytes.lowerBound)-\(options.valueBytes.upperBound)"
        let length =
            switch options.length {
            case .operations(let count): "--operations \(count)"
            case .nanoseconds(let time): "--duration \(Self.short(Double(time) / 1e9))s"
            }
        let names =
            (options.keyBytes.map { " --key-bytes \($0)" } ?? "")
            + (options.missing > 0 ? " --missing \(Self.short(options.missing))" : "")
        return "--mix \(mix) --keys \(options.keys)\(names) --skew \(Self.short(options.skew)) --value-bytes \(sizes) "
            + "--rate \(Self.short(options.rate))\(options.arrivals == .constant ? " --constant" : "") \(length) "
            + "--clients \(options.clients) --seed \(options.seed)"
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
    }
}
