import Etcd
import Wire

extension ReplayEngine {
    /// What was written down of a call, as far as others need it.
    struct Written {
        /// The place of its first part in the batch.
        var firstPart = 0
        /// The lease that the request named.
        var lease: Int64 = 0
        /// The answers do not fit the transaction's operations.
        var isMalformed = false
        /// The store's content is another than before.
        var hasChanged = false
    }

    /// Appends the operation of an answered call or message to the batch: the request as it was sent, the answer as it
    /// came.
    @inline(__always)
    mutating func record(_ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer) -> Written {
        let place = Int(slot.call)
        let moment = answer.sent == 0 ? answer.done : answer.sent
        let connection = plan.calls[place].connection % connectionCount
        var operation = Operation(
            time: CaptureTime(nanoseconds: epoch &+ moment), connection: connection, stream: 0, role: .call,
            kind: plan.calls[place].kind, evidence: .seen, method: plan.calls[place].method)
        if answer.sent != 0 {
            operation.requestEnd = 0
            operation.requestMessages = 1
            operation.requestBytes = answer.requestBytes
        }
        let isLost = answer.isLost
        if !isLost {
            if answer.firstByte != 0 { operation.responseStart = answer.firstByte &- moment }
            operation.responseEnd = answer.done &- moment
            operation.status = answer.status
            operation.responseBytes = answer.responseBytes
            if answer.status == 0 { operation.responseMessages = 1 }
        }
        if case .message = plan.calls[place].action {
            operation.role = .message
            operation.stream = plan.calls[place].stream &+ 1
            operation.status = nil
            operation.completeness = isLost ? .hasRequest : .hasRequest.union(.hasResponse)
        } else {
            operation.completeness = isLost ? .unfinished : .completed
        }
        if !answer.errorText.isEmpty {
            operation.errorText = recording.batch.texts.number(of: answer.errorText.span)
        }
        operation.headerRevision = answer.details.headerRevision
        recording.count(
            connection: connection, from: epoch &+ moment, to: epoch &+ answer.done,
            requestBytes: answer.requestBytes, responseBytes: answer.responseBytes)

        let first = (part: recording.batch.parts.count, compare: recording.batch.compares.count)
        var written = Written(firstPart: first.part)
        var numbers = RequestNumbers()
        switch plan.calls[place].request {
        case .range(let range):
            range.ask(&operation.body)
            recording.number(keysOf: &operation, of: plan.keys)
        case .put(let put):
            put.ask(&operation.body)
            recording.number(keysOf: &operation, of: plan.keys)
        case .delete(let delete):
            delete.ask(&operation.body)
            recording.number(keysOf: &operation, of: plan.keys)
        case .txn(let txn):
            txn.ask(&operation.body)
            if txn.ownCompareCount > 0 {
                operation.body.compares = record(compares: txn.ownCompares)
            }
            if !txn.parts.isEmpty { operation.parts = record(parts: txn.parts) }
        case .watchCreate(let create):
            create.ask(&operation.body)
            recording.number(keysOf: &operation, of: plan.keys)
            numbers.watchID = create.watchID
        case .other(let other):
            operation.key = recording.number(other.key, of: plan.keys)
            operation.ttl = other.ttl
            numbers = RequestNumbers(lease: other.lease, revision: other.revision, watchID: other.watchID)
        }
        if !plan.calls[place].patches.isEmpty { translate(slot.call, first, &numbers, &operation) }
        if case .txn = operation.body.kind { operation.key = recording.firstKey(of: operation) }
        written.lease = numbers.lease == 0 ? operation.body.lease : numbers.lease
        if case .leaseGrant = operation.kind {} else { operation.lease = numbers.lease }
        operation.revision =
            operation.body.kind == .none
            ? numbers.revision : operation.body.kind == .watchCreate ? operation.body.revision : 0
        operation.watchID = numbers.watchID

        if !isLost, answer.status == 0 { take(answer, into: &operation, &written) }
        recording.batch.operations.append(consume operation)
        return written
    }

