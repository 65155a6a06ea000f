package import Etcd
import Wire

/// The keys of a trace's writes without an answer: what is seen of them tells whether they were executed.
package struct UnansweredSurvey: Sendable {
    var keys = ByteTable()

    package init() {}

    package mutating func add(_ batch: borrowing OperationBatch) {
        for operation in batch.operations where operation.role == .call && operation.isOutcomeOpen {
            switch operation.kind {
            case .put, .delete: add(operation.body, of: batch)
            case .txn: for place in operation.parts.range { add(batch.parts[place], of: batch) }
            default: break
            }
        }
    }

    private mutating func add(_ body: RequestOp, of batch: borrowing OperationBatch) {
        guard body.kind == .put || body.kind == .delete, !body.flags.contains(.hasRangeEnd), body.key != 0 else {
            return
        }
        _ = keys.number(of: batch.keys.bytes.span.extracting(batch.keys.range(of: body.key)))
    }
}

/// Which of the writes without an answer were executed, and at which revision, by what answers and events show of their
/// keys.
///
/// A key's states lie between those that calls left and those that others saw. A change at a revision that no answered
/// write had is that of a write without an answer. So is, where just one can have made it, a change that must have been
/// between two states: a key that is gone, or there, or has a version that the known puts do not explain.
struct UnansweredWrites: Sendable {
    struct Candidate: Sendable {
        var call: PlannedCall
        /// `place` is 0 where nothing shows that it was executed.
        var facts: CallFacts
    }

    /// Of all writes without an answer. `order` has them in etcd's.
    let keys: ByteTable
    private let order: [UInt32]
    private let limit: Int
    private(set) var states: [KeyTimeline.State] = []
    /// Of each key the place in `states` of what was seen of it last; −1 if nothing was.
    private var latest: [Int]
    /// Of each key the last list that showed it.
    private var lists: [UInt32]
    private var list: UInt32 = 0
    /// Keys that lists may still be looked through for.
    private var steps: Int
    /// Revisions of answered writes; and of revocations, which may have deleted something.
    private(set) var explained: Set<Int64> = []
    private(set) var revoked: Set<Int64> = []
    /// Revisions of answered writes whose keys are not known.
    private(set) var hidden: [Int64] = []
    /// Whether there may be writes of any key, at any time, that nothing shows.
    private(set) var isBlind = false
    /// Keys that calls which are not replayed may have changed at any time.
    private(set) var contested: Set<UInt32> = []
    /// The lowest revision that an answer showed.
    private(set) var start = Int64.max
    var candidates: [Candidate] = []

    init(_ survey: UnansweredSurvey, limits: PlanLimits) {
        let keys = survey.keys
        self.keys = keys
        order = (0..<UInt32(keys.count)).map { $0 + 1 }.sorted { keys.precedes($0, $1) }
        latest = Array(repeating: -1, count: keys.count + 1)
        lists = Array(repeating: 0, count: keys.count + 1)
        limit = limits.sightings
        steps = limits.sightings
    }

    func isCandidate(_ call: Operation) -> Bool { call.kind == .put || call.kind == .delete || call.kind == .txn }

    /// Takes in that an answered call changed something.
    mutating func explain(_ revision: Int64) {
        if keys.count > 0 { explained.insert(revision) }
    }

    /// Takes in a call that is not replayed, for that reason; nil if it began before the recording.
    mutating func leaveOut(_ call: Operation, _ reason: Omission?, of batch: borrowing OperationBatch) {
        if keys.count == 0 || reason == .withdrawn { return }
        switch call.kind {
        case .put, .delete, .txn: break
        case .other: if call.evidence != .ambiguous { return }
        // They write when their turn comes.
        case .lock, .election: isBlind = true
        default: return
        }
        let isKnown = reason == .notRecorded || reason == .tooLarge
        if call.isOutcomeOpen {
            isBlind = true
            for body in batch.writes(of: call) { contested.formUnion(numbers(of: body, of: batch)) }
        } else if call.status == 0, call.headerRevision > 0 {
            if isKnown { explained.insert(call.headerRevision) } else { hide(call.headerRevision) }
        } else if call.status == 0 {
            isBlind = true
        }
    }

    /// A write of unknown keys may have that revision.
    private mutating func hide(_ revision: Int64) {
        explained.insert(revision)
        hidden.append(revision)
    }

    func number(of key: KeyNumber, of batch: borrowing OperationBatch) -> UInt32 {
        keys.existingNumber(of: batch.keys.bytes.span.extracting(batch.keys.range(of: key)))
    }

    /// The keys that a put or a deletion names.
    private func numbers(of body: RequestOp, of batch: borrowing OperationBatch) -> ArraySlice<UInt32> {
        guard body.flags.contains(.hasRangeEnd) else { return [number(of: body.key, of: batch)] }
        let bytes = batch.keys.bytes.span
        return numbers(
            from: bytes.extracting(batch.keys.range(of: body.key)),
            to: bytes.extracting(batch.keys.range(of: body.rangeEnd)))
    }

