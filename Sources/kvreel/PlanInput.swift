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

    init(_ path: String, order: PlanBuilder.Order) throws {
        if path == "-" {
            throw Failure(
                .usage, "a trace is read twice for a replay, and standard input can be read once",
                remedy: "Name a file.")
        }
        var batch = OperationBatch()
        var survey = UnansweredSurvey()
        let first = try TraceInput(path)
        while try first.next(into: &batch) { survey.add(batch) }
        var builder = PlanBuilder(order: order, survey: survey)
        var coverage = Coverage()
        let second = try TraceInput(path)
        while try second.next(into: &batch) {
            coverage.add(batch)
            do { try builder.add(batch) } catch {
                throw Failure(
                    .input, "cannot replay: \(path): \(error.why)", remedy: "Replay a part of the recording at a time.")
            }
        }
        isIncomplete = second.warnOfDamage()
        plan = builder.finish()
        self.coverage = coverage
        if plan.calls.isEmpty {
            throw Failure(
                .input, "nothing to replay: \(path): no call of it can be replayed",
                remedy: "kvreel cat \(path) shows what it holds.")
        }
    }
}
