// Responses: fields of etcd's response messages (rpc.proto, kv.proto), scanned into CallDetails field by field as
// they arrive, so that a response of any length needs no more memory than its longest field.

extension CallDetails {
    /// How far a piece of a response was read.
    struct ResponseScan {
        enum Outcome: UInt8 {
            case complete
            /// The piece ends within a field.
            case partial
            case malformed
        }
        var outcome: Outcome
        /// Bytes that were read and are needed no more.
        var consumed: Int
        /// `.partial`: how many bytes the next scan wants at least, counted from `consumed`.
        var wanted = 0
        /// `.partial`: the field that was begun says nothing of interest; its `wanted` bytes can be passed over.
        var isOfNoInterest = false
    }

    /// Takes the fields of a response that lie whole in `bytes`, which begin at a field of the message.
    /// - Parameter isLast: the message ends where `bytes` end.
    mutating func scanResponse(
        _ kind: OperationKind, _ bytes: Span<UInt8>, isLast: Bool, limits: CallLimits
    ) -> ResponseScan {
        var scanner = WireScanner(0..<bytes.count)
        while true {
            switch scanner.next(in: bytes) {
            case .field:
                guard takeField(of: kind, scanner, bytes, limits: limits) else {
                    return ResponseScan(outcome: .malformed, consumed: scanner.offset)
                }
            case .end:
                return ResponseScan(outcome: .complete, consumed: bytes.count)
            case .truncated:
                guard !isLast else { return ResponseScan(outcome: .malformed, consumed: scanner.offset) }
                let held = bytes.count - scanner.offset
                // Without a length the next attempt waits for twice the bytes: the sum of all attempts stays linear.
                return ResponseScan(
                    outcome: .partial, consumed: scanner.offset,
                    wanted: scanner.isLengthKnown ? held + scanner.missing : 2 * held + scanner.missing,
                    isOfNoInterest: scanner.isLengthKnown && !Self.isOfInterest(scanner.number, in: kind))
            case .malformed:
                return ResponseScan(outcome: .malformed, consumed: scanner.offset)
            }
        }
    }

    /// Whether a length-delimited field of that number is read.
    private static func isOfInterest(_ number: UInt32, in kind: OperationKind) -> Bool {
        switch kind {
        case .range, .put: number <= 2
        case .delete, .txn: number == 1 || number == 3
        case .watch: number == 1 || number == 11
        default: number == 1
        }
    }

    private mutating func takeField(
        of kind: OperationKind, _ field: WireScanner, _ bytes: Span<UInt8>, limits: CallLimits
    ) -> Bool {
        var root = answer
        let isWellFormed: Bool
        switch kind {
        case .rangeStream:
            // RangeStreamResponse: 1 RangeResponse. Its header, more and count come with the last chunk.
            guard field.isBytes(1) else { return true }
            isWellFormed = scanRangeResponse(bytes, field.content, into: &root, limits: limits)
        case .range: isWellFormed = takeRangeField(field, bytes, into: &root, isRoot: true, limits: limits)
        case .put: isWellFormed = takePutField(field, bytes, into: &root, isRoot: true, limits: limits)
        case .delete: isWellFormed = takeDeleteField(field, bytes, into: &root, isRoot: true, limits: limits)
        case .txn: isWellFormed = takeTxnField(field, bytes, into: &root, isRoot: true, depth: 0, limits: limits)
        case .watch: return takeWatchField(field, bytes, limits: limits)
        default:
            if field.isBytes(1) { return scanHeader(bytes, field.content) }
            // LeaseGrant, LeaseKeepAlive, LeaseTimeToLive: 2 ID, 3 TTL. Nobody asks for them of other methods.
            if field.isVarint(2) { answeredLease = field.int64 } else if field.isVarint(3) { answeredTTL = field.int64 }
            return true
        }
        answer = root
        return isWellFormed
    }

