import Consistency
import TestSupport
import Testing
import Wire

@Suite("Laws of verdicts")
struct LawTests {
    @Test("shifted times and other names of clients, keys and values change no verdict", arguments: seeds(11, 12))
    func renaming(_ seed: UInt64) {
        var random = RandomHistory(seed: seed)
        for _ in 0..<2_000 {
            let history = random.next()
            var renamed = History()
            // Every number is another one, though each stands for one thing.
            for key in ["a", "b"] { _ = renamed.keys.number(of: key) }
            for value in 0..<100 { _ = renamed.values.number(of: "w\(value)") }
            func other(_ value: Int64) -> Int64 { value == 0 ? 0 : 100 - value }
            renamed.operations = history.operations.map { operation in
                var operation = operation
                operation.client = 9 - operation.client
                operation.key = 2
                operation.value = other(operation.value)
                operation.expect = other(operation.expect)
                operation.call += 1_000_000_007
                if operation.return != HistoryOperation.noReturn { operation.return += 1_000_000_007 }
                return operation
            }
            #expect(HistoryCheck(renamed).verdict == HistoryCheck(history).verdict)
        }
    }

    @Test("the order of lines changes no verdict", arguments: seeds(13))
    func order(_ seed: UInt64) {
        var random = RandomHistory(seed: seed)
        for _ in 0..<2_000 {
            let history = random.next()
            var reversed = history
            reversed.operations.reverse()
            #expect(HistoryCheck(reversed).verdict == HistoryCheck(history).verdict)
        }
    }

    @Test("a change of unknown outcome whose value nothing finds can be left out", arguments: seeds(14))
    func pending(_ seed: UInt64) {
        var random = RandomHistory(seed: seed)
        for _ in 0..<2_000 {
            var history = random.next()
            // A failed cas finds whatever is not what it expected.
            history.operations.removeAll { $0.kind == .cas && $0.outcome == .failed }
            let verdict = HistoryCheck(history).verdict
            let call = history.operations.first?.call ?? 0
            history.operations.append(
                HistoryOperation(client: 7, key: 1, kind: .write, outcome: .unknown, value: 11, call: call))
            #expect(HistoryCheck(history).verdict == verdict)
        }
    }

    @Test("a violation stays one when operations of other keys and more reads come in", arguments: seeds(15))
    func additions(_ seed: UInt64) {
        var random = RandomHistory(seed: seed)
        for _ in 0..<2_000 {
            var history = random.next()
            guard HistoryCheck(history).verdict == .violation else { continue }
            _ = history.keys.number(of: "other")
            history.operations.append(HistoryOperation(client: 1, key: 2, kind: .write, value: 1, call: 0, return: 1))
            history.operations.append(HistoryOperation(client: 2, key: 1, kind: .read, call: 0, return: 99))
            #expect(HistoryCheck(history).verdict == .violation)
        }
    }

    @Test(
        "what a register did is linearizable; with one stale read it is not", arguments: seeds(21, 22, 23, 24, 25, 26))
    func simulated(_ seed: UInt64) throws {
        for style in SimulatedRegisters.Style.allCases {
            var registers = SimulatedRegisters(seed: seed, style: style)
            let history = registers.run(operations: 4_000, clients: 8, keys: 5)
            #expect(HistoryCheck(history).verdict == .linearizable, "\(style)")
            let stale = try #require(SimulatedRegisters.withStaleRead(history))
            let check = HistoryCheck(stale)
            #expect(check.verdict == .violation, "\(style)")
            #expect(check.keys[Int(Verdict.violation.rawValue)] == 1, "\(style)")
        }
    }

    @Test(
        "one key, few values, and writes of unknown outcome: side by side the positions are few enough",
        arguments: seeds(41, 42, 43))
    func hotKey(_ seed: UInt64) throws {
        // Whoever goes along one order alone has to take back choices that were made long ago.
        var limits = ConsistencyLimits()
        limits.positions = 0
        var registers = SimulatedRegisters(seed: seed, style: .fewValues)
        let history = registers.run(operations: 20_000, clients: 16, keys: 1)
        #expect(history.operations.count { $0.outcome == .unknown } > 20)
        #expect(HistoryCheck(history, limits: limits).verdict == .linearizable)
        let stale = try #require(SimulatedRegisters.withStaleRead(history))
        let check = HistoryCheck(stale, limits: limits)
        #expect(check.verdict == .violation)
        #expect((check.counterexample?.operations.count ?? .max) <= 5)
    }

    @Test("a search that reaches its limit says so, and never that there is no order")
    func limits() {
        var registers = SimulatedRegisters(seed: 3, style: .fewValues)
        let history = registers.run(operations: 500, clients: 16, keys: 1)
        var limits = ConsistencyLimits()
        limits.positions = 5
        limits.frontierSteps = 5
        #expect(HistoryCheck(history, limits: limits).verdict == .unknown)
        limits.positions = 1 << 20
        limits.frontierSteps = 1 << 20
        limits.positionWords = 10
        #expect(HistoryCheck(history, limits: limits).verdict == .unknown)
        #expect(HistoryCheck(history).verdict == .linearizable)
    }
}
