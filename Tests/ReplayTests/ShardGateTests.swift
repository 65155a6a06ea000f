import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Shards begin together, or not at all")
struct ShardGateTests {
    private static let second: Int64 = 1_000_000_000

    /// A plan whose preload is so many keys, 128 in a transaction, and two leases.
    private static func plan(puts: Int = 300) throws -> ReplayPlan {
        var batch = OperationBatch()
        for number in 0..<puts {
            var record = ObservedRecord(
                kind: .present, source: .rangeReply, key: batch.keys.number(of: "/registry/pods/default/\(number)"))
            record.modRevision = Int64(number + 10)
            record.createRevision = Int64(number + 10)
            record.version = 1
            record.valueSize = Int64(number % 7 * 100)
            record.lease = number % 50 == 0 ? 0x694d_7abc + Int64(number / 50 % 2) : 0
            batch.observed.append(record)
        }
        var survey = UnansweredSurvey()
        survey.add(batch)
        var builder = PlanBuilder(order: .causal, survey: survey)
        try builder.add(batch)
        return builder.finish()
    }

    private static func identity(_ trace: String = "7") -> ShardIdentity {
        ShardIdentity(["kvreel": "1", "shards": "4", "trace": trace])
    }

    /// - Parameter joins: of shards by number, nanoseconds; others come at once.
    private static func bench(
        _ shards: Int, joins: [Int: Int64] = [:], change: (inout ShardGate.Options) -> Void = { _ in }
    ) throws -> ShardGateBench {
        var bench = ShardGateBench()
        let plan = try plan()
        for shard in 1...shards { bench.add(shard, of: shards, joins: joins[shard] ?? 0, plan: plan, change: change) }
        return bench
    }

