package import Consistency
package import Etcd
import Wire

/// The history of keys that a trace holds: what clients asked of etcd and were told, as operations on registers whose
/// values are mod revisions (`docs/check.md`).
///
/// A call's interval goes from the first byte of its request to the last of its answer, as the recorder saw them. Each
/// key that a call read, compared or changed gets an operation with the call's interval. What says nothing certain
/// about the latest state of a key is left out, and counted by its reason.
package struct TraceHistory: Sendable {
    package private(set) var history: History
    package private(set) var excluded = ExclusionCounts()
    package private(set) var coverage = Coverage()
    /// Calls of Range, Put, DeleteRange and Txn that began inside the recording.
    package private(set) var calls = 0
    /// Nanoseconds by which calls that ended later, in the order of the trace, ended earlier by the recorder's clock,
    /// at most: it stepped back, or packets were recorded in another order than they came.
    package private(set) var clockError: Int64 = 0
    private var lastEnd = Int64.min
    private let limits: TraceHistoryLimits
    /// The keys' bytes, with the numbers that they have in the history, where they are text.
    private var keys = ByteTable()
    /// Where the keys of the current batch are in `keys`; 0 where not looked up yet.
    private var places: [UInt32] = []
    private var absences = RangeAbsences()

    /// - Parameter revisionsAreOrdered: false for a replay on a store that has no versions (the published NetCRAQ and
    ///   NetChain): a mod revision in its trace is the ID of the value written, and of any two nobody knows which is
    ///   the later one.
    package init(revisionsAreOrdered: Bool = true, limits: TraceHistoryLimits = TraceHistoryLimits()) {
        history = History(revisionsAreOrdered ? .versions : .names)
        self.limits = limits
    }

    /// Calls that may have written, though no answer without an error tells it.
    package private(set) var writesInDoubt = 0
    /// The keys that they put.
    private var keysInDoubt: Set<UInt32> = []

    /// Takes a batch's calls. Batches come in the order of the trace.
    ///
    /// - Parameter isCrossing: of a replay in shards, whether the call of that number also meets other shards' keys.
    package mutating func add(_ batch: borrowing OperationBatch, isCrossing: (UInt32) -> Bool = { _ in false }) {
        coverage.add(batch)
        places.removeAll(keepingCapacity: true)
        places.append(contentsOf: repeatElement(0, count: batch.keys.count + 1))
        for (place, operation) in batch.operations.enumerated() {
            if !batch.replays.isEmpty, isCrossing(batch.replays[place].call) {
                excluded[.crossing] += 1
                switch operation.kind {
                case .put, .delete, .txn: noteDoubt(operation, of: batch)
                default: break
                }
                continue
            }
            switch operation.role {
            case .call where !operation.completeness.has(.openedBefore): add(call: operation, of: batch)
            case .call, .message: break
            case .event: excluded[.watchEvents] += Int(operation.events.count)
            }
        }
    }

    /// To be called once, after the last batch: what ranges did not return was absent.
    package mutating func finish() {
        let room = max(0, limits.operations - history.operations.count)
        let left = absences.expand(over: keys, room: min(room, limits.absences), into: &history)
        excluded[.absencesBeyondLimit] += left
        if history.kindOfValues == .names { addUnknownWrites() }
    }

    /// What was found and no call of the trace was acknowledged to have written was there before it; where calls of
    /// unknown outcome wrote the key, it may be of one of these, at any time.
    private mutating func addUnknownWrites() {
        struct State: Hashable {
            var key: UInt32
            var value: Int64
        }
        var written: Set<State> = []
        for operation in history.operations where operation.kind == .write {
            written.insert(State(key: operation.key, value: operation.value))
        }
        for operation in history.operations where operation.kind == .read && operation.value != 0 {
            guard written.insert(State(key: operation.key, value: operation.value)).inserted else { continue }
            let isOpen = keysInDoubt.contains(operation.key)
            history.operations.append(
                HistoryOperation(
                    client: -1, key: operation.key, kind: .write, outcome: isOpen ? .unknown : .ok,
                    value: operation.value, call: .min + 1, return: isOpen ? HistoryOperation.noReturn : .min + 2))
        }
    }

    private mutating func add(call: Operation, of batch: borrowing OperationBatch) {
        if call.evidence == .ambiguous {
            excluded[.methodUnknown] += 1
            return
        }
        switch call.kind {
        case .range, .put, .delete, .txn: calls += 1
        case .rangeStream:
            calls += 1
            excluded[.rangeStreams] += 1
            return
        default: return
        }
        if let reason = reasonToLeaveOut(call) {
            excluded[reason] += 1
            if call.kind != .range, reason != .withdrawn { noteDoubt(call, of: batch) }
            return
        }
        guard history.operations.count < limits.operations else {
            excluded[.operationsBeyondLimit] += 1
            return
        }
        let moment = Moment(call)
        noteClock(moment, call)
        if call.kind == .txn {
            add(transaction: call, of: batch, moment)
        } else {
            add(call.body, of: batch, moment)
        }
    }

    private mutating func noteDoubt(_ call: Operation, of batch: borrowing OperationBatch) {
        writesInDoubt += 1
        guard history.kindOfValues == .names else { return }
        if call.kind == .put, call.body.key != 0 { keysInDoubt.insert(number(of: call.body.key, in: batch)) }
        for index in call.parts.range where batch.parts[index].kind == .put && batch.parts[index].key != 0 {
            keysInDoubt.insert(number(of: batch.parts[index].key, in: batch))
        }
    }

    /// Operations stand in the order in which they ended; those whose name had to be found out, later.
    private mutating func noteClock(_ moment: Moment, _ call: Operation) {
        guard moment.return != HistoryOperation.noReturn else { return }
        // Within a call the clock may be wrong as well.
        if call.responseEnd < 0 {
            let (error, overflow) = moment.return.subtractingReportingOverflow(moment.call)
            clockError = max(clockError, overflow ? .max : error)
        }
        guard call.evidence == .seen else { return }
        let end = call.responseEnd < 0 ? moment.call : moment.return
        if end < lastEnd {
            let (error, overflow) = lastEnd.subtractingReportingOverflow(end)
            clockError = max(clockError, overflow ? .max : error)
        }
        lastEnd = max(lastEnd, end)
    }

    private func reasonToLeaveOut(_ call: Operation) -> Exclusion? {
        let flags = call.completeness
        // Nothing was asked of the store.
        if flags.has(.withdrawn) { return .withdrawn }
        if flags.has([.requestDamaged, .requestUndecoded, .keyLost]) || call.body.kind == .none { return .requestLost }
        if call.status ?? 0 != 0 { return .failed }
        if flags.has([.responseDamaged, .responseUndecoded]) { return .answerLost }
        guard call.body.flags.has(.answered) else {
            return call.kind == .range ? .readUnanswered : .writeUnanswered
        }
        if call.headerRevision > 0 { return nil }
        // A chain has no revision but the keys' own, and none of a key that is not there.
        switch call.kind {
        case .range: return nil
        case .delete: return call.body.count == 0 ? nil : .answerLost
        case .txn: return call.body.flags.has(.succeeded) ? .answerLost : nil
        default: return .answerLost
        }
    }

    // MARK: One request

    private mutating func add(_ request: RequestOp, of batch: borrowing OperationBatch, _ moment: Moment) {
        switch request.kind {
        case .range:
            if request.flags.has(.serializable) {
                excluded[.serializable] += 1
            } else {
                add(range: request, of: batch, moment)
            }
        case .put:
            addPrevious(of: request, in: batch, moment, deletedAt: nil)
            append(.write, request.key, of: batch, value: moment.revision, moment)
        case .delete: add(delete: request, of: batch, moment)
        case .none, .txn, .watchCreate: break
        }
    }

    private mutating func add(range: RequestOp, of batch: borrowing OperationBatch, _ moment: Moment) {
        if range.revision > 0 {
            excluded[.atRevision] += 1
            return
        }
        var returned = 0
        for index in range.keyValues.range where batch.keyValues[index].kind == .reply {
            appendRead(batch.keyValues[index], of: batch, moment)
            returned += 1
        }
        if range.flags.has(.revisionFilter) {
            if returned == 0 { excluded[.filtered] += 1 }
            return
        }
        // All that is there was returned, or nothing is.
        let isWhole = range.count == returned && !range.flags.has(.more)
        if !range.flags.has(.hasRangeEnd) {
            if returned == 1 { return }
            if isWhole {
                append(.read, range.key, of: batch, value: 0, moment)
            } else {
                excluded[range.flags.has(.countOnly) ? .countOnly : .answerLost] += 1
            }
        } else if isWhole {
            addAbsence(range, of: batch, moment)
        } else {
            excluded[range.flags.has(.countOnly) ? .countOnly : .incompleteRanges] += 1
        }
    }

    private mutating func add(delete: RequestOp, of batch: borrowing OperationBatch, _ moment: Moment) {
        let named = addPrevious(of: delete, in: batch, moment, deletedAt: moment.revision)
        if delete.flags.has(.hasRangeEnd) {
            if delete.count == 0 {
                addAbsence(delete, of: batch, moment)
            } else if named != delete.count {
                excluded[.rangesDeleted] += 1
            }
        } else if delete.count == 0 {
            append(.read, delete.key, of: batch, value: 0, moment)
        } else if named == 0 {
            append(.delete, delete.key, of: batch, value: moment.revision, moment)
        }
    }

    /// The states that a put or a delete found before it; of a delete, also that it deleted them. How many there are.
    @discardableResult
    private mutating func addPrevious(
        of request: RequestOp, in batch: borrowing OperationBatch, _ moment: Moment, deletedAt revision: Int64?
    ) -> Int64 {
        var count: Int64 = 0
        for index in request.keyValues.range where batch.keyValues[index].kind == .previous {
            appendRead(batch.keyValues[index], of: batch, moment)
            if let revision { append(.delete, batch.keyValues[index].key, of: batch, value: revision, moment) }
            count += 1
        }
        return count
    }

    // MARK: Transactions

    private mutating func add(transaction call: Operation, of batch: borrowing OperationBatch, _ moment: Moment) {
        var isReadOnly = true
        var isSerializable = true
        for index in call.parts.range where batch.parts[index].depth == 0 {
            if batch.parts[index].kind != .range { isReadOnly = false }
            if !batch.parts[index].flags.has(.serializable) { isSerializable = false }
        }
        // etcd answers such transactions from what the member has, those without operations too (v3_server.go Txn,
        // isTxnSerializable). All others are as one step, whatever their ranges say.
        if isReadOnly, isSerializable {
            excluded[.serializable] += 1
            return
        }
        let succeeded = call.body.flags.has(.succeeded)
        add(compares: call.body, hold: succeeded, of: batch, moment)
        for index in call.parts.range where batch.parts[index].flags.has(.answered) {
            var part = batch.parts[index]
            if part.kind == .txn {
                add(compares: part, hold: part.flags.has(.succeeded), of: batch, moment)
                continue
            }
            part.flags.remove(.serializable)
            add(part, of: batch, moment)
        }
    }

    private mutating func add(
        compares transaction: RequestOp, hold: Bool, of batch: borrowing OperationBatch, _ moment: Moment
    ) {
        for index in transaction.compares.range {
            let compare = batch.compares[index]
            // Of several that do not all hold, nobody knows which does not.
            let isTold = hold || transaction.compares.count == 1
            guard isTold, compare.rangeEnd == 0, let revision = compare.revision(holds: hold) else {
                excluded[.comparesWithoutState] += 1
                continue
            }
            append(.read, compare.key, of: batch, value: revision, moment)
        }
    }

    // MARK: Operations of the history

    private mutating func appendRead(_ state: KeyValueRecord, of batch: borrowing OperationBatch, _ moment: Moment) {
        guard state.modRevision > 0 else {
            excluded[.answerLost] += 1
            return
        }
        append(
            .read, state.key, of: batch, value: state.modRevision, created: max(0, state.createRevision), moment)
    }

    private mutating func append(
        _ kind: HistoryOperation.Kind, _ key: KeyNumber, of batch: borrowing OperationBatch, value: Int64,
        created: Int64 = 0, _ moment: Moment
    ) {
        guard key != 0 else {
            excluded[.requestLost] += 1
            return
        }
        var (value, created) = (value, created)
        if history.kindOfValues == .names {
            // What a delete leaves has no ID, nor does a value say when its key came into being.
            let name = Array(String(value).utf8)
            value = value == 0 || kind == .delete ? 0 : Int64(history.values.number(of: name.span))
            created = 0
        }
        history.operations.append(
            HistoryOperation(
                client: moment.connection, key: number(of: key, in: batch), kind: kind, value: value, expect: created,
                call: moment.call, return: moment.return))
    }

    private mutating func number(of key: KeyNumber, in batch: borrowing OperationBatch) -> UInt32 {
        let known = places[Int(key)]
        if known != 0 { return known }
        let bytes = batch.keys.bytes.span.extracting(batch.keys.range(of: key))
        let number = keys.number(of: bytes)
        if Int(number) > history.keys.count {
            var text: [UInt8] = []
            KeyText.append(bytes, to: &text)
            _ = history.keys.number(of: text.span)
        }
        places[Int(key)] = number
        return number
    }

    private mutating func addAbsence(_ range: RequestOp, of batch: borrowing OperationBatch, _ moment: Moment) {
        guard range.key != 0, range.rangeEnd != 0 else {
            excluded[.requestLost] += 1
            return
        }
        var returned: [UInt32] = []
        for index in range.keyValues.range where batch.keyValues[index].kind == .reply {
            returned.append(number(of: batch.keyValues[index].key, in: batch))
        }
        absences.append(
            from: batch.keys.string(range.key), to: batch.keys.string(range.rangeEnd), returned: returned,
            moment.read)
    }
}

