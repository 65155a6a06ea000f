package import Etcd
package import Replay

// Requests as a script says them. A key is text; the method is etcd's own.

extension StoreRequest {
    /// The number of that key among those of the request.
    package mutating func name(_ key: String) -> KeyNumber {
        let bytes = Array(key.utf8)
        return keys.number(of: bytes.span, at: 0..<bytes.count)
    }

    /// A method, by its path, that asks for that.
    package mutating func set(_ kind: OperationKind, _ path: String) {
        self.kind = kind
        let path = Array(path.utf8)
        method = MethodCatalogue.number(ofPath: path.span)
    }

    /// A put of as many bytes.
    package mutating func put(_ key: String, size: Int64 = 10, lease: Int64 = 0) {
        set(.put, "/etcdserverpb.KV/Put")
        body.kind = .put
        body.key = name(key)
        body.valueSize = size
        body.lease = lease
        valueID = 0x6b76_7265_656c_3031
    }

    /// A range of one key, or of those before `end`.
    package mutating func range(
        _ key: String, to end: String? = nil, kind: OperationKind = .range, flags: RequestOp.Flags = []
    ) {
        set(kind, kind == .range ? "/etcdserverpb.KV/Range" : "/etcdserverpb.KV/RangeStream")
        body.kind = .range
        body.flags = flags
        body.key = name(key)
        if let end {
            body.rangeEnd = name(end)
            body.flags.insert(.hasRangeEnd)
        }
    }

    /// A delete of one key.
    package mutating func delete(_ key: String) {
        set(.delete, "/etcdserverpb.KV/DeleteRange")
        body.kind = .delete
        body.key = name(key)
    }

    /// If the key's mod revision is that, puts it, else reads it.
    package mutating func update(_ key: String, ifModified revision: Int64, size: Int64 = 5_000) {
        set(.txn, "/etcdserverpb.KV/Txn")
        body.kind = .txn
        var compare = Compare()
        compare.target = .modRevision
        compare.operand = revision
        compare.key = name(key)
        compares = [compare]
        body.compares = Slice(start: 0, count: 1)
        var put = RequestOp()
        put.kind = .put
        put.branch = .success
        put.key = name(key)
        put.valueSize = size
        var range = RequestOp()
        range.kind = .range
        range.branch = .failure
        range.key = name(key)
        parts = [put, range]
        valueID = 0x6b76_7265_656c_3032
    }

    /// A message of that kind; the rest of it is the caller's.
    package mutating func message(_ kind: OperationKind, on stream: UInt32) {
        set(kind, kind == .leaseKeepAlive ? "/etcdserverpb.Lease/LeaseKeepAlive" : "/etcdserverpb.Watch/Watch")
        action = .message
        self.stream = stream
    }

    /// The end of a stream of messages of that kind.
    package mutating func endStream(_ stream: UInt32, _ kind: OperationKind) {
        message(kind, on: stream)
        action = .endStream
    }

    /// The creation of a watch on one key, or on those before `end`.
    package mutating func watch(_ key: String, to end: String? = nil, on stream: UInt32) {
        message(.watchCreate, on: stream)
        body.kind = .watchCreate
        body.key = name(key)
        if let end {
            body.rangeEnd = name(end)
            body.flags.insert(.hasRangeEnd)
        }
    }

    package mutating func cancelWatch(_ watchID: Int64, on stream: UInt32) {
        message(.watchCancel, on: stream)
        self.watchID = watchID
    }

    package mutating func grantLease(seconds: Int64) {
        set(.leaseGrant, "/etcdserverpb.Lease/LeaseGrant")
        ttl = seconds
    }

    package mutating func revokeLease(_ lease: Int64) {
        set(.leaseRevoke, "/etcdserverpb.Lease/LeaseRevoke")
        self.lease = lease
    }

    package mutating func keepAlive(_ lease: Int64, on stream: UInt32) {
        message(.leaseKeepAlive, on: stream)
        self.lease = lease
    }
}
