import Analysis
import Etcd
import Replay
import Trace

/// A plan, made of a trace that is read twice: first for what writes without an answer need to be looked for.
struct PlanInput {
    let plan: ReplayPlan
    let coverage: Coverage
    /// Whether blocks from within the trace are missing.
    let isIncomplete: Bool
    /// What the chain does that it was made for.
    let chain: ChainAbilities?
    /// Of a shard: by what it can tell that others read the same trace.
    let digest: UInt64?

    /// - Parameters:
    ///   - chain: on which it is to be replayed; nil for a store of etcd's API.
    ///   - shard: whose part to keep, which may be nothing.
    init(_ path: String, order: PlanBuilder.Order, chain: ChainTarget? = nil, shard: Shard? = nil) throws {
        if path == "-" {
            throw Failure(
                .usage, "a trace is read twice for a replay, and standard input can be read once",
                remedy: "Name a file.")
        }
        self.chain = chain?.abilities
        var limits = PlanLimits()
        if let chain { limits.valueBytes = chain.abilities.valueBytes }
        var batch = OperationBatch()
        var survey = UnansweredSurvey()
        var chainSurvey = chain.map { ChainSurvey($0.abilities, limits: limits) }
        let first = try TraceInput(path)
        while try first.next(into: &batch) {
            survey.add(batch)
            try Self.planning(path) { () throws(PlanError) in try chainSurvey?.add(batch) }
        }
        chainSurvey?.finish()
        var builder = PlanBuilder(order: order, survey: survey, limits: limits)
        var expression: ChainExpression?
        if let chain, let chainSurvey {
            expression = ChainExpression(chain.abilities, chain.unsupported, chainSurvey, limits: limits)
        }
        var coverage = Coverage()
        var digest = shard.map { _ in WorkloadDigest() }
        let second = try TraceInput(path)
        while try second.next(into: &batch) {
            coverage.add(batch)
            digest?.add(batch)
            try Self.planning(path) { () throws(PlanError) in
                try expression?.express(&batch)
                try builder.add(batch, expressed: expression?.expressed ?? [])
            }
        }
        isIncomplete = second.warnOfDamage()
        plan = builder.finish(shard: shard)
        self.coverage = coverage
        self.digest = digest?.value
        if plan.calls.isEmpty, plan.shard?.times.isEmpty ?? true {
            throw Failure(
                .input, "nothing to replay: \(path): no call of it can be replayed",
                remedy: "kvreel cat \(path) shows what it holds.")
        }
    }

    /// Names the trace of which there is no plan.
    private static func planning(_ path: String, _ body: () throws(PlanError) -> Void) throws {
        do { try body() } catch {
            throw Failure(
                .input, "cannot replay: \(path): \(error.why)",
                remedy: error.remedy ?? "Replay a part of the recording at a time.")
        }
    }
}
