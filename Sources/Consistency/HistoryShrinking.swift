/// Makes the failing operations of one key fewer, until none can be left out (Zeller and Hildebrandt 2002: ddmin).
///
/// With a write go all operations that found its value, unless another one wrote it too: otherwise every history would
/// shrink to a read of a value that nobody wrote. The result depends on the operations alone.
struct HistoryShrinking {
    private let operations: [HistoryOperation]
    private let kind: History.Values
    private let limits: ConsistencyLimits
    private var steps = 0

    /// `operations`: of one key, without an order.
    init(_ operations: [HistoryOperation], _ kind: History.Values, limits: ConsistencyLimits) {
        let order = operations.indices.sorted { (operations[$0].call, $0) < (operations[$1].call, $1) }
        self.operations = operations
        self.kind = kind
        var limits = limits
        limits.positions = min(limits.positions, limits.shrinkingPositions)
        self.limits = limits
        current = order
    }

    /// Numbers of the operations that are left, in the order of their calls.
    private var current: [Int]

    /// The operations that are left in the end. `suspects`: numbers of a few that may show the violation already.
    mutating func smallest(suspects: [Int32]) -> [HistoryOperation] {
        if kind == .names, let alone = firstFromNowhere() { return [operations[alone]] }
        if !takeSuspects(suspects) {
            cut { $0.prefix($1) }
            cut { $0.suffix($1) }
        }
        var size = max(1, current.count / 2)
        while true {
            var hasShrunk = false
            var start = 0
            while start < current.count, mayGoOn {
                let rest = Array(current[..<start] + current[min(start + size, current.count)...])
                if fails(rest) { hasShrunk = true } else { start += size }
            }
            if !mayGoOn { break }
            if size > 1 { size = max(1, min(size / 2, current.count / 2)) } else if !hasShrunk { break }
        }
        return current.map { operations[$0] }
    }

    private var mayGoOn: Bool { steps < limits.shrinkingSteps }

    /// What found a value that is written nowhere: it fails alone. The one that returned first.
    private func firstFromNowhere() -> Int? {
        var written: Set<Int64> = [0]
        for operation in operations { if let value = operation.setsValue { written.insert(value) } }
        let found = current.filter { number in operations[number].foundValue.map { !written.contains($0) } ?? false }
        return found.min { (operations[$0].return, $0) < (operations[$1].return, $1) }
    }

    /// Goes on with the suspects and what wrote the values that they found, if those fail.
    private mutating func takeSuspects(_ suspects: [Int32]) -> Bool {
        if suspects.isEmpty { return false }
        var chosen = Set(suspects.map(Int.init))
        if kind == .names {
            var writers: [Int64: [Int]] = [:]
            for number in current {
                if let value = operations[number].setsValue { writers[value, default: []].append(number) }
            }
            var waiting = suspects.map(Int.init)
            while let number = waiting.popLast() {
                guard let value = operations[number].foundValue else { continue }
                for writer in writers[value] ?? [] where chosen.insert(writer).inserted { waiting.append(writer) }
            }
        }
        return fails(current.filter { chosen.contains($0) })
    }

    /// Looks for a short part that fails, by halving: between a length that fails and one that does not, there is a
    /// length that fails of which the one below does not.
    private mutating func cut(_ part: ([Int], Int) -> ArraySlice<Int>) {
        let all = current
        var (passing, failing) = (0, all.count)
        while failing - passing > 1, mayGoOn {
            let middle = (passing + failing) / 2
            if fails(Array(part(all, middle))) { failing = middle } else { passing = middle }
        }
    }

    /// Whether the operations, less those that found what is no longer written, fail; then they are the current ones.
    private mutating func fails(_ numbers: [Int]) -> Bool {
        let kept = kind == .names ? withoutOrphans(numbers) : numbers
        steps += kept.count + 1
        guard kept.count < current.count, !kept.isEmpty else { return false }
        let judgement = KeyJudgement(kept.map { operations[$0] }, kind, limits: limits)
        if judgement.verdict != .violation { return false }
        current = kept
        return true
    }

    private func withoutOrphans(_ numbers: [Int]) -> [Int] {
        var numbers = numbers
        while true {
            var written: Set<Int64> = [0]
            for number in numbers { if let value = operations[number].setsValue { written.insert(value) } }
            let before = numbers.count
            numbers.removeAll { number in operations[number].foundValue.map { !written.contains($0) } ?? false }
            if numbers.count == before { return numbers }
        }
    }
}

extension HistoryOperation {
    /// The value that it may have given the register.
    var setsValue: Int64? {
        switch kind {
        case .read: nil
        case .write, .cas: outcome == .failed ? nil : value
        case .delete: outcome == .failed ? nil : 0
        }
    }

    /// The value that it certainly found, or must have found to do anything.
    var foundValue: Int64? {
        switch kind {
        case .read: outcome == .ok && `return` != Self.noReturn ? value : nil
        case .cas: outcome == .failed ? nil : expect
        case .write, .delete: nil
        }
    }
}