    /// The keys in a range.
    func numbers(from start: Span<UInt8>, to end: Span<UInt8>) -> ArraySlice<UInt32> {
        func place(of bound: Span<UInt8>) -> Int {
            // A closure cannot hold a span.
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                if keys.bytes.span.extracting(keys.range(of: order[middle])).precedes(bound) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }
        let first = place(of: start)
        // An end of one zero byte is the end of the key space.
        let last = end.count == 1 && end[0] == 0 ? order.count : place(of: end)
        return order[first..<max(first, last)]
    }
}

// What answers and events show.
extension UnansweredWrites {
    /// Takes what a batch shows of the keys.
    mutating func see(_ batch: borrowing OperationBatch) {
        if keys.count == 0 { return }
        for operation in batch.operations {
            if states.count >= limit {
                isBlind = true
                return
            }
            let (end, overflow) = operation.time.nanoseconds.addingReportingOverflow(max(0, operation.responseEnd))
            let time = overflow ? Int64.max : end
            see(events: operation.events, at: time, of: batch)
            guard operation.role == .call else { continue }
            if operation.kind == .leaseRevoke, operation.status == 0 { revoked.insert(operation.headerRevision) }
            see(operation, at: time, of: batch)
        }
    }

    private mutating func see(events: Slice, at time: Int64, of batch: borrowing OperationBatch) {
        var revision: Int64 = 0
        for place in events.range {
            let seen = batch.keyValues[place]
            switch seen.kind {
            case .deleteEvent:
                revision = seen.modRevision
                add(number(of: seen.key, of: batch), isPresent: false, isChange: true, revision, time)
            case .putEvent:
                revision = seen.modRevision
                see(seen, until: revision, time, of: batch)
            case .previous, .reply: see(seen, until: max(revision, 1) - 1, time, of: batch)
            }
        }
    }

    private static let damages: Operation.Completeness = [
        .requestDamaged, .requestUndecoded, .keyLost, .responseDamaged, .responseUndecoded,
    ]

    private mutating func see(_ call: Operation, at time: Int64, of batch: borrowing OperationBatch) {
        let isAnswered =
            call.status == 0 && call.headerRevision > 0 && call.body.flags.contains(.answered)
            && call.completeness.isDisjoint(with: Self.damages)
        let revision = isAnswered ? call.headerRevision : 0
        if !isAnswered, call.status == 0, isCandidate(call) {
            // It changed something, perhaps.
            if call.headerRevision > 0 { hide(call.headerRevision) } else { isBlind = true }
        }
        if isAnswered, !call.completeness.contains(.openedBefore) { start = min(start, revision) }
        guard call.kind == .txn else {
            return see(call.body, revision, before: revision - 1, isOfState: isAnswered, time, of: batch)
        }
        let hasChanged = batch.parts[call.parts.range].contains { $0.hasChanged }
        for place in call.parts.range where batch.parts[place].flags.contains(.answered) {
            // Where it changed something, its ranges may have seen that.
            see(
                batch.parts[place], revision, before: revision - 1, isOfState: isAnswered && !hasChanged, time,
                of: batch)
        }
        guard isAnswered, call.body.flags.contains(.succeeded) else { return }
        for place in call.body.compares.range {
            see(batch.compares[place], at: hasChanged ? revision - 1 : revision, time, of: batch)
        }
    }

    /// - Parameters:
    ///   - revision: of the answer; 0 where it shows none.
    ///   - isOfState: whether a range shows the state at that revision.
    private mutating func see(
        _ body: RequestOp, _ revision: Int64, before: Int64, isOfState: Bool, _ time: Int64,
        of batch: borrowing OperationBatch
    ) {
        switch body.kind {
        case .range:
            let at = body.revision > 0 ? body.revision : revision
            list &+= 1
            for place in body.keyValues.range {
                see(batch.keyValues[place], until: isOfState ? at : 0, time, of: batch)
            }
            guard isOfState, !body.flags.contains(.revisionFilter) else { return }
            if !body.flags.contains(.hasRangeEnd) {
                if body.keyValues.isEmpty {
                    add(number(of: body.key, of: batch), isPresent: body.count > 0, isChange: false, at, time)
                }
            } else if body.count == Int64(body.keyValues.count), !body.flags.contains(.more) {
                addRange(of: body, isChange: false, at, time, of: batch)
            }
        case .put, .delete:
            for place in body.keyValues.range { see(batch.keyValues[place], until: before, time, of: batch) }
            if revision == 0 || !body.flags.contains(.answered) { return }
            if body.kind == .delete, body.flags.contains(.hasRangeEnd) {
                list &+= 1
                return addRange(of: body, isChange: body.count > 0, revision, time, of: batch)
            }
            let key = number(of: body.key, of: batch)
            if body.kind == .put {
                let lease = body.flags.contains(.ignoreLease) ? nil : body.lease
                add(key, isPresent: true, isChange: true, revision, time, lease: .some(lease))
            } else {
                if body.count > 0 { add(key, isPresent: true, isChange: false, before, time) }
                add(key, isPresent: false, isChange: body.count > 0, revision, time)
            }
        case .txn, .watchCreate, .none: return
        }
    }

