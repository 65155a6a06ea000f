import Wire

/// Writes requests of the etcd v3 API as gRPC's length-prefixed messages, one after the other into memory that is used
/// again (gRPC over HTTP/2: one byte compressed flag, four bytes big-endian length, message).
///
/// Fields stand in ascending order, those that are 0 or empty are left out, members of a oneof are not: what encoders
/// of all languages write. Field numbers of rpc.proto, v3lock.proto and v3election.proto stand beside their messages.
package struct RequestWriter: Sendable {
    /// The message written last, with its prefix.
    package private(set) var bytes: [UInt8] = []
    /// What the values of puts are made of.
    private let values: ValueSource

    private static let prefixBytes = 5

    package init(values: ValueSource) { self.values = values }

    /// Bytes of the message written last, without its prefix.
    package var messageBytes: Int { bytes.count - Self.prefixBytes }

    // MARK: KV

    /// Range, RangeStream, Put, DeleteRange or Txn, as `body` says; false if it is none of them.
    /// - Parameters:
    ///   - parts: the operations of a transaction's branches, as `Operation.parts` has them.
    ///   - compares: what the `compares` of `body` and of nested transactions name.
    ///   - keys: what all of them name their keys by.
    ///   - valueID: what the value of a put begins with; the place of the part is added for those in a transaction.
    package mutating func writeOperation(
        _ body: RequestOp, parts: [RequestOp], compares: [Compare], keys: KeyList, valueID: UInt64
    ) -> Bool {
        begin()
        let isWritten = append(
            body, parts: parts, 0..<parts.count, compares: compares, keys: keys, valueID: valueID, place: 0)
        end()
        return isWritten
    }

    /// CompactionRequest: 1 revision.
    package mutating func writeCompaction(revision: Int64) { writeNumbers(revision) }

    // MARK: Watch. WatchRequest: one of 1 create_request, 2 cancel_request, 3 progress_request

    /// WatchCreateRequest: 1 key, 2 range_end, 3 start_revision, 4 progress_notify, 5 filters, 6 prev_kv, 8 fragment.
    /// The watch ID is the server's to choose.
    package mutating func writeWatchCreate(_ body: RequestOp, keys: KeyList) {
        begin()
        let create = open(1)
        append(key: body.key, of: keys, 1)
        append(key: body.rangeEnd, of: keys, 2)
        append(body.revision, 3)
        append(body.flags.contains(.progressNotify), 4)
        let filters: [UInt8] = (body.flags.contains(.noPut) ? [0] : []) + (body.flags.contains(.noDelete) ? [1] : [])
        if !filters.isEmpty { append(filters.span, 5) }
        append(body.flags.contains(.prevKv), 6)
        append(body.flags.contains(.fragment), 8)
        close(create)
        end()
    }

    /// WatchCancelRequest: 1 watch_id.
    package mutating func writeWatchCancel(_ watchID: Int64) {
        begin()
        let cancel = open(2)
        append(watchID, 1)
        close(cancel)
        end()
    }

    package mutating func writeWatchProgress() {
        begin()
        close(open(3))
        end()
    }

    // MARK: Lease

    /// LeaseGrantRequest: 1 TTL, 2 ID; of 0 the server chooses it.
    package mutating func writeLeaseGrant(ttl: Int64, lease: Int64) { writeNumbers(ttl, lease) }

    /// LeaseRevokeRequest, LeaseKeepAliveRequest, LeaseTimeToLiveRequest: 1 ID.
    package mutating func writeLease(_ lease: Int64) { writeNumbers(lease) }

    // MARK: Maintenance and Cluster

    /// LeaseLeasesRequest, StatusRequest, HashRequest, SnapshotRequest, DefragmentRequest, MemberListRequest, and
    /// AlarmRequest to get the alarms (action 0, GET; member 0, all).
    package mutating func writeEmpty() { writeNumbers() }

    /// HashKVRequest: 1 revision.
    package mutating func writeHashKV(revision: Int64) { writeNumbers(revision) }

    // MARK: Lock, Election and Auth

    /// LockRequest: 1 name, 2 lease. Of CampaignRequest the same, and 3 value, which has `valueSize` bytes.
    package mutating func writeLock(
        _ name: KeyNumber, keys: KeyList, lease: Int64, valueSize: Int = 0, valueID: UInt64 = 0
    ) {
        begin()
        append(key: name, of: keys, 1)
        append(lease, 2)
        appendValue(valueSize, id: valueID, 3)
        end()
    }

    /// UnlockRequest: 1 key. LeaderRequest: 1 name.
    package mutating func writeName(_ name: KeyNumber, keys: KeyList) {
        begin()
        append(key: name, of: keys, 1)
        end()
    }

    /// AuthenticateRequest: 1 name, 2 password.
    package mutating func writeAuthenticate(user: String, password: String) {
        begin()
        let (user, password) = (Array(user.utf8), Array(password.utf8))
        if !user.isEmpty { append(user.span, 1) }
        if !password.isEmpty { append(password.span, 2) }
        end()
    }

    // MARK: Messages

    private mutating func begin() {
        bytes.removeAll(keepingCapacity: true)
        _ = bytes.appendZeros(Self.prefixBytes)
    }

    private mutating func end() {
        bytes.storeBigEndian32(UInt32(truncatingIfNeeded: messageBytes), at: 1)
    }

    /// A message of numbers, whose fields are 1 and, if there is another, 2.
    private mutating func writeNumbers(_ first: Int64 = 0, _ second: Int64 = 0) {
        begin()
        append(first, 1)
        append(second, 2)
        end()
    }

    /// What stands in a RequestOp, or is a request of its own; false if it is nothing.
    private mutating func append(
        _ op: RequestOp, parts: [RequestOp], _ own: Range<Int>, compares: [Compare], keys: KeyList, valueID: UInt64,
        place: Int
    ) -> Bool {
        switch op.kind {
        case .range: appendRange(op, keys)
        case .put: appendPut(op, keys, valueID: valueID &+ UInt64(place))
        case .delete: appendDelete(op, keys)
        case .txn: return appendTxn(op, parts: parts, own, compares: compares, keys: keys, valueID: valueID)
        case .none, .watchCreate: return false
        }
        return true
    }

    /// RangeRequest: 1 key, 2 range_end, 3 limit, 4 revision, 5 sort_order, 6 sort_target, 7 serializable,
    /// 8 keys_only, 9 count_only.
    private mutating func appendRange(_ op: RequestOp, _ keys: KeyList) {
        append(key: op.key, of: keys, 1)
        append(key: op.rangeEnd, of: keys, 2)
        append(op.limit, 3)
        append(op.revision, 4)
        append(Int64(op.sortOrder), 5)
        append(Int64(op.sortTarget), 6)
        append(op.flags.contains(.serializable), 7)
        append(op.flags.contains(.keysOnly), 8)
        append(op.flags.contains(.countOnly), 9)
    }

    /// PutRequest: 1 key, 2 value, 3 lease, 4 prev_kv, 5 ignore_value, 6 ignore_lease.
    private mutating func appendPut(_ op: RequestOp, _ keys: KeyList, valueID: UInt64) {
        append(key: op.key, of: keys, 1)
        if !op.flags.contains(.ignoreValue) { appendValue(Int(op.valueSize), id: valueID, 2) }
        append(op.lease, 3)
        append(op.flags.contains(.prevKv), 4)
        append(op.flags.contains(.ignoreValue), 5)
        append(op.flags.contains(.ignoreLease), 6)
    }

    /// DeleteRangeRequest: 1 key, 2 range_end, 3 prev_kv.
    private mutating func appendDelete(_ op: RequestOp, _ keys: KeyList) {
        append(key: op.key, of: keys, 1)
        append(key: op.rangeEnd, of: keys, 2)
        append(op.flags.contains(.prevKv), 3)
    }

    /// TxnRequest: 1 compare*, 2 success RequestOp*, 3 failure RequestOp*.
    private mutating func appendTxn(
        _ op: RequestOp, parts: [RequestOp], _ own: Range<Int>, compares: [Compare], keys: KeyList, valueID: UInt64
    ) -> Bool {
        for place in op.compares.range {
            let compare = open(1)
            append(compares[place], keys, valueID: valueID)
            close(compare)
        }
        var place = own.lowerBound
        while place < own.upperBound {
            let part = parts[place]
            let next = place + 1 + Int(part.nestedParts)
            guard next <= own.upperBound else { return false }
            // RequestOp: one of 1 request_range, 2 request_put, 3 request_delete_range, 4 request_txn.
            let operation = open(part.branch == .failure ? 3 : 2)
            let member = open(part.kind.rawValue)
            guard
                append(
                    part, parts: parts, place + 1..<next, compares: compares, keys: keys, valueID: valueID,
                    place: place)
            else { return false }
            close(member)
            close(operation)
            place = next
        }
        return true
    }

    /// Compare: 1 result, 2 target, 3 key, one of 4 version, 5 create_revision, 6 mod_revision, 7 value, 8 lease;
    /// 64 range_end.
    private mutating func append(_ compare: Compare, _ keys: KeyList, valueID: UInt64) {
        append(Int64(compare.relation.rawValue), 1)
        append(Int64(compare.target.rawValue), 2)
        append(key: compare.key, of: keys, 3)
        let member = compare.target.rawValue + 4
        if compare.target == .value {
            // What it was compared with is not recorded but for its size.
            appendTag(7, isBytes: true)
            let size = Int(clamping: compare.operand)
            appendVarint(UInt64(size))
            values.append(size, id: valueID, to: &bytes)
        } else {
            appendTag(member, isBytes: false)
            appendVarint(UInt64(bitPattern: compare.operand))
        }
        append(key: compare.rangeEnd, of: keys, 64)
    }

    // MARK: Fields

    private mutating func append(_ number: Int64, _ field: UInt8) {
        if number == 0 { return }
        appendTag(field, isBytes: false)
        appendVarint(UInt64(bitPattern: number))
    }

    private mutating func append(_ flag: Bool, _ field: UInt8) { append(flag ? 1 : 0, field) }

    private mutating func append(key: KeyNumber, of keys: KeyList, _ field: UInt8) {
        if key == 0 { return }
        append(keys.bytes.span.extracting(keys.range(of: key)), field)
    }

    private mutating func append(_ content: Span<UInt8>, _ field: UInt8) {
        appendTag(field, isBytes: true)
        appendVarint(UInt64(content.count))
        bytes.append(copying: content)
    }

    private mutating func appendValue(_ size: Int, id: UInt64, _ field: UInt8) {
        if size <= 0 { return }
        appendTag(field, isBytes: true)
        appendVarint(UInt64(size))
        values.append(size, id: id, to: &bytes)
    }

    private mutating func appendTag(_ field: UInt8, isBytes: Bool) {
        appendVarint(UInt64(field) << 3 | (isBytes ? 2 : 0))
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Begins a message within this one; answers where its content begins.
    private mutating func open(_ field: UInt8) -> Int {
        appendTag(field, isBytes: true)
        bytes.append(0)
        return bytes.count
    }

    /// Ends it: its length, for which one byte is left, is known now. A longer one moves the content up.
    private mutating func close(_ start: Int) {
        let length = bytes.count - start
        var rest = UInt64(length)
        var place = start - 1
        let extra = (max(1, 64 - rest.leadingZeroBitCount) + 6) / 7 - 1
        if extra > 0 { bytes.insert(contentsOf: repeatElement(0, count: extra), at: start) }
        while rest >= 0x80 {
            bytes[place] = UInt8(truncatingIfNeeded: rest) | 0x80
            place += 1
            rest >>= 7
        }
        bytes[place] = UInt8(rest)
    }
}
