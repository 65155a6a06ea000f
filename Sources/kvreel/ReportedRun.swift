import Etcd
import Replay
import Report
import Trace
import Wire

/// A run of a comparison: the trace of a replay, or those of its shards.
struct ReportedRun {
    private(set) var summary: RunSummary
    private var traces: [String]

    /// Reads a trace; whether blocks from within it are missing.
    static func read(_ trace: String) throws -> (run: ReportedRun, isDamaged: Bool) {
        let input = try TraceInput(trace)
        var summary = RunSummary(name: trace)
        var batch = OperationBatch()
        while try input.next(into: &batch) { summary.add(batch) }
        summary.meta = input.meta
        guard summary.isReplay else {
            throw Failure(
                .input, "cannot compare: \(trace): it is a recording, not a replay",
                remedy: "Replays are made by kvreel replay --backend BACKEND \(trace) -o RUN.kvr.")
        }
        return (ReportedRun(summary: summary, traces: [trace]), input.warnOfDamage())
    }

    /// The runs, with the shards of one in the place of the first.
    static func joiningShards(_ runs: [ReportedRun]) throws -> [ReportedRun] {
        var joined: [[ReportedRun]] = []
        for run in runs {
            let place = joined.firstIndex { others in
                let (meta, other) = (run.summary.meta, others[0].summary.meta)
                guard let mine = meta.shards, let theirs = other.shards else { return false }
                return !mine.isWhole && !theirs.isWhole && meta[.run] == other[.run]
            }
            if let place { joined[place].append(run) } else { joined.append([run]) }
        }
        return try joined.map { shards in
            if shards.count == 1 { return shards[0] }
            let shared: RunShards
            do throws(ShardError) {
                shared = try RunShards(shards.map { RunShards.Shard(name: $0.summary.name, meta: $0.summary.meta) })
            } catch { throw Failure(.input, "cannot add up: \(error.name): \(error.why)", remedy: error.remedy) }
            var run = shards[0]
            for shard in shards.dropFirst() { run.summary.add(shard.summary) }
            run.summary.name += " and \(shards.count - 1) more"
            run.summary.meta = shared.meta
            run.traces = shards.flatMap(\.traces)
            return run
        }
    }

    /// The calls of it that a chain does as recorded.
    func expressed(by abilities: ChainAbilities) throws -> RunSummary {
        var part = RunSummary(name: summary.name, meta: summary.meta)
        if summary.meta[.chain] != nil {
            try eachBatch { part.add($0, expressed: []) }
            return part
        }
        do {
            var survey = ChainSurvey(abilities)
            try eachBatch { try survey.add($0) }
            survey.finish()
            var expression = ChainExpression(abilities, .skip, survey)
            try eachBatch { batch in
                try expression.express(&batch)
                part.add(batch, expressed: expression.expressed)
            }
        } catch let error as PlanError {
            throw Failure(.input, "cannot compare: \(traces[0]): \(error.why)", remedy: error.remedy)
        }
        return part
    }

    /// Reads the traces again, as one.
    private func eachBatch(_ body: (inout OperationBatch) throws -> Void) throws {
        let inputs = try traces.map { try TraceInput($0) }
        var merge = BatchMerge(sources: inputs.count, observed: .asGiven)
        var batch = OperationBatch()
        while try merge.next(into: &batch, read: { try inputs[$0].next(into: &$1) }) { try body(&batch) }
    }
}