    /// ResponseHeader: 1 cluster_id, 2 member_id, 3 revision, 4 raft_term.
    private mutating func scanHeader(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end: return true
            case .field:
                if scanner.isVarint(3) {
                    headerRevision = scanner.int64
                } else if scanner.isVarint(1) {
                    headerCluster = scanner.value
                }
            case .truncated, .malformed: return false
            }
        }
    }

    /// RangeResponse: 1 header, 2 kvs*, 3 more, 4 count.
    private mutating func takeRangeField(
        _ field: WireScanner, _ bytes: Span<UInt8>, into answer: inout Answer, isRoot: Bool, limits: CallLimits
    ) -> Bool {
        switch (field.number, field.type) {
        case (1, .bytes): return !isRoot || scanHeader(bytes, field.content)
        case (2, .bytes): return takeKeyValue(bytes, field.content, .reply, into: &answer, limits: limits)
        case (3, .varint):
            if field.isTrue { answer.flags.insert(.more) } else { answer.flags.remove(.more) }
        case (4, .varint): answer.count = field.int64
        default: break
        }
        return true
    }

    private mutating func scanRangeResponse(
        _ bytes: Span<UInt8>, _ range: Range<Int>, into answer: inout Answer, limits: CallLimits
    ) -> Bool {
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end: return true
            case .field:
                guard takeRangeField(scanner, bytes, into: &answer, isRoot: true, limits: limits) else { return false }
            case .truncated, .malformed: return false
            }
        }
    }

    /// PutResponse: 1 header, 2 prev_kv.
    private mutating func takePutField(
        _ field: WireScanner, _ bytes: Span<UInt8>, into answer: inout Answer, isRoot: Bool, limits: CallLimits
    ) -> Bool {
        switch (field.number, field.type) {
        case (1, .bytes): return !isRoot || scanHeader(bytes, field.content)
        case (2, .bytes):
            // Singular: one that comes again replaces the one before.
            if !answer.keyValues.isEmpty {
                keyValues.removeLast()
                answer.keyValues = Slice()
            }
            return takeKeyValue(bytes, field.content, .previous, into: &answer, limits: limits)
        default: return true
        }
    }

    /// DeleteRangeResponse: 1 header, 2 deleted, 3 prev_kvs*.
    private mutating func takeDeleteField(
        _ field: WireScanner, _ bytes: Span<UInt8>, into answer: inout Answer, isRoot: Bool, limits: CallLimits
    ) -> Bool {
        switch (field.number, field.type) {
        case (1, .bytes): return !isRoot || scanHeader(bytes, field.content)
        case (2, .varint): answer.count = field.int64
        case (3, .bytes): return takeKeyValue(bytes, field.content, .previous, into: &answer, limits: limits)
        default: break
        }
        return true
    }

    /// TxnResponse: 1 header, 2 succeeded, 3 ResponseOp*.
    private mutating func takeTxnField(
        _ field: WireScanner, _ bytes: Span<UInt8>, into answer: inout Answer, isRoot: Bool, depth: Int,
        limits: CallLimits
    ) -> Bool {
        switch (field.number, field.type) {
        case (1, .bytes): return !isRoot || scanHeader(bytes, field.content)
        case (2, .varint):
            if field.isTrue { answer.flags.insert(.succeeded) } else { answer.flags.remove(.succeeded) }
        case (3, .bytes): return scanResponseOp(bytes, field.content, depth: depth, limits: limits)
        default: break
        }
        return true
    }

    /// ResponseOp: one of 1 response_range, 2 response_put, 3 response_delete_range, 4 response_txn; the last counts.
    private mutating func scanResponseOp(
        _ bytes: Span<UInt8>, _ range: Range<Int>, depth: Int, limits: CallLimits
    ) -> Bool {
        guard answers.count < limits.parts, depth < limits.depth else { return false }
        var answer = Answer()
        var content = 0..<0
        var member = WireScanner(range)
        finding: while true {
            switch member.next(in: bytes) {
            case .end: break finding
            case .field:
                guard member.type == .bytes, let kind = Self.memberKind(member.number) else { continue finding }
                answer.kind = kind
                content = member.content
            case .truncated, .malformed: return false
            }
        }
        let place = answers.count
        answers.append(answer)
        var scanner = WireScanner(content)
        scanning: while true {
            switch scanner.next(in: bytes) {
            case .end: break scanning
            case .field:
                let isWellFormed =
                    switch answer.kind {
                    case .range: takeRangeField(scanner, bytes, into: &answer, isRoot: false, limits: limits)
                    case .put: takePutField(scanner, bytes, into: &answer, isRoot: false, limits: limits)
                    case .delete: takeDeleteField(scanner, bytes, into: &answer, isRoot: false, limits: limits)
                    case .txn:
                        takeTxnField(scanner, bytes, into: &answer, isRoot: false, depth: depth + 1, limits: limits)
                    case .none, .watchCreate: true
                    }
                guard isWellFormed else { return false }
            case .truncated, .malformed: return false
            }
        }
        if answer.kind == .txn { answer.nested = UInt32(answers.count - place - 1) }
        answers[place] = answer
        return true
    }

    /// WatchResponse: 1 header, 2 watch_id, 3 created, 4 canceled, 5 compact_revision, 6 cancel_reason, 7 fragment,
    /// 11 events*.
    private mutating func takeWatchField(_ field: WireScanner, _ bytes: Span<UInt8>, limits: CallLimits) -> Bool {
        switch (field.number, field.type) {
        case (1, .bytes): return scanHeader(bytes, field.content)
        case (2, .varint): watch.watchID = field.int64
        case (3, .varint): watch.isCreated = field.isTrue
        case (4, .varint): watch.isCanceled = field.isTrue
        case (11, .bytes): return scanEvent(bytes, field.content, limits: limits)
        default: break
        }
        return true
    }

    /// Event: 1 type (0 put, 1 delete), 2 kv, 3 prev_kv.
    private mutating func scanEvent(_ bytes: Span<UInt8>, _ range: Range<Int>, limits: CallLimits) -> Bool {
        var kind = KeyValueRecord.Kind.putEvent
        var current = 0..<0
        var previous: Range<Int>?
        var scanner = WireScanner(range)
        scanning: while true {
            switch scanner.next(in: bytes) {
            case .end: break scanning
            case .field:
                switch (scanner.number, scanner.type) {
                case (1, .varint): kind = scanner.value == 1 ? .deleteEvent : .putEvent
                case (2, .bytes): current = scanner.content
                case (3, .bytes): previous = scanner.content
                default: break
                }
            case .truncated, .malformed: return false
            }
        }
        var both = Answer()
        guard takeKeyValue(bytes, current, kind, into: &both, limits: limits) else { return false }
        guard let previous else { return true }
        return takeKeyValue(bytes, previous, .previous, into: &both, limits: limits)
    }

    /// KeyValue: 1 key, 2 create_revision, 3 mod_revision, 4 version, 5 value, 6 lease.
    private mutating func takeKeyValue(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ kind: KeyValueRecord.Kind, into answer: inout Answer,
        limits: CallLimits
    ) -> Bool {
        guard keyValues.count < limits.keyValues, keys.byteCount < limits.keyBytes else { return false }
        var record = KeyValueRecord()
        record.kind = kind
        var key = 0..<0
        var scanner = WireScanner(range)
        scanning: while true {
            switch scanner.next(in: bytes) {
            case .end: break scanning
            case .field:
                switch (scanner.number, scanner.type) {
                case (1, .bytes): key = scanner.content
                case (2, .varint): record.createRevision = scanner.int64
                case (3, .varint): record.modRevision = scanner.int64
                case (4, .varint): record.version = scanner.int64
                case (5, .bytes): record.valueSize = Int64(scanner.content.count)
                case (6, .varint): record.lease = scanner.int64
                default: break
                }
            case .truncated, .malformed: return false
            }
        }
        record.key = keys.number(of: bytes, at: key)
        if answer.keyValues.isEmpty { answer.keyValues.start = UInt32(keyValues.count) }
        keyValues.makeRoom(for: 1, atLeast: 16)
        keyValues.append(record)
        answer.keyValues.count += 1
        return true
    }
}
