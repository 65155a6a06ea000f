/// Why a smallest failing history has no order, as a sentence.
struct Contradiction {
    /// The sentence, with a full stop.
    private(set) var sentence = ""

    private let operations: [HistoryOperation]
    private let words: OperationWords
    private let kind: History.Values
    private let limits: ConsistencyLimits

    init(_ operations: [HistoryOperation], in history: borrowing History, limits: ConsistencyLimits) {
        self.operations = operations
        words = OperationWords(history)
        kind = history.kindOfValues
        var limits = limits
        limits.positions = min(limits.positions, limits.shrinkingPositions)
        self.limits = limits
        sentence =
            againstVersions() ?? fromNowhere() ?? beforeItsWrite() ?? foundTwice() ?? olderAfterNewer() ?? whatElse()
            ?? "No order of these operations explains what they found."
    }

    /// One operation that found what nobody wrote.
    private func fromNowhere() -> String? {
        guard kind == .names, operations.count == 1, let only = operations.first, only.foundValue != nil else {
            return nil
        }
        return "\(capital(words.sentence(only))), which nobody ever wrote."
    }

    /// A value found, and whatever may have written it called later only.
    private func beforeItsWrite() -> String? {
        guard kind == .names, operations.count == 2 else { return nil }
        for finder in operations {
            guard let value = finder.foundValue, value != 0 else { continue }
            let writers = operations.filter { $0.setsValue == value && $0 != finder }
            guard let first = writers.min(by: { $0.call < $1.call }), finder.return < first.call else { continue }
            return "\(capital(words.sentence(finder))), and ended before \(words.noun(first)) began; nothing wrote it "
                + "earlier."
        }
        return nil
    }

    /// Two cas that found the same value, which was there once.
    private func foundTwice() -> String? {
        let found = operations.filter { $0.kind == .cas && $0.outcome == .ok && $0.value != $0.expect }
        for (index, first) in found.enumerated() {
            for second in found[(index + 1)...] where second.expect == first.expect && isHeldOnce(first.expect) {
                let value = words.value(first.expect)
                let again = first.expect == 0 ? "deleted the key" : "wrote \(value) again"
                return
                    "Both client \(first.client)'s and client \(second.client)'s cas found \(value) and replaced it, "
                    + "but nothing \(again) in between."
            }
        }
        return nil
    }

    /// An operation that found a value which had been replaced before it began, and not written again.
    private func olderAfterNewer() -> String? {
        guard kind == .names else { return nil }
        let finders = operations.filter { $0.foundValue != nil }
            .sorted { ($0.call, $0.return) > ($1.call, $1.return) }
        for late in finders {
            guard let old = late.foundValue, isHeldOnce(old) else { continue }
            let earlier = operations.filter { $0.return < late.call }.sorted { $0.return > $1.return }
            for early in earlier {
                guard let new = early.heldValue, new != old, let why = whyBefore(old, early, late) else { continue }
                return "\(capital(words.sentence(late))) after \(words.noun(early)), which had ended before it began; "
                    + "\(why)."
            }
        }
        return nil
    }

    /// Whether the register can have held the value during one time only.
    private func isHeldOnce(_ value: Int64) -> Bool {
        return operations.count { $0.setsValue == value } <= (value == 0 ? 0 : 1)
    }

    /// What tells that `old` was there before what `early` left behind; nil if nothing does.
    private func whyBefore(_ old: Int64, _ early: HistoryOperation, _ late: HistoryOperation) -> String? {
        if old == 0 { return "nothing deleted the key in between" }
        // Something that had the old value ended before it began, or before something with the same value began that
        // was there once only.
        let seconds = operations.filter { $0.heldValue == early.heldValue && isHeldOnce(early.heldValue ?? 0) }
        for first in operations where first.heldValue == old && first != late {
            for second in [early] + seconds where first.return < second.call {
                return "\(words.value(old)) was not written again in between: \(words.noun(first)) had ended before "
                    + "\(words.noun(second)) began"
            }
        }
        return nil
    }

    /// What contradicts the order of versions: a pair of operations, or a read of nothing within a life.
    private func againstVersions() -> String? {
        guard kind == .versions else { return nil }
        let changes = operations.filter { $0.value > 0 }
        for late in changes {
            for early in changes where early.return < late.call {
                let order = "\(capital(words.noun(late))) began after \(words.noun(early)) had ended"
                if late.value < early.value { return order + "; revisions only rise." }
                if late.value == early.value, late.kind != .read { return order + "; a revision is made once." }
            }
        }
        for absence in operations where absence.value == 0 {
            let before = changes.first { $0.return < absence.call }
            let after = changes.first { $0.call > absence.return }
            guard let before, let after else { continue }
            return "\(capital(words.sentence(absence))), though \(words.noun(before)) had ended before it began, "
                + "\(words.noun(after)) began after it had ended, and nothing can have deleted the key in between."
        }
        return nil
    }

    /// What one of the operations could have found in place of what it did, the others being as they are.
    private func whatElse() -> String? {
        let finders = operations.indices.filter { operations[$0].mustFind }
            .sorted { (operations[$0].call, operations[$0].return) > (operations[$1].call, operations[$1].return) }
        for index in finders {
            let operation = operations[index]
            if operation.kind == .cas, operation.outcome == .failed {
                return "\(capital(words.sentence(operation))), though by all others there was nothing else to find."
            }
            let possible = possibleValues(index)
            if possible.isEmpty { continue }
            let list = possible.map(words.value).joined(separator: " or ")
            return "\(capital(words.sentence(operation))); by all others it could only have found \(list)."
        }
        return nil
    }

    private func possibleValues(_ index: Int) -> [Int64] {
        var values: Set<Int64> = [0]
        for operation in operations {
            if let value = operation.setsValue { values.insert(value) }
            if let value = operation.foundValue { values.insert(value) }
        }
        return values.sorted().filter { value in
            var changed = operations
            if changed[index].kind == .cas { changed[index].expect = value } else { changed[index].value = value }
            return KeyJudgement(changed, kind, limits: limits).verdict == .linearizable
        }
    }

    private func capital(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}

extension HistoryOperation {
    /// The value that the register certainly had at some time while this went on.
    fileprivate var heldValue: Int64? {
        if outcome != .ok || `return` == Self.noReturn { return nil }
        return kind == .delete ? 0 : value
    }

    fileprivate var mustFind: Bool {
        switch kind {
        case .read: foundValue != nil
        case .cas: outcome != .unknown && `return` != Self.noReturn
        case .write, .delete: false
        }
    }
}
