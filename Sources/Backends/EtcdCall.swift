import Etcd
import Replay

/// A call on one connection that is not over: a unary one, or a stream with the messages on it that wait for answers.
struct EtcdCall {
    /// A request that is to be answered.
    struct Pending {
        var number: UInt32
        var kind: OperationKind
        var isEnd = false
        /// The backend asks for itself; the driver is not told.
        var isOwn = false
        var watchID: Int64 = 0
        var sent: Int64 = 0
        var deadline: Int64
        var requestBytes: Int64
    }

    var isOpen = false
    /// Changes with each call that the slot holds.
    var generation: UInt32 = 0
    /// 0 until it is sent.
    var stream: UInt32 = 0
    var kind = OperationKind.other
    /// Of a bidirectional one: the plan's number.
    var planStream: UInt32 = 0
    var isStream = false
    var note = StoreAnswer.Note.none
    /// A unary call's request.
    var request = Pending(number: 0, kind: .other, deadline: 0, requestBytes: 0)
    /// A stream's requests, in their order.
    var pending: [Pending] = []
    var firstByte: Int64 = 0
    var responseBytes: Int64 = 0
    var httpStatus: UInt16 = 0
    var isMalformed = false
    var reader = ResponseReader()
    var details = CallDetails()

    mutating func read(_ bytes: Span<UInt8>, at offset: inout Int, limits: CallLimits) -> ResponseReader.Step {
        reader.next(kind, bytes, at: &offset, into: &details, limits: limits)
    }

    /// Which of a stream's requests the message that was read is the answer to, by its place in `pending`; nil if it is
    /// none. Creates, and keep-alives, are answered in their order; a cancel by its watch; a progress request by a
    /// notification for all watches (rpc.proto WatchResponse).
    var requestAnswered: Int? {
        if kind == .leaseKeepAlive { return pending.firstIndex { $0.kind == .leaseKeepAlive && !$0.isEnd } }
        if details.watch.isCreated { return pending.firstIndex { $0.kind == .watchCreate } }
        let watchID = details.watch.watchID
        if details.watch.isCanceled { return pending.firstIndex { $0.kind == .watchCancel && $0.watchID == watchID } }
        if watchID == -1, details.keyValues.isEmpty { return pending.firstIndex { $0.kind == .watchProgress } }
        return nil
    }

    /// Makes the slot ready for another call.
    mutating func begin(_ kind: OperationKind, isStream: Bool) {
        isOpen = true
        generation &+= 1
        stream = 0
        self.kind = kind
        self.isStream = isStream
        request.isOwn = false
        note = .none
        firstByte = 0
        responseBytes = 0
        httpStatus = 0
        isMalformed = false
        reader.reset()
        details.reset()
        if !pending.isEmpty { pending.removeAll(keepingCapacity: true) }
    }
}

/// Status codes of gRPC (grpc/doc/statuscodes.md) that a client gives itself.
enum GRPCStatus {
    static let ok: UInt32 = 0, cancelled: UInt32 = 1, unknown: UInt32 = 2, deadlineExceeded: UInt32 = 4,
        permissionDenied: UInt32 = 7
    static let unimplemented: UInt32 = 12, internalError: UInt32 = 13, unavailable: UInt32 = 14
    static let unauthenticated: UInt32 = 16

    /// What a response without a status means (grpc/doc/http-grpc-status-mapping.md).
    static func ofHTTP(_ status: UInt16) -> UInt32 {
        switch status {
        case 400: internalError
        case 401: unauthenticated
        case 403: permissionDenied
        case 404: unimplemented
        case 429, 502, 503, 504: unavailable
        default: unknown
        }
    }

    /// Undoes the percent-encoding of `grpc-message`; a sign that is not followed by two digits stands for itself.
    static func appendDecoded(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        var place = text.startIndex
        while place < text.endIndex {
            if text[place] == UInt8(ascii: "%"), place + 2 < text.endIndex,
                let high = digit(text[place + 1]), let low = digit(text[place + 2])
            {
                bytes.append(high << 4 | low)
                place += 3
            } else {
                bytes.append(text[place])
                place += 1
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