    /// Adds what an answer without an error says.
    @inline(__always)
    private mutating func take(
        _ answer: borrowing StoreAnswer, into operation: inout Operation, _ written: inout Written
    ) {
        switch operation.body.kind {
        case .range:
            operation.body.take(answer.details.answer)
        case .put:
            operation.body.take(answer.details.answer)
            written.hasChanged = true
        case .delete:
            operation.body.take(answer.details.answer)
            written.hasChanged = operation.body.count > 0
        case .txn:
            operation.body.take(answer.details.answer)
            let range = operation.parts.range
            written.isMalformed = !CallDetails.match(
                answer.details.answers, of: answer.details.answer, to: &recording.batch.parts, in: range)
            written.hasChanged = recording.hasChanged(range)
        case .watchCreate:
            operation.body.flags.insert(.answered)
            operation.watchID = answer.details.watch.watchID
        case .none:
            if answer.details.answeredLease != 0 { operation.lease = answer.details.answeredLease }
            if case .leaseKeepAlive = operation.kind { operation.ttl = answer.details.answeredTTL }
            switch operation.kind {
            case .lock, .election: written.hasChanged = true
            default: break
            }
        }
        if answer.details.keyValues.isEmpty { return }
        let first = recording.append(keyValuesOf: answer.details)
        if !operation.body.keyValues.isEmpty { operation.body.keyValues.start += first }
        recording.shift(keyValuesOf: operation.parts, by: first)
    }

    /// Adds compares of the plan to the batch.
    private mutating func record(compares slice: Slice) -> Slice {
        let start = UInt32(recording.batch.compares.count)
        for place in slice.range {
            var compare = plan.compares[place]
            compare.key = recording.number(compare.key, of: plan.keys)
            compare.rangeEnd = recording.number(compare.rangeEnd, of: plan.keys)
            recording.batch.compares.append(compare)
        }
        return Slice(start: start, count: slice.count)
    }

    /// Adds operations of the plan to the batch, and their compares behind those that are there.
    private mutating func record(parts slice: Slice) -> Slice {
        let start = UInt32(recording.batch.parts.count)
        for place in slice.range {
            var part = plan.parts[place]
            part.removeAnswer()
            part.key = recording.number(part.key, of: plan.keys)
            part.rangeEnd = recording.number(part.rangeEnd, of: plan.keys)
            if !part.compares.isEmpty { part.compares = record(compares: part.compares) }
            recording.batch.parts.append(part)
        }
        return Slice(start: start, count: slice.count)
    }

    /// Puts what was sent where the recorded numbers stand.
    private mutating func translate(
        _ call: UInt32, _ first: (part: Int, compare: Int), _ numbers: inout RequestNumbers,
        _ operation: inout Operation
    ) {
        for place in plan.calls[Int(call)].patches.range {
            let patch = plan.patches[place]
            let sent = learned.sent[place]
            let recordedKey = plan.key(of: patch, in: call)
            var key: KeyNumber = 0
            if recordedKey != 0 {
                if plan.keys.leaseSuffix(of: recordedKey) == sent { continue }
                leaseKey.make(recordedKey, of: plan.keys, lease: sent)
                key = recording.number(of: leaseKey)
            }
            switch patch.place {
            case .own:
                if key == 0 {
                    patch.apply(sent, to: &numbers, &operation.body)
                } else {
                    operation.key = key
                    if operation.body.kind != .none { operation.body.key = key }
                }
            case .part:
                let part = first.part + Int(patch.index)
                if key == 0 {
                    patch.apply(sent, to: &recording.batch.parts[part])
                } else {
                    recording.batch.parts[part].key = key
                }
            case .compare:
                let compare = first.compare + Int(patch.index)
                if key == 0 {
                    recording.batch.compares[compare].operand = sent
                } else {
                    recording.batch.compares[compare].key = key
                }
            }
        }
    }

