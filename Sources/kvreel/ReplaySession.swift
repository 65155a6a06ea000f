import Analysis
import Backends
import Etcd
import Replay
import Report
import Trace

/// One run of `replay`: the plan, the store, the preload, the run, and what came of it.
struct ReplaySession {
    struct Options {
        var trace: String
        var output: String?
        var force: Bool
        var order: PlanBuilder.Order
        var schedule: Schedule
        var isPreloaded: Bool
        var allowsWrites: Bool
        var connections: Int?
        /// Nil where one process replays all.
        var part: Part?
        var faults: [MemberFault]
        var verification: ReplayVerification?
        var json: Bool
        var quiet: Bool
    }

    /// What this process does of a replay in several.
    struct Part {
        var shard: Shard
        /// Nanoseconds since the Unix epoch; nil to begin when all are ready.
        var start: Int64?
        /// Nanoseconds that it waits for others.
        var patience: Int64
    }

    private let options: Options
    private let input: PlanInput
    private let writer: ReplayWriter
    private let store: OpenedStore
    private let connections: Int
    private var own = OwnCalls()
    private let preloadLimits: PreloadLimits
    /// What its trace says of the run before it is over, and for ever if that does not come to its end.
    private let description: TraceMeta

    /// Connections that a replay opens at most by itself: below what a process may have of files by default.
    private static let connectionLimit = 512

    init(_ options: Options, _ choice: BackendChoice) throws {
        self.options = options
        try choice.check(options.faults)
        input = try PlanInput(options.trace, order: options.order, chain: choice.target, shard: options.part?.shard)
        preloadLimits = choice.preloadLimits
        connections = options.connections ?? min(max(1, input.plan.connectionCount), Self.connectionLimit)
        description = Self.description(of: options)
        // Before a store is started for it.
        writer = try Self.open(
            options, RunSummary(name: options.output ?? options.trace, meta: description),
            revisionsAreOrdered: choice.revisionsAreOrdered, shard: input.plan.shard)
        do { store = try OpenedStore(choice, connections: connections, for: input.plan) } catch {
            writer.abandon()
            throw error
        }
    }

    private static func description(of options: Options) -> TraceMeta {
        var meta = TraceMeta()
        meta.tool = "kvreel \(Kvreel.version)"
        meta[.traces] = options.trace
        meta[.schedule] = options.schedule.words
        meta[.order] = options.order.rawValue
        meta[.shard] = options.part?.shard.text
        return meta
    }

    private static func open(
        _ options: Options, _ summary: RunSummary, revisionsAreOrdered areOrdered: Bool, shard: PlannedShard?
    ) throws -> ReplayWriter {
        let history = options.verification == nil ? nil : TraceHistory(revisionsAreOrdered: areOrdered)
        guard let output = options.output else {
            return ReplayWriter(nil, summary: summary, history: history, shard: shard)
        }
        let inputs = try TraceInput(options.trace).identity.map { [$0] } ?? []
        do throws(TraceError) {
            return ReplayWriter(
                try TraceWriter(path: output, force: options.force, inputs: inputs, meta: summary.meta),
                summary: summary, history: history, shard: shard)
        } catch { throw Failure(error) }
    }

    /// Throws `ExitStatus.untrusted` for an invalid replay, and `ExitStatus.interrupted`.
    mutating func run(until interruption: Interruption) throws {
        defer { store.close() }
        let gate = options.part.map(gate)
        let outcome = try Self.orAbandon(writer) {
            if let gate {
                try pass(gate, until: interruption)
                return gate.outcome
            }
            try checkEmpty()
            return try preload(until: interruption)
        }
        try replay(outcome, through: gate, until: interruption)
    }

    /// Leaves no trace of a run that did not begin.
    private static func orAbandon<Value>(_ writer: ReplayWriter, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch {
            writer.abandon()
            throw (error as? BackendError).map { Failure($0) } ?? error
        }
    }

    private mutating func checkEmpty() throws {
        if options.allowsWrites { return }
        let probe = SingleCall.countOfAllKeys()
        try runOwn(probe)
        guard let answer = probe.answer, answer.status == 0 else {
            throw Failure(
                .system,
                "cannot ask the store for its keys: \(store.backend.name): "
                    + String(decoding: probe.answer?.errorText ?? [], as: UTF8.self))
        }
        let count = answer.details.answer.count
        if count > 0 { throw Failure.notEmpty(store.backend.name, keys: count) }
    }

    /// Runs a driver of requests that are not the replay's.
    private mutating func runOwn(_ driver: any StoreDriver) throws {
        let counted = CountedDriver(driver)
        defer { own = own + counted.calls }
        try store.backend.run(counted)
    }

    // MARK: Shards

