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

    /// Positions of one order only are left out, so that all positions side by side have to answer.
    private static var sideBySide: ConsistencyLimits {
        var limits = ConsistencyLimits()
        limits.positions = 0
        return limits
    }

    @Test("of small histories of reads and writes, with all positions side by side", arguments: seeds(5, 6, 7, 8))
    func plain(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        var counts = [0, 0, 0]
        for number in 0..<25_000 {
            let history = random.next(most: 8, hasCAS: false)
            let verdict = HistoryCheck(history, limits: Self.sideBySide).verdict
            counts[Int(verdict.rawValue)] += 1
            let expected: Verdict = BruteForce.isLinearizable(history.operations) ? .linearizable : .violation
            guard verdict == expected else {
                Issue.record("history \(number): \(verdict)\n\(history.lines)")
                return
            }
        }
        #expect(counts[0] > 5_000 && counts[1] > 5_000 && counts[2] == 0, "\(counts)")
    }

    @Test(
        "and where there is no room for all positions, it is right or says that it does not know", arguments: seeds(9))
    func plainWithoutRoom(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        var counts = [0, 0, 0]
        for number in 0..<25_000 {
            let history = random.next(most: 8, hasCAS: false)
            var limits = Self.sideBySide
            limits.frontierPositions = 1 + number % 3
            limits.valuesAtOnce = number % 2
            let verdict = HistoryCheck(history, limits: limits).verdict
            counts[Int(verdict.rawValue)] += 1
            let expected: Verdict = BruteForce.isLinearizable(history.operations) ? .linearizable : .violation
            guard verdict == expected || verdict == .unknown else {
                Issue.record("history \(number): \(verdict)\n\(history.lines)")
                return
            }
        }
        #expect(counts.allSatisfy { $0 > 20 }, "\(counts)")
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
