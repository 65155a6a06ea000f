// Watch and LeaseKeepAlive: a client's messages and the server's answers to them, paired on their stream.

import Wire

extension PendingCall {
    /// WatchRequest: one of 1 create_request, 2 cancel_request, 3 progress_request; the last on the wire counts.
    mutating func readWatchRequest(_ bytes: Span<UInt8>, at end: Int64, _ output: inout CallOutput) {
        var member: UInt32 = 0
        var content = 0..<0
        var scanner = WireScanner(0..<bytes.count)
        scanning: while true {
            switch scanner.next(in: bytes) {
            case .end: break scanning
            case .field:
                if scanner.type == .bytes, (1...3).contains(scanner.number) {
                    member = scanner.number
                    content = scanner.content
                }
            case .truncated, .malformed: return failStreamRequest(&output)
            }
        }
        var message = UnansweredMessages.Message(
            kind: .watchCreate, start: request.start, end: end,
            byteCount: Int64(request.length), identifier: 0)
        switch member {
        case 1:
            guard let keys = message.readWatchCreate(bytes, content) else { return failStreamRequest(&output) }
            // The first message of which it is certain that it is the first names the call's key.
            if !marks.contains(.firstMessageUncertain), !marks.contains(.requestRead) {
                firstKey.makeRoom(for: keys.key.count, atLeast: 128)
                firstKey.append(copying: bytes.extracting(keys.key))
                marks.insert(.requestRead)
            }
            expectAnswer(message, key: bytes.extracting(keys.key), rangeEnd: bytes.extracting(keys.rangeEnd), &output)
        case 2:
            message.kind = .watchCancel
            guard message.readIdentifier(bytes, content) else { return failStreamRequest(&output) }
            expectAnswer(message, &output)
        case 3: emitProgressRequest(at: end, &output)
        default: break
        }
    }

    /// LeaseKeepAliveRequest: 1 ID.
    mutating func readKeepAlive(_ bytes: Span<UInt8>, at end: Int64, _ output: inout CallOutput) {
        var message = UnansweredMessages.Message(
            kind: .leaseKeepAlive, start: request.start, end: end,
            byteCount: Int64(request.length), identifier: 0)
        guard message.readIdentifier(bytes, 0..<bytes.count) else { return failStreamRequest(&output) }
        expectAnswer(message, &output)
    }

    private mutating func failStreamRequest(_ output: inout CallOutput) {
        output.countUndecodable()
        completeness.insert(.requestUndecoded)
    }

    private mutating func expectAnswer(
        _ message: UnansweredMessages.Message, key: Span<UInt8> = Span(), rangeEnd: Span<UInt8> = Span(),
        _ output: inout CallOutput
    ) {
        if unanswered.count >= output.limits.unansweredMessages {
            emitMessage(at: unanswered.oldest, answeredAt: nil, &output)
        }
        unanswered.append(message, key: key, rangeEnd: rangeEnd)
    }

    /// A WatchResponse was read: a create's answer, a cancel's, events, or none of them.
    mutating func concludeWatchResponse(at end: Int64, _ output: inout CallOutput) {
        let reply = details.watch
        var isCounted = true
        if reply.isCreated {
            if let place = unanswered.place(where: { $0.kind == .watchCreate }) {
                emitMessage(at: place, answeredAt: end, &output)
            } else {
                emitResponse(role: .message, kind: .watchCreate, isCounted: true, at: end, &output)
            }
            isCounted = false
        }
        if reply.isCanceled {
            let place = unanswered.place {
                $0.kind == .watchCancel && $0.identifier == reply.watchID
            }
            if let place, !reply.isCreated {
                emitMessage(at: place, answeredAt: end, &output)
            } else {
                // Also a create that is refused: created and cancelled in one response.
                emitResponse(role: .event, kind: .watchCanceled, isCounted: isCounted, at: end, &output)
            }
            isCounted = false
        }
        if !details.keyValues.isEmpty {
            if !marks.contains(.requestHeaders) { narrowWatched() }
            emitResponse(role: .event, kind: .watchEvents, isCounted: isCounted, at: end, &output)
        } else if isCounted {
            emitResponse(role: .event, kind: .watchNotify, isCounted: true, at: end, &output)
        }
    }

