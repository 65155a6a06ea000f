// Requests: fields of etcd's request messages (rpc.proto), scanned into CallDetails. A request is scanned when it is
// whole. Every function returns false for bytes that are malformed or exceed a limit.

extension CallDetails {
    /// Takes a whole request of a method of that kind; the others have no details.
    package mutating func scanRequest(_ kind: OperationKind, _ bytes: Span<UInt8>, limits: CallLimits) -> Bool {
        let all = 0..<bytes.count
        var op = RequestOp()
        let isWellFormed: Bool
        switch kind {
        case .range, .rangeStream:
            op.kind = .range
            isWellFormed = scanRange(bytes, all, into: &op)
        case .put:
            op.kind = .put
            isWellFormed = scanPut(bytes, all, into: &op)
        case .delete:
            op.kind = .delete
            isWellFormed = scanDeleteRange(bytes, all, into: &op)
        case .txn:
            op.kind = .txn
            isWellFormed = scanTxn(bytes, all, into: &op, depth: 0, limits: limits)
        default:
            isWellFormed = scanNumbers(of: kind, bytes)
        }
        if isWellFormed { body = op } else { forgetRequest() }
        return isWellFormed
    }

    /// LeaseGrant: 1 TTL, 2 ID. LeaseRevoke, LeaseTimeToLive: 1 ID. Compact, HashKV: 1 revision. Of the others nothing
    /// is kept.
    private mutating func scanNumbers(of kind: OperationKind, _ bytes: Span<UInt8>) -> Bool {
        var scanner = WireScanner(0..<bytes.count)
        while true {
            switch scanner.next(in: bytes) {
            case .end: return true
            case .field:
                switch (kind, scanner.number, scanner.type) {
                case (.leaseGrant, 1, .varint): ttl = scanner.int64
                case (.leaseGrant, 2, .varint): lease = scanner.int64
                case (.leaseRevoke, 1, .varint), (.leaseTimeToLive, 1, .varint): lease = scanner.int64
                case (.compact, 1, .varint), (.hashKV, 1, .varint): revision = scanner.int64
                default: break
                }
            case .truncated, .malformed: return false
            }
        }
    }

