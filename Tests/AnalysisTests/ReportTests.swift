import Analysis
import Etcd
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

    @Test("no line but the coverage line is wider than asked for", arguments: [80, 100])
    func width(_ width: Int) {
        var load = Workload.mixed
        load.range("/registry/pods/" + String(repeating: "long", count: 50))
        load.call("/etcdserverpb.Auth/RoleRevokePermission")
        for line in TextReport(load.report, width: width).render().split(separator: "\n")
        where !line.hasPrefix("coverage:") {
            #expect(line.count <= width, "\(line)")
        }
    }

    @Test("a key is cut for a terminal only")
    func longKeys() {
        var load = Workload()
        let key = "/registry/pods/" + String(repeating: "long", count: 50)
        load.range(key)
        #expect(TextReport(load.report, width: 80).render().contains(/registry\/pods\/[long]+…\n/))
        #expect(TextReport(load.report, width: 80, cutsKeys: false).render().contains("  " + key + "\n"))
    }

    @Test("outcomes that are not known are not counted as none")
    func unknownOutcomes() {
        var load = Workload()
        for _ in 0..<2 { load.put("a", size: 1) { $0.status = nil } }
        load.call("/etcdserverpb.Lease/LeaseGrant") { $0.status = nil }
        load.range("a") { $0.status = nil }
        load.range("a") { $0.status = 5 }
        load.call("/etcdserverpb.Maintenance/Status")
        let report = load.report
        #expect(report.chain.proposals == 0 && report.chain.unknownOutcomes == 3)
        let lines = TextReport(report).render().split(separator: "\n")
            .map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("KV/Put 2 2 - 2 2"))
        #expect(lines.contains("KV/Range 2 2 1 2 2"))
        #expect(lines.contains("Maintenance/Status 1 1 0 1 1"))
        #expect(lines.contains { $0.hasPrefix("4 calls that ended are of unknown outcome: ") })
        #expect(lines.contains("proposals (estimated) - - 3 100"))
        #expect(lines.contains { $0.hasPrefix("calls of unknown outcome 3 ") })

        load.put("a", size: 1)
        let text = TextReport(load.report).render()
        #expect(text.contains("proposals (estimated)                    1 "), "\(text)")
    }
}
