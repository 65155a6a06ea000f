import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Shards of a plan")
struct ShardTests {
    static let names = ["edgesys-table1", "netcraq-scale", "etcdctl-mix", "ccore-mix", "midstream"]

    @Test("a shard is one of 1 to 1,024, and shares add up")
    func shards() {
        #expect(Shard(0, of: 4) == nil && Shard(5, of: 4) == nil && Shard(1, of: 0) == nil)
        #expect(Shard(1, of: 1025) == nil && Shard(1024, of: 1024) != nil)
        #expect(Shard(2, of: 4)?.text == "2/4")
        for number in [0, 1, 3, 4, 64, 1000] {
            let shares = (1...7).compactMap { Shard($0, of: 7)?.share(of: number) }
            #expect(shares.reduce(0, +) == number && (shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
        }
    }

    @Test("each call is in one shard, as it is in the whole plan", arguments: names, [1, 4])
    func partition(name: String, count: Int) throws {
        try check(ShardPlans(ShardPlans.recording(name), count: count))
    }

    @Test("so it is with more shards than there are groups of keys")
    func many() throws {
        let plans = try ShardPlans(ShardPlans.recording("etcdctl-mix"), count: 300)
        try check(plans)
        #expect(plans.parts.contains { $0.calls.isEmpty })
    }

    @Test("calls are spread evenly where their keys are", arguments: ["edgesys-table1", "netcraq-scale"])
    func balance(name: String) throws {
        let plans = try ShardPlans(ShardPlans.recording(name), count: 4)
        let counts = try #require(plans.parts[0].shard).callCounts
        #expect((counts.max() ?? 0) * 100 < counts.reduce(0, +) * 27, "\(counts)")
    }