    /// RangeRequest: 1 key, 2 range_end, 3 limit, 4 revision, 5 sort_order, 6 sort_target, 7 serializable,
    /// 8 keys_only, 9 count_only, 10-13 min and max mod and create revision.
    private mutating func scanRange(_ bytes: Span<UInt8>, _ range: Range<Int>, into op: inout RequestOp) -> Bool {
        var key = 0..<0
        var rangeEnd = 0..<0
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end:
                op.key = keys.number(of: bytes, at: key)
                op.setRangeEnd(keys.number(of: bytes, at: rangeEnd))
                return true
            case .field:
                if scanner.type == .bytes {
                    if scanner.number == 1 {
                        key = scanner.content
                    } else if scanner.number == 2 {
                        rangeEnd = scanner.content
                    }
                } else if scanner.type == .varint {
                    switch scanner.number {
                    case 3: op.limit = scanner.int64
                    case 4: op.revision = scanner.int64
                    case 5: op.sortOrder = UInt8(clamping: scanner.value)
                    case 6: op.sortTarget = UInt8(clamping: scanner.value)
                    case 7: op.set(.serializable, to: scanner.isTrue)
                    case 8: op.set(.keysOnly, to: scanner.isTrue)
                    case 9: op.set(.countOnly, to: scanner.isTrue)
                    case 10...13: if scanner.isTrue { op.flags.insert(.revisionFilter) }
                    default: break
                    }
                }
            case .truncated, .malformed: return false
            }
        }
    }

    /// PutRequest: 1 key, 2 value, 3 lease, 4 prev_kv, 5 ignore_value, 6 ignore_lease.
    private mutating func scanPut(_ bytes: Span<UInt8>, _ range: Range<Int>, into op: inout RequestOp) -> Bool {
        var key = 0..<0
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end:
                op.key = keys.number(of: bytes, at: key)
                return true
            case .field:
                if scanner.type == .bytes {
                    if scanner.number == 1 {
                        key = scanner.content
                    } else if scanner.number == 2 {
                        op.valueSize = Int64(scanner.content.count)
                    }
                } else if scanner.type == .varint {
                    switch scanner.number {
                    case 3: op.lease = scanner.int64
                    case 4: op.set(.prevKv, to: scanner.isTrue)
                    case 5: op.set(.ignoreValue, to: scanner.isTrue)
                    case 6: op.set(.ignoreLease, to: scanner.isTrue)
                    default: break
                    }
                }
            case .truncated, .malformed: return false
            }
        }
    }

    /// DeleteRangeRequest: 1 key, 2 range_end, 3 prev_kv.
    private mutating func scanDeleteRange(
        _ bytes: Span<UInt8>, _ range: Range<Int>, into op: inout RequestOp
    ) -> Bool {
        var key = 0..<0
        var rangeEnd = 0..<0
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end:
                op.key = keys.number(of: bytes, at: key)
                op.setRangeEnd(keys.number(of: bytes, at: rangeEnd))
                return true
            case .field:
                if scanner.isBytes(1) {
                    key = scanner.content
                } else if scanner.isBytes(2) {
                    rangeEnd = scanner.content
                } else if scanner.isVarint(3) {
                    op.set(.prevKv, to: scanner.isTrue)
                }
            case .truncated, .malformed: return false
            }
        }
    }

    /// TxnRequest: 1 compare*, 2 success RequestOp*, 3 failure RequestOp*.
    ///
    /// The record wants compares first, then the success branch, then the failure branch. So do encoders; for bytes in
    /// another order (protobuf allows any) the fields are gone through once for each.
    private mutating func scanTxn(
        _ bytes: Span<UInt8>, _ range: Range<Int>, into op: inout RequestOp, depth: Int, limits: CallLimits
    ) -> Bool {
        guard depth < limits.depth else { return false }
        let isOrdered: Bool
        switch Self.isTxnOrdered(bytes, range) {
        case .some(let ordered): isOrdered = ordered
        case .none: return false
        }
        let firstCompare = compares.count
        for pass in 1...(isOrdered ? 1 : 3) {
            var scanner = WireScanner(range)
            scanning: while true {
                switch scanner.next(in: bytes) {
                case .end: break scanning
                case .field:
                    guard scanner.type == .bytes, isOrdered || Int(scanner.number) == pass else { continue scanning }
                    switch scanner.number {
                    case 1:
                        guard compares.count < limits.parts, scanCompare(bytes, scanner.content) else { return false }
                        // Those of nested transactions come later: the outer one's stand together.
                        op.compares = Slice(
                            start: UInt32(firstCompare), count: UInt32(compares.count - firstCompare))
                    case 2, 3:
                        let branch: RequestOp.Branch = scanner.number == 2 ? .success : .failure
                        guard
                            scanRequestOp(bytes, scanner.content, branch: branch, depth: depth, limits: limits)
                        else { return false }
                    default: break
                    }
                case .truncated, .malformed: return false
                }
            }
        }
        return true
    }

    /// Whether a transaction's fields come in ascending order; nil if they are malformed.
    private static func isTxnOrdered(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool? {
        var scanner = WireScanner(range)
        var highest: UInt32 = 0
        var isOrdered = true
        while true {
            switch scanner.next(in: bytes) {
            case .end: return isOrdered
            case .field:
                guard scanner.type == .bytes, scanner.number <= 3 else { continue }
                if scanner.number < highest { isOrdered = false }
                highest = scanner.number
            case .truncated, .malformed: return nil
            }
        }
    }

    /// RequestOp: one of 1 range, 2 put, 3 delete_range, 4 txn; the last one on the wire counts. One without any
    /// of them is kept as `.none`.
    private mutating func scanRequestOp(
        _ bytes: Span<UInt8>, _ range: Range<Int>, branch: RequestOp.Branch, depth: Int, limits: CallLimits
    ) -> Bool {
        guard parts.count < limits.parts else { return false }
        var op = RequestOp()
        op.branch = branch
        op.depth = UInt8(depth)
        var content = 0..<0
        var scanner = WireScanner(range)
        scanning: while true {
            switch scanner.next(in: bytes) {
            case .end: break scanning
            case .field:
                guard scanner.type == .bytes, let kind = Self.memberKind(scanner.number) else { continue scanning }
                op.kind = kind
                content = scanner.content
            case .truncated, .malformed: return false
            }
        }
        let place = parts.count
        parts.append(op)
        let isWellFormed: Bool
        switch op.kind {
        case .range: isWellFormed = scanRange(bytes, content, into: &op)
        case .put: isWellFormed = scanPut(bytes, content, into: &op)
        case .delete: isWellFormed = scanDeleteRange(bytes, content, into: &op)
        case .txn:
            isWellFormed = scanTxn(bytes, content, into: &op, depth: depth + 1, limits: limits)
            op.nestedParts = UInt32(parts.count - place - 1)
        case .none, .watchCreate: isWellFormed = true
        }
        parts[place] = op
        return isWellFormed
    }

    /// The members of RequestOp's and ResponseOp's oneof have the same numbers.
    static func memberKind(_ number: UInt32) -> RequestOp.Kind? {
        switch number {
        case 1: .range
        case 2: .put
        case 3: .delete
        case 4: .txn
        default: nil
        }
    }

    /// Compare: 1 result, 2 target, 3 key, one of 4 version, 5 create_revision, 6 mod_revision, 7 value, 8 lease;
    /// 64 range_end. etcd compares with the member that belongs to the target, and with 0 if another one is set.
    private mutating func scanCompare(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var compare = Compare()
        var key = 0..<0
        var rangeEnd = 0..<0
        var member: UInt32 = 0
        var operand: Int64 = 0
        var scanner = WireScanner(range)
        while true {
            switch scanner.next(in: bytes) {
            case .end:
                if member == UInt32(compare.target.rawValue) + 4 { compare.operand = operand }
                compare.key = keys.number(of: bytes, at: key)
                compare.rangeEnd = keys.number(of: bytes, at: rangeEnd)
                compares.append(compare)
                return true
            case .field:
                switch (scanner.number, scanner.type) {
                case (1, .varint):
                    guard let relation = Compare.Relation(rawValue: UInt8(clamping: scanner.value)) else {
                        return false
                    }
                    compare.relation = relation
                case (2, .varint):
                    guard let target = Compare.Target(rawValue: UInt8(clamping: scanner.value)) else { return false }
                    compare.target = target
                case (3, .bytes): key = scanner.content
                case (4, .varint), (5, .varint), (6, .varint), (8, .varint):
                    member = scanner.number
                    operand = scanner.int64
                case (7, .bytes):
                    member = 7
                    operand = Int64(scanner.content.count)
                case (64, .bytes): rangeEnd = scanner.content
                default: break
                }
            case .truncated, .malformed: return false
            }
        }
    }
}

