package import Wire

/// What a TLS connection says of one direction's application data, in order.
package struct TLSEvent: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        /// What follows begins with the first byte of application data of the direction. Comes first or not at all:
        /// without it the direction was joined midway.
        case started
        /// The application data of a record.
        case data
        /// About `count` bytes of application data are missing, exactly so if `isExact`.
        case gap
    }

    package var kind: Kind
    package var direction: Direction
    /// `.data`: where the bytes lie in the output's `plaintext`; never empty.
    package var bytes: Range<Int>
    /// `.gap`: missing bytes, more than 0; at most so many where `isExact` is false.
    package var count: Int
    package var isExact: Bool
    /// When the last byte of the record was captured: before that, nobody could read it. For a gap, of the record
    /// behind it.
    package var time: CaptureTime

    package init(
        kind: Kind, direction: Direction, bytes: Range<Int> = 0..<0, count: Int = 0, isExact: Bool = true,
        time: CaptureTime
    ) {
        self.kind = kind
        self.direction = direction
        self.bytes = bytes
        self.count = count
        self.isExact = isExact
        self.time = time
    }
}

/// Where connections put what they have to say. The owner empties it with `removeAll` and hands it in again, so that
/// its arrays are allocated once.
package struct TLSOutput: Sendable {
    package fileprivate(set) var events: [TLSEvent] = []
    /// Application data that events refer to, and room behind it.
    package fileprivate(set) var plaintext: [UInt8] = []
    /// Bytes of `plaintext` that are in use.
    var used = 0

    package init() {}

    package mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        used = 0
    }

    /// Makes room for `count` bytes behind the used ones.
    mutating func makeRoom(for count: Int) {
        let missing = used &+ count &- plaintext.count
        if missing > 0 { plaintext.append(contentsOf: repeatElement(0, count: max(missing, plaintext.count))) }
    }

    /// Opens a record into the room behind the used bytes; the count of its plaintext, `nil` if the tag is wrong.
    mutating func open(_ record: Span<UInt8>, with keys: inout RecordKeys?, sequence: UInt64) -> Int? {
        makeRoom(for: record.count)
        return keys?.open(record, sequence: sequence, into: &plaintext, at: used)
    }

    mutating func append(_ event: TLSEvent) { events.append(event) }

    /// Uses the next `count` bytes of room, which were opened before.
    mutating func use(_ count: Int, _ direction: Direction, at time: CaptureTime) {
        guard count > 0 else { return }
        events.append(TLSEvent(kind: .data, direction: direction, bytes: used..<used &+ count, time: time))
        used &+= count
    }

    /// Appends a copy of bytes that were opened earlier.
    mutating func append(copying bytes: Span<UInt8>, _ direction: Direction, at time: CaptureTime) {
        makeRoom(for: bytes.count)
        for index in bytes.indices { plaintext[used &+ index] = bytes[index] }
        use(bytes.count, direction, at: time)
    }

    /// A byte of those opened last, which are not yet in use.
    func openedByte(_ index: Int) -> UInt8 { plaintext[used &+ index] }
}
