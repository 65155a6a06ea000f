public import Wire

/// One unary call, one whole streaming call, one message pair of interest on a stream, or one batch of events.
///
/// A fixed-size value: everything of variable size (keys, parts of transactions, key-values) lies in the arrays of the
/// `OperationBatch` that holds the operation, and is named by number or `Slice`.
@frozen public struct Operation: Sendable, Equatable {
    /// When the request's first byte was seen; for a server's message without a request, that message's first byte.
    public var time: CaptureTime
    /// Nanoseconds after `time` at which the request's last byte, and the response's first and last byte were seen;
    /// `absent` when not seen. May be negative where the recorder's clock stepped back.
    public var requestEnd: Int64 = Operation.absent
    public var responseStart: Int64 = Operation.absent
    public var responseEnd: Int64 = Operation.absent

    /// Number of the connection in the trace.
    public var connection: UInt32
    /// HTTP/2 stream identifier, 31 bits.
    public var stream: UInt32

    public var role: Role
    public var kind: OperationKind
    public var evidence: Evidence
    /// What the method was inferred from; `.none` unless `evidence` is `.inferred`.
    public var inference = Inference.none
    /// The methods that fit an `.ambiguous` call; empty where they are all, or were not looked for.
    public var candidates: MethodSet = []
    public var completeness: Completeness = []
    /// Number in the method catalogue; `.unknown` when the name is not known (then `evidence` is `ambiguous`),
    /// `.uncatalogued` when it is known by text only.
    public var method: MethodNumber
    /// The text of an uncatalogued method, by number in the batch's texts; 0 if there is none.
    public var methodText: TextNumber = 0

    /// The body of Range, RangeStream, Put, DeleteRange, Txn and of a watch create request, with its answer. `kind` is
    /// `.none` for every other operation, whose details are the fields below.
    public var body = RequestOp()
    /// The transaction's operations of both branches, in the order of the request, success branch first, nested
    /// transactions followed at once by what is in them.
    public var parts = Slice()
    /// Events of a watch response: their key-values (and previous ones). Not for ranges, whose are in `body`.
    public var events = Slice()

    /// What the first message of the request names as its first key (`docs/analyze.md`), 0 if none. Of a watch that was
    /// open before the recording: what it watches at least, as its events show; their one key, or their common
    /// beginning up to a slash.
    public var key: KeyNumber = 0

    /// Lease ID (grant, revoke, keep-alive, time-to-live); for a grant the one answered if there is an answer.
    public var lease: Int64 = 0
    /// Lease TTL asked for in seconds, or of a keep-alive answered.
    public var ttl: Int64 = 0
    /// Compact and HashKV: the revision asked for; watch create: start revision.
    public var revision: Int64 = 0
    /// Watch id (create: the one answered or asked for; cancel, events: the one named). −1 is etcd's "all watches".
    public var watchID: Int64 = 0

    /// gRPC status code of the ended call; nil when not seen or not known.
    public var status: UInt32?
    /// etcd's error text, by number; 0 if there is none.
    public var errorText: TextNumber = 0
    /// Revision in the response header; 0 when there is no response.
    public var headerRevision: Int64 = 0

    /// Whole gRPC messages of the call, both ways (for a role of `.message`: of this pair).
    public var requestMessages: UInt32 = 0
    public var responseMessages: UInt32 = 0
    /// Bytes of gRPC messages without their five-byte prefixes, as they were on the wire.
    public var requestBytes: Int64 = 0
    public var responseBytes: Int64 = 0
    /// Bytes of HTTP/2 frames, headers of frames included.
    public var requestWireBytes: Int64 = 0
    public var responseWireBytes: Int64 = 0

    /// Marks a time that was not seen.
    @inlinable public static var absent: Int64 { .min }

    @inlinable public init(
        time: CaptureTime, connection: UInt32, stream: UInt32, role: Role, kind: OperationKind, evidence: Evidence,
        method: MethodNumber
    ) {
        self.time = time
        self.connection = connection
        self.stream = stream
        self.role = role
        self.kind = kind
        self.evidence = evidence
        self.method = method
    }

    public enum Role: UInt8, Sendable, CaseIterable {
        /// A unary call, or a streaming call as a whole: one `request` of the analysis, unless it was open before
        /// the recording began (`Completeness.openedBefore`).
        case call
        /// A client's message on a stream, with the server's answer to it if it has one.
        case message
        /// A server's message on a stream that answers no single request.
        case event
    }

    /// How the method is known.
    public enum Evidence: UInt8, Sendable, CaseIterable {
        /// Read from the request's header fields.
        case seen
        /// Concluded from the shape of messages.
        case inferred
        /// Not known; counted all the same.
        case ambiguous
    }

