import Consistency
import Wire

/// Registers that take effect at a moment of their own within each call, and clients that wait for the answer, or give
/// up and go on.
struct SimulatedRegisters {
    enum Style: CaseIterable { case uniqueValues, fewValues, everything }

    private var random: SplitMix64
    private let style: Style

    init(seed: UInt64, style: Style) {
        random = SplitMix64(seed: seed)
        self.style = style
    }

    mutating func run(operations count: Int, clients: Int, keys: Int) -> History {
        var history = History()
        for key in 1...keys { _ = history.keys.number(of: "key \(key)") }
        for value in 1...count { _ = history.values.number(of: "value \(value)") }
        var free = [Int64](repeating: 0, count: clients)
        var planned: [(moment: Int64, operation: HistoryOperation)] = []
        for number in 1...count {
            let client = random.below(clients)
            let call = free[client] + Int64(random.below(30))
            let moment = call + Int64(random.below(50))
            let end = moment + Int64(random.below(50))
            free[client] = end
            var operation = HistoryOperation(
                client: Int64(client), key: UInt32(1 + random.below(keys)), kind: kind(), call: call, return: end)
            operation.value = style == .fewValues ? Int64(1 + random.below(4)) : Int64(number)
            planned.append((moment, operation))
        }
        planned.sort { ($0.moment, $0.operation.client) < ($1.moment, $1.operation.client) }
        var states = [Int64](repeating: 0, count: keys + 1)
        for (_, operation) in planned {
            history.operations.append(perform(operation, &states[Int(operation.key)]))
        }
        return history
    }

    private mutating func kind() -> HistoryOperation.Kind {
        if random.chance(0.5) { return .read }
        return style == .everything ? HistoryOperation.Kind.allCases[1 + random.below(3)] : .write
    }

    private mutating func perform(_ planned: HistoryOperation, _ state: inout Int64) -> HistoryOperation {
        var operation = planned
        let before = state
        switch operation.kind {
        case .read: operation.value = state
        case .write: state = operation.value
        case .delete:
            operation.value = 0
            state = 0
        case .cas:
            operation.expect = random.chance(0.6) ? state : Int64(1 + random.below(9))
            if operation.expect == state { state = operation.value } else { operation.outcome = .failed }
        }
        guard operation.kind != .read, random.chance(0.02) else { return operation }
        // Some value must be left that nobody may write much later.
        if style == .fewValues, operation.value < 4 { return operation }
        // The answer is lost; perhaps the request was, too.
        if random.chance(0.5) { state = before }
        operation.outcome = .unknown
        if random.chance(0.5) { operation.return = HistoryOperation.noReturn }
        return operation
    }

    /// One read more, after everything else of a key, that finds a value which a read after its last change shows to be
    /// gone; nil if the history has no place for it.
    static func withStaleRead(_ history: History) -> History? {
        guard let last = history.operations.last(where: { $0.kind == .read && $0.value != 0 }) else { return nil }
        let end = (history.operations.filter { $0.return != HistoryOperation.noReturn }.map(\.return).max() ?? 0) + 1
        let ofKey = history.operations.filter { $0.key == last.key }
        // Changes that nobody heard of may happen whenever they like.
        let open = Set(ofKey.filter { $0.outcome == .unknown }.map { $0.kind == .delete ? 0 : $0.value })
        let old = ofKey.first { $0.kind == .read && $0.value != 0 && !open.contains($0.value) }
        guard let old else { return nil }
        var stale = history
        let key = last.key
        let client: Int64 = 99
        let new = Int64(stale.values.number(of: "new"))
        // A write that everybody waits for, then the old value.
        stale.operations.append(
            HistoryOperation(client: client, key: key, kind: .write, value: new, call: end, return: end + 1))
        stale.operations.append(
            HistoryOperation(client: client, key: key, kind: .read, value: old.value, call: end + 2, return: end + 3))
        return stale
    }
}
