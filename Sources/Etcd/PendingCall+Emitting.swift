// The operations of one call, written into the batch.

import Wire

extension PendingCall {
    /// Writes the call's operation into the batch, and those of its messages without an answer.
    mutating func emit(begunInside: Bool, _ output: inout CallOutput) {
        stopDeferring(&output)
        while !unanswered.isEmpty {
            emitMessage(at: unanswered.oldest, answeredAt: nil, &output)
        }
        var operation = operation(role: .call, kind: kind)
        concludeMissing(begunInside: begunInside)
        concludeKey()
        operation.completeness = completeness
        if marks.isDisjoint(with: [.requestHeaders]) {
            operation.completeness.insert(begunInside ? .requestHeadersLost : .openedBefore)
        }
        if operation.completeness.isDisjoint(with: [.completed, .resetByClient, .resetByServer]) {
            operation.completeness.insert(.unfinished)
        }
        if responseStart != Operation.absent { operation.completeness.remove(.withdrawn) }
        let start = requestStart == Operation.absent ? responseStart : requestStart
        operation.setTimes(
            start: start, requestEnd: requestEnd, responseStart: responseStart,
            responseEnd: responseEnd)
        operation.status = status
        operation.errorText = numberErrorText(in: &output.batch.texts)
        operation.requestMessages = requestMessages
        operation.responseMessages = responseMessages
        operation.requestBytes = requestBytes
        operation.responseBytes = responseBytes
        operation.requestWireBytes = requestWireBytes
        operation.responseWireBytes = responseWireBytes
        operation.headerRevision = details.headerRevision
        emitDetails(into: &operation, &output)
        if operation.completeness.contains(.openedBefore), operation.kind == .watch {
            operation.key = numberWatched(in: &output.batch.keys)
        }
        output.batch.operations.append(operation)
    }

    private mutating func emitDetails(into operation: inout Operation, _ output: inout CallOutput) {
        operation.methodText = numberMethodText(in: &output.batch.texts)
        beginKeys(&output)
        operation.key =
            firstKey.isEmpty
            ? keyNumber(details.firstKey, &output) : numberFirstKey(in: &output.batch.keys)
        let hasAnswer = marks.contains(.answerRead) && !marks.contains(.answerLost)
        switch kind {
        case .range, .rangeStream, .put, .delete, .txn:
            if details.body.kind != .none { emitBody(hasAnswer: hasAnswer, into: &operation, &output) }
        case .leaseGrant:
            operation.lease = details.lease
            if hasAnswer, details.answeredLease != 0 { operation.lease = details.answeredLease }
            operation.ttl = details.ttl
        case .leaseRevoke, .leaseTimeToLive: operation.lease = details.lease
        case .compact, .hashKV: operation.revision = details.revision
        default: break
        }
    }

    private mutating func emitBody(hasAnswer: Bool, into operation: inout Operation, _ output: inout CallOutput) {
        var body = details.body
        if hasAnswer {
            body.take(details.answer)
            if body.kind == .txn, !details.matchAnswers() {
                // The answer belongs to another request: malformed, or not etcd's.
                body.flags.subtract([.answered, .succeeded])
                operation.completeness.insert(.responseUndecoded)
            }
        }
        let firstKeyValue = UInt32(output.batch.keyValues.count)
        if hasAnswer { emitKeyValues(&output) }
        let firstCompare = UInt32(output.batch.compares.count)
        for place in details.compares.indices {
            var compare = details.compares[place]
            compare.key = keyNumber(compare.key, &output)
            compare.rangeEnd = keyNumber(compare.rangeEnd, &output)
            output.batch.compares.append(compare)
        }
        operation.parts = Slice(
            start: UInt32(output.batch.parts.count), count: UInt32(details.parts.count))
        for place in details.parts.indices {
            var part = details.parts[place]
            part.key = keyNumber(part.key, &output)
            part.rangeEnd = keyNumber(part.rangeEnd, &output)
            part.keyValues.rebase(by: firstKeyValue)
            part.compares.rebase(by: firstCompare)
            output.batch.parts.append(part)
        }
        if operation.parts.isEmpty { operation.parts = Slice() }
        body.key = keyNumber(body.key, &output)
        body.rangeEnd = keyNumber(body.rangeEnd, &output)
        body.keyValues.rebase(by: firstKeyValue)
        body.compares.rebase(by: firstCompare)
        operation.body = body
    }

    /// Copies the call's key-values to the output.batch.
    private mutating func emitKeyValues(_ output: inout CallOutput) {
        for place in details.keyValues.indices {
            var record = details.keyValues[place]
            record.key = keyNumber(record.key, &output)
            output.batch.keyValues.append(record)
        }
    }

