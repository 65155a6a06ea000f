import Etcd
import Replay
import Report
import TestSupport
import Testing
import Trace
import Wire

@Suite("Shards of a replay, added up")
struct RunShardsTests {
    /// What the trace of one of four shards says.
    private static func shard(_ number: Int, _ change: (inout TraceMeta, inout RunCounts) -> Void = { _, _ in })
        -> RunShards.Shard
    {
        var meta = SampleRuns.meta
        meta.tool = "kvreel 0.1.0"
        meta[.traces] = "/data/\(number)/monday.kvr"
        meta[.preload] = "12 keys, 1 lease"
        meta[.shard] = "\(number)/4"
        meta[.run] = "a"
        meta[.rule] = "send lag p99 0.\(number) ms, at most 1 ms"
        meta[.engine] = "\(number).5 % busy, real-time priority"
        var counts = RunCounts()
        counts[.connections] = Int64(number)
        counts[.compared] = 1_000
        counts[.same] = Int64(1_000 - number)
        counts[.writes] = 100
        counts[.begun] = 1_000
        counts[.unsent] = number == 4 ? 10 : 0
        counts[.fillersLeftOut] = number == 1 ? 7 : 0
        counts[.checkedOperations] = 500
        counts[.checkedKeys] = 20
        counts[.put, .unanswered] = Int64(400 * number)
        counts.counters = [BackendCounter("datagrams sent again", number)]
        change(&meta, &counts)
        let lines = (1...2).map { RunCounts.example(.found, call: UInt32($0), "range /\(number)") }
        meta[.consistency] = counts.consistency("linearizable")
        counts.describe(&meta, examples: lines)
        var delivery = TimeHistogram()
        for time in 1...number { delivery.record(Int64(time * 1_000_003)) }
        meta.describe(delivery: delivery)
        return RunShards.Shard(name: "\(number).kvr", meta: meta)
    }

    @Test("as many shards as may replay a plan are as many as traces say, no fewer")
    func limit() throws {
        let last = try #require(Shard(Shard.countLimit, of: Shard.countLimit))
        #expect(ShardSet(last.text)?.numbers == [last.index])
        #expect(ShardSet([1], of: Shard.countLimit + 1) == nil)
    }