/// What a trace may become at most.
package struct TraceHistoryLimits: Sendable {
    /// Operations of the history, 48 bytes each.
    package var operations = 1 << 26
    /// Reads of nothing that follow from ranges which did not return a key: there may be as many as ranges times keys.
    package var absences = 1 << 23

    package init() {}
}

/// When a call was under way, on which connection, and at which revision it was answered.
private struct Moment {
    var connection: Int64
    var call: Int64
    var `return`: Int64
    var revision: Int64

    init(_ call: Operation) {
        connection = Int64(call.connection)
        revision = call.headerRevision
        // The ends of time stand for no return and for what was before all calls.
        let begin = min(max(call.time.nanoseconds, .min + 1), .max - 1)
        self.call = begin
        `return` = HistoryOperation.noReturn
        guard call.responseEnd != Operation.absent else { return }
        let (end, overflow) = begin.addingReportingOverflow(call.responseEnd)
        if overflow { return }
        // Where the clock stepped back in between, the call may have been then or now.
        self.call = min(begin, max(end, .min + 1))
        `return` = max(begin, end)
    }

    /// A read of nothing at that time; of no key yet.
    var read: HistoryOperation {
        HistoryOperation(client: connection, key: 0, kind: .read, call: call, return: `return`)
    }
}

extension Compare {
    /// The mod revision that the key has, given that the comparison holds or does not; 0 for no key. Nil if that does
    /// not tell.
    fileprivate func revision(holds: Bool) -> Int64? {
        let isNumber = target == .modRevision || target == .createRevision || target == .version
        guard isNumber, key != 0 else { return nil }
        let told: Int64? =
            switch (relation, holds) {
            case (.equal, true), (.notEqual, false): operand
            case (.greater, false): operand == 0 ? 0 : nil
            case (.less, true): operand == 1 ? 0 : nil
            default: nil
            }
        guard let told, told >= 0 else { return nil }
        return target == .modRevision || told == 0 ? told : nil
    }
}
