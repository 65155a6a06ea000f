import Etcd
import Wire

/// Which shard each call of a plan belongs to.
///
/// Calls that name the same key or lease, or are joined by what a third call names, belong together; components are
/// given to shards by their number of calls. It depends on nothing but the plan: each machine finds the same.
struct ShardAssignment {
    /// Of each call, from 0; `everywhere` for ends of streams.
    private(set) var shards: [UInt16]
    /// Calls that may have to do with other shards': ranges whose keys were not joined, and what is of the whole store.
    private(set) var isWide: [Bool]
    /// Calls and messages of each shard.
    private(set) var callCounts: [Int]

    static let everywhere = UInt16.max

    init(_ plan: ReplayPlan, count: Int, limits: PlanLimits) {
        callCounts = Array(repeating: 0, count: count)
        shards = Array(repeating: Self.everywhere, count: plan.calls.count)
        isWide = Array(repeating: false, count: plan.calls.count)
        var joining = ShardJoining(plan, limits: limits)
        joining.joinRanges(leaving: count)
        let homes = joining.homes(of: plan, in: count)
        var streams = Array(repeating: UInt16(0), count: plan.streams.count)
        var compactions: UInt16?
        for place in plan.calls.indices {
            let call = plan.calls[place]
            if case .endStream = call.action { continue }
            let source = plan.revisionSource(of: call).flatMap { Int($0) < place ? Int($0) : nil }
            let anchor = joining.anchors[place]
            var shard = anchor == ShardJoining.none ? 0 : homes[Int(joining.components.component(of: anchor))]
            isWide[place] = joining.isRefused(plan, place)
            switch call.kind {
            case .compact:
                // All in one shard: whether one has something left to do depends on those before it.
                if compactions == nil { compactions = source.map { shards[$0] } ?? 0 }
                shard = compactions ?? 0
            case .hashKV: if let source { shard = shards[source] }
            case .range, .rangeStream:
                // Where its list is, the revision is known that it goes on at.
                if let source, isWide[place] || isWide[source] { shard = shards[source] }
            case .watchCreate:
                // It waits for the list before it only, and keeps nobody waiting.
                isWide[place] = false
                if let source { shard = shards[source] }
            case .watchCancel, .watchProgress:
                // With its watch; where it names none, with the message before it.
                shard = plan.watchSource(of: call).map { shards[Int($0)] } ?? streams[Int(call.stream)]
            default: break
            }
            if case .message = call.action { streams[Int(call.stream)] = shard }
            shards[place] = shard
            callCounts[Int(shard)] += 1
        }
    }
}

/// The components of a plan's keys and leases, while they are joined.
struct ShardJoining {
    /// Of each call a node of the component that it belongs to; `none` where it names neither key nor lease.
    private(set) var anchors: [UInt32]
    var components: KeyComponents
    /// Of each key its place among those that calls name, and of each range's end the first place behind the range;
    /// `none` where not looked up.
    private var places: [UInt32]
    private var ends: [UInt32]
    /// Keys and starts of ranges that calls name, in etcd's order.
    private var named: [KeyNumber] = []
    private var leases: [Int64: UInt32] = [:]
    private var intervals: Set<Range<Int>> = []
    /// Of each stream the anchor of its latest message.
    private var latest: [UInt32]
    private var found: [KeyOrder.Access] = []

    static let none = UInt32.max

    init(_ plan: ReplayPlan, limits: PlanLimits) {
        places = Array(repeating: Self.none, count: plan.keys.count + 1)
        ends = places
        anchors = Array(repeating: Self.none, count: plan.calls.count)
        latest = Array(repeating: Self.none, count: plan.streams.count)
        for call in plan.calls {
            found.removeAll(keepingCapacity: true)
            plan.appendNamed(by: call, to: &found)
            for access in found where places[Int(access.key)] == Self.none {
                places[Int(access.key)] = 0
                named.append(access.key)
            }
        }
        named.sort { plan.keys.precedes($0, $1) }
        for place in named.indices { places[Int(named[place])] = UInt32(place) }
        components = KeyComponents(keyCount: named.count, steps: limits.shardSteps)
        for place in plan.calls.indices { join(plan, place) }
        joinRevoked(plan)
    }

    /// Joins preloaded keys with the leases that delete them.
    private mutating func joinRevoked(_ plan: ReplayPlan) {
        let revoked = LeaseKeys(plan)
        for lease in plan.preload.leases {
            guard let node = leases[lease.recorded] else { continue }
            for key in revoked.keys(of: lease.recorded) where places[Int(key)] != Self.none {
                components.join(node, places[Int(key)])
            }
        }
    }

    /// Joins what one call names, and notes its ranges.
    private mutating func join(_ plan: ReplayPlan, _ place: Int) {
        let call = plan.calls[place]
        found.removeAll(keepingCapacity: true)
        plan.appendNamed(by: call, to: &found)
        for access in found {
            join(place, places[Int(access.key)])
            let interval = interval(access, plan.keys)
            if interval.count > 1 { intervals.insert(interval) }
        }
        switch call.kind {
        case .put, .leaseGrant, .leaseRevoke, .leaseKeepAlive, .leaseTimeToLive: join(place, lease: call.lease)
        case .txn:
            for part in call.parts.range where plan.parts[part].kind == .put {
                join(place, lease: plan.parts[part].lease)
            }
            for number in call.compares.range where plan.compares[number].target == .lease {
                join(place, lease: plan.compares[number].operand)
            }
        default: break
        }
        for number in call.patches.range {
            let patch = plan.patches[number]
            switch patch.source {
            // Keys that end with a lease.
            case .leaseOfCall: join(place, lease: plan.calls[Int(patch.number)].lease)
            case .leaseOfPreload: join(place, lease: plan.preload.leases[Int(patch.number)].recorded)
            case .watchOfCall: anchors[place] = anchors[Int(patch.number)]
            default: break
            }
        }
        guard case .message = call.action else { return }
        let stream = Int(call.stream)
        if call.kind == .watchProgress { anchors[place] = latest[stream] }
        latest[stream] = anchors[place]
    }

