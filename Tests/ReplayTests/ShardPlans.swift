import Etcd
import Foundation
import Replay
import TestSupport

/// The plans of all shards of a trace, and the whole one.
struct ShardPlans {
    let whole: ReplayPlan
    let parts: [ReplayPlan]

    init(_ batches: [OperationBatch], count: Int, order: PlanBuilder.Order = .causal, limits: PlanLimits = PlanLimits())
        throws
    {
        func plan(_ shard: Shard?) throws -> ReplayPlan {
            var survey = UnansweredSurvey()
            for batch in batches { survey.add(batch) }
            var builder = PlanBuilder(order: order, survey: survey, limits: limits)
            for batch in batches { try builder.add(batch) }
            return builder.finish(shard: shard)
        }
        whole = try plan(nil)
        parts = try (1...count).map { try plan(Shard($0, of: count)) }
    }

    /// Of each call of the whole plan, the shard that has it; −1 for ends of streams.
    var owners: [Int] {
        var owners = Array(repeating: -1, count: whole.calls.count)
        for (shard, part) in parts.enumerated() {
            for (place, number) in (part.shard?.numbers ?? []).enumerated() where part.calls[place].action != .endStream
            {
                owners[Int(number)] = shard
            }
        }
        return owners
    }

    /// Calls of the whole plan that its parts say to cross.
    var crossing: Set<Int> {
        var crossing: Set<Int> = []
        for part in parts {
            guard let shard = part.shard else { continue }
            crossing.formUnion(shard.crossing.map { Int(shard.numbers[Int($0)]) })
        }
        return crossing
    }

    static func recording(_ name: String) throws -> [OperationBatch] {
        try RealPlanTests.batches(of: Repository.traces.appending(path: "\(name).pcap.zst").path)
    }
}
