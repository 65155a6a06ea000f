import Wire

/// How strongly bytes of which nothing is known look like a frame. Stricter than RFC 9113 in everything that real etcd
/// traffic never shows, since TLS records, values and machine code are to be told apart from frames.
extension FrameHeader {
    /// What is known of the connection while a boundary is looked for.
    struct Context {
        var direction: Direction
        /// The largest frame that may be expected: 16 384, or what the other side's SETTINGS allowed.
        var frameBytes = 16_384
        /// The highest stream of which HEADERS were seen in either direction, 0 when none were.
        var lastStream: UInt32 = 0
        /// How far streams may lie above it.
        var streamsAhead = FrameHeader.streamsAheadOfGap
        /// The highest index that a field block may use.
        var indexLimit = 61 + 128
    }

    /// Streams that a gap commonly opens, and more than a client opens from one HEADERS to the next.
    static let streamsAhead: UInt32 = 4000
    /// More than half a million calls do not begin in one gap: beyond this a number is none of the connection's.
    static let streamsAheadOfGap: UInt32 = 1 << 20

    /// The highest distance of a stream from the last one known, when `byteCount` bytes of both directions were missed
    /// since: every stream is opened by HEADERS of ten bytes at least, and numbers ascend by two (RFC 9113 §5.1.1).
    static func streamsAhead(ofBytes byteCount: Int) -> UInt32 {
        UInt32(min(max(byteCount, 0) / 5 &+ 400, Int(streamsAheadOfGap)))
    }
    /// The payload of grpc-go's PINGs that measure the bandwidth-delay product.
    private static let grpcGoPing: UInt64 = 0x0204_1010_090e_0707

    /// How strongly one frame speaks for the boundary that it begins at.
    struct Evidence {
        var header: FrameHeader
        /// Roughly −log₂ of the chance that random bytes look as well like a frame.
        var bits: Int
        /// Whether it is DATA that says nothing but its length. Tables in executables look like rows of them, each as
        /// likely as the one before, so that a second one proves nothing.
        var isPlainData = false
        /// Whether more than its header speaks for it: a field block, a gRPC message's length, grpc-go's PING. Tables
        /// of little-endian numbers hold all the other frames, since these are mostly zeros.
        var isTypical = false
    }

    /// The evidence of what lies at `offset`; nil when it is no frame. The payload is looked at as far as it is there.
    /// Precondition: nine bytes lie at `offset`.
    static func evidence(in bytes: Span<UInt8>, at offset: Int, _ context: Context) -> Evidence? {
        let header = FrameHeader(bytes, at: offset)
        guard header.length <= context.frameBytes, !header.isReservedBitSet, header.isPermitted else { return nil }
        let payload = offset &+ byteCount
        let available = bytes.count &- payload
        guard var bits = header.ownEvidence else { return nil }
        var isPlainData = false
        var isTypical = false
        switch header.kind {
        case Kind.data:
            let isThere = available >= min(5, header.length)
            guard isThere, header.length > 0, !header.has(Flag.padded) else { break }
            if header.length >= 5, bytes[payload] <= 1,
                Int(bytes.bigEndian32(at: payload + 1)) &+ 5 == header.length
            {
                bits &+= 30
                isTypical = header.length > 5
            } else if header.length < context.frameBytes {
                // The last piece of a long message, or several in one frame: rare beside what only looks like it.
                bits &-= 11
                isPlainData = true
            }
        case Kind.headers:
            guard let more = header.blockEvidence(bytes, at: payload, context) else { return nil }
            bits &+= more
            isTypical = more > 0 && header.has(Flag.endHeaders) && header.length <= available
        case Kind.resetStream:
            if available >= 4, bytes.bigEndian32(at: payload) > 13 { return nil }
        case Kind.ping:
            if available >= 8, bytes.bigEndian64(at: payload) == grpcGoPing {
                bits &+= 64
                isTypical = true
            }
        case Kind.goAway:
            if available >= 8, bytes[payload] & 0x80 != 0 || bytes.bigEndian32(at: payload + 4) > 13 { return nil }
        case Kind.windowUpdate:
            if available >= 4, !(1...0x7fff_ffff).contains(bytes.bigEndian32(at: payload)) { return nil }
        default: break
        }
        if header.stream != 0 {
            let last = context.lastStream
            guard last == 0 || header.stream <= last &+ context.streamsAhead else { return nil }
            if header.stream < (last == 0 ? 1 << 20 : last &+ streamsAhead) { bits &+= 11 }
        }
        return Evidence(header: header, bits: bits, isPlainData: isPlainData, isTypical: isTypical)
    }

    /// Evidence of the nine octets alone; nil when a flag, length or stream is none that a frame of this type has.
    private var ownEvidence: Int? {
        let isOdd = stream & 1 == 1
        switch kind {
        case Kind.data:
            return flags & ~0x9 == 0 && isOdd && (length > 0 || has(Flag.endStream)) ? 23 : nil
        case Kind.headers:
            return flags & ~0x2d == 0 && isOdd && length > 0 ? 23 : nil
        case Kind.priority:
            return flags == 0 && isOdd && length == 5 ? 42 : nil
        case Kind.resetStream:
            return flags == 0 && isOdd ? 42 : nil
        case Kind.settings:
            // Without content it is a four among zeros, which tables in executables are full of.
            return flags & ~0x1 == 0 && length <= 60 ? (length == 0 && !has(Flag.ack) ? 40 : 67) : nil
        case Kind.ping:
            return flags & ~0x1 == 0 ? 71 : nil
        case Kind.goAway:
            return flags == 0 && length <= 1024 ? 62 : nil
        case Kind.windowUpdate:
            return flags == 0 && (stream == 0 || isOdd) ? 42 : nil
        case Kind.continuation:
            return flags & ~0x4 == 0 && isOdd ? 23 : nil
        default:
            return nil
        }
    }

    private func blockEvidence(_ bytes: Span<UInt8>, at payload: Int, _ context: Context) -> Int? {
        var start = payload
        var end = payload &+ length
        if has(Flag.padded) {
            guard start < bytes.count else { return 0 }
            end &-= Int(bytes[start])
            start &+= 1
        }
        if has(Flag.priority) { start &+= 5 }
        guard start < end else { return nil }
        guard bytes.count &- start >= 2, end &- start >= 2 else { return 0 }
        let first = bytes[start]
        let second = bytes[start + 1]
        var bits = 1
        if context.direction == .request, first == 0x83, second == 0x86 || second == 0x87 {
            bits = 16  // grpc-go: `:method` POST, `:scheme`
        } else if context.direction == .response, first == 0x88 {
            bits = 8  // `:status` 200
        } else if first & 0xc0 == 0, first & 0xe0 != 0x20 {
            return nil  // neither indexed, nor to be indexed, nor a size update
        }
        if end <= bytes.count, has(Flag.endHeaders),
            !FieldLine.plausible(bytes.extracting(start..<end), indexLimit: context.indexLimit)
        {
            return nil
        }
        return bits
    }
}
