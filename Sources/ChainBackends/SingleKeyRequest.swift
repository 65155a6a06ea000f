package import Etcd
package import Replay
import Wire

/// What a request asks of one key. A chain has reads, writes, deletions and, in the default variants, those under the
/// condition that the key has a version; of the etcd API only what comes to these has a meaning there.
package struct SingleKeyRequest: Sendable {
    package enum Kind: UInt8, Sendable {
        case read
        case put
        case delete
        /// A transaction that compares the key's mod revision, or asks whether it is absent, and puts it.
        case comparePut
        /// The same, to delete it.
        case compareDelete
        /// How many keys there are: what a replay asks before it writes.
        case countAll
    }

    package var kind: Kind
    /// Among the request's keys; 0 for `countAll`.
    package var key: KeyNumber
    /// Of a comparison; 0: the key has to be absent.
    package var expected: Int64 = 0
    /// Of a put: bytes of the value.
    package var valueSize: Int64 = 0
    /// What a value that it writes begins with: no other value of the run does.
    package var valueID: UInt64 = 0
    /// `countOnly` and `keysOnly` of the range that is answered.
    package var flags: RequestOp.Flags = []
    /// Whether the key is read when a comparison fails.
    package var readsOnFailure = false

    /// Nil for everything else.
    package init?(_ request: borrowing StoreRequest) {
        guard request.action.rawValue == PlannedCall.Action.call.rawValue else { return nil }
        switch (request.kind, request.body.kind) {
        case (.range, .range), (.rangeStream, .range):
            if Self.isCountOfAll(request) {
                self.init(.countAll, 0)
            } else {
                guard Self.isRead(request.body) else { return nil }
                self.init(.read, request.body.key)
                flags = request.body.flags.intersection([.countOnly, .keysOnly])
            }
        case (.put, .put):
            guard Self.isPut(request.body) else { return nil }
            self.init(.put, request.body.key)
            valueSize = request.body.valueSize
            valueID = request.valueID
        case (.delete, .delete):
            guard Self.isDelete(request.body) else { return nil }
            self.init(.delete, request.body.key)
            valueID = request.valueID
        case (.txn, .txn): self.init(transaction: request)
        default: return nil
        }
    }

    private init(_ kind: Kind, _ key: KeyNumber) {
        self.kind = kind
        self.key = key
    }

    /// One comparison of a key, one write of it, and a range of it, or nothing, for the case that it fails.
    private init?(transaction request: borrowing StoreRequest) {
        guard request.body.compares.count == 1, (1...2).contains(request.parts.count),
            let place = request.body.compares.range.first, request.compares.indices.contains(place),
            let write = request.parts.firstIndex(where: { $0.branch == .success })
        else { return nil }
        let compare = request.compares[place]
        guard compare.relation == .equal, compare.key != 0, compare.rangeEnd == 0 else { return nil }
        switch compare.target {
        case .modRevision: break
        case .createRevision, .version: if compare.operand != 0 { return nil }
        default: return nil
        }
        let part = request.parts[write]
        switch part.kind {
        case .put where Self.isPut(part): self.init(.comparePut, part.key)
        case .delete where Self.isDelete(part): self.init(.compareDelete, part.key)
        default: return nil
        }
        guard Self.areEqual(part.key, compare.key, request.keys) else { return nil }
        expected = compare.operand
        valueSize = part.valueSize
        valueID = request.valueID &+ UInt64(write)
        guard request.parts.count == 2 else { return }
        let other = request.parts[1 - write]
        guard other.branch == .failure, other.kind == .range, Self.isRead(other),
            Self.areEqual(other.key, compare.key, request.keys)
        else { return nil }
        readsOnFailure = true
        flags = other.flags.intersection([.countOnly, .keysOnly])
    }

    // Operations without what a chain has nothing like.

    private static func isOfOneKey(_ op: RequestOp) -> Bool {
        op.key != 0 && op.rangeEnd == 0 && !op.flags.contains(.hasRangeEnd)
    }

    private static func isRead(_ op: RequestOp) -> Bool {
        isOfOneKey(op) && op.revision == 0 && !op.flags.contains(.revisionFilter)
    }

    private static func isPut(_ op: RequestOp) -> Bool {
        isOfOneKey(op) && op.lease == 0 && op.flags.isDisjoint(with: [.prevKv, .ignoreValue, .ignoreLease])
    }

    private static func isDelete(_ op: RequestOp) -> Bool {
        isOfOneKey(op) && !op.flags.contains(.prevKv)
    }

    /// From the lowest key without an end (rpc.proto, RangeRequest.range_end), all of them, only counted.
    private static func isCountOfAll(_ request: borrowing StoreRequest) -> Bool {
        guard request.body.flags.contains([.countOnly, .hasRangeEnd]), request.body.revision == 0,
            !request.body.flags.contains(.revisionFilter)
        else { return false }
        return isZero(request.body.key, request.keys) && isZero(request.body.rangeEnd, request.keys)
    }

    private static func isZero(_ number: KeyNumber, _ keys: borrowing KeyList) -> Bool {
        guard number != 0 else { return false }
        let range = keys.range(of: number)
        return range.count == 1 && keys.bytes[range.lowerBound] == 0
    }

    private static func areEqual(_ one: KeyNumber, _ other: KeyNumber, _ keys: borrowing KeyList) -> Bool {
        if one == other { return true }
        guard one != 0, other != 0 else { return false }
        return keys.bytes.span.extracting(keys.range(of: one)).isEqual(
            to: keys.bytes.span.extracting(keys.range(of: other)))
    }
}
