import Foundation
import TestSupport
import Testing

@Suite("Scripts: a schedule by hand, what it shows, and whether clients could tell")
struct ScriptTests {
    @Test("the case files are found, each with runs, an outcome and a title")
    func found() {
        #expect(ChainScript.all.count >= 20)
        for script in ChainScript.all {
            #expect(!script.runs.isEmpty && !script.title.isEmpty, "\(script.name)")
            #expect(script.lines.contains { $0.words.first == "outcome" }, "\(script.name)")
        }
    }

    @Test("every schedule stands in docs/chains.md, and every one there exists")
    func pages() throws {
        let page = try String(contentsOf: Repository.root.appending(path: "docs/chains.md"), encoding: .utf8)
        let shown = Set(page.matches(of: /`(n[cq]-[a-z0-9-]+)`/).map { String($0.1) })
        #expect(shown == Set(ChainScript.all.map(\.name)))
    }

    @Test("a schedule shows what its file says", arguments: ScriptRun.all)
    func shows(_ run: ScriptRun) throws {
        let played = try run.played()
        #expect(played.verdicts > 0)
    }

    @Test("the judge of histories knows good from bad")
    func judge() {
        func isLinearizable(_ rows: [(Bool, UInt128, Int, Int?)]) -> Bool {
            var history = RegisterHistory()
            for row in rows {
                history.operations.append(.init(isWrite: row.0, value: row.1, call: row.2, end: row.3))
            }
            return history.isLinearizable
        }
        #expect(isLinearizable([]))
        #expect(isLinearizable([(true, 1, 1, 4), (false, 0, 2, 3), (false, 1, 5, 6)]))
        #expect(!isLinearizable([(true, 1, 1, 2), (false, 0, 3, 4)]))
        #expect(!isLinearizable([(true, 1, 1, nil), (false, 1, 2, 3), (false, 0, 4, 5)]))
        #expect(isLinearizable([(true, 1, 1, nil), (false, 0, 2, 3), (false, 1, 4, 5)]))
        #expect(!isLinearizable([(true, 1, 1, 2), (true, 2, 3, 4), (false, 1, 5, 6)]))
        #expect(isLinearizable([(true, 1, 1, 4), (true, 2, 2, 3), (false, 1, 5, 6)]))
        #expect(!isLinearizable([(true, 1, 1, 9), (false, 1, 2, 3), (false, 0, 4, 5)]))
    }
}
