import Replay
import Report
import Testing
import Trace

@Suite("Repeated runs")
struct RepeatedRunsTests {
    private static func run(_ name: String, _ meta: TraceMeta) -> RunSummary { RunSummary(name: name, meta: meta) }

    @Test("repeats share a column, which stands where the first of them was named")
    func columns() {
        let comparison = RunComparison(SampleRuns.repeated)
        #expect(comparison.columns == [[0, 2, 4, 6, 7], [1, 3, 5], [8]])
        #expect(comparison.titles == ["etcd:1, 5 runs", "etcd:3, 3 runs", "null"])
        #expect(comparison.warnings.isEmpty)
    }

    @Test("each run for itself: a column a run, told apart by its trace")
    func each() {
        let comparison = RunComparison(SampleRuns.repeated, each: true)
        #expect(comparison.columns == SampleRuns.repeated.indices.map { [$0] })
        #expect(comparison.titles.first == "etcd:1 one-1.kvr")
        #expect(comparison.titles.last == "null")
        #expect(!comparison.text(width: nil).contains("["))
    }

    struct Change: Sendable, CustomTestStringConvertible {
        var entry: TraceMeta.ReplayEntry
        var value: String?
        var says: String
        var testDescription: String { says }
    }

    @Test(
        "runs that did not replay the same are columns of their own, and the warning says what differs",
        arguments: [
            Change(entry: .traces, value: "tuesday.kvr", says: "trace"),
            Change(entry: .coverage, value: "coverage: 99.00 % of 4 requests decoded", says: "coverage of the trace"),
            Change(entry: .schedule, value: "recorded, speed 10", says: "schedule"),
            Change(entry: .order, value: "none", says: "order"),
            Change(entry: .connections, value: "3", says: "connections"),
            Change(entry: .preload, value: "none", says: "preload"),
            Change(entry: .excluded, value: "no answer seen: 3 put", says: "calls left out"),
            Change(entry: .chain, value: "16 bytes, no compare", says: "what the chain does"),
            Change(entry: .expression, value: "executed txn 60", says: "calls that the chain did"),
            Change(entry: .faults, value: "10.0 s: kill:member=2: member 2", says: "faults"),
            Change(entry: .verdict, value: nil, says: "end"),
            Change(entry: .remarks, value: "1 call not sent\n" + RunSummary.interruption, says: "end"),
        ])
    func different(_ change: Change) {
        var other = SampleRuns.meta
        other[change.entry] = change.value
        let comparison = RunComparison([
            Self.run("a.kvr", SampleRuns.meta), Self.run("b.kvr", other), Self.run("c.kvr", SampleRuns.meta),
        ])
        #expect(comparison.columns == [[0, 2], [1]])
        #expect(
            comparison.warnings == ["b.kvr is no repeat of a.kvr, both on etcd:1: another \(change.says)"])
    }

    @Test(
        "what a run measured does not keep it from being a repeat",
        arguments: [
            Change(entry: .verdict, value: "invalid", says: "verdict"),
            Change(entry: .rule, value: "send lag p99 9 ms, at most 1 ms", says: "rule"),
            Change(entry: .engine, value: "95.0 % busy", says: "engine"),
            Change(entry: .fidelity, value: "0.5", says: "fidelity"),
            Change(entry: .consistency, value: "linearizable: 5 operations on 2 keys", says: "consistency"),
            Change(entry: .remarks, value: "5 calls not sent", says: "remarks"),
        ])
    func measured(_ change: Change) {
        var other = SampleRuns.meta
        other[change.entry] = change.value
        let comparison = RunComparison([Self.run("a.kvr", SampleRuns.meta), Self.run("b.kvr", other)])
        #expect(comparison.columns == [[0, 1]])
        #expect(comparison.warnings.isEmpty)
    }

    @Test("the leader that was killed may be another one in each run; a fault that was not done is another fault")
    func faults() {
        let lines = ["member 1", "member 3", "there is no leader now"].map { "10.0 s: kill:member=leader: \($0)" }
        let runs = lines.map { line in
            var meta = SampleRuns.meta
            meta[.faults] = line
            return Self.run("\(line).kvr", meta)
        }
        #expect(RunComparison(runs).columns == [[0, 1], [2]])
    }

    @Test("what all runs of a column say stands once; what some say, with their numbers; words that differ are counted")
    func remarks() {
        let runs = ["valid", "invalid", "valid"].enumerated().map { number, verdict in
            var meta = SampleRuns.meta
            meta[.verdict] = verdict
            meta[.remarks] = number == 0 ? nil : "5 calls not sent"
            meta[.consistency] = "linearizable: \(number) operations on 2 keys"
            return Self.run("\(number).kvr", meta)
        }
        let lines = RunComparison(runs).text(width: nil).split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("verdict valid (2), invalid (1)"))
        #expect(lines.contains("consistency linearizable"))
        #expect(lines.contains("runs: 0.kvr, 1.kvr, 2.kvr"))
        #expect(lines.contains("run 2, 3: 5 calls not sent"))
        #expect(lines.count { $0 == "coverage: 100.00 % of 4 requests decoded" } == 1)
    }

    @Test("a revision that nobody wrote is not lost among several runs")
    func doubt() {
        let runs = ["", "; but 3 revisions that no call of the run wrote"].map { doubt in
            var meta = SampleRuns.meta
            meta[.consistency] = "linearizable: 7 operations on 2 keys" + doubt
            return Self.run("\(doubt.count).kvr", meta)
        }
        let words = "linearizable (1), linearizable; but 3 revisions that no call of the run wrote (1)"
        #expect(RunComparison(runs).text(width: nil).contains(words))
    }
}