    /// What of the operation was lost, cut or not finished.
    public struct Completeness: OptionSet, Sendable, Hashable {
        public var rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// The stream was open before the recording began: no request of this recording.
        @inlinable public static var openedBefore: Completeness { Completeness(rawValue: 1 << 0) }
        /// The request's HEADERS lay in a gap.
        @inlinable public static var requestHeadersLost: Completeness { Completeness(rawValue: 1 << 1) }
        /// Bytes of the request's messages were lost, or the first message cannot be told to be the first.
        @inlinable public static var requestDamaged: Completeness { Completeness(rawValue: 1 << 2) }
        @inlinable public static var responseDamaged: Completeness { Completeness(rawValue: 1 << 3) }
        /// The key's bytes were lost: `key` is 0 and says nothing.
        @inlinable public static var keyLost: Completeness { Completeness(rawValue: 1 << 4) }
        /// The end was not seen: neither trailers nor END_STREAM of the server nor a reset.
        @inlinable public static var unfinished: Completeness { Completeness(rawValue: 1 << 5) }
        /// Ended by RST_STREAM of the client (cancelled or deadline exceeded; the wire does not tell which).
        @inlinable public static var resetByClient: Completeness { Completeness(rawValue: 1 << 6) }
        @inlinable public static var resetByServer: Completeness { Completeness(rawValue: 1 << 7) }
        /// The end of the stream by the server was seen (trailers or END_STREAM): `completed` of the analysis.
        @inlinable public static var completed: Completeness { Completeness(rawValue: 1 << 8) }
        /// A message was malformed, too large or not inflatable: its details are missing, it is counted.
        @inlinable public static var requestUndecoded: Completeness { Completeness(rawValue: 1 << 9) }
        @inlinable public static var responseUndecoded: Completeness { Completeness(rawValue: 1 << 10) }
        /// `role == .message`: the request was seen / a response was seen.
        @inlinable public static var hasRequest: Completeness { Completeness(rawValue: 1 << 11) }
        @inlinable public static var hasResponse: Completeness { Completeness(rawValue: 1 << 12) }
        /// Reset by the client in the packet that ended its request, and never answered: the server read both at once
        /// and had no time to read the message. A request, but nothing was asked of the store.
        @inlinable public static var withdrawn: Completeness { Completeness(rawValue: 1 << 13) }
    }
}

/// What an operation is. Raw values are stored in traces: never change or reuse one.
public enum OperationKind: UInt8, Sendable, CaseIterable {
    /// A method without details of its own; also every call whose method is not known.
    case other = 0
    case range = 1
    case rangeStream = 2
    case put = 3
    case delete = 4
    case txn = 5
    case compact = 6
    /// A Watch call as a whole.
    case watch = 7
    case watchCreate = 8
    case watchCancel = 9
    /// A client's progress request.
    case watchProgress = 10
    /// A response with events (`role == .event`).
    case watchEvents = 11
    /// A response without events that answers no create or cancel: progress notifications.
    case watchNotify = 12
    case leaseGrant = 13
    case leaseRevoke = 14
    /// A LeaseKeepAlive call as a whole (`.call`), or one of its request and answer pairs (`.message`).
    case leaseKeepAlive = 15
    case leaseTimeToLive = 16
    case leaseLeases = 17
    case alarm = 18
    case status = 19
    case hashKV = 20
    case snapshot = 21
    case auth = 22
    case cluster = 23
    case lock = 24
    case election = 25
    case maintenance = 26
    /// A response that says that watches were cancelled by the server itself.
    case watchCanceled = 27
}

