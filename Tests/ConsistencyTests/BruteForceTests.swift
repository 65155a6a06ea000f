import Consistency
import TestSupport
import Testing

@Suite("The checker and one that tries all orders say the same")
struct BruteForceTests {
    @Test("of small histories of registers", arguments: seeds(1, 2, 3, 4))
    func names(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        var counts = [0, 0, 0]
        for number in 0..<25_000 {
            let history = random.next()
            let verdict = HistoryCheck(history).verdict
            counts[Int(verdict.rawValue)] += 1
            let expected: Verdict = BruteForce.isLinearizable(history.operations) ? .linearizable : .violation
            guard verdict == expected else {
                var writer = HistoryWriter()
                writer.write(history)
                Issue.record("history \(number): \(verdict)\n\(String(decoding: writer.bytes, as: UTF8.self))")
                return
            }
        }
        // Neither answer is rare.
        #expect(counts[0] > 5_000 && counts[1] > 5_000 && counts[2] == 0, "\(counts)")
    }

    @Test("of small histories with versions", arguments: seeds(1, 2))
    func versions(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        var counts = [0, 0, 0]
        for number in 0..<10_000 {
            let history = random.nextWithVersions()
            let verdict = HistoryCheck(history).verdict
            counts[Int(verdict.rawValue)] += 1
            let expected: Verdict = BruteForce.isLinearizableByVersion(history.operations) ? .linearizable : .violation
            guard verdict == expected else {
                var writer = HistoryWriter()
                writer.write(history)
                Issue.record("history \(number): \(verdict)\n\(String(decoding: writer.bytes, as: UTF8.self))")
                for operation in history.operations { Issue.record("\(operation)") }
                return
            }
        }
        #expect(counts[0] > 2_000 && counts[1] > 2_000 && counts[2] == 0, "\(counts)")
    }
}
