import Etcd
import Report
import Trace

/// Replays made by hand.
enum SampleRuns {
    /// What the trace of a run on etcd:1 says.
    static let meta: TraceMeta = {
        var meta = TraceMeta()
        meta[.traces] = "monday.kvr"
        meta[.backend] = "etcd:1"
        meta[.schedule] = "recorded, speed 1"
        meta[.order] = "causal"
        meta[.verdict] = "valid"
        meta[.rule] = "send lag p99 0.2 ms, at most 1 ms"
        meta[.engine] = "3.1 % busy"
        meta[.coverage] = "coverage: 100.00 % of 4 requests decoded"
        return meta
    }()

    /// One run on each of two stores.
    static let two: [RunSummary] = {
        var second = meta
        second[.backend] = "etcd:3"
        second[.verdict] = "invalid"
        second[.rule] = "send lag p99 12 ms, at most 1 ms"
        second[.excluded] = "unanswered: 3 put\nwithdrawn: 1 range"
        second[.delivery] = "p50 1.20 ms, p99 3.40 ms"
        second[.counts] = "planned range 100\nplanned txn 100\nomitted withdrawn range 1\nomitted unanswered put 3"
        return [run("one.kvr", meta, slowness: 100), run("three|<b>.kvr", second, slowness: 700)]
    }()

    /// Five runs on one store, three on another, named by turns, and one on a third.
    static let repeated: [RunSummary] = {
        var runs: [RunSummary] = []
        for number in 1...5 {
            var first = meta
            first[.fidelity] = "0.9999\(number) = outcomes 0.9999\(number) x order 1.00000 x answered 1.00000"
            first[.engine] = "3.\(number) % busy, real-time priority"
            first[.consistency] = "linearizable: 18\(number) operations on 40 keys"
            first[.delivery] = "p50 1.2\(number) ms, p99 1 20\(number) ms"
            first[.counts] = """
                planned range 100
                planned txn 101
                own range 1
                own txn \(number)
                compared 200
                same 19\(number)
                writes 90
                begun 200
                order violations \(number)
                """
            first[.faults] = "10.0 s: kill:member=leader: member \(number)"
            runs.append(run("one-\(number).kvr", first, slowness: 100 + Int64(number * number)))
            if number > 3 { continue }
            var second = first
            second[.backend] = "etcd:3"
            second[.excluded] = "no answer seen: 1 203 put, 1 range\nits value is too large: 1 txn"
            second[.conditions] = """
                cores 2
                members 3
                processor AMD EPYC
                memory 8589934592
                kernel Linux 6.1.0
                file-system ext4
                device /dev/vda
                store etcd 3.4.23
                tls false
                fsync 1 90 1000000 4000000
                fsync 2 90 1000000 8000000
                fsync 3 90 2000000 -
                members-busy 0.6\(number)25
                replayer-busy 0.2\(number + 7)
                load 0.5\(number) 0.40 0.30
                """
            if number == 2 { second[.verdict] = "invalid" }
            runs.append(run("three-\(number).kvr", second, slowness: 98 + Int64(number * 9), errors: number))
        }
        var third = meta
        third[.backend] = "null"
        third[.verdict] = "capacity"
        return runs + [run("null.kvr", third, slowness: 2)]
    }()

    /// 200 calls; `errors` of each fifty fail. With a slowness of 100, the n-th takes n times 10 µs.
    static func run(_ name: String, _ meta: TraceMeta, slowness: Int64, errors: Int? = nil) -> RunSummary {
        var summary = RunSummary(name: name, meta: meta)
        summary.add(batch(slowness: slowness, errors: errors ?? (slowness > 100 ? 1 : 0)))
        return summary
    }

    static func batch(slowness: Int64, errors: Int) -> OperationBatch {
        var batch = OperationBatch()
        for place in 1...200 {
            let isDifferent = place % 50 > 0 ? place % 50 > 50 - errors : errors > 0
            batch.append(
                kind: place % 2 == 0 ? .txn : .range, sent: Int64(place) * 1_000_000, intended: 500 * slowness,
                released: 20_000, took: Int64(place) * 100 * slowness, status: isDifferent ? 14 : 0,
                difference: isDifferent ? 7 : 0)
        }
        return batch
    }
}
