import Consistency
import Wire

/// Small histories of one key, some with an order and some without.
struct RandomHistory {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// Up to `most` operations within a few moments, so that many ends fall together. Half of the answers come from a
    /// real order, of which some are changed.
    mutating func next(most: Int = 7, hasCAS: Bool = true) -> History {
        var history = History()
        let valueCount = 1 + random.below(4)
        let hasUniqueValues = random.chance(0.4)
        for value in 1...(most + 5) { _ = history.values.number(of: "v\(value)") }
        let key = UInt32(history.keys.number(of: "k"))
        let moments = 2 + random.below(12)
        let kinds: [HistoryOperation.Kind] =
            random.chance(0.3)
            ? [.read, .write]
            : hasCAS ? random.chance(0.4) ? [.read, .write, .cas] : Array(Kind.allCases) : [.read, .write, .delete]
        let unknownShare = random.chance(0.5) ? 0.25 : 0
        let casFailures = random.chance(0.5)

        var operations: [HistoryOperation] = []
        for index in 0..<1 + random.below(most) {
            let call = Int64(random.below(moments))
            var operation = HistoryOperation(
                client: Int64(random.below(3)), key: key, kind: kinds[random.below(kinds.count)], call: call,
                return: call + Int64(random.below(random.chance(0.3) ? moments : 3)))
            operation.value = hasUniqueValues ? Int64(index + 1) : Int64(1 + random.below(valueCount))
            if operation.kind == .delete { operation.value = 0 }
            operations.append(operation)
        }
        answer(&operations, valueCount: hasUniqueValues ? operations.count : valueCount, casFailures)
        for index in operations.indices where random.chance(unknownShare) {
            if random.chance(0.5) { operations[index].outcome = .unknown }
            if random.chance(0.5) { operations[index].return = HistoryOperation.noReturn }
        }
        for index in operations.indices where random.chance(0.3) { spoil(&operations[index], valueCount) }
        history.operations = operations
        return history
    }

    private typealias Kind = HistoryOperation.Kind

    /// Gives answers as a register would that took the operations in order of moments within their intervals.
    private mutating func answer(_ operations: inout [HistoryOperation], valueCount: Int, _ casFailures: Bool) {
        let moments = operations.map { $0.call * 8 + Int64(random.below(Int($0.return - $0.call) * 8 + 1)) }
        var state: Int64 = 0
        for index in operations.indices.sorted(by: { (moments[$0], $0) < (moments[$1], $1) }) {
            switch operations[index].kind {
            case .read: operations[index].value = state
            case .write, .delete:
                if random.chance(0.05) { operations[index].outcome = .failed } else { state = operations[index].value }
            case .cas:
                let fails = casFailures && random.chance(0.5)
                operations[index].expect = fails ? Int64(random.below(valueCount + 1)) : state
                if operations[index].expect == state {
                    state = operations[index].value
                } else {
                    operations[index].outcome = .failed
                }
            }
        }
    }

    private mutating func spoil(_ operation: inout HistoryOperation, _ valueCount: Int) {
        switch operation.kind {
        case .read: operation.value = Int64(random.below(valueCount + 2))
        case .cas: if random.chance(0.5) { operation.expect = Int64(random.below(valueCount + 1)) }
        case .write: if random.chance(0.3) { operation.outcome = .failed }
        case .delete: break
        }
    }

    /// A history with versions. Writes have versions of their own; reads found one of them, nothing, or another.
    mutating func nextWithVersions(most: Int = 6) -> History {
        var history = History(.versions)
        let key = UInt32(history.keys.number(of: "k"))
        let moments = 2 + random.below(12)
        var versions = Array(1...Int64(most * 2))
        for index in 0..<1 + random.below(most) {
            let call = Int64(random.below(moments))
            var operation = HistoryOperation(
                client: Int64(index), key: key, kind: .read, call: call, return: call + Int64(random.below(4)))
            if random.chance(0.5), random.chance(0.8) || index == 0 {
                operation.kind = random.chance(0.3) ? .delete : .write
                // Mostly in the order of the calls.
                let place = min(Int(call) * versions.count / moments, versions.count - 1)
                operation.value = versions.remove(at: random.chance(0.8) ? place : random.below(versions.count))
            }
            history.operations.append(operation)
        }
        let deletions = Set(history.operations.filter { $0.kind == .delete }.map(\.value))
        for index in history.operations.indices where history.operations[index].kind == .read {
            if random.chance(0.3) { continue }
            let found = Int64(1 + random.below(most * 2))
            // A deletion leaves nothing that could be found, nor can a life go on over one.
            if deletions.contains(found) { continue }
            history.operations[index].value = found
            let begin = Int64(1 + random.below(Int(found)))
            if random.chance(0.4), !deletions.contains(where: { begin <= $0 && $0 <= found }) {
                history.operations[index].expect = begin
            }
        }
        return history
    }
}
