import Wire

/// A call whose end was not seen yet: one slot of the pool of `CallContext`, used again and again.
///
/// It is large, so what happens to a call are `mutating` methods on its slot, and what is asked of it for each event is
/// one too or inlined: a method that only reads would get a copy.
struct PendingCall: Sendable {
    // Identity and place in the list of open calls, in the order of their beginning.

    var connection: UInt32 = 0
    /// 0: the slot is free.
    var stream: UInt32 = 0
    var older: Int32 = -1
    var newer: Int32 = -1

    var method = MethodNumber.unknown
    var kind = OperationKind.other
    var streaming = Method.Streaming.unary
    var marks: Marks = []
    var completeness: Operation.Completeness = []
    var status: UInt32?

    /// Nanoseconds since the epoch of the first and last byte of each direction; `Operation.absent` if none was seen.
    var requestStart = Operation.absent
    var requestEnd = Operation.absent
    var responseStart = Operation.absent
    var responseEnd = Operation.absent
    /// When one side ended, from which on the other side's bytes are waited for.
    var endedAt = Operation.absent

    var requestMessages: UInt32 = 0
    var responseMessages: UInt32 = 0
    var requestBytes: Int64 = 0
    var responseBytes: Int64 = 0
    var requestWireBytes: Int64 = 0
    var responseWireBytes: Int64 = 0

    var request = MessageAssembler()
    var response = MessageAssembler()
    var details = CallDetails()

    /// The beginning of a request that is not whole yet.
    var heldRequest: [UInt8] = []
    /// The beginning of a field of a response, or of a compressed response, that is not whole yet.
    var heldResponse: [UInt8] = []
    /// As many bytes must be held before it is worth reading on.
    var wantedResponse = 0
    /// Bytes of a field of no interest that are still to come.
    var passedOverResponse = 0

    /// The first key, where `details` does not have it: of a watch, and of a request that was cut.
    var firstKey: [UInt8] = []
    /// Of a watch whose request was not seen: the common beginning of its events' keys.
    var watched: [UInt8] = []
    /// The `:path` of an uncatalogued method.
    var methodText: [UInt8] = []
    var errorText: [UInt8] = []

    /// Requests on a stream that have no answer yet.
    var unanswered = UnansweredMessages()

    /// Response DATA that came before the request's HEADERS.
    var deferred: [DeferredPiece] = []
    var deferredBytes: [UInt8] = []

    // A call whose method was not seen.

    /// The place of its `:path` among the connection's `EntryNames`; −1 if it has none.
    var entry: Int32 = -1
    /// What is known of the method while it is not named.
    var candidates = MethodSet.all
    var inference = Inference.none
    var collected = CollectedMessages()
    /// What the header of its first answer says, and when; a revision of 0 if there is none.
    var answeredRevision: Int64 = 0
    var answeredCluster: UInt64 = 0
    var answeredAt: Int64 = 0
    /// The entry of a `grpc-status` whose text was not seen; nil if there is none.
    var statusEntry: StatusEntry?

    /// An entry of the server's header table.
    struct StatusEntry: Sendable, Equatable {
        var epoch: UInt32
        var entry: Int64
    }

    /// What of `capacityBytes()` is counted in the context's totals.
    var accountedBytes = 0

    struct Marks: OptionSet, Sendable {
        var rawValue: UInt32
        /// HEADERS of the request were seen, readable or not.
        static let requestHeaders = Marks(rawValue: 1 << 0)
        static let methodKnown = Marks(rawValue: 1 << 1)
        /// Messages are read, not only counted: the method is one of the catalogue.
        static let scanned = Marks(rawValue: 1 << 2)
        /// END_STREAM or RST_STREAM of the client.
        static let requestEnded = Marks(rawValue: 1 << 3)
        /// END_STREAM or RST_STREAM of the server.
        static let responseEnded = Marks(rawValue: 1 << 4)
        static let responseHeaders = Marks(rawValue: 1 << 5)
        /// Something before the request's first whole message may be missing.
        static let firstMessageUncertain = Marks(rawValue: 1 << 6)
        /// The request was read, and is in `details`.
        static let requestRead = Marks(rawValue: 1 << 7)
        /// An answer was read, and is in `details`.
        static let answerRead = Marks(rawValue: 1 << 8)
        /// A part of the answer is missing.
        static let answerLost = Marks(rawValue: 1 << 9)
        /// The present response message cannot be read; it is only counted.
        static let responseUnreadable = Marks(rawValue: 1 << 10)
        /// Compressed messages are of an encoding other than gzip.
        static let requestEncodingForeign = Marks(rawValue: 1 << 11)
        static let responseEncodingForeign = Marks(rawValue: 1 << 12)
        /// Response DATA is kept until the request's HEADERS tell the method.
        static let deferring = Marks(rawValue: 1 << 13)
        /// It is certain that the call began inside the recording, whatever else is seen.
        static let begunInside = Marks(rawValue: 1 << 14)
        /// A response message was begun and is not whole.
        static let withinResponse = Marks(rawValue: 1 << 15)
        /// The present response message is read or collected, not only counted.
        static let responseRead = Marks(rawValue: 1 << 16)
        /// The method is not known: messages are kept until it is.
        static let collecting = Marks(rawValue: 1 << 17)
        /// The method was not read from the header fields, but inferred; `.methodKnown` is set too.
        static let methodInferred = Marks(rawValue: 1 << 18)
        /// The call is over and waits for the name of its entry.
        static let awaitingName = Marks(rawValue: 1 << 19)
        /// `watched` was begun.
        static let watchedKnown = Marks(rawValue: 1 << 20)
        /// The name was read from a table that was known again only after a gap: the request has to fit it.
        static let nameUnproven = Marks(rawValue: 1 << 21)
        /// The request does not fit the name that was read.
        static let nameRefuted = Marks(rawValue: 1 << 22)
    }

