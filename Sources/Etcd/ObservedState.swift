import Wire

/// What the operations of a recording show about the store's content at its start.
///
/// With S the store's revision at the start, a fact seen at a revision ρ ≥ S holds at S if
/// - it is a key-value last changed at or before S: then it is the key's whole state at S;
/// - it is a key-value created at or before S: then the key existed at S, with that create revision;
/// - nothing changed the key in between, as far as the recording shows.
///
/// S itself is bounded from above by what linearizable requests and writes were answered; where every write was
/// recorded and there is one, the bound is S. Answers are seen in another order than the store gave them, so a fact
/// waits until operations that overlapped it have ended (`ObservedStateLimits.patience`) before it is judged.
/// Keys that ended with a lease, which no operation shows, pass for absent.
package struct ObservedState: Sendable {
    private let limits: ObservedStateLimits
    /// The store's revision at the start is at most this.
    private var startBound = Int64.max
    private var keys: ObservedKeys
    /// Facts wait in the newer generation until that is `patience` old, then become the older and wait as long again.
    private var newer = Generation()
    private var older = Generation()
    private var clock = CaptureTime(nanoseconds: .min)
    /// Deletions of ranges, whose keys are not named; and the first revision from which on there may be more of them.
    private var rangeDeletes: [RangeDelete] = []
    private var rangeKeys = ByteTable()
    private var unnamedDeletes = Int64.max
    private var countedRanges: Set<UInt64> = []
    /// Facts that could not be kept, for want of room.
    package private(set) var droppedFacts: Int64 = 0

    package init(limits: ObservedStateLimits = ObservedStateLimits()) {
        self.limits = limits
        keys = ObservedKeys(limit: limits.keys)
    }

    /// Takes in the operations from `firstNewOperation` on, and appends to `batch.observed` what became certain: of
    /// these operations or of earlier batches' (key numbers are always this batch's).
    package mutating func observe(_ batch: inout OperationBatch, from firstNewOperation: Int) {
        for index in batch.operations.indices.dropFirst(firstNewOperation) {
            clock = max(clock, batch.operations[index].end)
            take(batch.operations[index], of: batch)
            advance(&batch)
        }
    }

    /// Appends what still waited. To be called once, at the end of the recording.
    package mutating func finish(_ batch: inout OperationBatch) {
        judgeOlder(into: &batch)
        swap(&newer, &older)
        judgeOlder(into: &batch)
    }

    // MARK: Waiting

    /// Something seen of a key's state at a revision.
    private struct Fact {
        enum Content {
            case absent
            /// All fields of `record` hold at `revision`.
            case keyValue
            /// The key existed; fields of `record` that are not 0 hold at `revision`.
            case present
            case counted
        }
        var content: Content
        /// ρ, the revision at which it holds.
        var revision: Int64
        /// `record.key` and `record.rangeEnd` are numbers of the generation's keys.
        var record: ObservedRecord
    }

    private struct Generation {
        var facts: [Fact] = []
        var keys = ByteTable()
        var start = CaptureTime(nanoseconds: .min)
    }

    private struct RangeDelete {
        var key: KeyNumber
        var end: KeyNumber
        var revision: Int64
    }

    /// Judges what has waited long enough.
    private mutating func advance(_ batch: inout OperationBatch) {
        let isDue = !newer.facts.isEmpty && clock.nanoseconds(since: newer.start) > limits.patience
        if isDue || newer.facts.count >= limits.waitingFacts {
            judgeOlder(into: &batch)
            swap(&newer, &older)
        } else if !older.facts.isEmpty, clock.nanoseconds(since: older.start) > 2 * limits.patience {
            judgeOlder(into: &batch)
        }
    }

    private mutating func wait(
        _ content: Fact.Content, at revision: Int64, _ record: ObservedRecord, _ table: ByteTable
    ) {
        guard newer.keys.bytes.count < limits.waitingBytes else {
            droppedFacts += 1
            return
        }
        if newer.facts.isEmpty { newer.start = clock }
        var record = record
        record.key = newer.keys.number(of: table.bytes.span.extracting(table.range(of: record.key)))
        record.rangeEnd = newer.keys.number(of: table.bytes.span.extracting(table.range(of: record.rangeEnd)))
        newer.facts.append(Fact(content: content, revision: revision, record: record))
    }

    // MARK: Judging

    private mutating func judgeOlder(into batch: inout OperationBatch) {
        for index in older.facts.indices {
            let fact = older.facts[index]
            guard fact.revision >= startBound, var record = judged(fact) else { continue }
            record.key = batch.keys.number(of: older.keys.bytes.span.extracting(older.keys.range(of: fact.record.key)))
            record.rangeEnd = batch.keys.number(
                of: older.keys.bytes.span.extracting(older.keys.range(of: fact.record.rangeEnd)))
            batch.observed.append(record)
        }
        older.facts.removeAll(keepingCapacity: true)
        older.keys.removeAll()
    }

    /// What of the fact is certain at the start and not yet said; nil if nothing.
    private mutating func judged(_ fact: Fact) -> ObservedRecord? {
        if fact.content == .counted { return judgedCount(fact) }
        guard let place = keys.place(of: older.keys.hash(of: fact.record.key)) else {
            droppedFacts += 1
            return nil
        }
        guard keys[place].firstChange != ObservedKeys.changedAnywhere else { return nil }
        let unchanged = keys[place].firstChange > fact.revision
        switch fact.content {
        case .absent:
            guard unchanged, keys[place].said == .nothing, !mayBeDeleted(fact.record.key, by: fact.revision) else {
                return nil
            }
            keys[place].said = .all
            return fact.record
        case .keyValue:
            if fact.record.modRevision <= startBound {
                guard keys[place].said != .all else { return nil }
                keys[place].said = .all
                return fact.record
            }
            guard fact.record.createRevision <= startBound, keys[place].said == .nothing else { return nil }
            keys[place].said = .existence
            var record = ObservedRecord(kind: .present, source: fact.record.source, key: 0)
            record.createRevision = fact.record.createRevision
            return record
        case .present:
            let since = max(fact.record.modRevision, fact.record.createRevision)
            guard since <= startBound, since > 0 || unchanged, keys[place].said == .nothing else { return nil }
            keys[place].said = .existence
            return fact.record
        case .counted:
            return nil
        }
    }

    /// A count is known to hold at the start only if the store had not changed since.
    private mutating func judgedCount(_ fact: Fact) -> ObservedRecord? {
        guard fact.revision <= startBound else { return nil }
        let hash = older.keys.bytes.span.extracting(older.keys.range(of: fact.record.rangeEnd))
            .hash64(seed: older.keys.hash(of: fact.record.key))
        guard !countedRanges.contains(hash) else { return nil }
        guard countedRanges.count < limits.countedRanges else {
            droppedFacts += 1
            return nil
        }
        countedRanges.insert(hash)
        return fact.record
    }

    /// Whether a deletion that did not name its keys may have deleted this one, at `revision` or before.
    private func mayBeDeleted(_ number: KeyNumber, by revision: Int64) -> Bool {
        if unnamedDeletes <= revision { return true }
        let key = older.keys.bytes.span.extracting(older.keys.range(of: number))
        for range in rangeDeletes where range.revision <= revision {
            let bytes = rangeKeys.bytes.span
            let (start, end) = (
                bytes.extracting(rangeKeys.range(of: range.key)), bytes.extracting(rangeKeys.range(of: range.end))
            )
            if key.precedes(start) { continue }
            // A range end of one zero byte stands for the end of the key space (etcd rpc.proto, DeleteRangeRequest).
            if end.count == 1, end[0] == 0 { return true }
            if key.precedes(end) { return true }
        }
        return false
    }

    // MARK: Taking in

    /// Any of them, and the operation proves nothing.
    private static let damages =
        ([
            .requestDamaged, .requestUndecoded, .keyLost, .responseDamaged, .responseUndecoded,
        ] as Operation.Completeness).rawValue

    private mutating func take(_ operation: Operation, of batch: borrowing OperationBatch) {
        let isWhole = operation.completeness.rawValue & Self.damages == 0
        takeEvents(of: operation, batch)
        guard operation.role == .call else { return }
        let revision = operation.headerRevision
        let isAnswered = operation.body.flags.contains(.answered) && isWhole && revision > 0
        switch operation.kind {
        case .compact where revision > 0:
            startBound = min(startBound, revision)
        case .leaseRevoke where operation.mayHaveRun:
            unnamedDeletes = min(unnamedDeletes, revision)
        case .range, .rangeStream:
            guard isAnswered else { return }
            if operation.body.isLinearizable { startBound = min(startBound, revision) }
            takeAnswer(operation.body, at: revision, .rangeReply, batch)
        case .put, .delete:
            guard isAnswered else { return takeUnanswered(operation, batch) }
            let wrote = takeChange(operation.body, at: revision, batch)
            startBound = min(startBound, wrote ? revision - 1 : revision)
            takeAnswer(operation.body, at: revision, .rangeReply, batch)
        case .txn:
            guard isAnswered else { return takeUnanswered(operation, batch) }
            takeTransaction(operation, at: revision, batch)
        default:
            break
        }
    }

    /// A write without an answer may have been executed all the same, at any revision: what is seen of its keys proves
    /// nothing about the start.
    private mutating func takeUnanswered(_ operation: Operation, _ batch: borrowing OperationBatch) {
        guard operation.mayHaveRun else { return }
        if operation.kind != .txn { return takePossibleChange(operation.body, batch) }
        for index in operation.parts.range { takePossibleChange(batch.parts[index], batch) }
    }

    private mutating func takePossibleChange(_ body: RequestOp, _ batch: borrowing OperationBatch) {
        switch body.kind {
        case .delete where body.flags.contains(.hasRangeEnd):
            takeRangeDelete(body, at: ObservedKeys.changedAnywhere, batch)
        case .put, .delete:
            change(body.key, at: ObservedKeys.changedAnywhere, batch)
        case .range, .txn, .watchCreate, .none:
            break
        }
    }

    private mutating func takeTransaction(_ operation: Operation, at revision: Int64, _ batch: borrowing OperationBatch)
    {
        var wrote = false
        var isLinearizable = true
        for index in operation.parts.range where batch.parts[index].flags.contains(.answered) {
            if takeChange(batch.parts[index], at: revision, batch) { wrote = true }
            if !batch.parts[index].isLinearizable { isLinearizable = false }
        }
        if wrote {
            startBound = min(startBound, revision - 1)
        } else if isLinearizable {
            startBound = min(startBound, revision)
        }
        for index in operation.parts.range where batch.parts[index].flags.contains(.answered) {
            takeAnswer(batch.parts[index], at: revision, .txnReply, batch)
        }
        guard operation.body.flags.contains(.succeeded) else { return }
        for index in operation.body.compares.range {
            takeCompare(batch.compares[index], at: wrote ? revision - 1 : revision, batch)
        }
    }

    /// Notes which keys the request changed; whether it changed any.
    private mutating func takeChange(_ body: RequestOp, at revision: Int64, _ batch: borrowing OperationBatch) -> Bool {
        switch body.kind {
        case .put:
            change(body.key, at: revision, batch)
            return true
        case .delete where body.count > 0:
            if !body.flags.contains(.hasRangeEnd) {
                change(body.key, at: revision, batch)
            } else {
                takeRangeDelete(body, at: revision, batch)
            }
            return true
        case .delete, .range, .txn, .watchCreate, .none:
            return false
        }
    }

    private mutating func takeRangeDelete(_ body: RequestOp, at revision: Int64, _ batch: borrowing OperationBatch) {
        let size = batch.keys.range(of: body.key).count + batch.keys.range(of: body.rangeEnd).count
        guard rangeDeletes.count < limits.rangeDeletes, body.rangeEnd != 0,
            rangeKeys.byteCount + size <= limits.rangeDeleteBytes
        else {
            unnamedDeletes = min(unnamedDeletes, revision)
            return
        }
        rangeDeletes.append(
            RangeDelete(
                key: rangeKeys.number(of: batch.keys.bytes.span.extracting(batch.keys.range(of: body.key))),
                end: rangeKeys.number(of: batch.keys.bytes.span.extracting(batch.keys.range(of: body.rangeEnd))),
                revision: revision))
    }

    /// Facts of an answer: key-values, previous key-values, and that there was nothing.
    private mutating func takeAnswer(
        _ body: RequestOp, at revision: Int64, _ source: ObservedRecord.Source, _ batch: borrowing OperationBatch
    ) {
        switch body.kind {
        case .range:
            let at = body.revision > 0 ? body.revision : revision
            for index in body.keyValues.range {
                take(batch.keyValues[index], at: at, source, hasValue: !body.flags.contains(.keysOnly), batch)
            }
            guard !body.flags.contains(.revisionFilter), body.key != 0 else { return }
            if body.flags.contains(.hasRangeEnd) {
                guard body.count > Int64(body.keyValues.count), at <= startBound else { return }
                var record = ObservedRecord(kind: .counted, source: source, key: body.key)
                record.rangeEnd = body.rangeEnd
                record.count = body.count
                record.named = Int64(body.keyValues.count)
                wait(.counted, at: at, record, batch.keys)
            } else if body.count == 0, body.keyValues.isEmpty {
                wait(.absent, key: body.key, at: at, source, batch)
            } else if body.keyValues.isEmpty {
                wait(.present, key: body.key, at: at, source, batch)
            }
        case .put, .delete:
            for index in body.keyValues.range {
                if body.kind == .delete { change(batch.keyValues[index].key, at: revision, batch) }
                take(batch.keyValues[index], at: revision - 1, .previous, hasValue: true, batch)
            }
            if body.kind == .delete, body.count > 0, !body.flags.contains(.hasRangeEnd), body.keyValues.isEmpty {
                wait(.present, key: body.key, at: revision - 1, .previous, batch)
            }
        case .txn, .watchCreate, .none:
            return
        }
    }

    private mutating func takeEvents(of operation: Operation, _ batch: borrowing OperationBatch) {
        var eventRevision: Int64 = 0
        for index in operation.events.range {
            let event = batch.keyValues[index]
            switch event.kind {
            case .putEvent, .deleteEvent:
                eventRevision = event.modRevision
                // No revision of etcd's is below 1. A watch may begin in the past: such events are no changes of this
                // recording.
                guard eventRevision > 0, eventRevision > startBound || startBound == .max else { continue }
                change(event.key, at: eventRevision, batch)
                if event.kind == .deleteEvent {
                    wait(.present, key: event.key, at: eventRevision - 1, .event, batch)
                } else if event.version == 1, event.createRevision == eventRevision {
                    wait(.absent, key: event.key, at: eventRevision - 1, .event, batch)
                } else {
                    take(event, at: eventRevision, .event, hasValue: true, batch)
                }
            case .previous:
                if eventRevision > 0 { take(event, at: eventRevision - 1, .previous, hasValue: true, batch) }
            case .reply:
                continue
            }
        }
    }

    private mutating func takeCompare(_ compare: Compare, at revision: Int64, _ batch: borrowing OperationBatch) {
        guard compare.rangeEnd == 0, compare.key != 0 else { return }
        switch (compare.target, compare.relation) {
        case (.value, _), (.lease, _):
            return
        case (_, .equal) where compare.operand == 0:
            wait(.absent, key: compare.key, at: revision, .compare, batch)
        case (_, .equal) where compare.operand > 0:
            guard isNew(compare.key, batch) else { return }
            var record = ObservedRecord(kind: .present, source: .compare, key: compare.key)
            switch compare.target {
            case .modRevision:
                record.modRevision = compare.operand
                if compare.operand > startBound { change(compare.key, at: compare.operand, batch) }
            case .createRevision:
                record.createRevision = compare.operand
                if compare.operand > startBound { change(compare.key, at: compare.operand, batch) }
            case .version: record.version = compare.operand
            case .value, .lease: return
            }
            wait(.present, at: revision, record, batch.keys)
        case (_, .greater) where compare.operand >= 0, (_, .notEqual) where compare.operand == 0:
            wait(.present, key: compare.key, at: revision, .compare, batch)
        default:
            return
        }
    }

    private mutating func take(
        _ keyValue: KeyValueRecord, at revision: Int64, _ source: ObservedRecord.Source, hasValue: Bool,
        _ batch: borrowing OperationBatch
    ) {
        guard keyValue.key != 0, keyValue.modRevision > 0, keyValue.createRevision > 0 else { return }
        if keyValue.modRevision > startBound {
            let isCreatedSince = keyValue.createRevision > startBound
            change(keyValue.key, at: isCreatedSince ? keyValue.createRevision : keyValue.modRevision, batch)
            if isCreatedSince { return }
        }
        guard keys.said(batch.keys.hash(of: keyValue.key)) != .all else { return }
        var record = ObservedRecord(kind: .present, source: source, key: keyValue.key)
        record.createRevision = keyValue.createRevision
        record.modRevision = keyValue.modRevision
        record.version = keyValue.version
        record.lease = keyValue.lease
        record.valueSize = hasValue ? keyValue.valueSize : -1
        wait(.keyValue, at: revision, record, batch.keys)
    }

    /// Puts a fact without details in the queue, unless something was said of the key already.
    private mutating func wait(
        _ content: Fact.Content, key: KeyNumber, at revision: Int64, _ source: ObservedRecord.Source,
        _ batch: borrowing OperationBatch
    ) {
        guard key != 0, isNew(key, batch) else { return }
        let kind: ObservedRecord.Kind = content == .absent ? .absent : .present
        wait(content, at: revision, ObservedRecord(kind: kind, source: source, key: key), batch.keys)
    }

    private func isNew(_ key: KeyNumber, _ batch: borrowing OperationBatch) -> Bool {
        keys.said(batch.keys.hash(of: key)) == .nothing
    }

    private mutating func change(_ key: KeyNumber, at revision: Int64, _ batch: borrowing OperationBatch) {
        guard key != 0, let place = keys.place(of: batch.keys.hash(of: key)) else { return }
        keys[place].firstChange = min(keys[place].firstChange, revision)
    }
}