extension RequestOp {
    mutating func set(_ flag: Flags, to isSet: Bool) {
        if isSet { flags.insert(flag) } else { flags.remove(flag) }
    }

    fileprivate mutating func setRangeEnd(_ number: KeyNumber) {
        rangeEnd = number
        if number != 0 { flags.insert(.hasRangeEnd) }
    }
}

// MARK: - What a request that was cut still says

extension CallDetails {
    /// The first key of a request of which only the beginning was seen, if that beginning settles it: where in `bytes`
    /// it lies. Nil if the first key may lie in what is missing.
    static func firstKey(ofCut kind: OperationKind, _ bytes: Span<UInt8>) -> Range<Int>? {
        switch kind {
        case .range, .rangeStream, .put, .delete: cutField(1, in: bytes, 0..<bytes.count)
        case .txn: firstKey(ofCutTxn: bytes, 0..<bytes.count, depth: 0)
        default: nil
        }
    }

    /// A transaction's first key is its first operation's, not a compare's: only a success operation that was seen
    /// settles it.
    private static func firstKey(ofCutTxn bytes: Span<UInt8>, _ range: Range<Int>, depth: Int) -> Range<Int>? {
        guard depth < 32 else { return nil }
        var scanner = WireScanner(range)
        while true {
            let step = scanner.next(in: bytes)
            let content: Range<Int>
            switch step {
            case .field: content = scanner.content
            case .truncated where scanner.isLengthKnown && scanner.type == .bytes:
                content = scanner.content.lowerBound..<range.upperBound
            case .end, .truncated, .malformed: return nil
            }
            guard scanner.type == .bytes, scanner.number == 2 else {
                if step == .truncated { return nil }
                continue
            }
            var member = WireScanner(content)
            let memberStep = member.next(in: bytes)
            guard memberStep == .field || memberStep == .truncated && member.isLengthKnown, member.type == .bytes else {
                return nil
            }
            let body = member.content.lowerBound..<min(member.content.upperBound, range.upperBound)
            let key: Range<Int>?
            switch memberKind(member.number) {
            case .range, .put, .delete: key = cutField(1, in: bytes, body)
            case .txn: key = firstKey(ofCutTxn: bytes, body, depth: depth + 1)
            default: key = nil
            }
            return key
        }
    }

    /// The first occurrence of a length-delimited field, if it lies whole before the cut.
    private static func cutField(_ number: UInt32, in bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var scanner = WireScanner(range)
        while scanner.next(in: bytes) == .field {
            if scanner.isBytes(number) { return scanner.content.isEmpty ? nil : scanner.content }
        }
        return nil
    }
}