    /// Appends the operation of a message that answers no request.
    mutating func record(event answer: borrowing StoreAnswer, stream: Int, eventCount: Int64) {
        let connection = plan.streams[stream].connection % connectionCount
        let kind: OperationKind =
            answer.details.watch.isCanceled ? .watchCanceled : eventCount > 0 ? .watchEvents : .watchNotify
        var operation = Operation(
            time: CaptureTime(nanoseconds: epoch &+ answer.done), connection: connection, stream: UInt32(stream) &+ 1,
            role: .event, kind: kind, evidence: .seen, method: plan.streams[stream].method)
        operation.completeness = .hasResponse
        operation.responseStart = 0
        operation.responseEnd = 0
        operation.responseMessages = 1
        operation.responseBytes = answer.responseBytes
        operation.headerRevision = answer.details.headerRevision
        operation.watchID = answer.details.watch.watchID
        operation.events = Slice(
            start: recording.append(keyValuesOf: answer.details), count: UInt32(answer.details.keyValues.count))
        recording.count(
            connection: connection, from: epoch &+ answer.done, to: epoch &+ answer.done, requestBytes: 0,
            responseBytes: answer.responseBytes)
        appendUnplanned(operation, call: ReplayRecord.noCall)
    }

    /// Appends the operation of a stream as a whole, which began with its first message.
    ///
    /// - Parameters:
    ///   - status: nil where it did not end.
    mutating func record(stream place: Int, status: UInt32?, done: Int64) {
        guard let opened = streams[place].opened, !streams[place].isWritten else { return }
        streams[place].isWritten = true
        let method = plan.streams[place].method
        var operation = Operation(
            time: CaptureTime(nanoseconds: epoch &+ opened),
            connection: plan.streams[place].connection % connectionCount, stream: UInt32(place) &+ 1, role: .call,
            kind: MethodCatalogue.method(method)?.kind ?? .other, evidence: .seen, method: method)
        operation.status = status
        operation.completeness = status == nil ? .unfinished : .completed
        if status != nil { operation.responseEnd = done &- opened }
        operation.requestMessages = streams[place].requests
        operation.responseMessages = streams[place].responses
        operation.requestBytes = streams[place].requestBytes
        operation.responseBytes = streams[place].responseBytes
        appendUnplanned(operation, call: number(of: streams[place].openingCall))
    }

    private mutating func appendUnplanned(_ operation: Operation, call: UInt32) {
        recording.batch.operations.append(operation)
        var replay = ReplayRecord()
        replay.call = call
        replay.loop = loop
        recording.batch.replays.append(replay)
    }
}

extension ReplayRecording {
    /// Makes keys of the plan in the body of an operation, which names the first of them, keys of the batch.
    @inline(__always)
    mutating func number(keysOf operation: inout Operation, of keys: borrowing ByteTable) {
        operation.body.key = number(operation.body.key, of: keys)
        operation.body.rangeEnd = number(operation.body.rangeEnd, of: keys)
        operation.key = operation.body.key
    }

    /// What a transaction names first (`CallDetails.firstKey`).
    @inline(__always)
    func firstKey(of operation: borrowing Operation) -> KeyNumber {
        for place in operation.parts.range where batch.parts[place].key != 0 { return batch.parts[place].key }
        for place in operation.body.compares.range where batch.compares[place].key != 0 {
            return batch.compares[place].key
        }
        return 0
    }

    /// Whether one of those operations was executed and changed something.
    @inline(__always)
    func hasChanged(_ parts: Range<Int>) -> Bool {
        for place in parts where batch.parts[place].flags.contains(.answered) {
            switch batch.parts[place].kind {
            case .put: return true
            case .delete: if batch.parts[place].count > 0 { return true }
            case .none, .range, .txn, .watchCreate: break
            }
        }
        return false
    }

    /// Makes places of an answer's key-values places of the batch's.
    mutating func shift(keyValuesOf parts: Slice, by first: UInt32) {
        for place in parts.range where !batch.parts[place].keyValues.isEmpty {
            batch.parts[place].keyValues.start += first
        }
    }
}
