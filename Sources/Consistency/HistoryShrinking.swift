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
    /// Those that may have changed the register: by the value they set, and all.
    private var writers: [Int64: ChangeList] = [:]
    private var allWriters = ChangeList()
    private var steps = 0

    /// `operations`: of one key, without an order.
    init(_ operations: [HistoryOperation], _ kind: History.Values, limits: ConsistencyLimits) {
        self.operations = operations
        self.kind = kind
        var limits = limits
        let most = max(limits.shrinkingPositions, operations.count * 16)
        limits.positions = min(limits.positions, most)
        limits.frontierSteps = min(limits.frontierSteps, most)
        self.limits = limits
        current = operations.indices.sorted { (operations[$0].call, $0) < (operations[$1].call, $1) }
        stays = Array(repeating: false, count: operations.count)
        for number in current {
            guard let value = operations[number].setsValue else { continue }
            writers[value, default: ChangeList()].append(number, operations[number])
            allWriters.append(number, operations[number])
        }
    }

    /// The operations that are left in the end. `suspects`: numbers of a few that may show the violation already.
    mutating func smallest(suspects: [Int32]) -> [HistoryOperation] {
        if !takeSuspects(suspects) { cut { $0.prefix($1) } }
        if current.count > Self.few { cut { $0.suffix($1) } }
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

    /// Operations of which each can be left out in turn, soon.
    private static let few = 50

    private var mayGoOn: Bool { steps < limits.shrinkingSteps }

    /// Goes on with the suspects and what wrote the values that they found, if those fail.
    private mutating func takeSuspects(_ suspects: [Int32]) -> Bool {
        if suspects.isEmpty { return false }
        var chosen = Set(suspects.map(Int.init))
        if kind == .names {
            var found: Set<Int64> = []
            var waiting = suspects.map(Int.init)
            while let number = waiting.popLast() {
                guard let value = operations[number].foundValue, found.insert(value).inserted else { continue }
                for writer in writers[value]?.all ?? [] where chosen.insert(writer).inserted { waiting.append(writer) }
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
            let kept = KeptChanges(numbers.map { operations[$0] })
            var open = OpenChanges()
            for number in allWriters.open where !stays[number] { open.add(operations[number]) }
            let orphans = numbers.filter { isOrphan($0, kept, open) }
            if orphans.isEmpty { break }
            for number in orphans { stays[number] = false }
            numbers.removeAll { !stays[$0] }
        }
        for number in numbers { stays[number] = false }
        return numbers
    }

    /// Whether something that is left out may have written what the operation found, or nothing that stays writes it
    /// though something did.
    private mutating func isOrphan(_ number: Int, _ kept: KeptChanges, _ open: OpenChanges) -> Bool {
        let finder = operations[number]
        let isMismatch = finder.kind == .cas && finder.outcome == .failed && finder.return != HistoryOperation.noReturn
        let value = isMismatch ? finder.expect : finder.foundValue
        guard let value else { return false }
        let overwritten = kept.lastCall(before: finder.call)
        if isMismatch {
            return open.hasOther(than: value, until: finder.return)
                || isLeftOut(allWriters, from: overwritten, until: finder.return, exceptOf: value)
        }
        guard let candidates = writers[value] else { return false }
        if value != 0, !kept.values.contains(value) { return true }
        return open.has(value, until: finder.return)
            || isLeftOut(candidates, from: overwritten, until: finder.return, exceptOf: nil)
    }

    /// Whether a certain change that is left out was called until `last` and had not returned before `first`.
    private mutating func isLeftOut(
        _ list: ChangeList, from first: Int64, until last: Int64, exceptOf value: Int64?
    ) -> Bool {
        var (place, high) = (0, list.certain.count)
        while place < high {
            let middle = (place + high) / 2
            if operations[list.certain[middle]].call <= last { place = middle + 1 } else { high = middle }
        }
        while place > 0, list.lastReturns[place - 1] >= first {
            place -= 1
            steps += 1
            let number = list.certain[place]
            if stays[number] || operations[number].setsValue == value { continue }
            if operations[number].return >= first { return true }
        }
        return false
    }
}

/// Numbers of operations that may have changed the register, in the order of their calls.
private struct ChangeList {
    var all: [Int] = []
    /// Those that certainly did, and when of each and those before it the last one returned.
    var certain: [Int] = []
    var lastReturns: [Int64] = []
    /// Those that may have at any time after their call.
    var open: [Int] = []

    mutating func append(_ number: Int, _ operation: HistoryOperation) {
        all.append(number)
        if operation.mayHaveChanged { return open.append(number) }
        certain.append(number)
        lastReturns.append(max(lastReturns.last ?? .min, operation.return))
    }
}

/// When changes of unknown outcome that are left out were called first.
private struct OpenChanges {
    private var firstCalls: [Int64: Int64] = [:]
    /// The first of all, and the first that sets another value.
    private var first: (value: Int64, call: Int64)?
    private var other: Int64?

    /// In the order of calls.
    mutating func add(_ operation: HistoryOperation) {
        guard let value = operation.setsValue else { return }
        if firstCalls[value] == nil { firstCalls[value] = operation.call }
        if let first {
            if first.value != value, other == nil { other = operation.call }
        } else {
            first = (value, operation.call)
        }
    }

    /// Whether one of the value was called until `time`.
    func has(_ value: Int64, until time: Int64) -> Bool { firstCalls[value].map { $0 <= time } ?? false }

    /// Whether one of another value was.
    func hasOther(than value: Int64, until time: Int64) -> Bool {
        guard let first, let call = first.value == value ? other : first.call else { return false }
        return call <= time
    }
}

/// What operations that stay changed.
private struct KeptChanges {
    /// Values that some of them may have set.
    private(set) var values: Set<Int64> = []
    /// Returns of those that certainly happened, in order, and when of each and those before it the last one was
    /// called.
    private var returns: [Int64] = []
    private var lastCalls: [Int64] = []

    init(_ operations: [HistoryOperation]) {
        var certain: [HistoryOperation] = []
        for operation in operations {
            guard let value = operation.setsValue else { continue }
            values.insert(value)
            if !operation.mayHaveChanged { certain.append(operation) }
        }
        certain.sort { $0.return < $1.return }
        var last = Int64.min
        for operation in certain {
            last = max(last, operation.call)
            returns.append(operation.return)
            lastCalls.append(last)
        }
    }

    /// The latest call of a certain change that returned before `time`: what had returned before it was overwritten.
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
