package import Etcd

/// What a planned call asks, by its kind (etcd rpc.proto), and what the recording answered to just that. Keys are
/// numbers of the plan's; flags are those of request and answer (`RequestOp.Flags`).
package enum PlannedRequest: Sendable {
    /// Range and RangeStream.
    case range(RangeRequest)
    case put(PutRequest)
    case delete(DeleteRangeRequest)
    case txn(TxnRequest)
    case watchCreate(WatchCreateRequest)
    /// All others, and the end of a stream.
    case other(OtherRequest)
}

package struct RangeRequest: Sendable {
    /// The revision asked for; 0 for the latest.
    package var revision: Int64 = 0
    package var limit: Int64 = 0
    /// The recorded answer's.
    package var count: Int64 = 0
    package var key: KeyNumber
    package var rangeEnd: KeyNumber = 0
    package var flags: RequestOp.Flags
    /// SortOrder and SortTarget of rpc.proto.
    package var sortOrder: UInt8 = 0
    package var sortTarget: UInt8 = 0

    package init(key: KeyNumber, flags: RequestOp.Flags) {
        self.key = key
        self.flags = flags
    }

    @inline(__always)
    func ask(_ body: inout RequestOp) {
        body.kind = .range
        body.sortOrder = sortOrder
        body.sortTarget = sortTarget
        body.flags = flags.asked
        body.key = key
        body.rangeEnd = rangeEnd
        body.limit = limit
        body.revision = revision
    }
}

package struct PutRequest: Sendable {
    package var lease: Int64 = 0
    /// Bytes; 0 with `ignoreValue`.
    package var valueSize: Int64 = 0
    package var key: KeyNumber
    package var flags: RequestOp.Flags

    package init(key: KeyNumber, flags: RequestOp.Flags) {
        self.key = key
        self.flags = flags
    }

    @inline(__always)
    func ask(_ body: inout RequestOp) {
        body.kind = .put
        body.flags = flags.asked
        body.key = key
        body.lease = lease
        body.valueSize = valueSize
    }
}

package struct DeleteRangeRequest: Sendable {
    /// The recorded answer's `deleted`.
    package var count: Int64 = 0
    package var key: KeyNumber
    package var rangeEnd: KeyNumber = 0
    package var flags: RequestOp.Flags

    package init(key: KeyNumber, flags: RequestOp.Flags) {
        self.key = key
        self.flags = flags
    }

    @inline(__always)
    func ask(_ body: inout RequestOp) {
        body.kind = .delete
        body.flags = flags.asked
        body.key = key
        body.rangeEnd = rangeEnd
    }
}

package struct TxnRequest: Sendable {
    /// In the plan's `parts`; a part's own compares are named by their places in the plan's `compares`.
    package var parts: Slice
    /// All compares, those of nested transactions behind its own, in the plan's `compares`.
    package var compares: Slice
    /// How many of `compares` are its own.
    package var ownCompareCount: UInt32
    package var flags: RequestOp.Flags

    package init(parts: Slice, compares: Slice, ownCompareCount: UInt32, flags: RequestOp.Flags) {
        self.parts = parts
        self.compares = compares
        self.ownCompareCount = ownCompareCount
        self.flags = flags
    }

    package var ownCompares: Slice { Slice(start: compares.start, count: ownCompareCount) }

    /// All but the compares.
    @inline(__always)
    func ask(_ body: inout RequestOp) {
        body.kind = .txn
        body.flags = flags.asked
    }
}

package struct WatchCreateRequest: Sendable {
    /// The start revision; 0 for the present.
    package var revision: Int64 = 0
    /// The one that was answered, or asked for.
    package var watchID: Int64 = 0
    package var key: KeyNumber
    package var rangeEnd: KeyNumber = 0
    package var flags: RequestOp.Flags

    package init(key: KeyNumber, flags: RequestOp.Flags) {
        self.key = key
        self.flags = flags
    }

    @inline(__always)
    func ask(_ body: inout RequestOp) {
        body.kind = .watchCreate
        body.flags = flags.asked
        body.key = key
        body.rangeEnd = rangeEnd
        body.revision = revision
    }
}

/// The request of a call without a body in `Operation`: what it does not have is 0.
package struct OtherRequest: Sendable {
    /// Lease ID; of a grant the one that was answered.
    package var lease: Int64 = 0
    /// Seconds: what a grant asks for, or a keep-alive was answered.
    package var ttl: Int64 = 0
    /// Compact, HashKV: the recorded revision.
    package var revision: Int64 = 0
    /// The watch that a cancel names.
    package var watchID: Int64 = 0
    /// Lock, Unlock, Campaign, Leader: the name or key.
    package var key: KeyNumber = 0

    package init() {}
}

extension RequestOp.Flags {
    /// A literal of several flags would be an array.
    private static let answers = answered.rawValue | more.rawValue | succeeded.rawValue

    /// Without those of the answer.
    @inline(__always)
    var asked: RequestOp.Flags { RequestOp.Flags(rawValue: rawValue & ~Self.answers) }
}
