/// Whether operations can have taken effect one after the other, each at a moment between its call and its return, and
/// each told what it was told (Herlihy and Wing 1990).
package enum Verdict: UInt8, Sendable, CaseIterable {
    case linearizable = 0
    case violation = 1
    /// The search gave up at a limit.
    case unknown = 2
}

/// What is wrong with a history, in as few operations as were found to show it.
package struct Counterexample: Sendable, Equatable {
    /// The key's number.
    package var key: UInt32
    /// In order of their calls. No order explains them; without any one of them, there is an order, unless a limit
    /// ended the search for fewer.
    package var operations: [HistoryOperation]
    /// Why there is no order: a sentence.
    package var reason: String
}

/// A history, judged.
package struct HistoryCheck: Sendable {
    package private(set) var verdict = Verdict.linearizable
    /// Keys by their own verdict, at the verdict's raw value.
    package private(set) var keys = [0, 0, 0]
    /// Operations that may have taken effect, or not.
    package private(set) var pending = 0
    /// Operations of which nothing follows: reads without an answer, writes that were refused.
    package private(set) var silent = 0
    /// Different clients.
    package private(set) var clients = 0
    /// Versions that were found though nothing in the history wrote them, beside each key's lowest; of histories with
    /// versions.
    package private(set) var unrecordedVersions = 0
    /// The numbers of the keys of which no order was found, in order; the first few.
    package private(set) var violatedKeys: [UInt32] = []
    /// Of the violating key with the fewest operations.
    package private(set) var counterexample: Counterexample?

    private static let namedKeys = 10

    /// Judges key by key: a history is linearizable if each key's part is (Herlihy and Wing 1990, theorem 1).
    /// Precondition: keys and values of the operations are numbers of the history's tables, calls are before returns.
    package init(_ history: History, limits: ConsistencyLimits = ConsistencyLimits()) {
        let groups = history.groupedByKey()
        var operations: [HistoryOperation] = []
        var worst: [HistoryOperation] = []
        var suspects: [Int32] = []
        for key in 0..<groups.starts.count - 1 {
            operations.removeAll(keepingCapacity: true)
            for number in groups.numbers[groups.starts[key]..<groups.starts[key + 1]] {
                operations.append(history.operations[Int(number)])
            }
            if operations.isEmpty { continue }
            let judgement = KeyJudgement(operations, history.kindOfValues, limits: limits)
            keys[Int(judgement.verdict.rawValue)] += 1
            unrecordedVersions += judgement.unrecordedVersions
            guard judgement.verdict == .violation else { continue }
            if violatedKeys.count < Self.namedKeys { violatedKeys.append(UInt32(key)) }
            if worst.isEmpty || operations.count < worst.count {
                (worst, suspects) = (operations, judgement.suspects)
            }
        }
        if keys[Int(Verdict.unknown.rawValue)] > 0 { verdict = .unknown }
        count(history)
        guard let first = worst.first else { return }
        verdict = .violation
        var shrinking = HistoryShrinking(worst, history.kindOfValues, limits: limits)
        let smallest = shrinking.smallest(suspects: suspects)
        let reason = Contradiction(smallest, in: history, limits: limits).sentence
        counterexample = Counterexample(key: first.key, operations: smallest, reason: reason)
    }

    private mutating func count(_ history: History) {
        var seen: Set<Int64> = []
        var last: Int64?
        for operation in history.operations {
            if operation.mayHaveChanged { pending += 1 }
            if operation.saysNothing { silent += 1 }
            if operation.client != last { seen.insert(operation.client) }
            last = operation.client
        }
        clients = seen.count
    }
}

extension HistoryOperation {
    fileprivate var saysNothing: Bool {
        switch kind {
        case .read: outcome != .ok || `return` == Self.noReturn
        case .write, .delete: outcome == .failed
        case .cas: outcome == .failed && `return` == Self.noReturn
        }
    }
}

/// The verdict on one key's operations.
struct KeyJudgement: Sendable {
    private(set) var verdict = Verdict.unknown
    /// Numbers of operations that a violation can be shown with, if they are known.
    private(set) var suspects: [Int32] = []
    private(set) var unrecordedVersions = 0

    init(_ operations: [HistoryOperation], _ kind: History.Values, limits: ConsistencyLimits) {
        if kind == .versions {
            switch VersionCheck.judge(operations) {
            case .linearizable(let unrecorded):
                verdict = .linearizable
                unrecordedVersions = unrecorded
            case .violation(let shown):
                verdict = .violation
                suspects = shown
            }
            return
        }
        let register = RegisterSteps(operations)
        switch ZoneCheck.judge(register) {
        case .linearizable: verdict = .linearizable
        case .violation(let shown):
            verdict = .violation
            suspects = shown.map { register.steps[Int($0)].operation }
        case .inapplicable: search(register, limits)
        }
    }

    /// First as if an order were easily found, then with all positions side by side, then for as long as limits allow.
    private mutating func search(_ register: borrowing RegisterSteps, _ limits: ConsistencyLimits) {
        var few = limits
        few.positions = min(limits.positions, limits.easyPositions * register.steps.count)
        if take(OrderSearch.judge(register, limits: few)) { return }
        switch FrontierCheck.judge(register, limits: limits) {
        case .linearizable: verdict = .linearizable
        case .violation(let called):
            verdict = .violation
            suspects = called.map { register.steps[Int($0)].operation }
        case .exhausted, .inapplicable:
            if few.positions < limits.positions { _ = take(OrderSearch.judge(register, limits: limits)) }
        }
    }

    /// Whether that is an answer.
    private mutating func take(_ answer: OrderSearch.Answer) -> Bool {
        switch answer {
        case .linearizable: verdict = .linearizable
        case .violation: verdict = .violation
        case .exhausted: return false
        }
        return true
    }
}
