/// A cipher suite as far as records need it: its AEAD, its hash, and for which version it stands.
struct CipherSuite: Equatable, Sendable {
    enum AEAD: UInt8, Sendable {
        case aes128GCM
        case aes256GCM
        case chaCha20Poly1305

        var keyBytes: Int { self == .aes128GCM ? 16 : 32 }
    }

    enum Hash: UInt8, Sendable {
        case sha256
        case sha384

        var byteCount: Int { self == .sha256 ? 32 : 48 }
    }

    var aead: AEAD
    var hash: Hash
    var isTLS13: Bool

    init(_ aead: AEAD, _ hash: Hash, isTLS13: Bool) {
        self.aead = aead
        self.hash = hash
        self.isTLS13 = isTLS13
    }

    /// The suites of RFC 8446 §B.4, RFC 5288, RFC 5289 and RFC 7905 with these AEADs; `nil` for all others (CBC, CCM,
    /// null, pre-shared keys).
    init?(code: UInt16) {
        switch code {
        case 0x1301: self.init(.aes128GCM, .sha256, isTLS13: true)
        case 0x1302: self.init(.aes256GCM, .sha384, isTLS13: true)
        case 0x1303: self.init(.chaCha20Poly1305, .sha256, isTLS13: true)
        // RSA, DHE_RSA, ECDHE_ECDSA, ECDHE_RSA.
        case 0x009c, 0x009e, 0xc02b, 0xc02f: self.init(.aes128GCM, .sha256, isTLS13: false)
        case 0x009d, 0x009f, 0xc02c, 0xc030: self.init(.aes256GCM, .sha384, isTLS13: false)
        // ECDHE_RSA, ECDHE_ECDSA, DHE_RSA.
        case 0xcca8, 0xcca9, 0xccaa: self.init(.chaCha20Poly1305, .sha256, isTLS13: false)
        default: return nil
        }
    }

    /// The TLS 1.3 suites whose hash makes secrets of that length.
    static func candidates(secretBytes: Int) -> [CipherSuite] {
        switch secretBytes {
        case 32:
            [
                CipherSuite(.aes128GCM, .sha256, isTLS13: true),
                CipherSuite(.chaCha20Poly1305, .sha256, isTLS13: true),
            ]
        case 48: [CipherSuite(.aes256GCM, .sha384, isTLS13: true)]
        default: []
        }
    }

    /// Bytes that a record has besides its plaintext: header, explicit nonce (RFC 5288 §3), tag, and in TLS 1.3 the
    /// content type (RFC 8446 §5.2), padding left aside.
    var recordOverhead: Int {
        if isTLS13 { return RecordHeader.byteCount + 1 + 16 }
        return RecordHeader.byteCount + explicitNonceBytes + 16
    }

    var explicitNonceBytes: Int { !isTLS13 && aead != .chaCha20Poly1305 ? 8 : 0 }
}