    @Test("orders of all kinds are cut", arguments: PlanBuilder.Order.allCases)
    func orders(_ order: PlanBuilder.Order) throws {
        let plans = try ShardPlans(ShardPlans.recording("netcraq-scale"), count: 4, order: order)
        try check(plans)
        // A connection's calls are on all kinds of keys: few keep what they waited for.
        if order == .connection { #expect(plans.crossing.count > plans.whole.calls.count / 2) }
    }

    private func check(_ plans: ShardPlans) throws {
        let whole = plans.whole
        #expect(whole.shard == nil)
        var seen = Array(repeating: 0, count: whole.calls.count)
        var counts: [Int] = []
        for part in plans.parts {
            let shard = try #require(part.shard)
            counts.append(0)
            #expect(shard.times == whole.calls.map(\.time))
            #expect(part.preload.leases == whole.preload.leases && part.preload.puts == whole.preload.puts)
            #expect(part.keys.bytes == whole.keys.bytes)
            #expect(zip(shard.numbers, shard.numbers.dropFirst()).allSatisfy { $0 < $1 })
            let streams = Set(part.calls.filter { $0.action == .message }.map(\.stream))
            var connections: [UInt32: UInt32] = [:]
            for (place, call) in part.calls.enumerated() {
                let number = Int(shard.numbers[place])
                if call.action == .endStream {
                    #expect(streams.contains(call.stream))
                } else {
                    seen[number] += 1
                    counts[counts.count - 1] += 1
                }
                #expect(part.isSame(place, as: number, of: whole))
                let recorded = whole.calls[number].connection
                #expect(connections[recorded] == nil || connections[recorded] == call.connection)
                connections[recorded] = call.connection
            }
            #expect(connections.count == part.connectionCount)
            #expect(Set(connections.values) == Set((0..<part.connectionCount).map(UInt32.init)))
        }
        for (place, call) in whole.calls.enumerated() {
            #expect(seen[place] == (call.action == .endStream ? 0 : 1), "call \(place)")
        }
        for part in plans.parts { #expect(part.shard?.callCounts == counts) }
        let events = plans.parts.map { $0.streams.reduce(0) { $0 + $1.recordedEvents } }
        #expect(events.reduce(0, +) == whole.streams.reduce(0) { $0 + $1.recordedEvents })
        #expect(plans.parts[0].omissions == whole.omissions && plans.parts[0].notes == whole.notes)
        for part in plans.parts.dropFirst() {
            #expect(part.omissions == OmissionTable() && part.notes == PlanNotes())
        }
        if plans.parts.count == 1 {
            #expect(plans.crossing.isEmpty)
            #expect(plans.parts[0].order.sortedEdges == whole.order.sortedEdges)
            #expect(plans.parts[0].patches == whole.patches)
        }
    }

    @Test("nothing that one call waits for is in another shard, but for what is counted", arguments: names, [2, 4, 9])
    func borders(name: String, count: Int) throws {
        let plans = try ShardPlans(ShardPlans.recording(name), count: count)
        let owners = plans.owners
        let crossing = plans.crossing
        for (before, after) in plans.whole.order.dependencies(of: plans.whole.calls.count)
        where owners[before] != owners[after] && owners[before] >= 0 && owners[after] >= 0 {
            #expect(crossing.contains(before) || crossing.contains(after), "\(after) waits for \(before)")
        }
        // Few do: those over the whole store.
        #expect(crossing.count * 50 < plans.whole.calls.count, "\(crossing.count)")
    }

    @Test("calls of one shard that wait for each other do so still", arguments: names)
    func order(name: String) throws {
        let plans = try ShardPlans(ShardPlans.recording(name), count: 4)
        let owners = plans.owners
        for part in plans.parts {
            let shard = try #require(part.shard)
            var places: [Int: Int] = [:]
            for (place, number) in shard.numbers.enumerated() { places[Int(number)] = place }
            let reached = part.order.reached(of: part.calls.count)
            for (before, after) in plans.whole.order.dependencies(of: plans.whole.calls.count)
            where owners[before] == shard.shard.index - 1 && owners[after] == owners[before] {
                let (first, second) = (try #require(places[before]), try #require(places[after]))
                #expect(reached[first].contains(second), "\(after) waits for \(before)")
            }
        }
    }

    @Test("shards depend on the calls and the names of their keys only", arguments: names)
    func determinism(name: String) throws {
        let batches = try ShardPlans.recording(name)
        var names = OperationBatch()
        for batch in batches.reversed() {
            for key in (0..<UInt32(batch.keys.count)).reversed() {
                var absent = ObservedRecord(kind: .absent, source: .rangeReply, key: 0)
                absent.key = names.keys.number(of: batch.keys.string(key + 1).span)
                names.observed.append(absent)
            }
        }
        let (first, second) = (try ShardPlans(batches, count: 4), try ShardPlans([names] + batches, count: 4))
        #expect(first.whole.calls.map(\.key) != second.whole.calls.map(\.key))
        #expect(first.owners == second.owners && first.crossing == second.crossing)
    }
}

extension ReplayPlan {
    /// Whether a call asks for the same, over the same keys, at the same time as another plan's.
    fileprivate func isSame(_ place: Int, as number: Int, of other: ReplayPlan) -> Bool {
        func described(_ plan: ReplayPlan, _ place: Int) -> [RequestOp] {
            let call = plan.calls[place]
            return ([call.body] + plan.parts[call.parts.range]).map {
                var body = $0
                body.compares.start = 0
                return body
            }
        }
        func compared(_ plan: ReplayPlan, _ place: Int) -> [[Compare]] {
            let call = plan.calls[place]
            let slices = [call.compares, call.body.compares] + plan.parts[call.parts.range].map(\.compares)
            return slices.map { Array(plan.compares[$0.range]) }
        }
        let (call, whole) = (calls[place], other.calls[number])
        return call.kind == whole.kind && call.time == whole.time
            && call.action == whole.action && call.stream == whole.stream && call.lease == whole.lease
            && call.key == whole.key && call.status == whole.status && call.patches.count == whole.patches.count
            && described(self, place) == described(other, number) && compared(self, place) == compared(other, number)
    }
}

extension OrderGraph {
    /// Which calls wait for which, joints looked through.
    func dependencies(of callCount: Int) -> [(before: Int, after: Int)] {
        (0..<callCount).flatMap { before in
            var found: Set<Int> = []
            var open = [before]
            while let node = open.popLast() {
                for place in starts[node]..<starts[node + 1] {
                    let next = Int(successors[Int(place)])
                    if found.insert(next).inserted, next >= callCount { open.append(next) }
                }
            }
            return found.filter { $0 < callCount }.sorted().map { (before, $0) }
        }
    }

    /// Of each call all calls that wait for it, others between or not.
    fileprivate func reached(of callCount: Int) -> [Set<Int>] {
        (0..<callCount).map { before in
            var found: Set<Int> = []
            var open = [before]
            while let node = open.popLast() {
                for place in starts[node]..<starts[node + 1] {
                    let next = Int(successors[Int(place)])
                    if found.insert(next).inserted { open.append(next) }
                }
            }
            return found
        }
    }

    fileprivate var sortedEdges: [[UInt32]] {
        (0..<nodeCount).map { successors[Int(starts[$0])..<Int(starts[$0 + 1])].sorted() }
    }
}
