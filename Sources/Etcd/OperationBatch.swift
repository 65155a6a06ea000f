package import Wire

/// Operations that belong together, and everything of variable size that they name by number: self-contained, so that
/// a batch can be written, read and analysed without any other. Emptied and used again by its owner.
///
/// Operations stand in the order in which they ended.
package struct OperationBatch: Sendable {
    package var operations: [Operation] = []
    package var parts: [RequestOp] = []
    package var compares: [Compare] = []
    package var keyValues: [KeyValueRecord] = []
    /// Keys and range ends.
    package var keys = ByteTable()
    /// Error texts, uncatalogued methods, user agents.
    package var texts = ByteTable()
    /// Connections that were met or changed since the previous batch; a later record of a number replaces an earlier.
    package var connections: [ConnectionRecord] = []
    /// What the operations of this batch first showed of what existed before the recording.
    package var observed: [ObservedRecord] = []
    /// Of a replay: one for each of `operations`. Of a recording: empty.
    package var replays: [ReplayRecord] = []
    /// Totals of the recording up to the end of this batch; a later one replaces an earlier.
    package var health = RecordingHealth()

    package init() {}

    /// Roughly how many bytes of memory the batch's content takes.
    package var byteCount: Int {
        operations.count * MemoryLayout<Operation>.stride + parts.count * MemoryLayout<RequestOp>.stride
            + compares.count * MemoryLayout<Compare>.stride + keyValues.count * MemoryLayout<KeyValueRecord>.stride
            + connections.count * MemoryLayout<ConnectionRecord>.stride + keys.byteCount + texts.byteCount
            + observed.count * MemoryLayout<ObservedRecord>.stride
            + replays.count * MemoryLayout<ReplayRecord>.stride
    }

    package mutating func removeAll() {
        operations.removeAll(keepingCapacity: true)
        parts.removeAll(keepingCapacity: true)
        compares.removeAll(keepingCapacity: true)
        keyValues.removeAll(keepingCapacity: true)
        keys.removeAll()
        texts.removeAll()
        connections.removeAll(keepingCapacity: true)
        observed.removeAll(keepingCapacity: true)
        if !replays.isEmpty { replays.removeAll(keepingCapacity: true) }
    }
}

/// A connection of the recording.
package struct ConnectionRecord: Sendable, Equatable {
    /// How the connection was met.
    package enum Start: UInt8, Sendable, CaseIterable {
        /// From its SYN or its first bytes: everything it carried was on the wire during the recording.
        case seen = 0
        /// It was open before the recording began.
        case midway = 1
    }
    /// What it carries.
    package enum Content: UInt8, Sendable, CaseIterable {
        /// No payload, or too little to tell.
        case unknown = 0
        case http2 = 1
        case tls = 2
        case http1 = 3
        /// Payload that is none of these.
        case other = 4
    }

    package var number: UInt32
    /// `ADDRESS:PORT`, of IPv6 `[ADDRESS]:PORT`; numbers in the batch's texts.
    package var client: TextNumber
    package var server: TextNumber
    package var userAgent: TextNumber = 0
    package var start: Start = .seen
    package var content: Content = .unknown
    package var firstTime: CaptureTime
    package var lastTime: CaptureTime
    /// Whether it ended (FIN both ways or RST) inside the recording.
    package var isClosed = false
    package var requestBytes: Int64 = 0
    package var responseBytes: Int64 = 0
    /// Missing TCP payload bytes, both directions, and the holes they lay in.
    package var lostBytes: Int64 = 0
    package var gaps: Int64 = 0
    /// Payload bytes that were there but could not be read as HTTP/2.
    package var undecodableBytes: Int64 = 0

    package init(number: UInt32, client: TextNumber, server: TextNumber, firstTime: CaptureTime) {
        self.number = number
        self.client = client
        self.server = server
        self.firstTime = firstTime
        self.lastTime = firstTime
    }
}

/// One thing that the recording shows about the store's content before the recording.
package struct ObservedRecord: Sendable, Equatable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// The key existed; the fields say what is known of it (0 and −1: not known).
        case present = 0
        /// The key did not exist.
        case absent = 1
        /// A range was counted: `count` keys existed, of which `named` were named by its reply.
        case counted = 2
    }
    package enum Source: UInt8, Sendable, CaseIterable {
        case rangeReply = 0
        /// A range in a transaction's branch that ran.
        case txnReply = 1
        /// A previous key-value (of a put, a delete or an event).
        case previous = 2
        case event = 3
        /// A compare of a transaction that succeeded.
        case compare = 4
    }

    package var kind: Kind
    package var source: Source
    package var key: KeyNumber
    package var rangeEnd: KeyNumber = 0
    package var createRevision: Int64 = 0
    package var modRevision: Int64 = 0
    package var version: Int64 = 0
    package var lease: Int64 = 0
    /// Bytes of the value; −1 when not known.
    package var valueSize: Int64 = -1
    package var count: Int64 = 0
    package var named: Int64 = 0

    package init(kind: Kind, source: Source, key: KeyNumber) {
        self.kind = kind
        self.source = source
        self.key = key
    }
}
