/// Makes the failing operations of one key fewer, until none can be left out (Zeller and Hildebrandt 2002: ddmin).
///
/// What is left fails only if the whole does: a write is left out only if none of the operations that stay can have
/// found what it wrote, because it began after they ended or because another write that stays came in between. An
/// operation that could not be explained without it goes too. The result depends on the operations alone.
struct HistoryShrinking {
    private let operations: [HistoryOperation]
    private let kind: History.Values
    private let limits: ConsistencyLimits
    /// Numbers of the operations that are left, in the order of their calls.
    private var current: [Int]
    /// Whether an operation stays, while a part is tried.
    private var stays: [Bool]
    /// Those that may have changed the register, in the order of their calls: by the value they set, and all.
    private var writers: [Int64: [Int]] = [:]
    private var allWriters: [Int] = []
    private var steps = 0

    /// `operations`: of one key, without an order.
    init(_ operations: [HistoryOperation], _ kind: History.Values, limits: ConsistencyLimits) {
        self.operations = operations
        self.kind = kind
        var limits = limits
        limits.positions = min(limits.positions, limits.shrinkingPositions)
        self.limits = limits
        current = operations.indices.sorted { (operations[$0].call, $0) < (operations[$1].call, $1) }
        stays = Array(repeating: false, count: operations.count)
        for number in current {
            guard let value = operations[number].setsValue else { continue }
            writers[value, default: []].append(number)
            allWriters.append(number)
        }
    }

    /// The operations that are left in the end. `suspects`: numbers of a few that may show the violation already.
    mutating func smallest(suspects: [Int32]) -> [HistoryOperation] {
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

    /// Goes on with the suspects and what wrote the values that they found, if those fail.
    private mutating func takeSuspects(_ suspects: [Int32]) -> Bool {
        if suspects.isEmpty { return false }
        var chosen = Set(suspects.map(Int.init))
        if kind == .names {
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

    /// Whether the operations, less those that need one that is left out, fail; then they are the current ones.
    private mutating func fails(_ numbers: [Int]) -> Bool {
        steps += numbers.count + 1
        let kept = kind == .names ? withoutOrphans(numbers) : numbers
        guard kept.count < current.count, !kept.isEmpty else { return false }
        let judgement = KeyJudgement(kept.map { operations[$0] }, kind, limits: limits)
        if judgement.verdict != .violation { return false }
        current = kept
        return true
    }

    private mutating func withoutOrphans(_ numbers: [Int]) -> [Int] {
        var numbers = numbers
        for number in numbers { stays[number] = true }
        while true {
            let overwriting = Overwriting(numbers.map { operations[$0] })
            let orphans = numbers.filter { isOrphan($0, overwriting) }
            if orphans.isEmpty { break }
            for number in orphans { stays[number] = false }
            numbers.removeAll { !stays[$0] }
        }
        for number in numbers { stays[number] = false }
        return numbers
    }

    /// Whether something that is left out may have written what the operation found, or nothing that stays writes it
    /// though something did.
    private mutating func isOrphan(_ number: Int, _ overwriting: Overwriting) -> Bool {
        let finder = operations[number]
        let isMismatch = finder.kind == .cas && finder.outcome == .failed && finder.return != HistoryOperation.noReturn
        let value = isMismatch ? finder.expect : finder.foundValue
        guard let value else { return false }
        let candidates = isMismatch ? allWriters : writers[value] ?? []
        let overwritten = overwriting.lastCall(before: finder.call)
        var isWritten = isMismatch || value == 0 || candidates.isEmpty
        for writer in candidates {
            steps += 1
            if stays[writer] {
                isWritten = true
                continue
            }
            let write = operations[writer]
            if writer == number || isMismatch && write.setsValue == value { continue }
            let end = write.mayHaveChanged ? HistoryOperation.noReturn : write.return
            if write.call <= finder.return, end >= overwritten { return true }
        }
        return !isWritten
    }
}

/// When the writes that certainly happened had begun at last, of those that had ended before a time.
private struct Overwriting {
    private var returns: [Int64] = []
    private var lastCalls: [Int64] = []

    init(_ operations: [HistoryOperation]) {
        let certain = operations.filter { $0.setsValue != nil && !$0.mayHaveChanged }.sorted { $0.return < $1.return }
        var last = Int64.min
        for operation in certain {
            last = max(last, operation.call)
            returns.append(operation.return)
            lastCalls.append(last)
        }
    }

    /// The latest call of a certain write that returned before `time`: what had returned before it was overwritten.
    func lastCall(before time: Int64) -> Int64 {
        var (low, high) = (0, returns.count)
        while low < high {
            let middle = (low + high) / 2
            if returns[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? lastCalls[low - 1] : .min
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
