import Wire

/// The header of a TLS record (RFC 8446 §5.1): content type, version, length.
struct RecordHeader {
    enum ContentType {
        static let changeCipherSpec: UInt8 = 20
        static let alert: UInt8 = 21
        static let handshake: UInt8 = 22
        static let applicationData: UInt8 = 23
    }

    static let byteCount = 5
    /// RFC 5246 §6.2.3: 2^14 and 2048; TLS 1.3 allows 256 only (RFC 8446 §5.2).
    static let fragmentBytesMax = (1 << 14) + 2048

    var type: UInt8
    /// Bytes behind the header.
    var length: Int
    /// Header included.
    var recordBytes: Int { Self.byteCount &+ length }

    /// `nil` where the bytes at `offset` cannot be a header; 5 must be there.
    init?(_ bytes: Span<UInt8>, at offset: Int) {
        type = bytes[offset]
        length = Int(bytes.bigEndian16(at: offset &+ 3))
        guard (20...23).contains(type), bytes[offset &+ 1] == 3, bytes[offset &+ 2] <= 4, length > 0,
            length <= Self.fragmentBytesMax
        else { return nil }
    }

    /// `nil` where the bytes cannot be a protected record's header: TLS 1.2 and 1.3 write version 0x0303 there, and a
    /// tag has 16 bytes.
    init?(protected bytes: Span<UInt8>, at offset: Int) {
        self.init(bytes, at: offset)
        guard bytes[offset &+ 2] == 3, length > 16 else { return nil }
    }
}
