import Etcd
import Foundation
import Report
import TestSupport
import Testing
import Trace

@Suite("Replays side by side")
struct RunComparisonTests {
    private static let runs: [RunSummary] = {
        var first = TraceMeta()
        first[.traces] = "monday.kvr"
        first[.backend] = "etcd:1"
        first[.schedule] = "recorded, speed 1"
        first[.order] = "causal"
        first[.verdict] = "valid"
        first[.rule] = "send lag p99 0.2 ms, at most 1 ms"
        first[.engine] = "3.1 % busy"
        first[.coverage] = "coverage: 100.00 % of 4 requests decoded"
        var second = first
        second[.backend] = "etcd:3"
        second[.verdict] = "invalid"
        second[.rule] = "send lag p99 12 ms, at most 1 ms"
        second[.excluded] = "unanswered: 3 put\nwithdrawn: 1 range"
        second[.delivery] = "p50 1.20 ms, p99 3.40 ms"
        return [summary("one.kvr", first, slowness: 1), summary("three|<b>.kvr", second, slowness: 7)]
    }()

    private static func summary(_ name: String, _ meta: TraceMeta, slowness: Int64) -> RunSummary {
        var batch = OperationBatch()
        for place in 1...200 {
            let isDifferent = slowness > 1 && place % 50 == 0
            batch.append(
                kind: place % 2 == 0 ? .txn : .range, sent: Int64(place) * 1_000_000, intended: 50_000 * slowness,
                released: 20_000, took: Int64(place) * 10_000 * slowness, status: isDifferent ? 14 : 0,
                difference: isDifferent ? 7 : 0)
        }
        var summary = RunSummary(name: name, meta: meta)
        summary.add(batch)
        return summary
    }

    /// Compares with the expected output, or writes that anew.
    private static func check(_ text: String, _ name: String) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)")
        if ProcessInfo.processInfo.environment["KVREEL_GOLDEN"] == "rewrite" {
            try Data(text.utf8).write(to: path)
        }
        #expect(text == String(decoding: try Data(contentsOf: path), as: UTF8.self), "\(name) is another")
    }

    @Test("as text")
    func text() throws { try Self.check(RunComparison(Self.runs).text(width: nil), "comparison.txt") }

    @Test("as Markdown, where names cannot make markup")
    func markdown() throws { try Self.check(RunComparison(Self.runs).markdown(), "comparison.md") }

    @Test("a run that was broken off says so")
    func brokenOff() {
        let text = RunComparison([RunSummary(name: "a.kvr")]).text(width: nil)
        #expect(text.contains("none: it was broken off"))
    }

    @Test("beside a chain: what it could not do and why, and all runs over what it does")
    func chain() {
        var meta = TraceMeta()
        meta[.backend] = "netcraq:4"
        meta[.chain] = "1024 bytes"
        meta[.expression] = """
            executed txn 60
            approximated txn lease 20
            left-out watch watch 5
            left-out txn lease 10
            left-out range range 4
            omitted 1
            """
        let runs = [Self.runs[0], Self.summary("chain.kvr", meta, slowness: 1)]
        let parts = [Self.summary("one.kvr", Self.runs[0].meta, slowness: 3), runs[1]]
        let lines = RunComparison(runs, expressed: parts).text(width: nil).split(separator: "\n").map {
            $0.split(whereSeparator: { $0 == " " }).joined(separator: " ")
        }
        for line in [
            "as recorded - 60 (60.00 %)", "approximated - 20 (20.00 %)", "key with a lease - 20 (20.00 %)",
            "left out - 19 (19.00 %)", "watches - 5 (5.00 %)", "a range over keys - 4 (4.00 %)",
            "key with a lease - 10 (10.00 %)", "replayed on no store - 1 (1.00 %)",
            "service time p50 3.00 ms 1.00 ms",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!RunComparison(runs).text(width: nil).contains("Over what a chain does"))
    }
}
