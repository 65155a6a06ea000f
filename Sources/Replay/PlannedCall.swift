package import Etcd

/// A call of the trace, or a message on one of its streams, as it is to be sent.
///
/// A plan holds millions of them, which the engine reads one after the other: 80 bytes each.
package struct PlannedCall: Sendable {
    package enum Action: UInt8, Sendable {
        /// A unary call, or a server stream that is read to its end (RangeStream, Snapshot).
        case call
        /// A message on a bidirectional stream; the first one opens it.
        case message
        /// The client ends the stream.
        case endStream
    }

    /// Nanoseconds after the plan's first call, in the recording.
    package var time: Int64
    /// The recorded header revision; 0 when not seen.
    package var headerRevision: Int64 = 0
    /// What it asks, with what was answered to that in the recording.
    package var request = PlannedRequest.other(OtherRequest())
    package var kind: OperationKind
    package var action: Action = .call
    /// Why it stands for another call that a chain cannot do; nil if it is as recorded.
    package var approximation: ChainObstacle?
    package var method: MethodNumber
    /// Number of the connection in the plan.
    package var connection: UInt32
    /// Number of the stream in the plan, for `.message` and `.endStream`.
    package var stream: UInt32 = 0
    /// The recorded gRPC status; `noStatus` when the answer was not seen.
    package var status: UInt32 = PlannedCall.noStatus
    package var patches = Slice()

    package static let noStatus = UInt32.max

    package init(kind: OperationKind, method: MethodNumber, time: Int64, connection: UInt32) {
        self.kind = kind
        self.method = method
        self.time = time
        self.connection = connection
    }
}

// What requests of several kinds have, for those to whom the kind is one.
extension PlannedCall {
    /// Range, Put, DeleteRange, Txn, watch create: as recorded, with the recorded answer. `.none` of other calls.
    package var body: RequestOp {
        var body = RequestOp()
        switch request {
        case .range(let range):
            range.ask(&body)
            body.flags = range.flags
            body.count = range.count
        case .put(let put):
            put.ask(&body)
            body.flags = put.flags
        case .delete(let delete):
            delete.ask(&body)
            body.flags = delete.flags
            body.count = delete.count
        case .txn(let txn):
            txn.ask(&body)
            body.flags = txn.flags
            body.compares = txn.ownCompares
        case .watchCreate(let create):
            create.ask(&body)
            body.flags = create.flags
        case .other: break
        }
        return body
    }

    /// The operations of a transaction; empty for others.
    package var parts: Slice {
        if case .txn(let txn) = request { txn.parts } else { Slice() }
    }

    /// All compares of a transaction, those of nested ones behind its own; empty for others.
    package var compares: Slice {
        if case .txn(let txn) = request { txn.compares } else { Slice() }
    }

    /// The key that it names outside of parts and compares, or the first key of its range; 0 if there is none.
    package var key: KeyNumber {
        switch request {
        case .range(let range): range.key
        case .put(let put): put.key
        case .delete(let delete): delete.key
        case .txn: 0
        case .watchCreate(let create): create.key
        case .other(let other): other.key
        }
    }

    /// The revision that a Range, a watch create, Compact or HashKV asks for; 0 if there is none.
    package var revision: Int64 {
        switch request {
        case .range(let range): range.revision
        case .watchCreate(let create): create.revision
        case .other(let other): other.revision
        case .put, .delete, .txn: 0
        }
    }

    /// The lease of a lease's own calls, or of a Put; 0 for others.
    package var lease: Int64 {
        switch request {
        case .put(let put): put.lease
        case .other(let other): other.lease
        case .range, .delete, .txn, .watchCreate: 0
        }
    }

    /// Seconds: what a LeaseGrant asks for, or a keep-alive was answered; 0 for others.
    package var ttl: Int64 {
        if case .other(let other) = request { other.ttl } else { 0 }
    }

    /// What a watch create was answered, or a cancel names; 0 for others.
    package var watchID: Int64 {
        switch request {
        case .watchCreate(let create): create.watchID
        case .other(let other): other.watchID
        case .range, .put, .delete, .txn: 0
        }
    }
}
