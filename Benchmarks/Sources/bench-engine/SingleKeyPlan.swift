import Etcd
import Replay
import Wire

/// A plan of single-key calls: four Ranges to a Put, over keys that are drawn evenly, in causal order: a Range waits
/// for the Put before it on its key, a Put for the Put and the Ranges before it.
enum SingleKeyPlan {
    static func make(calls: Int, keys: Int, connections: Int) -> ReplayPlan {
        var plan = ReplayPlan()
        plan.connectionCount = connections
        for number in 0..<keys { _ = plan.keys.number(of: "/registry/configmaps/bench/config-map-\(number)") }
        plan.calls.reserveCapacity(calls)
        var edges: [(before: UInt32, after: UInt32)] = []
        edges.reserveCapacity(calls * 2)
        var lastWrite: [UInt32?] = Array(repeating: nil, count: keys)
        var reads: [[UInt32]] = Array(repeating: [], count: keys)
        var numbers = SplitMix64(seed: 1)
        for place in 0..<UInt32(calls) {
            let key = numbers.below(keys)
            let isWrite = place % 5 == 4
            var call = PlannedCall(
                kind: isWrite ? .put : .range, method: MethodNumber(rawValue: isWrite ? 4 : 2),
                time: Int64(place) * 1000, connection: UInt32(numbers.below(connections)))
            call.body.kind = isWrite ? .put : .range
            call.body.key = KeyNumber(key + 1)
            call.body.valueSize = isWrite ? 512 : 0
            call.body.count = isWrite ? 0 : 1
            call.body.flags = .answered
            call.status = 0
            call.headerRevision = Int64(place) + 2
            plan.calls.append(call)
            if let write = lastWrite[key] { edges.append((write, place)) }
            if isWrite {
                for read in reads[key] { edges.append((read, place)) }
                reads[key].removeAll(keepingCapacity: true)
                lastWrite[key] = place
            } else {
                reads[key].append(place)
            }
        }
        plan.order = OrderGraph(nodeCount: calls, edges: edges)
        return plan
    }
}
