public import Wire

/// What the tracker says of one direction of one connection, in the order of that direction's bytes.
public struct StreamEvent: Sendable, Equatable {
    public enum Kind: UInt8, Sendable {
        /// A connection was met for the first time; its slot is new or was given free by `.closed` before.
        case opened
        /// The next bytes of the direction.
        case data
        /// `count` bytes of the direction are missing and will not come any more.
        case gap
        /// The direction ended with FIN, and every byte before it was delivered or named as a gap. Data follows only
        /// where the FIN proves to have been damage.
        case finished
        /// The connection was reset (RST); more data of either direction may still come late.
        case reset
        /// The connection is over or was evicted; the slot may be used again by a later `.opened`.
        case closed
    }

    /// Where the bytes of a `.data` event lie.
    public enum Source: UInt8, Sendable {
        /// In the packet that was handed in.
        case packet
        /// In the tracker's `released` bytes; valid until the next call of the tracker.
        case released
    }

    public var kind: Kind
    public var direction: Direction
    public var source: Source
    /// The connection's slot: small, dense, used again after `.closed`.
    public var slot: Int
    /// `.data`: where the bytes lie in their source.
    public var bytes: Range<Int>
    /// `.gap`: how many bytes are missing (more than 0).
    public var count: Int
    /// When the bytes were captured; for other kinds, when the tracker learned of it.
    public var time: CaptureTime

    public init(
        kind: Kind, direction: Direction = .request, source: Source = .packet, slot: Int, bytes: Range<Int> = 0..<0,
        count: Int = 0, time: CaptureTime
    ) {
        self.kind = kind
        self.direction = direction
        self.source = source
        self.slot = slot
        self.bytes = bytes
        self.count = count
        self.time = time
    }
}