    /// What a compare that held shows.
    private mutating func see(_ compare: Compare, at revision: Int64, _ time: Int64, of batch: borrowing OperationBatch)
    {
        guard compare.rangeEnd == 0, compare.target != .value, compare.target != .lease else { return }
        let key = number(of: compare.key, of: batch)
        switch (compare.relation, compare.target) {
        case (.equal, _) where compare.operand == 0: add(key, isPresent: false, isChange: false, revision, time)
        case (.equal, .modRevision):
            add(key, isPresent: true, isChange: true, compare.operand, time, until: revision)
        case (.equal, .createRevision):
            add(key, isPresent: true, isChange: false, revision, time, created: compare.operand)
        case (.equal, .version): add(key, isPresent: true, isChange: false, revision, time, version: compare.operand)
        case (.greater, _) where compare.operand >= 0, (.notEqual, _) where compare.operand == 0:
            add(key, isPresent: true, isChange: false, revision, time)
        default: return
        }
    }

    /// - Parameter until: a revision at which it still was so; 0 where none is known.
    private mutating func see(
        _ seen: KeyValueRecord, until: Int64, _ time: Int64, of batch: borrowing OperationBatch
    ) {
        let key = number(of: seen.key, of: batch)
        if key != 0 { lists[Int(key)] = list }
        add(
            key, isPresent: true, isChange: true, seen.modRevision, time, until: until, created: seen.createRevision,
            version: seen.version, lease: .some(seen.lease))
    }

    /// Keys of a range that are not there, those of the latest list apart.
    private mutating func addRange(
        of body: RequestOp, isChange: Bool, _ revision: Int64, _ time: Int64, of batch: borrowing OperationBatch
    ) {
        let found = numbers(of: body, of: batch)
        if isChange {
            // All of them: a deletion must not be missed.
            for key in found { add(key, isPresent: false, isChange: true, revision, time) }
            return
        }
        guard found.count <= steps else { return }
        steps -= found.count
        for key in found where lists[Int(key)] != list { add(key, isPresent: false, isChange: false, revision, time) }
    }

    private mutating func add(
        _ key: UInt32, isPresent: Bool, isChange: Bool, _ revision: Int64, _ time: Int64, until: Int64 = 0,
        created: Int64 = 0, version: Int64 = 0, lease: Int64?? = .none
    ) {
        // No revision of etcd's is below 1.
        guard key != 0, revision > 0 else { return }
        var state = KeyTimeline.State(
            isPresent: isPresent, isChange: isChange, revision: revision, until: max(until, revision), time: time)
        state.key = key
        state.created = max(0, created)
        state.version = max(0, version)
        state.lease = lease ?? nil
        // Most of what is seen of a key is what was seen before.
        if latest[Int(key)] >= 0, states[latest[Int(key)]].absorb(state) { return }
        latest[Int(key)] = states.count
        states.append(state)
    }
}

extension OperationBatch {
    /// The puts and deletions that a call asks for, those of both branches of a transaction.
    fileprivate func writes(of call: Operation) -> [RequestOp] {
        ([call.body] + parts[call.parts.range]).filter { $0.kind == .put || $0.kind == .delete }
    }
}

extension ReplayPlan {
    /// The single keys that a write changes: of a transaction, those of the branch that its compares lead to.
    func changes(of call: PlannedCall) -> [(key: KeyNumber, isPut: Bool)] {
        var changes: [(key: KeyNumber, isPut: Bool)] = []
        func take(_ body: RequestOp) {
            guard body.key != 0, !body.flags.contains(.hasRangeEnd) else { return }
            if body.kind == .put { changes.append((body.key, true)) }
            if body.kind == .delete { changes.append((body.key, false)) }
        }
        if call.kind != .txn { take(call.body) }
        for place in call.parts.range where parts[place].branch == .success { take(parts[place]) }
        return changes
    }

    /// Whether an answered call changed something, as its answer tells. Precondition: its status is 0.
    func hasChanged(_ call: PlannedCall) -> Bool {
        switch call.kind {
        case .put: return true
        case .delete: return call.body.count > 0
        case .txn: return call.parts.range.contains { parts[$0].hasChanged }
        default: return false
        }
    }
}

extension RequestOp {
    /// Of an operation in a transaction: whether it was executed and changed something.
    var hasChanged: Bool { flags.contains(.answered) && (kind == .put || kind == .delete && count > 0) }
}