    private func gate(_ part: Part) -> ShardGate {
        var preload = WorkloadDigest()
        preload.add(input.plan.preload, keys: input.plan.keys)
        let identity = ShardIdentity([
            "kvreel": Kvreel.version, "shards": "\(part.shard.count)", "trace": String(input.digest ?? 0, radix: 16),
            "preload": options.isPreloaded ? String(preload.value, radix: 16) : "none",
            "schedule": options.schedule.words, "order": options.order.rawValue,
            "start": part.start.map { "\($0)" } ?? "when all are ready",
        ])
        var gate = ShardGate.Options(part.shard, identity: identity, patience: part.patience)
        gate.isPreloaded = options.isPreloaded
        gate.allowsWrites = options.allowsWrites
        gate.start = part.start
        if !options.quiet {
            StandardError.write(
                "kvreel: shard \(part.shard.text) meets the others at \(store.backend.name); Ctrl-C ends it\n")
        }
        return ShardGate(gate, plan: input.plan, connections: connections, preloadLimits: preloadLimits)
    }

    /// Runs the gate until it is prepared, or the start is near.
    private mutating func pass(_ gate: ShardGate, until interruption: Interruption) throws {
        try runOwn(GateDriver(gate, interruption))
        guard let failure = gate.failure, let part = options.part else { return }
        if case .interrupted = failure { throw ExitStatus.interrupted }
        throw Failure(failure, of: part, at: store.backend.name)
    }

    private mutating func preload(until interruption: Interruption) throws -> PreloadOutcome {
        guard options.isPreloaded else { return PreloadOutcome() }
        let driver = PreloadDriver(input.plan, connections: connections, limits: preloadLimits)
        try runOwn(InterruptibleDriver(driver, interruption))
        if interruption.isRequested { throw ExitStatus.interrupted }
        if let failure = driver.failure {
            throw Failure.preload(
                store.backend.name, status: failure.status, text: failure.text, written: driver.written)
        }
        return driver.outcome
    }

    private mutating func replay(
        _ preload: PreloadOutcome, through gate: ShardGate?, until interruption: Interruption
    ) throws {
        let engine = ReplayEngine(
            input.plan, schedule: options.schedule, preload: preload,
            connections: store.connectionNames(connections))
        LargePages.collapse()
        // Making the engine took its time: now this shard is ready.
        try Self.orAbandon(writer) {
            gate?.resume()
            if let gate { try pass(gate, until: interruption) }
        }
        let faults = store.members.map { FaultThread(options.faults, on: $0) }
        let driver = EngineDriver(
            engine, writer: writer, interruption: interruption, faults: faults,
            progress: ReplayProgress(quiet: options.quiet),
            start: gate?.start)
        if !options.quiet {
            StandardError.write(
                "kvreel: replaying \(Terminal.counted(input.plan.calls.count, "call")) on \(store.backend.name), "
                    + "\(options.schedule.words); Ctrl-C ends it\n")
        }
        let probe = store.probeConditions()
        var broken: BackendError?
        do throws(BackendError) { try store.backend.run(driver) } catch { broken = error }
        let conditions = probe?.conditions()
        driver.finish()
        let done = faults?.finish() ?? []
        let check = writer.takeHistory().map { history in
            var history = history
            history.finish()
            return CheckResult(trace: history)
        }
        let result = ReplayResult(
            description, options, input, driver, backend: store.backend, own: own, connections: connections,
            preload: preload, run: gate?.run,
            isInterrupted: interruption.isRequested || writer.isFailed || broken != nil, faults: done, check: check,
            conditions: conditions)
        let (finished, unwritten) = writer.finish(result.meta)
        if options.json {
            var output = StandardOutput()
            try output.write(result.json(finished))
            try output.flush()
        } else if options.output != "-" {
            try StandardOutput.print(
                RunComparison([finished]).text(width: Terminal.showsOutput ? Terminal.outputWidth : nil)
                    + result.counterexample(width: Terminal.showsOutput ? Terminal.outputWidth : 100))
        }
        if let unwritten { throw Failure(unwritten) }
        if let broken { throw Failure(broken) }
        if interruption.isRequested { throw ExitStatus.interrupted }
        if result.verdict.kind == Verdict.Kind.invalid || input.isIncomplete || !result.isVerified {
            throw ExitStatus.untrusted
        }
    }
}

/// A driver that an interruption stops.
private final class InterruptibleDriver: StoreDriver {
    private let driver: PreloadDriver
    private let interruption: Interruption
    private var time: Int64 = 0

    init(_ driver: PreloadDriver, _ interruption: Interruption) {
        self.driver = driver
        self.interruption = interruption
    }

    func turn(at now: Int64) {
        time = now
        if interruption.isRequested { driver.stop() }
        driver.turn(at: now)
    }

    func next(into request: inout StoreRequest) -> Bool { driver.next(into: &request) }
    func receive(_ answer: borrowing StoreAnswer) { driver.receive(answer) }
    /// To look at the interruption.
    var nextDue: Int64 { min(driver.nextDue, time + 100_000_000) }
    var isDone: Bool { driver.isDone }
}
