import Consistency

/// Judges small histories of one key by trying every order.
enum BruteForce {
    /// Registers with names: the definition, spelled out.
    static func isLinearizable(_ operations: [HistoryOperation]) -> Bool {
        var remaining = operations
        return hasOrder(&remaining, value: 0)
    }

    private static func hasOrder(_ remaining: inout [HistoryOperation], value: Int64) -> Bool {
        if remaining.allSatisfy({ !mustHappen($0) }) { return true }
        for index in remaining.indices {
            let next = remaining[index]
            let comesTooEarly = remaining.contains { mustHappen($0) && $0.return < next.call }
            if comesTooEarly { continue }
            guard let after = step(next, value) else { continue }
            remaining.remove(at: index)
            let found = hasOrder(&remaining, value: after)
            remaining.insert(next, at: index)
            if found { return true }
        }
        return false
    }

    /// Whether its effect or its answer has to be explained.
    private static func mustHappen(_ operation: HistoryOperation) -> Bool {
        let hasReturned = operation.return != HistoryOperation.noReturn
        switch operation.kind {
        case .read: return hasReturned && operation.outcome == .ok
        case .write, .delete: return hasReturned && operation.outcome == .ok
        case .cas: return hasReturned && operation.outcome != .unknown
        }
    }

    /// The value afterwards; nil if it cannot happen now, or if there is no reason to.
    private static func step(_ operation: HistoryOperation, _ value: Int64) -> Int64? {
        switch (operation.kind, operation.outcome) {
        case (.read, .ok): return operation.value == value ? value : nil
        case (.write, .ok), (.write, .unknown): return operation.value
        case (.delete, .ok), (.delete, .unknown): return 0
        case (.cas, .ok), (.cas, .unknown): return operation.expect == value ? operation.value : nil
        case (.cas, .failed):
            if operation.return == HistoryOperation.noReturn { return nil }
            return operation.expect == value ? nil : value
        case (.read, _), (.write, .failed), (.delete, .failed): return nil
        }
    }

    /// Registers with versions: others may change the key at any time, to versions that nobody here wrote.
    static func isLinearizableByVersion(_ operations: [HistoryOperation]) -> Bool {
        var remaining = operations
        let written = Set(operations.filter { $0.kind != .read }.map(\.value))
        let deletions = Set(operations.filter { $0.kind == .delete }.map(\.value))
        let lives = operations.filter { $0.kind == .read && $0.value > 0 && $0.expect > 0 }.map {
            ($0.expect, $0.value)
        }

        func hasOrder(_ top: Int64, _ isPresent: Bool) -> Bool {
            if remaining.isEmpty { return true }
            for index in remaining.indices {
                let next = remaining[index]
                if remaining.contains(where: { $0.return < next.call }) { continue }
                var after: (Int64, Bool)?
                switch next.kind {
                case .write: if next.value > top { after = (next.value, true) }
                case .delete: if next.value > top { after = (next.value, false) }
                case .read where next.value > 0:
                    if next.value == top, isPresent { after = (top, true) }
                    if next.value > top, !written.contains(next.value) { after = (next.value, true) }
                default:
                    // Others may have brought the key to any version that a life begins or ends with, then deleted it.
                    let stops = [top] + lives.flatMap { [$0.0, $0.1] }.filter { $0 > top && !written.contains($0) }
                    for stop in Set(stops).sorted() {
                        let isAlive = lives.contains { $0.0 <= stop && stop < $0.1 } && !deletions.contains(stop)
                        if isAlive { continue }
                        remaining.remove(at: index)
                        let found = hasOrder(stop, false)
                        remaining.insert(next, at: index)
                        if found { return true }
                    }
                }
                guard let after else { continue }
                remaining.remove(at: index)
                let found = hasOrder(after.0, after.1)
                remaining.insert(next, at: index)
                if found { return true }
            }
            return false
        }
        return hasOrder(0, false)
    }
}
