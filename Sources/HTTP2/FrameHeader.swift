import Wire

/// The nine octets before every frame's payload (RFC 9113 §4.1).
///
///     +-----------------------------------------------+
///     |                 Length (24)                   |
///     +---------------+---------------+---------------+
///     |   Type (8)    |   Flags (8)   |
///     +-+-------------+---------------+-------------------------------+
///     |R|                 Stream Identifier (31)                      |
///     +=+=============================================================+
struct FrameHeader {
    static let byteCount = 9

    /// Frame types of RFC 9113 §6; others exist and are ignored (§5.5).
    enum Kind {
        static let data: UInt8 = 0, headers: UInt8 = 1, priority: UInt8 = 2, resetStream: UInt8 = 3
        static let settings: UInt8 = 4, pushPromise: UInt8 = 5, ping: UInt8 = 6, goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8, continuation: UInt8 = 9
    }

    enum Flag {
        static let endStream: UInt8 = 0x1, ack: UInt8 = 0x1, endHeaders: UInt8 = 0x4, padded: UInt8 = 0x8
        static let priority: UInt8 = 0x20
    }

    var length: Int
    var kind: UInt8
    var flags: UInt8
    /// Without the reserved bit.
    var stream: UInt32
    var isReservedBitSet: Bool

    /// Precondition: nine bytes lie at `offset`.
    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int) {
        let word = bytes.bigEndian64(at: offset)
        length = Int(word >> 40)
        kind = UInt8(truncatingIfNeeded: word >> 32)
        flags = UInt8(truncatingIfNeeded: word >> 24)
        let high = UInt32(truncatingIfNeeded: word) & 0x7f_ffff
        stream = high << 8 | UInt32(bytes[offset + 8])
        isReservedBitSet = word & 0x80_0000 != 0
    }

    /// What a placeholder before the first frame looks like.
    init() {
        (length, kind, flags, stream, isReservedBitSet) = (0, 0, 0, 0, false)
    }

    @inline(__always)
    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    /// Whether it is a whole WINDOW_UPDATE or PING, which say nothing to a listener: half of all frames.
    @inline(__always)
    var isOfNoConcern: Bool {
        kind == Kind.windowUpdate && length == 4 || kind == Kind.ping && length == 8 && stream == 0
    }

    /// Whether its type stands on a stream, or on the connection, as this one does (RFC 9113 §6).
    var isOnRightStream: Bool {
        switch kind {
        case Kind.settings, Kind.ping, Kind.goAway: stream == 0
        case Kind.data...Kind.resetStream, Kind.pushPromise, Kind.continuation: stream != 0
        default: true
        }
    }

    /// Whether RFC 9113 makes this header no connection error by itself; `direction` is the frame's. Length limits and
    /// the order of frames are the reader's matter.
    var isPermitted: Bool {
        switch kind {
        case Kind.data: stream != 0 && (length > 0 || !has(Flag.padded))
        case Kind.headers: stream != 0 && length >= (has(Flag.padded) ? 1 : 0) &+ (has(Flag.priority) ? 5 : 0)
        case Kind.priority: stream != 0
        case Kind.resetStream: stream != 0 && length == 4
        case Kind.settings: stream == 0 && length % 6 == 0 && (length == 0 || !has(Flag.ack))
        case Kind.pushPromise: stream != 0 && length >= 4 &+ (has(Flag.padded) ? 1 : 0)
        case Kind.ping: stream == 0 && length == 8
        case Kind.goAway: stream == 0 && length >= 8
        case Kind.windowUpdate: length == 4
        case Kind.continuation: stream != 0
        default: true
        }
    }
}
