import Consistency
import Testing

@Suite("Histories in Cases/")
struct CaseTests {
    static let good = CaseFile.all(in: "good")
    static let bad = CaseFile.all(in: "bad")

    @Test("there are enough of both kinds")
    func enough() {
        #expect(Self.good.count >= 15 && Self.bad.count >= 15)
    }

    @Test("good ones are linearizable, and every order says so", arguments: good)
    func linearizable(_ file: CaseFile) throws {
        let history = try file.history()
        let check = HistoryCheck(history)
        #expect(check.verdict == .linearizable && check.counterexample == nil)
        for operations in history.byKey { #expect(BruteForce.isLinearizable(operations)) }
    }

    @Test("bad ones are violations, and no order says otherwise", arguments: bad)
    func violations(_ file: CaseFile) throws {
        let history = try file.history()
        let check = HistoryCheck(history)
        #expect(check.verdict == .violation)
        let example = try #require(check.counterexample)
        #expect(!BruteForce.isLinearizable(example.operations))
        #expect(example.operations.allSatisfy { $0.key == example.key && history.operations.contains($0) })
        #expect(history.byKey.contains { !BruteForce.isLinearizable($0) })
    }
}

extension History {
    /// The operations of each key.
    var byKey: [[HistoryOperation]] {
        Dictionary(grouping: operations, by: \.key).sorted { $0.key < $1.key }.map(\.value)
    }
}