    private mutating func join(_ call: Int, _ node: UInt32) {
        if anchors[call] == Self.none {
            anchors[call] = node
        } else {
            components.join(anchors[call], node)
        }
    }

    private mutating func join(_ call: Int, lease: Int64) {
        if lease == 0 { return }
        if let node = leases[lease] { return join(call, node) }
        let node = components.addNode()
        leases[lease] = node
        join(call, node)
    }

    /// The places of the keys in a range.
    private mutating func interval(_ access: KeyOrder.Access, _ keys: ByteTable) -> Range<Int> {
        let start = Int(places[Int(access.key)])
        if access.end == 0 { return start..<start + 1 }
        if ends[Int(access.end)] == Self.none { ends[Int(access.end)] = UInt32(end(access.end, keys)) }
        return start..<max(start, Int(ends[Int(access.end)]))
    }

    private func end(_ end: KeyNumber, _ keys: ByteTable) -> Int {
        if RangeTree.isOpen(end, keys) { return named.count }
        return named.partitioningIndex { !keys.precedes($0, end) }
    }

    /// Joins the keys of ranges, from the narrowest on, as long as `least` components remain.
    mutating func joinRanges(leaving least: Int) {
        let sorted = intervals.sorted { ($0.count, $0.lowerBound) < ($1.count, $1.lowerBound) }
        for interval in sorted { components.join(interval, leaving: least) }
        intervals = []
    }

    /// Whether keys of the call's ranges were not joined.
    mutating func isRefused(_ plan: ReplayPlan, _ place: Int) -> Bool {
        found.removeAll(keepingCapacity: true)
        plan.appendNamed(by: plan.calls[place], to: &found)
        for access in found where access.end != 0 && components.isRefused(interval(access, plan.keys)) { return true }
        return false
    }

    /// Gives components to shards, those with the most calls first, each to the shard with the fewest so far; by
    /// component. Calls that name nothing are the first shard's.
    mutating func homes(of plan: ReplayPlan, in count: Int) -> [UInt16] {
        var weights = Array(repeating: 0, count: components.nodeCount)
        var others = 0
        for place in plan.calls.indices {
            if case .endStream = plan.calls[place].action { continue }
            let anchor = anchors[place]
            if anchor == Self.none { others += 1 } else { weights[Int(components.component(of: anchor))] += 1 }
        }
        var loads = ShardLoads(count: count, ofFirst: others)
        let heaviest = weights.indices.filter { weights[$0] > 0 }.sorted { (-weights[$0], $0) < (-weights[$1], $1) }
        var homes = Array(repeating: UInt16(0), count: weights.count)
        for component in heaviest { homes[component] = UInt16(loads.addToLightest(weights[component])) }
        return homes
    }
}

/// How many calls shards were given: a heap with the lightest on top, of equal ones the first.
private struct ShardLoads {
    private var loads: [(calls: Int, shard: Int)]

    init(count: Int, ofFirst calls: Int) {
        loads = (0..<count).map { (0, $0) }
        _ = addToLightest(calls)
    }

    /// The shard that they were added to.
    mutating func addToLightest(_ calls: Int) -> Int {
        let shard = loads[0].shard
        loads[0].calls += calls
        var place = 0
        while true {
            var child = 2 * place + 1
            if child + 1 < loads.count, loads[child + 1] < loads[child] { child += 1 }
            if child >= loads.count || loads[place] <= loads[child] { return shard }
            loads.swapAt(place, child)
            place = child
        }
    }
}

extension ReplayPlan {
    /// Appends the keys and ranges that a call names, whether they were executed or not.
    func appendNamed(by call: PlannedCall, to found: inout [KeyOrder.Access]) {
        func append(_ body: RequestOp) {
            guard body.key != 0 else { return }
            let end = body.flags.contains(.hasRangeEnd) ? body.rangeEnd : 0
            found.append(KeyOrder.Access(key: body.key, end: end, isWrite: false))
        }
        if case .endStream = call.action { return }
        switch call.kind {
        case .range, .rangeStream, .put, .delete, .watchCreate: append(call.body)
        case .txn:
            for compare in compares[call.compares.range] where compare.key != 0 {
                found.append(KeyOrder.Access(key: compare.key, end: compare.rangeEnd, isWrite: false))
            }
            for part in parts[call.parts.range] where part.kind != .txn { append(part) }
        default: break
        }
    }

    /// The call whose answer tells the revision that a call of its own asks for; nil if that is known otherwise.
    func revisionSource(of call: PlannedCall) -> UInt32? {
        patches[call.patches.range].first { $0.field == .revision && $0.source == .revisionOfCall }?.number
    }

    /// The call that created the watch which a call cancels.
    func watchSource(of call: PlannedCall) -> UInt32? {
        patches[call.patches.range].first { $0.source == .watchOfCall }?.number
    }
}
