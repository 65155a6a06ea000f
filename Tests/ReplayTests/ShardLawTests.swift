import Etcd
import Replay
import TestSupport
import Testing
import Wire

/// What shards do with traces made by hand, and with ones that nobody could have recorded.
@Suite("Shards of made traces")
struct ShardLawTests {
    private static func plans(_ trace: HandmadeTrace, count: Int, limits: PlanLimits = PlanLimits()) throws
        -> ShardPlans
    {
        try ShardPlans([trace.batch], count: count, limits: limits)
    }

    /// The calls of each shard, by their numbers.
    private static func parts(_ plans: ShardPlans) -> [[UInt32]] { plans.parts.map { $0.shard?.numbers ?? [] } }

    /// Gives each call the revision that the store has come to: one more for each that changes something.
    private static func settle(_ trace: inout HandmadeTrace) {
        var revision: Int64 = 1
        for place in trace.batch.operations.indices {
            if [.put, .delete, .txn].contains(trace.batch.operations[place].kind) { revision += 1 }
            trace.batch.operations[place].headerRevision = revision
        }
    }

    @Test("keys that a transaction, a lease or a range joins stay together; the heaviest go first")
    func joins() throws {
        var trace = HandmadeTrace()
        trace.put("/b/2", revision: 2)  // 0: with /c, by a transaction
        trace.put("/d/1", revision: 3)  // 1: with /d/2, by a range
        trace.put("/e", revision: 4) { $0.lease = 7 }  // 2: with /f, by a lease
        trace.put("/a", revision: 5)  // 3
        trace.transaction(
            [trace.compare("/b/2", .modRevision, .equal, 2)], success: [trace.body(.put, "/c")], revision: 6)  // 4
        trace.put("/d/2", revision: 7)  // 5
        trace.range("/d/", end: "/d0")  // 6
        trace.put("/f", revision: 8) { $0.lease = 7 }  // 7
        trace.call(.leaseRevoke, revision: 9) { $0.lease = 7 }  // 8
        trace.put("/c", revision: 10)  // 9
        trace.put("/c", revision: 11)  // 10
        trace.call(.status)  // 11: no key, so the first shard's
        let plans = try Self.plans(trace, count: 4)
        // By weight: /b with /c has 4 calls, /d and the lease have 3, /a has 1; the first shard begins with one.
        #expect(Self.parts(plans) == [[3, 11], [0, 4, 9, 10], [1, 5, 6], [2, 7, 8]])
        #expect(plans.crossing.isEmpty)
        #expect(plans.parts[0].shard?.callCounts == [2, 4, 3, 3])
    }

