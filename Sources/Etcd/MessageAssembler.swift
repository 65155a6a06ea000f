import Wire

/// Cuts gRPC's length-prefixed messages out of the DATA of one direction of one stream (gRPC over HTTP/2: one byte
/// compressed flag, four bytes big-endian length, message). Keeps no bytes but those of an unfinished prefix.
///
/// What a lost byte makes uncertain: within a message of known length only that message is damaged; the next one
/// begins where it should. Lost bytes that reach beyond the message, or an unknown number of them, leave the direction
/// *adrift*: then only a DATA frame whose beginning looks like a message's begins one (plausible prefix), and the
/// rest is passed over. So the messages that are counted are never more than there were.
struct MessageAssembler: Sendable {
    enum Step {
        /// The piece is used up.
        case needMore
        /// A whole message lies in the piece.
        case whole(Range<Int>)
        /// The piece holds a part of a message that began before it, goes on after it, or both.
        case part(Range<Int>, isLast: Bool)
        /// The bytes were no message: the direction is adrift.
        case senseless
    }

    /// The longest message that a plausible prefix may announce. Snapshots and ranges come in less; a sender in step
    /// is believed any length.
    static let plausibleLength = 64 << 20
    /// Frames of a message that goes on are full: as long as the receiver allows, 16 384 bytes at least
    /// (RFC 9113 §6.5.2).
    static let fullFrame = 16_384

    private enum State: UInt8 { case boundary, message, adrift }

    private var state = State.boundary
    /// `.message`: bytes of it were lost.
    private(set) var isDamaged = false
    private(set) var isCompressed = false
    private var prefixCount = 0
    private var prefix: UInt64 = 0
    /// Adrift: the rest of this frame is passed over.
    private var passesOverFrame = true
    private var frameLength = 0
    private var pieceStart: Int64 = 0

    /// Length of the present or latest message, without its prefix.
    private(set) var length = 0
    private var remaining = 0
    /// When the first byte of the present or latest message was captured, as near as frames tell.
    private(set) var start: Int64 = 0

    init() {}

    /// An assembler that has just seen that message whole.
    init(having length: Int, start: Int64) {
        self.length = length
        self.start = start
    }

    /// Whether bytes of an unfinished message were seen.
    var isWithinMessage: Bool { state == .message || state == .boundary && prefixCount > 0 }
    /// Whether it is unfinished and none of its bytes were lost so far.
    var isWholeSoFar: Bool { isWithinMessage && !(state == .message && isDamaged) }

    /// Announces a piece of a DATA frame's payload.
    mutating func begin(isFrameStart: Bool, frameLength: Int, at time: Int64) {
        pieceStart = time
        guard state == .adrift else { return }
        if isFrameStart {
            passesOverFrame = false
            prefixCount = 0
            prefix = 0
            self.frameLength = frameLength
        }
    }

    /// What comes next in the piece; called until it says `.needMore`.
    mutating func next(in bytes: Span<UInt8>, at offset: inout Int) -> Step {
        if state == .message {
            let count = min(remaining, bytes.count - offset)
            if count == 0, remaining > 0 { return .needMore }
            let range = offset..<offset + count
            offset += count
            remaining -= count
            if remaining == 0 { state = .boundary }
            return .part(range, isLast: remaining == 0)
        }
        if state == .adrift, passesOverFrame {
            offset = bytes.count
            return .needMore
        }
        if prefixCount == 0 {
            if offset == bytes.count { return .needMore }
            start = pieceStart
            if bytes.count - offset >= 5 {
                prefix = UInt64(bytes[offset]) << 32 | UInt64(bytes.bigEndian32(at: offset + 1))
                offset += 5
                return beginMessage(in: bytes, at: &offset)
            }
        }
        while prefixCount < 5, offset < bytes.count {
            prefix = prefix << 8 | UInt64(bytes[offset])
            prefixCount += 1
            offset += 1
        }
        return prefixCount < 5 ? .needMore : beginMessage(in: bytes, at: &offset)
    }

    private mutating func beginMessage(in bytes: Span<UInt8>, at offset: inout Int) -> Step {
        let flag = prefix >> 32
        length = Int(prefix & 0xffff_ffff)
        prefixCount = 0
        prefix = 0
        if flag > 1 || state == .adrift && !isPlausible {
            let wasAdrift = state == .adrift
            state = .adrift
            passesOverFrame = true
            offset = bytes.count
            return wasAdrift ? .needMore : .senseless
        }
        isCompressed = flag == 1
        isDamaged = false
        if bytes.count - offset >= length {
            state = .boundary
            let range = offset..<offset + length
            offset += length
            return .whole(range)
        }
        state = .message
        remaining = length
        let range = offset..<bytes.count
        remaining -= range.count
        offset = bytes.count
        return .part(range, isLast: false)
    }

    /// Whether the prefix that was read at a frame's beginning is likely a message's: the message fills the frame, or
    /// goes on after a full frame.
    private var isPlausible: Bool {
        guard length <= Self.plausibleLength else { return false }
        return 5 + length == frameLength || frameLength >= Self.fullFrame && 5 + length > frameLength
    }

    /// `count` bytes of payload are missing here.
    mutating func lose(_ count: Int) {
        guard state == .message, count <= remaining else { return drift() }
        isDamaged = true
        remaining -= count
        if remaining == 0 { state = .boundary }
    }

    /// Nothing is known of where the next bytes belong.
    mutating func drift() {
        state = .adrift
        passesOverFrame = true
        prefixCount = 0
        prefix = 0
        remaining = 0
    }
}