    /// A piece of response DATA that waits for the request's HEADERS; its bytes lie in `deferredBytes`.
    struct DeferredPiece: Sendable {
        var byteCount: Int
        var isFrameStart: Bool
        var frameLength: Int
        var start: Int64
        var end: Int64
    }

    /// Bytes of memory that the call has beyond its slot, used or not.
    mutating func capacityBytes() -> Int {
        heldRequest.capacity + heldResponse.capacity + deferredBytes.capacity + firstKey.capacity
            + methodText.capacity + errorText.capacity + watched.capacity + unanswered.capacityBytes
            + collected.capacityBytes
            + deferred.capacity * MemoryLayout<DeferredPiece>.stride + details.capacityBytes
    }

    /// Whether the call holds so much that it must be counted; what most calls hold is not worth it. What it has let go
    /// of stays counted until it is next looked at.
    mutating func isHoldingMuch() -> Bool {
        !heldRequest.isEmpty || !heldResponse.isEmpty || !deferredBytes.isEmpty || !collected.isEmpty
            || !methodText.isEmpty || unanswered.count > 16 || details.isHoldingMuch
    }

    /// Gives back memory that nothing is in.
    mutating func trim() {
        if heldRequest.isEmpty { heldRequest = [] }
        if heldResponse.isEmpty { heldResponse = [] }
        if deferredBytes.isEmpty { deferredBytes = [] }
        if deferred.isEmpty { deferred = [] }
    }

    /// The beginning of an operation of this call.
    @inline(__always)
    func operation(role: Operation.Role, kind: OperationKind) -> Operation {
        var operation = Operation(
            time: CaptureTime(nanoseconds: 0), connection: connection, stream: stream, role: role, kind: kind,
            evidence: marks.contains(.methodKnown) ? .seen : .ambiguous, method: method)
        if !marks.contains(.methodKnown) {
            if candidates != .all { operation.candidates = candidates }
        } else if marks.contains(.methodInferred) {
            operation.evidence = .inferred
            operation.inference = inference
        }
        return operation
    }

    /// Adds what the response message that was just read says of itself.
    @inline(__always)
    func addAnswer(to operation: inout Operation) {
        operation.completeness.insert(.hasResponse)
        operation.headerRevision = details.headerRevision
        operation.responseMessages = 1
        operation.responseBytes = Int64(response.length)
    }

    // Numbers of the call's texts and keys in a batch's tables, 0 of empty ones.

    @inline(__always)
    func numberErrorText(in texts: inout ByteTable) -> TextNumber { texts.number(of: errorText.span) }
    @inline(__always)
    func numberMethodText(in texts: inout ByteTable) -> TextNumber { texts.number(of: methodText.span) }
    @inline(__always)
    func numberFirstKey(in keys: inout ByteTable) -> KeyNumber { keys.number(of: firstKey.span) }
    @inline(__always)
    func numberWatched(in keys: inout ByteTable) -> KeyNumber { keys.number(of: watched.span) }

    /// Whether a client sends one message only.
    @inline(__always)
    var isSingleRequest: Bool { streaming != .bidirectional }

    /// Whether HEADERS of a bidirectional call were seen, and its first message may still come whole.
    @inline(__always)
    var awaitsFirstMessage: Bool {
        streaming == .bidirectional && requestMessages == 0 && marks.contains(.requestHeaders)
            && marks.contains(.scanned) && !marks.contains(.requestEnded) && !marks.contains(.firstMessageUncertain)
    }

    /// Makes the slot ready for a new call; keeps the memory, which the pool bounds.
    mutating func reset(connection: UInt32, stream: UInt32) {
        self.connection = connection
        self.stream = stream
        older = -1
        newer = -1
        method = .unknown
        kind = .other
        streaming = .unary
        marks = []
        completeness = []
        status = nil
        requestStart = Operation.absent
        requestEnd = Operation.absent
        responseStart = Operation.absent
        responseEnd = Operation.absent
        endedAt = Operation.absent
        requestMessages = 0
        responseMessages = 0
        requestBytes = 0
        responseBytes = 0
        requestWireBytes = 0
        responseWireBytes = 0
        request = MessageAssembler()
        response = MessageAssembler()
        details.reset()
        // Most of these are empty already, and that is cheaper to ask.
        if !heldRequest.isEmpty { heldRequest.removeAll(keepingCapacity: true) }
        if !heldResponse.isEmpty { heldResponse.removeAll(keepingCapacity: true) }
        wantedResponse = 0
        passedOverResponse = 0
        if !firstKey.isEmpty { firstKey.removeAll(keepingCapacity: true) }
        if !watched.isEmpty { watched.removeAll(keepingCapacity: true) }
        if !methodText.isEmpty { methodText.removeAll(keepingCapacity: true) }
        if !errorText.isEmpty { errorText.removeAll(keepingCapacity: true) }
        if !unanswered.isEmpty { unanswered.removeAll() }
        if !deferred.isEmpty { deferred = [] }
        if !deferredBytes.isEmpty { deferredBytes.removeAll(keepingCapacity: true) }
        entry = -1
        candidates = .all
        inference = .none
        if !collected.isEmpty { collected.removeAll() }
        answeredRevision = 0
        statusEntry = nil
        accountedBytes = 0
    }
}