    private mutating func beginKeys(_ output: inout CallOutput) {
        output.keyNumbers.clear()
        for _ in 0..<details.keys.count { output.keyNumbers.append(0) }
    }

    /// The batch's number of a call's key.
    private mutating func keyNumber(_ number: UInt32, _ output: inout CallOutput) -> KeyNumber {
        if number == 0 { return 0 }
        let known = output.keyNumbers[Int(number) - 1]
        if known != 0 { return known }
        let new = details.keys.number(number, in: &output.batch.keys)
        output.keyNumbers[Int(number) - 1] = new
        return new
    }

    /// Writes a request on a stream, with its answer if there is one, which is the response message that was just
    /// read; and forgets it.
    mutating func emitMessage(at place: Int, answeredAt end: Int64?, _ output: inout CallOutput) {
        let message = unanswered[place]
        var operation = operation(role: .message, kind: message.kind)
        operation.completeness = .hasRequest
        operation.requestMessages = 1
        operation.requestBytes = message.byteCount
        var responseStart = Operation.absent
        if end != nil {
            responseStart = response.start
            addAnswer(to: &operation)
        }
        operation.setTimes(
            start: message.start, requestEnd: message.end, responseStart: responseStart,
            responseEnd: end ?? Operation.absent)
        switch message.kind {
        case .watchCreate:
            operation.body = message.body
            operation.body.key = unanswered.numberKey(place, in: &output.batch.keys)
            operation.body.rangeEnd = unanswered.numberRangeEnd(place, in: &output.batch.keys)
            operation.key = operation.body.key
            operation.revision = message.body.revision
            operation.watchID = message.identifier
            if end != nil {
                operation.body.flags.insert(.answered)
                operation.watchID = details.watch.watchID
            }
        case .leaseKeepAlive:
            operation.lease = message.identifier
            if end != nil { operation.ttl = details.answeredTTL }
        default: operation.watchID = message.identifier
        }
        unanswered.remove(at: place)
        output.batch.operations.append(operation)
    }

    /// Writes a request on a stream that has no answer of its own.
    mutating func emitProgressRequest(at end: Int64, _ output: inout CallOutput) {
        var operation = operation(role: .message, kind: .watchProgress)
        operation.completeness = .hasRequest
        operation.requestMessages = 1
        operation.requestBytes = Int64(request.length)
        operation.setTimes(
            start: request.start, requestEnd: end, responseStart: Operation.absent,
            responseEnd: Operation.absent)
        output.batch.operations.append(operation)
    }

    /// Writes a response on a stream that answers no request that was seen, with the events that it has.
    /// - Parameter isCounted: whether it is the response's first operation, which carries its message and bytes.
    mutating func emitResponse(
        role: Operation.Role, kind: OperationKind, isCounted: Bool, at end: Int64, _ output: inout CallOutput
    ) {
        var operation = operation(role: role, kind: kind)
        addAnswer(to: &operation)
        if !isCounted {
            operation.responseMessages = 0
            operation.responseBytes = 0
        }
        operation.setTimes(
            start: response.start, requestEnd: Operation.absent,
            responseStart: response.start, responseEnd: end)
        if kind == .leaseKeepAlive {
            operation.lease = details.answeredLease
            operation.ttl = details.answeredTTL
        } else {
            operation.watchID = details.watch.watchID
        }
        if kind == .watchEvents {
            operation.events = Slice(
                start: UInt32(output.batch.keyValues.count), count: UInt32(details.keyValues.count))
            beginKeys(&output)
            emitKeyValues(&output)
        }
        output.batch.operations.append(operation)
    }
}

extension Operation {
    /// Sets the four times from nanoseconds since the epoch, `absent` where not seen.
    fileprivate mutating func setTimes(
        start: Int64, requestEnd: Int64, responseStart: Int64, responseEnd: Int64
    ) {
        time = CaptureTime(nanoseconds: start == Operation.absent ? 0 : start)
        self.requestEnd = Operation.distance(from: start, to: requestEnd)
        self.responseStart = Operation.distance(from: start, to: responseStart)
        self.responseEnd = Operation.distance(from: start, to: responseEnd)
    }

    private static func distance(from start: Int64, to end: Int64) -> Int64 {
        if end == absent { return absent }
        // `absent` itself is no distance: a clock never steps back by 292 years.
        return max(CaptureTime(nanoseconds: end).nanoseconds(since: CaptureTime(nanoseconds: start)), absent + 1)
    }
}

extension Slice {
    fileprivate mutating func rebase(by offset: UInt32) {
        if count > 0 { start += offset } else { start = 0 }
    }
}
