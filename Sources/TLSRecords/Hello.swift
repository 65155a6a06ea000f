import Wire

/// What a ClientHello or a ServerHello says of the keys to come (RFC 8446 §4.1.2, §4.1.3; RFC 5246 §7.4.1).
struct Hello {
    private enum Extension {
        static let earlyData: UInt16 = 42
        static let supportedVersions: UInt16 = 43
    }

    /// RFC 8446 §4.1.3: this random marks a HelloRetryRequest, the SHA-256 of that word.
    private static let retryRandom: [UInt8] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ]

    private(set) var peerRandom: [UInt8] = []
    /// ServerHello: the suite chosen.
    private(set) var suiteCode: UInt16 = 0
    /// ServerHello: the version chosen, 0x0304 for TLS 1.3.
    private(set) var version: UInt16 = 0
    /// ClientHello: early data follows.
    private(set) var offersEarlyData = false
    var isRetryRequest: Bool { peerRandom == Self.retryRandom }

    /// `nil` if `message`, header included, is malformed.
    init?(_ message: Span<UInt8>) {
        var fields = Fields(offset: 4, end: message.count)
        let isClient = message[0] == HandshakeReader.MessageType.clientHello
        guard let version = fields.number16(message), let randomBytes = fields.take(32),
            let session = fields.number8(message),
            fields.take(session) != nil
        else { return nil }
        self.version = UInt16(version)
        peerRandom = message.extracting(randomBytes).copied()
        if isClient {
            guard let suites = fields.number16(message), fields.take(suites) != nil,
                let compressions = fields.number8(message), fields.take(compressions) != nil
            else { return nil }
        } else {
            guard let suite = fields.number16(message), fields.take(1) != nil else { return nil }
            suiteCode = UInt16(suite)
        }
        // Extensions may be absent in TLS 1.2.
        guard fields.offset < fields.end else { return }
        guard let length = fields.number16(message), let extensions = fields.take(length) else { return nil }
        var inner = Fields(offset: extensions.lowerBound, end: extensions.upperBound)
        while inner.offset < inner.end {
            guard let type = inner.number16(message), let length = inner.number16(message),
                let content = inner.take(length)
            else { return nil }
            if isClient, type == Extension.earlyData { offersEarlyData = true }
            if !isClient, type == Extension.supportedVersions, content.count == 2 {
                self.version = message.bigEndian16(at: content.lowerBound)
            }
        }
    }

    /// Fields one after the other; each `nil` where the bytes end before it does.
    private struct Fields {
        var offset: Int
        let end: Int

        mutating func take(_ count: Int) -> Range<Int>? {
            guard count <= end &- offset else { return nil }
            defer { offset &+= count }
            return offset..<offset &+ count
        }

        mutating func number8(_ bytes: Span<UInt8>) -> Int? { take(1).map { Int(bytes[$0.lowerBound]) } }

        mutating func number16(_ bytes: Span<UInt8>) -> Int? {
            guard let range = take(2) else { return nil }
            return Int(bytes.bigEndian16(at: range.lowerBound))
        }
    }
}
