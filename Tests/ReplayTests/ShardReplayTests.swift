import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Shards on one store")
struct ShardReplayTests {
    /// Outcomes that the recording alone does not explain (`RealPlanTests`).
    private static let known = [
        "edgesys-table1": 0, "netcraq-scale": 0, "netcraq-uncached": 0, "etcdctl-mix": 0, "ccore-mix": 0,
        "midstream": 2,
    ]

    @Test(
        "in whatever order the shards' graphs allow, one store answers what was recorded, but to calls that cross",
        arguments: known.keys.sorted(), [2, 4])
    func outcomes(name: String, count: Int) throws {
        try check(ShardPlans(ShardPlans.recording(name), count: count), known: Self.known[name] ?? 0)
    }

    @Test("the same of enlarged recordings", arguments: ["edgesys-table1", "netcraq-scale", "ccore-mix"], seeds(1))
    func enlarged(name: String, seed: UInt64) throws {
        try check(ShardPlans(EnlargedPlanTests.enlarged(name, copies: 10, seed: seed), count: 4), known: 0)
    }

    private func check(_ plans: ShardPlans, known: Int) throws {
        var alone = ModelRun(plans.whole)
        let isWhole = alone.run(seed: 1)
        #expect(isWhole)
        #expect(alone.differences.count == known)
        let crossing = plans.crossing
        for seed: UInt64 in [1, 2, 3] {
            let first = ModelRun(plans.parts[0])
            var runs = [first] + plans.parts.dropFirst().map { ModelRun($0, preloadedBy: first) }
            let areWhole = ModelRun.run(&runs, seed: seed)
            #expect(areWhole, "some calls wait for ever")
            #expect(runs.reduce(0) { $0 + $1.compared } == alone.compared)
            var differences: [String] = []
            for (part, run) in zip(plans.parts, runs) {
                let numbers = try #require(part.shard).numbers
                for (call, difference) in zip(run.differing, run.differences)
                where !crossing.contains(Int(numbers[call])) && !alone.differing.contains(Int(numbers[call])) {
                    // What is compacted depends on the compactions, which cross.
                    if plans.whole.asksForThePast(Int(numbers[call])) { continue }
                    differences.append(difference)
                }
            }
            #expect(differences.isEmpty, "seed \(seed): \(differences.prefix(10).joined(separator: "\n"))")
        }
    }

    @Test(
        "at any pace, however far the shards are apart, their counts and outcomes add up to those of one run",
        arguments: RealReplayTests.paces, ["edgesys-table1", "netcraq-scale", "etcdctl-mix"])
    func sums(_ pace: Schedule.Pace, _ name: String) throws {
        let plans = try ShardPlans(ShardPlans.recording(name), count: 4)
        let alone = ShardRun([plans.whole], Schedule(pace), seed: 1)
        let shards = ShardRun(plans.parts, Schedule(pace), seed: 2, lateness: [0, 3_000_000, 40_000_000, 1_000_000])
        #expect(shards.total(\.planned) == alone.counts[0].planned)
        #expect(shards.total(\.sent) == alone.counts[0].sent)
        #expect(shards.total(\.answered) == alone.counts[0].answered)
        #expect(shards.total(\.errors) == alone.counts[0].errors)
        #expect(shards.total(\.recordedEvents) == alone.counts[0].recordedEvents)
        #expect(shards.total(\.unsent) == 0 && shards.total(\.outstanding) == 0)
        #expect(shards.total(\.compared) == alone.fidelity[0].compared)
        #expect(shards.total(\.uncompared) == alone.fidelity[0].uncompared)
        let crossing = plans.crossing
        let (one, many) = (alone.records, shards.records)
        #expect(one.count == many.count && one.count > 300)
        for (call, each) in one {
            let other = try #require(many[call])
            if crossing.contains(Int(call[1])) { continue }
            #expect(each.record.difference == other.record.difference)
            #expect(each.operation.status == other.operation.status)
            #expect(each.operation.body.count == other.operation.body.count)
        }
        #expect(shards.total(\.crossings) == Int64(crossing.count))
        #expect(shards.total(\.orderViolations) == Int64(crossing.count))
        #expect(
            shards.total(\.writes)
                == alone.fidelity[0].writes - Int64(crossing.count { plans.whole.isWrite($0) }))
    }

    private static let schedules: [Schedule] = {
        var later = Schedule(.recorded(speed: .init(3, 2)))
        later.offset = 2_000_000_000
        later.duration = 3_000_000_000
        var looped = Schedule(.constant(rate: .init(12_345, 10)))
        looped.loops = 3
        var risen = Schedule(.poisson(rate: .init(4_000), seed: 7))
        risen.ramp = 300_000_000
        risen.loops = 2
        risen.offset = 1_000_000_000
        var repeated = Schedule(.recorded(speed: .init(20)))
        repeated.loops = 2
        return [later, looped, risen, repeated, Schedule(.poisson(rate: .init(90_000), seed: 1))]
    }()

    @Test("each call is due when it is in one run", arguments: schedules.indices, [2, 5])
    func timetable(_ schedule: Int, _ count: Int) throws {
        let plans = try ShardPlans(ShardPlans.recording("netcraq-scale"), count: count, order: .none)
        let schedule = Self.schedules[schedule]
        // Answers come at once, so that a loop ends in time.
        let alone = ShardRun([plans.whole], schedule, seed: 1, latency: 1).records
        let shards = ShardRun(plans.parts, schedule, seed: 2, latency: 1).records
        #expect(Set(alone.keys) == Set(shards.keys) && alone.count > 300)
        for (call, each) in alone {
            let other = try #require(shards[call])
            let (due, shard) = (intended(each), intended(other))
            #expect(due == shard, "loop \(call[0]), call \(call[1]): due at \(due), in its shard at \(shard)")
        }
    }

    private func intended(_ each: (record: ReplayRecord, operation: Operation)) -> Int64 {
        each.operation.time.nanoseconds - each.record.intended
    }

    @Test("as many calls are outstanding in all shards as in one run")
    func closed() throws {
        let plans = try ShardPlans(EnlargedPlanTests.enlarged("ccore-mix", copies: 2, seed: 1), count: 3)
        for (part, places) in zip(plans.parts, [4, 3, 3]) {
            var engine = ReplayEngine(
                part, schedule: Schedule(.closed(outstanding: 10)),
                connections: [ConnectionNames(client: "client", server: "none")])
            engine.start(at: 0, epoch: 0)
            engine.advance(to: 0)
            var request = StoreRequest()
            var sent = 0
            while engine.next(into: &request) { sent += 1 }
            #expect(sent <= places && (sent == places || engine.nextDue == .max))
        }
    }
}

extension ReplayPlan {
    fileprivate func asksForThePast(_ place: Int) -> Bool {
        [.range, .rangeStream].contains(calls[place].kind) && calls[place].revision > 0
    }

    /// Whether a call's changes are judged by their order.
    fileprivate func isWrite(_ place: Int) -> Bool {
        let call = calls[place]
        return ([call.body] + parts[call.parts.range].filter { $0.flags.contains(.answered) }).contains {
            $0.kind == .put || $0.kind == .delete && $0.count > 0 && !$0.flags.contains(.hasRangeEnd)
        }
    }
}