    /// A LeaseKeepAliveResponse was read: the answer to the oldest request with that ID.
    mutating func concludeKeepAlive(at end: Int64, _ output: inout CallOutput) {
        let lease = details.answeredLease
        if let place = unanswered.place(where: { $0.identifier == lease }) {
            emitMessage(at: place, answeredAt: end, &output)
        } else {
            emitResponse(role: .message, kind: .leaseKeepAlive, isCounted: true, at: end, &output)
        }
    }
}

extension UnansweredMessages.Message {
    /// WatchCreateRequest: 1 key, 2 range_end, 3 start_revision, 4 progress_notify, 5 filters* (0 no put, 1 no delete;
    /// packed or not), 6 prev_kv, 7 watch_id, 8 fragment. Nil if it is malformed.
    fileprivate mutating func readWatchCreate(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> (key: Range<Int>, rangeEnd: Range<Int>)? {
        body.kind = .watchCreate
        var key = 0..<0
        var rangeEnd = 0..<0
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end:
                if !rangeEnd.isEmpty { body.flags.insert(.hasRangeEnd) }
                return (key, rangeEnd)
            case .field:
                switch (scanner.number, scanner.type) {
                case (1, .bytes): key = scanner.content
                case (2, .bytes): rangeEnd = scanner.content
                case (3, .varint): body.revision = scanner.int64
                case (4, .varint): body.set(.progressNotify, to: scanner.isTrue)
                case (5, .varint): addFilter(scanner.value)
                case (5, .bytes): guard addFilters(bytes, scanner.content) else { return nil }
                case (6, .varint): body.set(.prevKv, to: scanner.isTrue)
                case (7, .varint): identifier = scanner.int64
                case (8, .varint): body.set(.fragment, to: scanner.isTrue)
                default: break
                }
            case .truncated, .malformed: return nil
            }
        }
    }

    private mutating func addFilter(_ value: UInt64) {
        if value == 0 { body.flags.insert(.noPut) } else if value == 1 { body.flags.insert(.noDelete) }
    }

    private mutating func addFilters(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard let value = WireScanner.varint(in: bytes, at: &offset, end: range.upperBound) else { return false }
            addFilter(value)
        }
        return true
    }

    /// WatchCancelRequest: 1 watch_id. LeaseKeepAliveRequest: 1 ID.
    fileprivate mutating func readIdentifier(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end: return true
            case .field: if scanner.isVarint(1) { identifier = scanner.int64 }
            case .truncated, .malformed: return false
            }
        }
    }
}

extension PendingCall {
    /// Takes in the keys of the events that were just read: a stream whose request was not seen watches at least their
    /// common beginning, up to a slash; their key, as long as it is only one.
    mutating func narrowWatched() {
        let keys = details.keys
        for record in details.keyValues where record.kind == .putEvent || record.kind == .deleteEvent {
            if record.key == 0 { continue }
            let key = keys.bytes.span.extracting(keys.range(of: record.key))
            if !marks.contains(.watchedKnown) {
                marks.insert(.watchedKnown)
                watched.append(copying: key)
            } else if !watched.isEmpty, !key.isEqual(to: watched.span) {
                var common = 0
                var end = 0
                while common < min(watched.count, key.count), watched[common] == key[common] {
                    common += 1
                    if watched[common - 1] == 0x2f { end = common }
                }
                watched.removeLast(watched.count - end)
            }
        }
    }

    /// Makes room for the next response of the stream.
    mutating func forgetResponseMessage() {
        details.forgetResponse()
        details.headerRevision = 0
        details.keys.removeAll()
    }
}