    @Test("words are of the sums; what all say is said once")
    func words() throws {
        let meta = try RunShards([3, 1, 4, 2].map { Self.shard($0) }).meta
        #expect(meta[.shard] == "1,2,3,4/4")
        #expect(meta[.traces] == "/data/1/monday.kvr")
        #expect(meta[.backend] == "etcd:1")
        #expect(meta[.preload] == "12 keys, 1 lease")
        #expect(meta[.connections] == "10")
        #expect(meta[.verdict] == "valid")
        #expect(
            meta[.rule]
                == (1...4).map { "shard \($0): send lag p99 0.\($0) ms, at most 1 ms" }.joined(separator: "\n"))
        #expect(meta[.engine] == "4.5 % busy at most, real-time priority")
        // 3990 of 4000 outcomes, and 3990 of 4000 calls answered.
        #expect(meta[.fidelity] == "0.99501 = outcomes 0.99750 x order 1.00000 x answered 0.99750")
        #expect(meta[.excluded] == "no answer seen: 4 000 put")
        #expect(meta[.consistency] == "linearizable: 2 000 operations on 80 keys")
        // 1, 1, 2, 1, 2, 3 and 1 to 4 ms.
        #expect(meta[.delivery] == "p50 2.00 ms, p99 4.00 ms")
        #expect(
            meta[.remarks]
                == """
                10 calls not sent
                10 datagrams sent again
                7 counted keys for which no name was found
                for example, found or not: call 1, range /1
                for example, found or not: call 2, range /1
                for example, found or not: call 1, range /2
                """.replacing("found or not", with: Difference.found.words))
        #expect(meta.tool == "kvreel 0.1.0")
    }

    @Test("two of them first, and then the others: the same")
    func inSteps() throws {
        let at = try RunShards((1...4).map { Self.shard($0) }).meta
        let half = try RunShards([Self.shard(3), Self.shard(1)]).meta
        #expect(half[.shard] == "1,3/4")
        let rest = try RunShards([Self.shard(2), Self.shard(4)]).meta
        let whole = try RunShards([
            RunShards.Shard(name: "a", meta: rest), RunShards.Shard(name: "b", meta: half),
        ]).meta
        for entry in TraceMeta.ReplayEntry.allCases where ![.remarks, .rule, .counts].contains(entry) {
            #expect(whole[entry] == at[entry], "\(entry)")
        }
        #expect(RunCounts(text: whole[.counts] ?? "") == RunCounts(text: at[.counts] ?? ""))
        #expect(Set((whole[.rule] ?? "").split(separator: "\n")) == Set((at[.rule] ?? "").split(separator: "\n")))
    }

    @Test("the worst verdict is the run's")
    func worst() throws {
        func verdict(_ verdicts: [String?]) throws -> String? {
            try RunShards(
                verdicts.enumerated().map { place, word in Self.shard(place + 1) { meta, _ in meta[.verdict] = word } }
            )
            .meta[.verdict]
        }
        #expect(try verdict(["valid", "invalid", "valid", "valid"]) == "invalid")
        #expect(try verdict(["capacity", "capacity"]) == "capacity")
        #expect(try verdict(["invalid", nil]) == nil)
        var violation = Self.shard(2)
        violation.meta[.consistency] = "violation: 500 operations on 20 keys"
        var unchecked = Self.shard(3)
        unchecked.meta[.consistency] = nil
        #expect(
            try RunShards([Self.shard(1), violation, unchecked]).meta[.consistency]
                == "violation: 1 500 operations on 60 keys; 1 of 3 not checked")
    }

    @Test("a shard that does not say more than that it is one, and one of a later version")
    func otherVersions() throws {
        var bare = Self.shard(2)
        for entry in TraceMeta.ReplayEntry.allCases where ![.shard, .traces, .schedule, .order].contains(entry) {
            bare.meta[entry] = nil
        }
        let meta = try RunShards([Self.shard(1), bare]).meta
        #expect(meta[.verdict] == nil)
        #expect(meta[.connections] == "1")
        var later = Self.shard(3)
        later.meta[.counts]? += "\na thing to come 5\nno number\n-3"
        let counts = RunCounts(text: later.meta[.counts] ?? "") + RunCounts(text: later.meta[.counts] ?? "")
        #expect(counts.text.contains("a thing to come 10"))
        #expect(!counts.text.contains("no number"))
    }

    @Test(
        "what does not belong together is refused, and named",
        arguments: [
            (TraceMeta.ReplayEntry.backend, "etcd:3", "another backend than of 1.kvr: etcd:3, not etcd:1"),
            (.schedule, "max", "another schedule than of 1.kvr: max, not recorded, speed 1"),
            (.order, "none", "another order than of 1.kvr"), (.coverage, "coverage: no requests", "another coverage"),
            (.run, "b", "another run than of 1.kvr: b, not a"), (.traces, "tuesday.kvr", "it replayed another trace"),
            (.shard, "2/3", "it is of 3 shards, and 1.kvr is of 4"), (.shard, "1/4", "it is shard 1, and so is 1.kvr"),
            (.shard, "7/4", "it is a whole replay"),
        ])
    func refused(entry: TraceMeta.ReplayEntry, value: String, why: String) throws {
        var other = Self.shard(2)
        other.meta[entry] = value
        let error = #expect(throws: ShardError.self) { try RunShards([Self.shard(1), other]) }
        #expect(error?.name == "2.kvr")
        #expect(error?.why.hasPrefix(why) == true, "\(error?.why ?? "")")
        #expect(error?.remedy != nil)
    }

    /// What a run's shards did: operations of every kind, at random.
    private static func batch(_ random: inout SplitMix64, operations: Int) -> OperationBatch {
        var batch = OperationBatch()
        let kinds: [OperationKind] = [.range, .put, .txn, .delete, .leaseGrant]
        for _ in 0..<operations {
            func number(_ limit: UInt64) -> Int64 { Int64(random.next() % limit) }
            batch.append(
                kind: kinds[Int(number(5))], sent: number(1_000_000_000), intended: 500 + number(1 << 22),
                released: number(500), took: number(1 << UInt64(10 + number(20))), status: number(40) == 0 ? 14 : 0,
                difference: number(30) == 0 ? UInt8(1 + number(9)) : 0)
        }
        return batch
    }

    @Test(
        "the merged distribution is the exact sum, and its percentiles are those of all calls", arguments: seeds(1, 2))
    func sum(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let shards = (0..<4).map { _ in [Self.batch(&random, operations: 700), Self.batch(&random, operations: 300)] }
        var places = Array(repeating: 0, count: 4)
        var merge = BatchMerge(sources: 4, observed: .asGiven)
        var merged = RunSummary(name: "whole")
        var batch = OperationBatch()
        while try merge.next(
            into: &batch,
            read: { source, batch in
                guard places[source] < shards[source].count else { return false }
                batch = shards[source][places[source]]
                places[source] += 1
                return true
            })
        {
            merged.add(batch)
        }
        var added = RunSummary(name: "whole")
        for shard in shards {
            var summary = RunSummary(name: "shard")
            for batch in shard { summary.add(batch) }
            added.add(summary)
        }
        for run in [merged, added] {
            let all = shards.joined().flatMap { batch in zip(batch.operations, batch.replays) }
            #expect(run.total == 4_000)
            #expect(run.errors == all.count { $0.0.status == 14 })
            #expect(run.different == all.count { $0.1.difference != 0 })
            let times: [(TimeHistogram, [Int64])] = [
                (run.response, all.map { $0.0.responseEnd + $0.1.intended }),
                (run.service, all.map { $0.0.responseEnd }),
                (run.sendLag, all.map { $0.1.released }),
                (run.dependencyWait, all.map { $0.1.intended - $0.1.released }),
            ]
            for (histogram, raw) in times {
                let sorted = raw.sorted()
                #expect(histogram.count == 4_000)
                #expect(histogram.max == UInt64(sorted[3_999]))
                for (percent, rank) in [(50.0, 2_000), (90, 3_600), (99, 3_960), (99.9, 3_996)] {
                    let (found, exact) = (Double(histogram.percentile(percent)), Double(sorted[rank - 1]))
                    #expect(abs(found - exact) <= exact / 1_000 + 1, "p\(percent): \(found), \(exact)")
                }
            }
            let ends = all.map { $0.0.time.nanoseconds + $0.0.responseEnd }
            let begins = all.map { $0.0.time.nanoseconds - $0.1.intended }
            #expect(run.nanoseconds == (ends.max() ?? 0) - (begins.min() ?? 0))
        }
        for times in [\RunSummary.response, \.service, \.sendLag, \.dependencyWait] {
            #expect(merged[keyPath: times].text == added[keyPath: times].text)
        }
        #expect(merged.statuses == added.statuses)
        #expect(merged.answered == added.answered)
    }

    @Test("a distribution as text comes back", arguments: seeds(1, 2, 3))
    func distributions(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for count in [0, 1, 2, 3, 10, 2_000] {
            var times = TimeHistogram()
            for _ in 0..<count { times.record(Int64(random.next() % (1 << (random.next() % 50)))) }
            let again = try #require(TimeHistogram(text: times.text))
            #expect(again.text == times.text)
            #expect([again.count, again.min, again.max] == [times.count, times.min, times.max])
            for percent in [1, 25, 50, 90, 99, 99.9, 100] {
                #expect(again.percentile(percent) == times.percentile(percent))
            }
        }
    }

    @Test(
        "text that is no distribution",
        arguments: ["a", "1:", "1:0", "1:2:3", "-1", "99999999999999999999", "86400000000001", "1:999999999999999"])
    func noDistribution(text: String) { #expect(TimeHistogram(text: text) == nil) }
}
