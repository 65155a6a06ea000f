/// What an operation asks of an order of the operations of one key.
struct RegisterStep: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        /// The value is `value`.
        case read
        /// The value becomes `value`.
        case write
        /// The value is `expect` and becomes `value`.
        case cas
        /// The value is not `value`: a cas that failed.
        case mismatch
    }

    var kind: Kind
    /// Whether it may be left out.
    var isOptional: Bool
    /// Numbers of values, from 0 without gaps, 0 for absence.
    var value: Int32
    var expect: Int32
    var call: Int64
    /// `HistoryOperation.noReturn` where nothing has to wait for it.
    var `return`: Int64
    /// The operation's number among those of the key.
    var operation: Int32

    var writes: Bool { kind == .write || kind == .cas }
    /// The value it must find; −1 where any will do, or any but one.
    var found: Int32 {
        switch kind {
        case .read: value
        case .cas: expect
        case .write, .mismatch: -1
        }
    }
}

/// The operations of one key, without those that say nothing.
struct RegisterSteps: Sendable {
    private(set) var steps: [RegisterStep] = []
    /// Values that occur, absence included.
    private(set) var valueCount = 1
    private(set) var hasMismatches = false

    init(_ operations: [HistoryOperation]) {
        let numbers = Self.valueNumbers(operations)
        valueCount = numbers.count
        steps.reserveCapacity(operations.count)
        for (index, operation) in operations.enumerated() {
            if let step = Self.step(operation, Int32(truncatingIfNeeded: index), numbers) { steps.append(step) }
        }
        dropWhatCannotMatter()
    }

    /// All values, in order, each once. Absence, 0, is the lowest.
    private static func valueNumbers(_ operations: [HistoryOperation]) -> [Int64] {
        var values: [Int64] = [0]
        values.reserveCapacity(operations.count + 1)
        for operation in operations {
            if operation.kind != .delete { values.append(operation.value) }
            if operation.kind == .cas { values.append(operation.expect) }
        }
        values.sort()
        var count = 1
        for index in values.indices.dropFirst() where values[index] != values[count - 1] {
            values[count] = values[index]
            count += 1
        }
        values.removeLast(values.count - count)
        return values
    }

    private static func step(
        _ operation: HistoryOperation, _ index: Int32, _ values: [Int64]
    ) -> RegisterStep? {
        let value = operation.kind == .delete ? 0 : number(operation.value, values)
        var step = RegisterStep(
            kind: .write, isOptional: operation.mayHaveChanged, value: value, expect: 0, call: operation.call,
            return: operation.mayHaveChanged ? HistoryOperation.noReturn : operation.return, operation: index)
        switch (operation.kind, operation.outcome) {
        case (.read, .ok):
            // Nobody knows what a read without a return would have said.
            if operation.return == HistoryOperation.noReturn { return nil }
            step.kind = .read
        case (.read, _), (.write, .failed), (.delete, .failed): return nil
        case (.write, _), (.delete, _): break
        case (.cas, .failed):
            if operation.return == HistoryOperation.noReturn { return nil }
            step.kind = .mismatch
            step.value = number(operation.expect, values)
        case (.cas, _):
            step.expect = number(operation.expect, values)
            step.kind = .cas
            if step.expect == step.value {
                // It changes nothing: a read, of which nothing is known if its outcome is not.
                if step.isOptional { return nil }
                step.kind = .read
            }
        }
        return step
    }

    private static func number(_ value: Int64, _ values: [Int64]) -> Int32 {
        var (low, high) = (0, values.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < value { low = middle + 1 } else { high = middle }
        }
        return Int32(truncatingIfNeeded: low)
    }

    /// Leaves out mismatches with values that can never be there, and, where there are no others, changes of unknown
    /// outcome whose value nobody found: they need not have happened.
    private mutating func dropWhatCannotMatter() {
        var isWritten = [Bool](repeating: false, count: valueCount)
        isWritten[0] = true
        for step in steps where step.writes { isWritten[Int(step.value)] = true }
        steps.removeAll { $0.kind == .mismatch && !isWritten[Int($0.value)] }
        hasMismatches = steps.contains { $0.kind == .mismatch }
        if hasMismatches { return }
        let isNeeded = neededValues()
        steps.removeAll { $0.isOptional && !isNeeded[Int($0.value)] }
    }

    /// Values that something must find: certain steps, or a cas that may have to have happened for one that must.
    private func neededValues() -> [Bool] {
        var isNeeded = [Bool](repeating: false, count: valueCount)
        var waiting: [Int32] = []
        func need(_ value: Int32) {
            if value < 0 || isNeeded[Int(value)] { return }
            isNeeded[Int(value)] = true
            waiting.append(value)
        }
        // The optional cas that set each value, as lists: the last one, and of each the one before it.
        var last = [Int32](repeating: -1, count: valueCount)
        var before = [Int32](repeating: -1, count: steps.count)
        for (index, step) in steps.enumerated() {
            if !step.isOptional {
                need(step.found)
            } else if step.kind == .cas {
                before[index] = last[Int(step.value)]
                last[Int(step.value)] = Int32(truncatingIfNeeded: index)
            }
        }
        while let value = waiting.popLast() {
            var index = last[Int(value)]
            while index >= 0 {
                need(steps[Int(index)].expect)
                index = before[Int(index)]
            }
        }
        return isNeeded
    }
}
