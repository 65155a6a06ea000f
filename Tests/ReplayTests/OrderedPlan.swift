import Etcd
import Replay

extension HandmadeTrace {
    func plan(_ order: PlanBuilder.Order = .causal) throws -> ReplayPlan {
        var survey = UnansweredSurvey()
        survey.add(batch)
        var builder = PlanBuilder(order: order, survey: survey)
        try builder.add(batch)
        return builder.finish()
    }
}

extension ReplayPlan {
    /// Of each call those that it waits for, itself or through others.
    var waits: [Set<Int>] {
        var before = Array(repeating: Set<Int>(), count: order.nodeCount)
        var open = order.waits
        var ready = open.indices.filter { open[$0] == 0 }
        while let node = ready.popLast() {
            for place in order.starts[node]..<order.starts[node + 1] {
                let next = Int(order.successors[Int(place)])
                before[next].formUnion(before[node])
                if node < calls.count { before[next].insert(node) }
                open[next] -= 1
                if open[next] == 0 { ready.append(next) }
            }
        }
        return Array(before.prefix(calls.count))
    }
}
