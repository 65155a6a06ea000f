import Consistency
import Foundation
import TestSupport
import Testing

@Suite("docs/consistency.md shows what the schedules show")
struct ConsistencyPageTests {
    private static func page() throws -> ConsistencyPage {
        try ConsistencyPage(text: String(contentsOf: ConsistencyPage.url, encoding: .utf8))
    }

    @Test("its outcomes and drawings are today's; KVREEL_GOLDEN=rewrite writes them anew")
    func isTrue() throws {
        let page = try Self.page()
        if ProcessInfo.processInfo.environment["KVREEL_GOLDEN"] == "rewrite" {
            try Data(page.expected.joined(separator: "\n").utf8).write(to: ConsistencyPage.url)
            return
        }
        for (number, (found, expected)) in zip(page.lines, page.expected).enumerated() where found != expected {
            Issue.record("docs/consistency.md:\(number + 1)\n  found     \(found)\n  expected  \(expected)")
            return
        }
        #expect(page.lines.count == page.expected.count)
    }

    @Test("every row has its schedules, and every schedule that can be a violation is drawn")
    func isWhole() throws {
        let page = try Self.page()
        let rows = ChainScript.all.map(\.name).filter { $0.wholeMatch(of: /n[cq]-[0-9]+-.*/) != nil }
        #expect(page.listed.sorted() == rows.sorted())
        for name in rows {
            let runs = ScriptRun.all.filter { $0.script.name == name }
            let canFail = try runs.contains { HistoryCheck(try $0.played().history).verdict == .violation }
            #expect(canFail == page.drawn.contains { $0.hasPrefix(name + ":") }, "\(name)")
        }
    }
}