    @Test("a range whose keys would leave a shard without any is alone, and crosses what it meets")
    func refusals() throws {
        var trace = HandmadeTrace()
        for name in ["/a/1", "/a/2", "/b/1", "/b/2"] { trace.put(name, revision: 2) }  // 0 to 3
        trace.range("/a/", end: "/a0")  // 4
        trace.range("/b/", end: "/b0")  // 5
        trace.range("/", end: "0")  // 6: all
        trace.range("/x/", end: "/x0")  // 7: nothing
        Self.settle(&trace)
        let two = try Self.plans(trace, count: 2)
        // Three components remain without the range over all: it would leave one.
        #expect(two.crossing == [6])
        #expect(
            two.parts.compactMap(\.shard).map(\.crossingCounts[Int(OperationKind.range.rawValue)]).reduce(0, +) == 1)
        let parts = Self.parts(two)
        #expect(
            parts.contains { Set($0).isSuperset(of: [0, 1, 4]) }
                && parts.contains { Set($0).isSuperset(of: [2, 3, 5]) })
        for part in two.parts.compactMap(\.shard) {
            #expect(part.isCrossing(number: 6) == part.numbers.contains(6))
            #expect(!part.isCrossing(number: 4))
        }
        let one = try Self.plans(trace, count: 1)
        #expect(one.crossing.isEmpty)
        // With more shards than there are keys, nothing is joined but by calls.
        let many = try Self.plans(trace, count: 50)
        #expect(many.crossing == [4, 5, 6])
    }

    enum Crossing: CaseIterable { case range, deletion, read, write }

    @Test("where another shard's call may write here, this one knows", arguments: Crossing.allCases)
    func foreignWrites(call: Crossing) throws {
        var trace = HandmadeTrace()
        for name in ["/a", "/b"] { trace.put(name, revision: 2) }
        switch call {
        case .range: trace.range("/", end: "0")
        case .deletion: trace.delete("/", end: "0", deleted: 2)
        case .read: trace.transaction([], success: [trace.body(.range, "/", end: "0")])
        case .write: trace.transaction([], success: [trace.body(.delete, "/", end: "0")])
        }
        let isWrite = call == .deletion || call == .write
        Self.settle(&trace)
        let plans = try Self.plans(trace, count: 2)
        #expect(plans.crossing == [2])
        for (index, part) in plans.parts.enumerated() {
            #expect(part.shard?.hasForeignWrites == (isWrite && plans.owners[2] != index))
        }
    }

    @Test("a range at an old revision is where its list was; one that asks for another key's asks the store first")
    func revisions() throws {
        var trace = HandmadeTrace()
        trace.put("/a", revision: 5)  // 0
        trace.put("/b", revision: 6)  // 1
        trace.put("/b", revision: 9)  // 2
        trace.range("/", end: "0") { $0.count = 2 }  // 3
        trace.batch.operations[3].headerRevision = 9
        trace.range("/b", end: "0") { $0.revision = 9 }  // 4: goes on with the list
        trace.range("/b") { $0.revision = 5 }  // 5: what the put of /a returned
        trace.batch.operations[4].headerRevision = 9
        trace.batch.operations[5].headerRevision = 9
        let plans = try Self.plans(trace, count: 2)
        #expect(plans.owners[4] == plans.owners[3])
        #expect(plans.owners[0] != plans.owners[5] && plans.owners[1] == plans.owners[5])
        let part = plans.parts[plans.owners[5]]
        let place = try #require(part.calls.firstIndex { $0.kind == .range && $0.revision == 5 })
        #expect(part.patches[part.calls[place].patches.range].map(\.source) == [.currentRevision])
        #expect(part.patches[part.calls[place].patches.range].map(\.offset) == [-4])
        #expect(plans.crossing.contains(5))

        // The store is at 104 when the call is due, and at 107 when it is asked.
        var engine = ReplayEngine(
            part, schedule: Schedule(.recorded(speed: .init(1))),
            connections: [ConnectionNames(client: "client", server: "store")])
        var store = ScriptedStore()
        store.respond = { sent, answer in
            answer.details.headerRevision = sent.request.kind == .range && sent.request.valueID == 0 ? 107 : 104
            answer.details.answer.count = 1
        }
        store.run(&engine)
        let asked = try #require(store.sent.firstIndex { $0.request.valueID == 0 })
        #expect(store.sent[asked].request.body.flags == .countOnly && store.sent[asked].text(1) == "\0")
        let sent = store.sent[asked + 1]
        #expect(sent.text(sent.request.body.key) == "/b" && sent.request.body.revision == 103)
        #expect(sent.time >= store.sent[asked].done)
        #expect(engine.counts.revisionReads == 1)
        #expect(engine.counts.total(\.sent) == Int64(part.calls.count))
        #expect(engine.fidelity.crossings == Int64(part.shard?.crossing.count ?? 0))
        let score = engine.fidelity.score(engine.counts)
        #expect(
            score.order == Double(engine.fidelity.writes) / Double(engine.fidelity.writes + engine.fidelity.crossings))
        // What reading took is waiting.
        let batch = engine.written()
        let read = try #require(batch.operations.firstIndex { $0.body.revision == 103 })
        #expect(batch.replays[read].intended >= 1000 && batch.replays[read].released == 0)
    }

    @Test("where the store does not tell its revision, the call goes as recorded")
    func failedRead() throws {
        var trace = HandmadeTrace()
        trace.put("/a", revision: 5)
        trace.put("/b", revision: 6)
        trace.range("/b") { $0.revision = 5 }
        trace.batch.operations[2].headerRevision = 6
        let plans = try Self.plans(trace, count: 2)
        let part = plans.parts[plans.owners[2]]
        var engine = ReplayEngine(
            part, schedule: Schedule(.max), connections: [ConnectionNames(client: "client", server: "store")])
        var store = ScriptedStore()
        store.respond = { sent, answer in
            if sent.request.valueID == 0 { answer.note = .timedOut }
            answer.details.headerRevision = 50
        }
        store.run(&engine)
        #expect(store.sent.last?.request.body.revision == 5)
        #expect(store.sent.count == part.calls.count + 1)
        #expect(engine.counts.unmapped[Int(Patch.Field.revision.rawValue)] == 1)
    }

    @Test("compactions are in one shard, where the revision is known that the first one names")
    func compactions() throws {
        var trace = HandmadeTrace()
        for name in ["/a", "/b", "/c", "/d"] { trace.put(name, revision: 2) }
        trace.put("/compact", revision: 3)
        trace.call(.compact, revision: 9) { $0.revision = 3 }
        trace.put("/e", revision: 10)
        trace.call(.compact, revision: 11) { $0.revision = 10 }
        let plans = try Self.plans(trace, count: 6)
        #expect(plans.owners[5] == plans.owners[4] && plans.owners[7] == plans.owners[5])
        let part = plans.parts[plans.owners[5]]
        let sources = part.calls.filter { $0.kind == .compact }.map { part.patches[$0.patches.range].map(\.source) }
        #expect(sources == [[.revisionOfCall], [.currentRevision]])
    }

    @Test("each shard opens the streams that it has messages on, and ends them")
    func streams() throws {
        var trace = HandmadeTrace()
        trace.put("/a", revision: 2)
        trace.put("/b", revision: 3)
        for (watch, name) in [(1, "/a"), (2, "/b")] {
            trace.call(.watchCreate, trace.body(.watchCreate, name)) {
                $0.role = .message
                $0.stream = 3
                $0.method = HandmadePlan.method("/etcdserverpb.Watch/Watch")
                $0.watchID = Int64(watch)
                $0.completeness = [.hasRequest, .hasResponse]
            }
        }
        trace.call(.watchCancel) {
            $0.role = .message
            $0.stream = 3
            $0.method = HandmadePlan.method("/etcdserverpb.Watch/Watch")
            $0.watchID = 1
            $0.completeness = [.hasRequest, .hasResponse]
        }
        trace.call(.watch) {
            $0.stream = 3
            $0.requestEnd = 90
            $0.completeness = .completed
        }
        let plans = try Self.plans(trace, count: 2)
        let ends = plans.parts.map { $0.calls.count { $0.action == .endStream } }
        #expect(ends == [1, 1])
        #expect(plans.owners[2] == plans.owners[0] && plans.owners[3] == plans.owners[1])
        #expect(plans.owners[4] == plans.owners[2])
        #expect(plans.crossing.isEmpty)
    }

    @Test("where joining ranges takes more steps than allowed, they stay apart, in each shard alike")
    func steps() throws {
        var trace = HandmadeTrace()
        for number in 0..<2_000 { trace.put("/\(1_000 + number % 1_000)", revision: Int64(number) + 2) }
        for number in 0..<100 { trace.range("/\(1_000 + number)", end: "/\(1_500 + number)") }
        Self.settle(&trace)
        var limits = PlanLimits()
        let joined = try Self.plans(trace, count: 2, limits: limits)
        #expect(joined.crossing.isEmpty && (joined.parts[0].shard?.callCounts ?? []).max() == 1_298)
        limits.shardSteps = 300
        let cut = try Self.plans(trace, count: 2, limits: limits)
        #expect(cut.crossing.count == 100 && (cut.parts[0].shard?.callCounts ?? []).max() == 1_050)
    }

    // MARK: What nobody recorded

    @Test(
        "of whatever a trace holds, each call is in one shard, and borders are counted", arguments: seeds(1, 2, 3, 4, 5)
    )
    func arbitrary(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<40 {
            let trace = Self.arbitrary(&random)
            let count = 1 + random.below(6)
            let order = PlanBuilder.Order.allCases[random.below(3)]
            let plans = try ShardPlans([trace.batch], count: count, order: order)
            let numbers = plans.parts.flatMap { part in
                zip(part.calls, part.shard?.numbers ?? []).filter { $0.0.action != .endStream }.map(\.1)
            }
            #expect(
                numbers.sorted()
                    == plans.whole.calls.indices.filter { plans.whole.calls[$0].action != .endStream }
                    .map(UInt32.init))
            let (owners, crossing) = (plans.owners, plans.crossing)
            for (before, after) in plans.whole.order.dependencies(of: plans.whole.calls.count)
            where owners[before] != owners[after] && owners[before] >= 0 && owners[after] >= 0 {
                #expect(crossing.contains(before) || crossing.contains(after))
            }
            let run = ShardRun(plans.parts, Schedule(.max), seed: seed, latency: 1_000)
            let alone = ShardRun([plans.whole], Schedule(.max), seed: seed, latency: 1_000)
            #expect(run.total(\.unsent) == alone.total(\.unsent))
            #expect(run.total(\.planned) == alone.total(\.planned))
        }
    }

    private static func arbitrary(_ random: inout SplitMix64) -> HandmadeTrace {
        var trace = HandmadeTrace()
        let names = ["/", "0", "/a", "/a/", "/a/1", "/a0", "/b/7", "/b/ff", "\0", "/c/7fffffffffffffff"]
        let numbers: [Int64] = [0, 1, 2, 3, 7, 9, 255, -1, .max, .min, 1 << 62, -(1 << 62)]
        func pick<Value>(_ values: [Value], _ random: inout SplitMix64) -> Value { values[random.below(values.count)] }
        func body(_ kind: RequestOp.Kind, _ trace: inout HandmadeTrace, _ random: inout SplitMix64) -> RequestOp {
            let end = random.below(3) == 0 ? pick(names, &random) : nil
            let (revision, lease, count) = (pick(numbers, &random), pick(numbers, &random), pick(numbers, &random))
            let isAnswered = random.below(4) > 0
            return trace.body(kind, pick(names, &random), end: kind == .put ? nil : end) {
                $0.revision = revision
                $0.lease = lease
                $0.count = count
                if !isAnswered { $0.flags.remove(.answered) }
            }
        }
        for _ in 0..<random.below(60) {
            let kind = pick(OperationKind.allCases, &random)
            let (revision, lease) = (pick(numbers, &random), pick(numbers, &random))
            if kind == .txn {
                let compare = trace.compare(
                    pick(names, &random), pick(Compare.Target.allCases, &random),
                    pick(Compare.Relation.allCases, &random), lease)
                let kinds: [RequestOp.Kind] = [.range, .put, .delete]
                let parts = (0..<random.below(4)).map { _ in body(pick(kinds, &random), &trace, &random) }
                trace.transaction([compare], success: parts, failure: Array(parts.prefix(1)), revision: revision)
                continue
            }
            let bodies: [OperationKind: RequestOp.Kind] = [
                .range: .range, .rangeStream: .range, .put: .put, .delete: .delete, .watchCreate: .watchCreate,
            ]
            let made = bodies[kind].map { body($0, &trace, &random) } ?? RequestOp()
            let role: Operation.Role =
                switch kind {
                case .watchCreate, .watchCancel, .watchProgress: .message
                case .leaseKeepAlive: random.below(2) == 0 ? .message : .call
                case .watchEvents, .watchNotify, .watchCanceled: .event
                default: .call
                }
            let status: UInt32? = pick([0, 0, 0, 5, 14, nil], &random)
            let (stream, connection) = (random.below(3), random.below(3))
            let (ttl, end) = (pick(numbers, &random), pick([500, 500, 90_000, Operation.absent, -3], &random))
            trace.call(kind, made, revision: revision) {
                $0.role = role
                $0.status = status
                $0.lease = lease
                $0.revision = ttl
                $0.ttl = ttl
                $0.stream = UInt32(stream)
                $0.connection = UInt32(connection)
                $0.responseEnd = end
                $0.requestEnd = end
                $0.watchID = Int64(stream)
                if role == .message { $0.completeness = [.hasRequest, .hasResponse] }
                if role == .call { $0.completeness = .completed }
            }
        }
        for _ in 0..<random.below(4) {
            trace.observe(pick(names, &random), lease: pick(numbers, &random), revision: pick(numbers, &random))
        }
        return trace
    }
}