    /// What holds of every run in which all shards began.
    private static func expectBegun(_ bench: ShardGateBench, plan: ReplayPlan? = nil) throws {
        let plan = try plan ?? Self.plan()
        #expect(bench.failures.allSatisfy { $0 == nil }, "\(bench.failures)")
        #expect(bench.starts.count == 1)
        #expect(Set(bench.members.map(\.gate.run)).count == 1)
        let start = try #require(bench.starts.first) - ShardGateBench.epoch
        for member in bench.members {
            let begun = try #require(member.begun) + member.clockAhead
            #expect(begun <= start && begun >= start - second / 10)
        }
        #expect(bench.keysAtStart == [])
        #expect(bench.store.names.count == plan.preload.puts.count)
        let first = bench.members[0].gate.outcome
        for member in bench.members { #expect(member.gate.outcome == first) }
        for (put, revision) in zip(plan.preload.puts, first.revisions) {
            let entry = bench.store.entries[String(decoding: plan.keys.string(put.key), as: UTF8.self)]
            let lease = put.lease.map { first.leases[Int($0)] } ?? 0
            #expect(entry?.modified == revision && entry?.version == 1 && entry?.lease == lease)
        }
        #expect(first.revisions.count == plan.preload.puts.count && first.leases.count == 2)
    }

    @Test("they come at any time and begin at the same", arguments: seeds(1, 2, 3, 4, 5, 6, 7, 8), [1, 2, 4, 9])
    func together(seed: UInt64, shards: Int) throws {
        var random = SplitMix64(seed: seed &* 31 &+ UInt64(shards))
        var bench = try Self.bench(shards)
        for place in bench.members.indices {
            bench.members[place].joins = Int64(random.below(20_000)) * 1_000_000
            bench.members[place].clockAhead = Int64(random.below(400)) * 1_000_000 - 200_000_000
            bench.members[place].engineTime = Int64(random.below(9_000)) * 1_000_000
        }
        let slowest = 1 + random.below(80)
        bench.latency = { _ in Int64(1 + random.below(slowest)) * 1_000_000 }
        // Leases of the preload outlast the bench.
        bench.run()
        try Self.expectBegun(bench)
    }

    @Test("in whatever order", arguments: 0..<24)
    func orders(_ number: Int) throws {
        var left = Array(1...4)
        var order: [Int] = []
        var digits = number
        for size in stride(from: 4, through: 1, by: -1) {
            order.append(left.remove(at: digits % size))
            digits /= size
        }
        let joins = Dictionary(
            uniqueKeysWithValues: order.enumerated().map { ($1, Int64($0) * 40 * Self.second) })
        var bench = try Self.bench(4, joins: joins)
        bench.run()
        try Self.expectBegun(bench)
        // The last one came after 120 s, and then it took them seconds.
        let start = try #require(bench.starts.first)
        #expect((120..<130).contains((start - ShardGateBench.epoch) / Self.second))
    }

    @Test("a named start is kept by all, and one that comes too soon by none")
    func namedStart() throws {
        var bench = try Self.bench(3) { $0.start = ShardGateBench.epoch + 60 * Self.second }
        bench.run()
        try Self.expectBegun(bench)
        #expect(bench.starts == [ShardGateBench.epoch + 60 * Self.second])

        var late = try Self.bench(3, joins: [3: 61 * Self.second]) {
            $0.start = ShardGateBench.epoch + 60 * Self.second
        }
        late.run()
        guard case .late(let by) = late.members[0].gate.failure else {
            Issue.record("\(late.failures)")
            return
        }
        #expect((Self.second..<3 * Self.second).contains(by))
        #expect(late.failures[1...] == [.firstShardGone, .firstShardGone])
        #expect(late.starts.isEmpty)
    }

    @Test("without a preload there is none to be told of")
    func withoutPreload() throws {
        var bench = try Self.bench(3) { $0.isPreloaded = false }
        bench.run()
        #expect(bench.failures == [nil, nil, nil])
        #expect(bench.starts.count == 1)
        #expect(bench.store.names.isEmpty)
        #expect(bench.members.allSatisfy { $0.gate.outcome == PreloadOutcome() })
    }

    @Test("an outcome of many keys goes in pieces")
    func largeOutcome() throws {
        let plan = try Self.plan(puts: 700)
        // Each put has a revision of its own.
        var preloadLimits = PreloadLimits()
        preloadLimits.putsPerTransaction = 1
        var limits = ShardGateLimits()
        limits.chunkBytes = 1_000
        var bench = ShardGateBench()
        for shard in 1...3 {
            bench.add(shard, of: 3, plan: plan, preloadLimits: preloadLimits, limits: limits)
        }
        var pieces = 0
        bench.store.onPut = { if $0.contains("/outcome/") { pieces += 1 } }
        bench.run()
        try Self.expectBegun(bench, plan: plan)
        #expect((3...10).contains(pieces))
    }

    // MARK: Who does not come, or should not have

    @Test("a shard that is missing keeps all from beginning", arguments: 1...4)
    func missing(_ shard: Int) throws {
        var bench = try Self.bench(4)
        bench.members.removeAll { $0.gate.options.shard.index == shard }
        bench.run()
        if shard == 1 {
            #expect(bench.failures == [.noFirstShard, .noFirstShard, .noFirstShard])
            #expect(bench.store.names.isEmpty)
        } else {
            #expect(bench.failures == [.missing([shard]), .firstShardGone, .firstShardGone])
        }
        #expect(bench.starts.isEmpty)
        #expect(!bench.store.names.contains { $0.hasPrefix(ShardGateKeys.prefix) })
    }

    @Test("a shard that reads the start when it is over does not begin, and the others do")
    func late() throws {
        var bench = try Self.bench(3)
        var isSlow = false
        bench.store.onPut = { if $0.contains("/gate/start/") { isSlow = true } }
        // The look that would have shown the start takes 5 s.
        bench.latency = { $0 == 2 && isSlow ? 5 * Self.second : 2_000_000 }
        bench.run()
        #expect(bench.failures[0...1] == [nil, nil])
        // What it reads then is that the keys are gone.
        #expect(bench.failures[2] == .firstShardGone)
        #expect(bench.starts.count == 1)
        #expect(bench.keysAtStart?.allSatisfy { $0.hasSuffix("/ready/3") } == true)
    }

    @Test("another trace, schedule or number of shards is told apart, in words")
    func otherIdentity() throws {
        var bench = try Self.bench(2)
        bench.add(3, of: 3, plan: try Self.plan()) { $0.identity = Self.identity("8") }
        bench.run()
        #expect(bench.failures[2] == .otherIdentity("trace 7 there, 8 here"))
        #expect(bench.starts.count == 1)
    }

    @Test("of two shards with one number the second does not begin", arguments: [1, 2])
    func twice(_ shard: Int) throws {
        var bench = try Self.bench(3, joins: [3: 45 * Self.second])
        bench.add(shard, of: 3, joins: Self.second, plan: try Self.plan())
        bench.run()
        let other = bench.members.removeLast()
        #expect(other.gate.failure == (shard == 1 ? .otherRun : .otherShard))
        #expect(other.gate.start == nil)
        try Self.expectBegun(bench)
    }

    @Test("a store that holds keys is left alone, unless told otherwise")
    func notEmpty() throws {
        var bench = try Self.bench(2)
        bench.store.put("/somebody", lease: 0)
        bench.run()
        #expect(bench.failures == [.notEmpty(keys: 1), .noFirstShard])
        #expect(bench.store.revision == 2 && bench.store.leases.isEmpty)

        bench = try Self.bench(2) { $0.allowsWrites = true }
        bench.store.put("/somebody", lease: 0)
        bench.run()
        #expect(bench.failures == [nil, nil] && bench.starts.count == 1)
    }

    @Test("a clock that is wrong by more than NTP would be is found", arguments: [-60, -2, 2, 60])
    func clocks(_ seconds: Int64) throws {
        var bench = try Self.bench(3)
        bench.members[2].clockAhead = seconds * Self.second
        bench.run()
        #expect(bench.failures[0...1] == [nil, nil])
        guard case .clock(let ahead) = bench.failures[2] else {
            Issue.record("\(String(describing: bench.failures[2]))")
            return
        }
        // What is shown is a bound: the time between two looks, and what they take, may be missing.
        #expect(abs(ahead - seconds * Self.second) < Self.second / 4)
    }

    // MARK: What goes wrong

    @Test("a store that refuses any request of the gate leads to an error, and to no half start", arguments: 0..<60)
    func refused(_ number: Int) throws {
        var bench = try Self.bench(3)
        bench.refuse = { request, _ in request == number ? 13 : nil }
        bench.run()
        // A keep-alive is sent again; and a run of three has some 45 requests.
        let isHarmless = bench.refused.first.map { $0 == .leaseKeepAlive } ?? (number >= 30)
        #expect(bench.failures.contains { $0 != nil } != isHarmless)
        #expect(bench.starts.count <= 1)
        #expect(!bench.store.names.contains { $0.hasPrefix(ShardGateKeys.prefix) })
    }

    @Test("reads are made again while a leader is elected, and not for ever", arguments: [5, 15])
    func unavailable(_ seconds: Int64) throws {
        // Shard 3 is waited for, and both others only read.
        var bench = try Self.bench(3, joins: [3: 40 * Self.second])
        let outage = 12 * Self.second..<(12 + seconds) * Self.second
        bench.refuse = { _, time in outage.contains(time) ? 14 : nil }
        bench.run()
        if seconds < 10 { return try Self.expectBegun(bench) }
        for failure in bench.failures[0...1] {
            guard case .store(_, status: 14, _) = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
    }

    @Test("what a killed run left goes with its leases, and the next one begins", arguments: seeds(1, 2, 3, 4, 5, 6))
    func remains(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var bench = try Self.bench(3) { $0.isPreloaded = false }
        let moment = Int64(random.below(3_600)) * 1_000_000
        for place in bench.members.indices { bench.members[place].killedAt = moment }
        for shard in 1...3 {
            // Behind what would tell it from one that lives, its lease's time less a keep-alive.
            let joins = moment + Int64(8_000 + random.below(4_000)) * 1_000_000
            bench.add(shard, of: 3, joins: joins, plan: try Self.plan()) { $0.isPreloaded = false }
        }
        bench.run()
        bench.members.removeFirst(3)
        #expect(bench.failures == [nil, nil, nil])
        #expect(bench.starts.count == 1 && bench.keysAtStart == [])
    }

    @Test(
        "a shard that is interrupted or killed at any moment leaves nothing",
        arguments: seeds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), [1, 2])
    func interrupted(seed: UInt64, shard: Int) throws {
        var random = SplitMix64(seed: seed)
        var bench = try Self.bench(3)
        let moment = Int64(random.below(4_500)) * 1_000_000
        if seed % 2 == 0 {
            bench.members[shard - 1].stoppedAt = moment
        } else {
            bench.members[shard - 1].killedAt = moment
        }
        bench.run()
        #expect(bench.starts.count <= 1)
        #expect(!bench.store.names.contains { $0.hasPrefix(ShardGateKeys.prefix) })
        if seed % 2 == 0 {
            let gate = bench.members[shard - 1].gate
            #expect(gate.failure == .interrupted || gate.start != nil)
        }
        // Who does not begin says why.
        for member in bench.members where member.killedAt == .max {
            #expect((member.gate.failure == nil) == (member.gate.start != nil))
        }
    }

    @Test("what somebody else writes below the prefix ends in a start or an error", arguments: seeds(1, 2, 3, 4, 5))
    func strangers(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let words = [
            "claim", "gate/", "gate/identity/", "gate/identity/a=b;;=", "gate/preloaded/", "gate/preloaded/-1",
            "gate/preloaded/999999999999999999999", "gate/preloaded/2", "gate/ready/0", "gate/ready/2", "gate/ready/x",
            "gate/start/1/2", "gate/start/-5/9223372036854775807", "gate/start//", "outcome/0/5*300;", "outcome/0/;",
            "outcome/0/9223372036854775807*9223372036854775807,1*1;1,2,3", "outcome/1/", "gate/\u{0}/\u{7f}",
        ]
        for _ in 0..<60 {
            var bench = try Self.bench(3)
            let run = random.below(4) == 0 ? "" : "7a0000000000000\(1 + random.below(3))/"
            let key = ShardGateKeys.prefix + run + words[random.below(words.count)]
            bench.strangers = [(Int64(random.below(3_600)) * 1_000_000, key)]
            bench.run()
            #expect(bench.starts.count <= 1)
            for member in bench.members { #expect((member.gate.failure == nil) == (member.gate.start != nil)) }
        }
    }

    @Test("two programs that read one trace agree on its digest, however it is cut; and on no other's")
    func digest() {
        func value(_ count: Int, batches: Int, status: UInt32 = 0) -> UInt64 {
            var digest = WorkloadDigest()
            var batch = OperationBatch()
            for number in 0..<count {
                var operation = Operation(
                    time: CaptureTime(nanoseconds: Int64(number)), connection: 1, stream: 1, role: .call, kind: .put,
                    evidence: .seen, method: .unknown)
                operation.key = batch.keys.number(of: "key-\(number % 5)")
                operation.status = number == 3 ? status : 0
                batch.operations.append(operation)
                if number % (count / batches) == 0 {
                    digest.add(batch)
                    batch.removeAll()
                }
            }
            digest.add(batch)
            return digest.value
        }
        #expect(value(100, batches: 1) == value(100, batches: 10))
        #expect(Set([value(100, batches: 2), value(99, batches: 2), value(100, batches: 2, status: 1)]).count == 3)
    }
}

extension ShardGateBench {
    mutating func add(
        _ shard: Int, of shards: Int, joins: Int64 = 0, plan: ReplayPlan,
        preloadLimits: PreloadLimits = PreloadLimits(), limits: ShardGateLimits = ShardGateLimits(),
        change: (inout ShardGate.Options) -> Void = { _ in }
    ) {
        guard let shard = Shard(shard, of: shards) else { return }
        var options = ShardGate.Options(
            shard, identity: ShardIdentity(["kvreel": "1", "shards": "4", "trace": "7"]),
            patience: 200_000_000_000)
        change(&options)
        var member = Member(
            ShardGate(options, plan: plan, connections: 2, preloadLimits: preloadLimits, limits: limits))
        member.joins = joins
        members.append(member)
    }
}
