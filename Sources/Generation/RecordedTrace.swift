package import Etcd
import Wire

/// A whole trace, with what has to be known of all of it before a copy of it can be made.
package struct RecordedTrace: Sendable {
    private(set) var batches: [OperationBatch] = []
    /// Revisions and leases that records name, in any order, with repetitions.
    private(set) var revisions: [Int64] = []
    private(set) var leases: [Int64] = []
    private(set) var sightings: [CopyRevisions.Sighting] = []
    /// Revisions of answered writes.
    private(set) var writes: Set<Int64> = []
    /// The store's revision at the start, as far as answers to calls bound it from above.
    private(set) var start = Int64.max
    private(set) var origins = RevisionOrigins()
    private(set) var keys: CopyKeys
    /// Distinct addresses of clients, in the order of their appearance.
    private(set) var addresses = ByteTable()
    private(set) var highestConnection: UInt32 = 0
    private(set) var requests = 0
    private var firstTime = Int64.max
    private var lastTime = Int64.min
    private var byteCount = 0
    private let limits: GenerationLimits

    /// - Parameter copies: how many are to be made; at least one.
    package init(copies: Int, limits: GenerationLimits = GenerationLimits()) {
        self.limits = limits
        keys = CopyKeys(copies: copies)
    }

    /// Takes the next batch of the trace.
    package mutating func add(_ batch: OperationBatch) throws(GenerationError) {
        guard batch.replays.isEmpty else {
            throw GenerationError(
                why: "it is a replay: its times are those of the store it ran on",
                remedy: "Enlarge the recording that was replayed.")
        }
        byteCount += batch.byteCount
        guard byteCount <= limits.traceBytes else {
            throw GenerationError(why: "it takes more than \(limits.traceBytes) bytes of memory")
        }
        let number = batches.count
        for place in batch.operations.indices { take(batch.operations[place], batch, number, place) }
        for part in batch.parts { take(part, batch) }
        for compare in batch.compares { take(compare, batch) }
        for keyValue in batch.keyValues {
            name(keyValue.createRevision)
            name(keyValue.modRevision)
            if keyValue.lease != 0 { leases.append(keyValue.lease) }
        }
        for record in batch.observed {
            name(record.createRevision)
            name(record.modRevision)
            if record.lease != 0 { leases.append(record.lease) }
            if record.rangeEnd != 0 { surveyRange(record.key, record.rangeEnd, batch) }
        }
        for record in batch.connections {
            highestConnection = max(highestConnection, record.number)
            _ = addresses.number(of: batch.texts.address(record.client).span)
        }
        compact()
        batches.append(batch)
    }

    /// To be called once, when all batches are there.
    mutating func resolve() { origins.resolve(batches) }

    /// Nanoseconds from the first operation to the last sign of one, and between two requests on average.
    var nanoseconds: Int64 {
        lastTime > firstTime ? lastTime.advanced(clampedBy: firstTime == .min ? .max : -firstTime) : 0
    }
    package var meanGap: Int64 { nanoseconds / Int64(max(requests, 1)) }
    package var isEmpty: Bool { batches.allSatisfy { $0.operations.isEmpty } }

    private mutating func take(
        _ operation: Operation, _ batch: borrowing OperationBatch, _ number: Int, _ place: Int
    ) {
        firstTime = min(firstTime, operation.time.nanoseconds)
        lastTime = max(lastTime, operation.lastTime)
        highestConnection = max(highestConnection, operation.connection)
        let isOpenedBefore = operation.completeness.contains(.openedBefore)
        if operation.role == .call, !isOpenedBefore { requests += 1 }
        take(operation.body, batch)
        for lease in [operation.lease] where lease != 0 { leases.append(lease) }
        name(operation.revision)
        if operation.headerRevision > 0 {
            name(operation.headerRevision)
            sightings.append(
                CopyRevisions.Sighting(revision: operation.headerRevision, time: operation.shownTime))
            let hasChanged = operation.hasChanged(batch)
            if hasChanged { writes.insert(operation.headerRevision) }
            if operation.role == .call { start = min(start, operation.headerRevision - (hasChanged ? 1 : 0)) }
        }
        if operation.kind == .watch, isOpenedBefore, operation.key != 0 {
            keys.survey(folder: batch.keys.bytes.span.extracting(batch.keys.range(of: operation.key)))
        }
        origins.take(operation, batch, batchNumber: number, place: place)
    }

    private mutating func take(_ body: RequestOp, _ batch: borrowing OperationBatch) {
        if body.kind == .none { return }
        name(body.revision)
        if body.lease != 0 { leases.append(body.lease) }
        if body.flags.contains(.hasRangeEnd) { surveyRange(body.key, body.rangeEnd, batch) }
    }

    private mutating func take(_ compare: Compare, _ batch: borrowing OperationBatch) {
        switch compare.target {
        case .createRevision, .modRevision: name(compare.operand)
        case .lease: if compare.operand != 0 { leases.append(compare.operand) }
        case .version, .value: break
        }
        if compare.rangeEnd != 0 { surveyRange(compare.key, compare.rangeEnd, batch) }
    }

    private mutating func surveyRange(_ key: KeyNumber, _ end: KeyNumber, _ batch: borrowing OperationBatch) {
        if key == 0 || end == 0 { return }
        let bytes = batch.keys.bytes.span
        keys.survey(
            bytes.extracting(batch.keys.range(of: key)), to: bytes.extracting(batch.keys.range(of: end)))
    }

    private mutating func name(_ revision: Int64) {
        if revision > 0, revision != revisions.last { revisions.append(revision) }
    }

    /// Repetitions must not grow the lists with the trace.
    private mutating func compact() {
        if revisions.count > keptNumbers {
            revisions = Array(Set(revisions))
            keptNumbers = max(keptNumbers, 2 * revisions.count)
        }
        if leases.count > keptNumbers { leases = Array(Set(leases)) }
    }

    private var keptNumbers = 1 << 20
}

extension Operation {
    /// Nanoseconds since the epoch at which its answer had been seen, or what was seen of it.
    var shownTime: Int64 {
        if role == .event { return time.nanoseconds }
        return responseEnd == Operation.absent ? lastTime : time.nanoseconds.advanced(clampedBy: responseEnd)
    }

    /// Of all that was seen of it, the last.
    var lastTime: Int64 { time.nanoseconds.advanced(clampedBy: max(requestEnd, responseStart, responseEnd, 0)) }

    /// Whether it changed keys at its header's revision, as far as its own answer tells.
    func hasChanged(_ batch: borrowing OperationBatch) -> Bool {
        guard role == .call, status == 0 else { return false }
        switch kind {
        case .put: return body.flags.contains(.answered)
        case .delete: return body.flags.contains(.answered) && body.count > 0
        case .txn:
            for place in parts.range where batch.parts[place].flags.contains(.answered) {
                if batch.parts[place].kind == .put { return true }
                if batch.parts[place].kind == .delete, batch.parts[place].count > 0 { return true }
            }
            return false
        default: return false
        }
    }
}

extension ByteTable {
    /// `ADDRESS` of `ADDRESS:PORT`; all of it where there is no port.
    func address(_ number: UInt32) -> [UInt8] {
        let text = string(number)
        return text.lastIndex(of: UInt8(ascii: ":")).map { Array(text[..<$0]) } ?? text
    }
}
