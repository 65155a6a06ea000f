import Foundation
import Report
import TestSupport
import Testing
import Trace

@Suite("Replays side by side")
struct RunComparisonTests {
    /// Compares with the expected output, or writes that anew.
    private static func check(_ text: String, _ name: String) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)")
        if ProcessInfo.processInfo.environment["KVREEL_GOLDEN"] == "rewrite" {
            try Data(text.utf8).write(to: path)
        }
        #expect(text == String(decoding: try Data(contentsOf: path), as: UTF8.self), "\(name) is another")
    }

    @Test("as text")
    func text() throws { try Self.check(RunComparison(SampleRuns.two).text(width: nil), "comparison.txt") }

    @Test("as Markdown, where names cannot make markup")
    func markdown() throws { try Self.check(RunComparison(SampleRuns.two).markdown(), "comparison.md") }

    @Test("repeated runs, as text: medians, spreads, and what of a difference may be noise")
    func repeatedText() throws {
        try Self.check(RunComparison(SampleRuns.repeated).text(width: nil), "repeated.txt")
    }

    @Test("repeated runs, as Markdown")
    func repeatedMarkdown() throws {
        try Self.check(RunComparison(SampleRuns.repeated).markdown(), "repeated.md")
    }

    @Test("repeated runs, as JSON")
    func json() throws {
        try Self.check(String(decoding: RunComparison(SampleRuns.repeated).json(), as: UTF8.self), "repeated.json")
    }

    @Test(
        "columns that do not fit stand below one another, and no line of a table is wider",
        arguments: [40, 60, 80, 120])
    func narrow(width: Int) {
        let comparison = RunComparison(SampleRuns.repeated)
        let text = comparison.text(width: width)
        // Tables are what stands between a title and the lines on each column.
        let tables = text.prefix(upTo: text.firstRange(of: "\n\netcd:1, 5 runs\n")?.lowerBound ?? text.endIndex)
        let notes = Set(comparison.text(width: nil).split(separator: "\n"))
        for line in tables.split(separator: "\n") where !notes.contains(line) {
            #expect(line.count <= width, "\(line)")
        }
        let blocks = [40: 3, 60: 2, 80: 2, 120: 1]
        #expect(tables.split(separator: "\n").count { $0.hasPrefix("  answered") } == blocks[width])
    }

    @Test("what a trace says of itself does not steer the terminal")
    func controls() {
        var meta = TraceMeta()
        meta[.backend] = "etcd:1\u{1b}[2J"
        meta[.remarks] = "a\u{9b}31m"
        let text = RunComparison([RunSummary(name: "a.kvr", meta: meta)]).text(width: nil)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) })
        #expect(text.contains("etcd:1?[2J"))
    }

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
        let runs = [SampleRuns.two[0], SampleRuns.run("chain.kvr", meta, slowness: 100)]
        let parts = [SampleRuns.run("one.kvr", SampleRuns.meta, slowness: 300), runs[1]]
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
