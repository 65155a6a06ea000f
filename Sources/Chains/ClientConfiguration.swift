/// What a client is started with.
package struct ClientConfiguration: Sendable {
    /// Which node of a NetCRAQ chain a read goes to; NetChain's go to the tail.
    package enum ReadPolicy: Equatable, Sendable {
        /// This one, where it is in the chain; else the tail.
        case node(UInt32)
        /// The first of these that is in the chain; else the tail.
        case nearest([UInt32])
        /// One after the other.
        case roundRobin
    }

    package var format: ChainFormat
    package var reads = ReadPolicy.roundRobin
    /// An unanswered request is sent again after these nanoseconds (50 ms in NetCRAQ's evaluation), then after twice
    /// as many, up to `timeoutMax`.
    package var timeout: UInt64 = 50_000_000
    package var timeoutMax: UInt64 = 400_000_000
    /// A request is given up after these nanoseconds; `UInt64.max`: never.
    package var patience: UInt64 = 5_000_000_000
    package var limits = ClientLimits()
    package var mutations: Mutations = []

    package init(format: ChainFormat) { self.format = format }
}

/// What a client holds at most.
package struct ClientLimits: Sendable {
    /// Requests submitted and not ended.
    package var requests = 65_536
    /// Sessions, each with one write under way at most.
    package var slots = 1024

    package init() {}
}

/// A request of a client's user.
package struct ClientRequest: Sendable {
    package enum Kind: UInt8, BitwiseCopyable, Sendable {
        case read
        case write
        case delete
        /// Writes if the key's version is `expected`; `ChainVersion.none`: if it has no value.
        case compareAndSet
        case compareAndDelete

        package var isRead: Bool { rawValue == Kind.read.rawValue }
        var isCompare: Bool { self == .compareAndSet || self == .compareAndDelete }
        var hasValue: Bool { self == .write || self == .compareAndSet }
    }

    package var kind: Kind
    package var key: PlacedKey
    package var expected: ChainVersion
    /// The user's own, given back with the result.
    package var tag: UInt64

    package init(_ kind: Kind, _ key: PlacedKey, expected: ChainVersion = .none, tag: UInt64 = 0) {
        self.kind = kind
        self.key = key
        self.expected = expected
        self.tag = tag
    }
}

/// What its user may conclude.
package enum ClientOutcome: Equatable, BitwiseCopyable, Sendable {
    /// A read found a value; a write took effect, exactly once.
    case ok
    /// A read found none.
    case absent
    /// Took no effect and never will. A mismatch says which version was there instead.
    case refused(ChainStatus)
    /// A write may have taken effect, or may yet. A read says nothing.
    case unknown
}

/// The end of a request.
package struct ClientResult: Sendable {
    /// What `submit` answered.
    package var id: UInt64
    /// The request's.
    package var tag: UInt64
    package var kind: ClientRequest.Kind
    package var outcome: ClientOutcome
    /// Of the value read, of the write, or of what stood in a CAS's way.
    package var version: ChainVersion
    /// Where the value that was read lies in `ClientOutput.values`.
    package var value: Range<Int>
    package var submittedAt: UInt64
    package var endedAt: UInt64
    /// Datagrams sent for it.
    package var transmissions: Int
    /// Times that it was not answered in time.
    package var timeouts: Int
}

/// What a client wants done, and has to tell; the caller empties it.
package struct ClientOutput: Sendable {
    /// Payloads for switches' request ports, all of them by the edge.
    package var outbox = Outbox()
    package var results: [ClientResult] = []
    /// Bytes of the values read.
    package var values: [UInt8] = []
    /// For the controller.
    package var control: [ControlMessage] = []

    package init() {}

    package mutating func removeAll() {
        outbox.removeAll()
        results.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        control.removeAll(keepingCapacity: true)
    }
}
