import Analysis
import Foundation
import Testing

/// Whole outputs beside files in `Goldens`. `KVREEL_GOLDEN=rewrite` writes them anew.
@Suite("Reports as a whole")
struct ReportTests {
    private func expectGolden(_ actual: String, _ name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)")
        if ProcessInfo.processInfo.environment["KVREEL_GOLDEN"] == "rewrite" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try actual.write(to: file, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        let difference = zip(
            actual.split(separator: "\n", omittingEmptySubsequences: false),
            expected.split(separator: "\n", omittingEmptySubsequences: false)
        ).first { $0 != $1 }
        #expect(
            actual == expected,
            "\(name): first difference: found \(difference?.0 ?? "end"), expected \(difference?.1 ?? "end")")
    }

    @Test("text", arguments: [80, 120])
    func text(width: Int) throws {
        try expectGolden(TextReport(Workload.mixed.report, width: width).render(), "mixed-\(width).txt")
    }

    @Test("text of a recording without anything")
    func emptyText() throws {
        try expectGolden(TextReport(Workload().report).render(), "empty.txt")
    }

    @Test("JSON")
    func json() throws {
        var json = JSONWriter(style: .pretty)
        Workload.mixed.report.write(to: &json)
        try expectGolden(String(decoding: json.bytes, as: UTF8.self), "mixed.json")
    }

    @Test("Markdown tables")
    func markdown() throws {
        let report = Workload.mixed.report
        let tables = MarkdownTables.edgeTable(EdgeTable(runs: [report])) + "\n" + MarkdownTables.chainTable(report)
        try expectGolden(tables, "mixed.md")
    }

    @Test("the JSON is JSON, and its figures are the report's")
    func parses() throws {
        let report = Workload.mixed.report
        var json = JSONWriter(style: .line)
        report.write(to: &json)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any])
        #expect(object["schema"] as? String == "kvreel.analysis/1")
        let range = try #require(object["range"] as? [String: Int])
        #expect(range["requests"] == report.range.requests && range["single_key"] == report.range.singleKey)
        let chain = try #require(object["netcraq_iid"] as? [String: Double])
        #expect(abs((chain["write_share"] ?? 0) - report.chain.writeShare) < 1e-8)
    }

    @Test("no line is wider than asked for, but for tables' columns of figures")
    func width() {
        for line in TextReport(Workload.mixed.report, width: 100).render().split(separator: "\n")
        where line.hasPrefix("  ") {
            #expect(line.count <= 100, "\(line)")
        }
    }
}
