import Wire

/// What all connections of a recording share while their calls are read: the batch that is being filled, the pool of
/// open calls, counters and limits.
///
/// The caller takes `batch` when it likes, empties it and goes on; open calls do not refer to it.
package struct CallContext {
    /// Operations of calls that ended, messages and events, in the order of their ends.
    package var batch = OperationBatch()
    package private(set) var health = CallHealth()
    package let limits: CallLimits

    var calls: [PendingCall] = []
    private var freeSlots: [Int32] = []
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// Calls that are open, and the bytes that they hold.
    package private(set) var openCalls = 0
    package private(set) var heldBytes = 0
    /// What waits for requests; see `deferResponse`.
    var deferredBytes = 0
    /// Bytes of memory of slots that no call has.
    private var idleBytes = 0

    let paths = MethodPaths()
    let shapes = CallShape()
    /// Calls that wait for the name of their method, and those of them that were evicted.
    private(set) var waitingCalls = 0
    var clock = RevisionClock()
    private var inflater: Inflater?
    /// Memory for a piece of a message that is inflated, and for a whole request.
    private var inflatedPiece: [UInt8] = []
    var inflated: [UInt8] = []
    /// Numbers in the batch of a call's keys, 0 where not asked for yet.
    private var keyNumbers: [KeyNumber] = []

    package init(limits: CallLimits = CallLimits()) {
        self.limits = limits
    }

    // MARK: - The pool

    /// Bytes of memory that most calls have: not worth counting as long as the call holds no more.
    private static let uncountedBytes = 2048

    /// A slot for a new call, the newest of all.
    mutating func open(connection: UInt32, stream: UInt32) -> Int {
        if openCalls >= limits.openCalls { evictCalls() }
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = Int(free)
        } else {
            slot = calls.count
            calls.append(PendingCall())
        }
        let kept = calls[slot].accountedBytes
        calls[slot].reset(connection: connection, stream: stream)
        idleBytes -= kept
        if kept > Self.uncountedBytes {
            heldBytes += kept
            calls[slot].accountedBytes = kept
        }
        calls[slot].older = newest
        if newest >= 0 { calls[Int(newest)].newer = Int32(slot) } else { oldest = Int32(slot) }
        newest = Int32(slot)
        openCalls += 1
        return slot
    }

    /// Whether the slot still holds that call: it may have been evicted.
    func holds(_ slot: Int, connection: UInt32, stream: UInt32) -> Bool {
        calls[slot].connection == connection && calls[slot].stream == stream
    }

    /// Frees the slot of a call that was emitted.
    private mutating func close(_ slot: Int) {
        let (older, newer) = (calls[slot].older, calls[slot].newer)
        if older >= 0 { calls[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { calls[Int(newer)].older = older } else { newest = older }
        heldBytes -= calls[slot].accountedBytes
        calls[slot].stream = 0
        // The memory is kept for the next call, as long as it is little in all.
        let capacity = calls[slot].capacityBytes
        if idleBytes + capacity <= limits.idleBytes {
            idleBytes += capacity
            calls[slot].accountedBytes = capacity
        } else {
            calls[slot] = PendingCall()
        }
        openCalls -= 1
        freeSlots.append(Int32(slot))
    }

    /// Counts what the call holds by now. May evict it, or others.
    mutating func account(_ slot: Int) {
        recount(slot)
        if heldBytes > limits.heldBytes { evictBytes() }
    }

    private mutating func recount(_ slot: Int) {
        let count = calls[slot].capacityBytes
        heldBytes += count - calls[slot].accountedBytes
        calls[slot].accountedBytes = count
    }

    /// Makes room for an eighth of the calls: the oldest of which nothing more is sent, then the oldest of all.
    private mutating func evictCalls() {
        var wanted = max(1, limits.openCalls / 8)
        for mayBeSending in [false, true] where wanted > 0 {
            var slot = Int(oldest)
            while slot >= 0, wanted > 0 {
                let newer = Int(calls[slot].newer)
                if mayBeSending || calls[slot].marks.contains(.requestEnded)
                    || calls[slot].marks.contains(.responseEnded)
                {
                    evict(slot)
                    wanted -= 1
                }
                slot = newer
            }
        }
    }

    /// Brings the held bytes to three quarters of the limit, the oldest calls that hold more than their share first.
    private mutating func evictBytes() {
        let aim = limits.heldBytes / 4 * 3
        let share = heldBytes / (2 * max(1, openCalls))
        var slot = Int(oldest)
        while slot >= 0, heldBytes > aim {
            let newer = Int(calls[slot].newer)
            if calls[slot].accountedBytes >= share {
                // Better to count the messages than to lose the call, and better to lose memory than either.
                if calls[slot].marks.contains(.deferring) { stopDeferring(slot) }
                let before = calls[slot].accountedBytes
                calls[slot].trim()
                recount(slot)
                if calls[slot].accountedBytes > before / 2 { evict(slot) }
            }
            slot = newer
        }
    }

    private mutating func evict(_ slot: Int) {
        // One that has ended and only waits for late bytes loses nothing that was seen.
        if calls[slot].endedAt == Operation.absent { health.streamsEvicted += 1 }
        emit(slot, begunInside: calls[slot].marks.contains(.begunInside))
    }

    /// Keeps a call that is over until its method is known. False, and the call is the caller's to emit, if too many
    /// are kept.
    mutating func park(_ slot: Int, begunInside: Bool, at time: Int64) -> Bool {
        guard waitingCalls < limits.waitingCalls else { return false }
        waitingCalls += 1
        calls[slot].marks.insert(.awaitingName)
        if begunInside { calls[slot].marks.insert(.begunInside) }
        if calls[slot].endedAt == Operation.absent { calls[slot].endedAt = time }
        account(slot)
        return true
    }

    /// So many calls do not wait any longer.
    mutating func unpark(_ count: Int) { waitingCalls -= count }

    // MARK: - Counting

    mutating func countMessage() { health.messages += 1 }
    mutating func countDamaged() { health.messagesDamaged += 1 }
    mutating func countUndecodable() { health.messagesUndecodable += 1 }

    // MARK: - Inflating

    private static let inflatedPieceBytes = 1 << 16

    /// Inflates a whole message; `body` takes the pieces and says whether it wants more. False if it is no gzip or too
    /// long.
    mutating func inflate(
        _ bytes: Span<UInt8>, _ body: (inout CallContext, Span<UInt8>) -> Bool
    ) -> Bool {
        let inflater = self.inflater ?? Inflater()
        self.inflater = inflater
        guard inflater.begin() else { return false }
        var output: [UInt8] = []
        swap(&output, &inflatedPiece)
        if output.isEmpty { output = Array(repeating: 0, count: Self.inflatedPieceBytes) }
        defer { swap(&output, &inflatedPiece) }
        var offset = 0
        var total = 0
        while true {
            switch inflater.next(from: bytes, at: &offset, into: &output) {
            case .piece(let count):
                total += count
                guard total <= limits.inflatedBytes else { return false }
                if !body(&self, output.span.extracting(0..<count)) { return false }
            case .end: return true
            case .malformed: return false
            }
        }
    }

    // MARK: - Emitting

    /// Writes the call's operation into the batch, and those of its messages without an answer, and frees its slot.
    mutating func emit(_ slot: Int, begunInside: Bool) {
        stopDeferring(slot)
        while !calls[slot].unanswered.isEmpty {
            emitMessage(slot, at: calls[slot].unanswered.oldest, answeredAt: nil)
        }
        var operation = calls[slot].operation(role: .call, kind: calls[slot].kind)
        calls[slot].concludeMissing(begunInside: begunInside)
        calls[slot].concludeKey()
        operation.completeness = calls[slot].completeness
        if calls[slot].marks.isDisjoint(with: [.requestHeaders]) {
            operation.completeness.insert(begunInside ? .requestHeadersLost : .openedBefore)
        }
        if operation.completeness.isDisjoint(with: [.completed, .resetByClient, .resetByServer]) {
            operation.completeness.insert(.unfinished)
        }
        if calls[slot].responseStart != Operation.absent { operation.completeness.remove(.withdrawn) }
        let start = calls[slot].requestStart == Operation.absent ? calls[slot].responseStart : calls[slot].requestStart
        operation.setTimes(
            start: start, requestEnd: calls[slot].requestEnd, responseStart: calls[slot].responseStart,
            responseEnd: calls[slot].responseEnd)
        operation.status = calls[slot].status
        operation.errorText = calls[slot].numberErrorText(in: &batch.texts)
        operation.requestMessages = calls[slot].requestMessages
        operation.responseMessages = calls[slot].responseMessages
        operation.requestBytes = calls[slot].requestBytes
        operation.responseBytes = calls[slot].responseBytes
        operation.requestWireBytes = calls[slot].requestWireBytes
        operation.responseWireBytes = calls[slot].responseWireBytes
        operation.headerRevision = calls[slot].details.headerRevision
        emitDetails(slot, into: &operation)
        if operation.completeness.contains(.openedBefore), operation.kind == .watch {
            operation.key = calls[slot].numberWatched(in: &batch.keys)
        }
        batch.operations.append(operation)
        close(slot)
    }

    private mutating func emitDetails(_ slot: Int, into operation: inout Operation) {
        operation.methodText = calls[slot].numberMethodText(in: &batch.texts)
        beginKeys(slot)
        operation.key =
            calls[slot].firstKey.isEmpty
            ? keyNumber(calls[slot].details.firstKey, slot) : calls[slot].numberFirstKey(in: &batch.keys)
        let hasAnswer = calls[slot].marks.contains(.answerRead) && !calls[slot].marks.contains(.answerLost)
        switch calls[slot].kind {
        case .range, .rangeStream, .put, .delete, .txn:
            if calls[slot].details.body.kind != .none { emitBody(slot, hasAnswer: hasAnswer, into: &operation) }
        case .leaseGrant:
            operation.lease = calls[slot].details.lease
            if hasAnswer, calls[slot].details.answeredLease != 0 { operation.lease = calls[slot].details.answeredLease }
            operation.ttl = calls[slot].details.ttl
        case .leaseRevoke, .leaseTimeToLive: operation.lease = calls[slot].details.lease
        case .compact, .hashKV: operation.revision = calls[slot].details.revision
        default: break
        }
    }

    private mutating func emitBody(_ slot: Int, hasAnswer: Bool, into operation: inout Operation) {
        var body = calls[slot].details.body
        if hasAnswer {
            body.take(calls[slot].details.answer)
            if body.kind == .txn, !calls[slot].details.matchAnswers() {
                // The answer belongs to another request: malformed, or not etcd's.
                body.flags.subtract([.answered, .succeeded])
                operation.completeness.insert(.responseUndecoded)
            }
        }
        let firstKeyValue = UInt32(batch.keyValues.count)
        if hasAnswer { emitKeyValues(slot) }
        let firstCompare = UInt32(batch.compares.count)
        for place in calls[slot].details.compares.indices {
            var compare = calls[slot].details.compares[place]
            compare.key = keyNumber(compare.key, slot)
            compare.rangeEnd = keyNumber(compare.rangeEnd, slot)
            batch.compares.append(compare)
        }
        operation.parts = Slice(
            start: UInt32(batch.parts.count), count: UInt32(calls[slot].details.parts.count))
        for place in calls[slot].details.parts.indices {
            var part = calls[slot].details.parts[place]
            part.key = keyNumber(part.key, slot)
            part.rangeEnd = keyNumber(part.rangeEnd, slot)
            part.keyValues.rebase(by: firstKeyValue)
            part.compares.rebase(by: firstCompare)
            batch.parts.append(part)
        }
        if operation.parts.isEmpty { operation.parts = Slice() }
        body.key = keyNumber(body.key, slot)
        body.rangeEnd = keyNumber(body.rangeEnd, slot)
        body.keyValues.rebase(by: firstKeyValue)
        body.compares.rebase(by: firstCompare)
        operation.body = body
    }

    /// Copies the call's key-values to the batch.
    private mutating func emitKeyValues(_ slot: Int) {
        for place in calls[slot].details.keyValues.indices {
            var record = calls[slot].details.keyValues[place]
            record.key = keyNumber(record.key, slot)
            batch.keyValues.append(record)
        }
    }

    private mutating func beginKeys(_ slot: Int) {
        keyNumbers.removeAll(keepingCapacity: true)
        for _ in 0..<calls[slot].details.keys.count { keyNumbers.append(0) }
    }

    /// The batch's number of a call's key.
    private mutating func keyNumber(_ number: UInt32, _ slot: Int) -> KeyNumber {
        if number == 0 { return 0 }
        let known = keyNumbers[Int(number) - 1]
        if known != 0 { return known }
        let new = calls[slot].details.keys.number(number, in: &batch.keys)
        keyNumbers[Int(number) - 1] = new
        return new
    }

    /// Writes a request on a stream, with its answer if there is one, which is the response message that was just
    /// read; and forgets it.
    mutating func emitMessage(_ slot: Int, at place: Int, answeredAt end: Int64?) {
        let message = calls[slot].unanswered[place]
        var operation = calls[slot].operation(role: .message, kind: message.kind)
        operation.completeness = .hasRequest
        operation.requestMessages = 1
        operation.requestBytes = message.byteCount
        var responseStart = Operation.absent
        if end != nil {
            responseStart = calls[slot].response.start
            calls[slot].addAnswer(to: &operation)
        }
        operation.setTimes(
            start: message.start, requestEnd: message.end, responseStart: responseStart,
            responseEnd: end ?? Operation.absent)
        switch message.kind {
        case .watchCreate:
            operation.body = message.body
            operation.body.key = calls[slot].unanswered.numberKey(place, in: &batch.keys)
            operation.body.rangeEnd = calls[slot].unanswered.numberRangeEnd(place, in: &batch.keys)
            operation.key = operation.body.key
            operation.revision = message.body.revision
            operation.watchID = message.identifier
            if end != nil {
                operation.body.flags.insert(.answered)
                operation.watchID = calls[slot].details.watch.watchID
            }
        case .leaseKeepAlive:
            operation.lease = message.identifier
            if end != nil { operation.ttl = calls[slot].details.answeredTTL }
        default: operation.watchID = message.identifier
        }
        calls[slot].unanswered.remove(at: place)
        batch.operations.append(operation)
    }

    /// Writes a request on a stream that has no answer of its own.
    mutating func emitProgressRequest(_ slot: Int, at end: Int64) {
        var operation = calls[slot].operation(role: .message, kind: .watchProgress)
        operation.completeness = .hasRequest
        operation.requestMessages = 1
        operation.requestBytes = Int64(calls[slot].request.length)
        operation.setTimes(
            start: calls[slot].request.start, requestEnd: end, responseStart: Operation.absent,
            responseEnd: Operation.absent)
        batch.operations.append(operation)
    }

    /// Writes a response on a stream that answers no request that was seen, with the events that it has.
    /// - Parameter isCounted: whether it is the response's first operation, which carries its message and bytes.
    mutating func emitResponse(
        _ slot: Int, role: Operation.Role, kind: OperationKind, isCounted: Bool, at end: Int64
    ) {
        var operation = calls[slot].operation(role: role, kind: kind)
        calls[slot].addAnswer(to: &operation)
        if !isCounted {
            operation.responseMessages = 0
            operation.responseBytes = 0
        }
        operation.setTimes(
            start: calls[slot].response.start, requestEnd: Operation.absent,
            responseStart: calls[slot].response.start, responseEnd: end)
        if kind == .leaseKeepAlive {
            operation.lease = calls[slot].details.answeredLease
            operation.ttl = calls[slot].details.answeredTTL
        } else {
            operation.watchID = calls[slot].details.watch.watchID
        }
        if kind == .watchEvents {
            operation.events = Slice(
                start: UInt32(batch.keyValues.count), count: UInt32(calls[slot].details.keyValues.count))
            beginKeys(slot)
            emitKeyValues(slot)
        }
        batch.operations.append(operation)
    }
}

/// Counts of a recording's gRPC messages.
package struct CallHealth: Sendable, Equatable {
    /// Whole messages, whether they could be read or not.
    package var messages: Int64 = 0
    /// Messages of which bytes are missing.
    package var messagesDamaged: Int64 = 0
    /// Whole messages that could not be read: malformed, too long, not inflatable.
    package var messagesUndecodable: Int64 = 0
    /// Calls that were given up because too many were open or they held too much.
    package var streamsEvicted: Int64 = 0

    package init() {}
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