/// What `ObservedState` keeps at most; beyond, facts are left out and counted.
package struct ObservedStateLimits: Sendable {
    /// Keys, at 24 bytes each twice over: what a large cluster holds.
    package var keys = 1 << 20
    /// Facts that wait, a generation: enough for the lists with which an API server begins. When there are more, they
    /// are judged earlier.
    package var waitingFacts = 65_536
    /// Bytes of the keys that facts of a generation name.
    package var waitingBytes = 16 << 20
    /// Nanoseconds a fact waits at least: longer than requests take to be answered on a healthy store.
    package var patience: Int64 = 5_000_000_000
    /// Range deletions that are remembered one by one.
    package var rangeDeletes = 256
    /// Bytes of their keys.
    package var rangeDeleteBytes = 4 << 20
    /// Ranges of which a count is kept.
    package var countedRanges = 4_096

    package init() {}
}

extension Operation {
    /// The last moment at which something of it was seen.
    @inline(__always)
    fileprivate var end: CaptureTime {
        let (nanoseconds, overflow) = time.nanoseconds.addingReportingOverflow(max(requestEnd, responseEnd, 0))
        return CaptureTime(nanoseconds: overflow ? .max : nanoseconds)
    }

    /// Whether the server may have executed it: it ended well, or with a status that leaves that open, or unseen.
    fileprivate var mayHaveRun: Bool {
        guard let status else { return true }
        // OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
        return [0, 1, 2, 4, 10, 13, 14, 15].contains(status)
    }
}

extension RequestOp {
    /// Whether its answer's revision is no older than the call. A write is; a serializable range may not be.
    fileprivate var isLinearizable: Bool { kind != .range || !flags.contains(.serializable) }
}

extension Span<UInt8> {
    /// Whether these bytes come before the others in etcd's order of keys.
    package func precedes(_ other: Span<UInt8>) -> Bool {
        for offset in 0..<Swift.min(count, other.count) where self[offset] != other[offset] {
            return self[offset] < other[offset]
        }
        return count < other.count
    }
}