/// The body of a range, put, delete or transaction, with its answer: a call of its own or an element of a
/// transaction's branch (etcd rpc.proto: RequestOp, ResponseOp).
@frozen public struct RequestOp: Sendable, Equatable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        case none = 0
        case range = 1
        case put = 2
        case delete = 3
        case txn = 4
        /// A watch create request, of which key, range end and flags are kept.
        case watchCreate = 5
    }

    public enum Branch: UInt8, Sendable, CaseIterable {
        /// Not in a transaction.
        case root = 0
        case success = 1
        case failure = 2
    }

    public struct Flags: OptionSet, Sendable, Hashable {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
        @inlinable public static var serializable: Flags { Flags(rawValue: 1 << 0) }
        @inlinable public static var keysOnly: Flags { Flags(rawValue: 1 << 1) }
        @inlinable public static var countOnly: Flags { Flags(rawValue: 1 << 2) }
        @inlinable public static var prevKv: Flags { Flags(rawValue: 1 << 3) }
        @inlinable public static var ignoreValue: Flags { Flags(rawValue: 1 << 4) }
        @inlinable public static var ignoreLease: Flags { Flags(rawValue: 1 << 5) }
        /// min/max mod or create revision was given.
        @inlinable public static var revisionFilter: Flags { Flags(rawValue: 1 << 6) }
        /// `range_end` was given (its number may be 0 only if this is not set).
        @inlinable public static var hasRangeEnd: Flags { Flags(rawValue: 1 << 7) }
        /// Response: `more` was set.
        @inlinable public static var more: Flags { Flags(rawValue: 1 << 8) }
        /// Response: a transaction's `succeeded`.
        @inlinable public static var succeeded: Flags { Flags(rawValue: 1 << 9) }
        /// An answer to this body was read. In a transaction's branch: it was executed.
        @inlinable public static var answered: Flags { Flags(rawValue: 1 << 10) }
        /// Watch create.
        @inlinable public static var progressNotify: Flags { Flags(rawValue: 1 << 11) }
        @inlinable public static var fragment: Flags { Flags(rawValue: 1 << 12) }
        @inlinable public static var noPut: Flags { Flags(rawValue: 1 << 13) }
        @inlinable public static var noDelete: Flags { Flags(rawValue: 1 << 14) }
    }

    public var kind: Kind = .none
    public var branch: Branch = .root
    /// Nesting: 0 for a call's own body and for the elements of its branches, 1 within a nested transaction, ...
    public var depth: UInt8 = 0
    /// Range: SortOrder and SortTarget of rpc.proto.
    public var sortOrder: UInt8 = 0
    public var sortTarget: UInt8 = 0
    public var flags: Flags = []
    public var key: KeyNumber = 0
    public var rangeEnd: KeyNumber = 0
    public var limit: Int64 = 0
    /// Range: revision asked for; watch create: start revision.
    public var revision: Int64 = 0
    /// Put: lease ID.
    public var lease: Int64 = 0
    /// Put: bytes of the value (0 with `ignoreValue`).
    public var valueSize: Int64 = 0
    /// Answer. Range: `count`; delete: `deleted`.
    public var count: Int64 = 0
    /// Answer: key-values returned (`.reply`), or previous ones (`.previous`), in the batch's `keyValues`.
    public var keyValues = Slice()
    /// Transaction: its compares, in the batch's `compares`.
    public var compares = Slice()
    /// Transaction inside a branch: how many of the following parts belong to it.
    public var nestedParts: UInt32 = 0

    @inlinable public init() {}
}

/// A transaction's comparison (rpc.proto: Compare).
public struct Compare: Sendable, Equatable {
    /// CompareTarget, raw values of rpc.proto.
    public enum Target: UInt8, Sendable, CaseIterable {
        case version = 0
        case createRevision = 1
        case modRevision = 2
        case value = 3
        case lease = 4
    }
    /// CompareResult, raw values of rpc.proto.
    public enum Relation: UInt8, Sendable, CaseIterable {
        case equal = 0
        case greater = 1
        case less = 2
        case notEqual = 3
    }

    public var target: Target = .version
    public var relation: Relation = .equal
    public var key: KeyNumber = 0
    public var rangeEnd: KeyNumber = 0
    /// What is compared with; for a value, its size in bytes.
    public var operand: Int64 = 0

    public init() {}
}

/// The metadata of a key-value (mvccpb KeyValue) in a reply or an event.
public struct KeyValueRecord: Sendable, Equatable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// In the reply to a range.
        case reply = 0
        /// The previous key-value that a put, a delete or an event shows; after the event it belongs to.
        case previous = 1
        case putEvent = 2
        case deleteEvent = 3
    }

    public var kind: Kind = .reply
    public var key: KeyNumber = 0
    public var createRevision: Int64 = 0
    public var modRevision: Int64 = 0
    public var version: Int64 = 0
    public var lease: Int64 = 0
    public var valueSize: Int64 = 0

    public init() {}
}

/// Consecutive elements of one of a batch's arrays.
public struct Slice: Sendable, Equatable {
    public var start: UInt32
    public var count: UInt32

    @inlinable public init(start: UInt32 = 0, count: UInt32 = 0) {
        self.start = start
        self.count = count
    }

    @inlinable public var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
    @inlinable public var isEmpty: Bool { count == 0 }
}

/// Number of a key in a batch's `keys`; 0 means "no key".
public typealias KeyNumber = UInt32
/// Number of a text in a batch's `texts`; 0 means "no text".
public typealias TextNumber = UInt32
