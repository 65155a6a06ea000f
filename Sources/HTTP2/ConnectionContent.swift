import Wire

/// What a connection carries, as far as its bytes tell.
public enum ConnectionContent: UInt8, Sendable {
    case unknown
    case http2
    /// TLS records: nothing can be read without keys.
    case tls
    case http1
    /// Bytes that are none of these.
    case other

    /// What bytes at the beginning of a segment look like; `.unknown` when they tell nothing. Never `.http2`, which
    /// takes more than a look.
    static func beginning(with bytes: Span<UInt8>) -> ConnectionContent {
        guard bytes.count >= 5 else { return .unknown }
        // RFC 8446 §5.1: content type 20-23, version 3.x, at most 2^14 + 256 bytes (2^14 + 2048 before TLS 1.3).
        if (0x14...0x17).contains(bytes[0]), bytes[1] == 3, bytes[2] <= 4,
            (1...(1 << 14) + 2048).contains(bytes.bigEndian16(at: 3))
        {
            return .tls
        }
        return isHTTP1(bytes) ? .http1 : .unknown
    }

    /// Whether a request line's method or a status line begins here (RFC 9112 §3, §4).
    private static func isHTTP1(_ bytes: Span<UInt8>) -> Bool {
        for word in [
            "GET /", "POST ", "PUT /", "HEAD ", "HTTP/1.", "DELETE ", "PATCH ", "OPTIONS ", "CONNECT ", "TRACE ",
        ] {
            let text = word.utf8
            guard text.count <= bytes.count else { continue }
            var offset = 0
            for byte in text {
                if bytes[offset] != byte { break }
                offset += 1
            }
            if offset == text.count { return true }
        }
        return false
    }
}
