import Wire

/// Writes frames behind what an array holds (RFC 9113 §4.1, §6).
enum FrameWriter {
    /// What a client says first (RFC 9113 §3.4).
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Parameters of SETTINGS (RFC 9113 §6.5.2).
    enum Setting {
        static let headerTableSize: UInt16 = 1, enablePush: UInt16 = 2, maxConcurrentStreams: UInt16 = 3
        static let initialWindowSize: UInt16 = 4, maxFrameSize: UInt16 = 5
    }

    /// Precondition: `length` is below 2^24, `stream` below 2^31.
    @inline(__always)
    static func appendHeader(
        length: Int, kind: UInt8, flags: UInt8 = 0, stream: UInt32, to bytes: inout [UInt8]
    ) {
        let start = bytes.appendZeros(FrameHeader.byteCount)
        let head = UInt64(UInt32(length)) << 40 | UInt64(kind) << 32 | UInt64(flags) << 24 | UInt64(stream >> 8)
        bytes.storeBigEndian64(head, at: start)
        bytes[start + 8] = UInt8(truncatingIfNeeded: stream)
    }

    static func appendSettings(_ values: [(UInt16, UInt32)], to bytes: inout [UInt8]) {
        appendHeader(length: values.count * 6, kind: FrameHeader.Kind.settings, stream: 0, to: &bytes)
        for (parameter, value) in values {
            let start = bytes.appendZeros(6)
            bytes.storeBigEndian16(parameter, at: start)
            bytes.storeBigEndian32(value, at: start + 2)
        }
    }

    static func appendSettingsAck(to bytes: inout [UInt8]) {
        appendHeader(length: 0, kind: FrameHeader.Kind.settings, flags: FrameHeader.Flag.ack, stream: 0, to: &bytes)
    }

    static func appendPing(_ content: UInt64, isAck: Bool, to bytes: inout [UInt8]) {
        let flags = isAck ? FrameHeader.Flag.ack : 0
        appendHeader(length: 8, kind: FrameHeader.Kind.ping, flags: flags, stream: 0, to: &bytes)
        bytes.storeBigEndian64(content, at: bytes.appendZeros(8))
    }

    static func appendWindowUpdate(_ increment: Int, stream: UInt32, to bytes: inout [UInt8]) {
        appendHeader(length: 4, kind: FrameHeader.Kind.windowUpdate, stream: stream, to: &bytes)
        bytes.storeBigEndian32(UInt32(increment), at: bytes.appendZeros(4))
    }

    static func appendReset(_ code: ErrorCode, stream: UInt32, to bytes: inout [UInt8]) {
        appendHeader(length: 4, kind: FrameHeader.Kind.resetStream, stream: stream, to: &bytes)
        bytes.storeBigEndian32(code.rawValue, at: bytes.appendZeros(4))
    }

    /// `lastStream` of a client is 0: a server opens none where push is not allowed (RFC 9113 §6.8).
    static func appendGoAway(_ code: ErrorCode, to bytes: inout [UInt8]) {
        appendHeader(length: 8, kind: FrameHeader.Kind.goAway, stream: 0, to: &bytes)
        bytes.storeBigEndian64(UInt64(code.rawValue), at: bytes.appendZeros(8))
    }
}
