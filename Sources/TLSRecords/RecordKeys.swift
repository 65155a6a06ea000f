import Wire

/// What opens the records of one direction from one change of keys to the next.
struct RecordKeys {
    let suite: CipherSuite
    /// The traffic secret, from which a KeyUpdate makes the next; empty in TLS 1.2.
    let secret: [UInt8]
    private let cipher: RecordCipher
    /// The static part of the nonce, at its end as far as it is xored with the sequence number.
    private let salt: UInt32
    private let mask: UInt64
    private var nonce = [UInt8](repeating: 0, count: RecordCipher.nonceBytes)
    private var additional: [UInt8]

    /// Keys of TLS 1.3 (RFC 8446 §7.3).
    init?(trafficSecret secret: [UInt8], _ suite: CipherSuite) {
        guard secret.count == suite.hash.byteCount else { return nil }
        let key = KeySchedule.expandLabel(secret, "key", count: suite.aead.keyBytes, suite.hash)
        let iv = KeySchedule.expandLabel(secret, "iv", count: RecordCipher.nonceBytes, suite.hash)
        self.init(suite, key: key, iv: iv, secret: secret)
    }

    /// Keys of TLS 1.2 (RFC 5246 §6.3): the key block holds both sides' keys, then both sides' IVs: 4 bytes for GCM
    /// (RFC 5288 §3), 12 for ChaCha20-Poly1305 (RFC 7905 §2).
    init?(
        masterSecret: [UInt8], clientRandom: [UInt8], serverRandom: [UInt8], _ direction: Direction,
        _ suite: CipherSuite
    ) {
        let keyBytes = suite.aead.keyBytes
        let ivBytes = RecordCipher.nonceBytes - suite.explicitNonceBytes
        let block = KeySchedule.prf(
            masterSecret, label: "key expansion", seed: serverRandom + clientRandom, count: 2 * (keyBytes + ivBytes),
            suite.hash)
        let keyStart = direction == .request ? 0 : keyBytes
        let ivStart = 2 * keyBytes + (direction == .request ? 0 : ivBytes)
        self.init(
            suite, key: Array(block[keyStart..<keyStart + keyBytes]), iv: Array(block[ivStart..<ivStart + ivBytes]),
            secret: [])
    }

    private init?(_ suite: CipherSuite, key: [UInt8], iv: [UInt8], secret: [UInt8]) {
        guard let cipher = RecordCipher(suite.aead, key: key) else { return nil }
        self.suite = suite
        self.secret = secret
        self.cipher = cipher
        salt = iv.span.bigEndian32(at: 0)
        mask = iv.count == RecordCipher.nonceBytes ? iv.span.bigEndian64(at: 4) : 0
        additional = [UInt8](repeating: 0, count: suite.isTLS13 ? RecordHeader.byteCount : 13)
    }

    /// The keys after a KeyUpdate (RFC 8446 §7.2).
    var next: RecordKeys? {
        suite.isTLS13 ? RecordKeys(trafficSecret: KeySchedule.nextSecret(secret, suite.hash), suite) : nil
    }

    /// Opens a whole record, header included, into `output` from `offset`, where there must be room for all of it. The
    /// count of what was protected: in TLS 1.3 with its content type and padding. `nil` if the tag does not prove it.
    mutating func open(_ record: Span<UInt8>, sequence: UInt64, into output: inout [UInt8], at offset: Int) -> Int? {
        let body = RecordHeader.byteCount &+ suite.explicitNonceBytes
        guard record.count >= body &+ RecordCipher.tagBytes else { return nil }
        if suite.isTLS13 {
            for index in 0..<RecordHeader.byteCount { additional[index] = record[index] }
        } else {
            // RFC 5246 §6.2.3.3: sequence number, type, version, length of the plaintext.
            additional.setBigEndian(sequence, at: 0)
            for index in 0..<3 { additional[8 &+ index] = record[index] }
            let length = record.count &- body &- RecordCipher.tagBytes
            additional[11] = UInt8(truncatingIfNeeded: length >> 8)
            additional[12] = UInt8(truncatingIfNeeded: length)
        }
        for index in 0..<4 { nonce[index] = UInt8(truncatingIfNeeded: salt >> UInt32(24 &- 8 &* index)) }
        let variable =
            suite.explicitNonceBytes > 0 ? record.bigEndian64(at: RecordHeader.byteCount) : mask ^ sequence
        nonce.setBigEndian(variable, at: 4)
        return cipher.open(
            record.extracting(body..<record.count), nonce: nonce.span, authenticating: additional.span, into: &output,
            at: offset)
    }
}

extension Array<UInt8> {
    /// Writes the number in network order at `offset`, where eight bytes must be.
    fileprivate mutating func setBigEndian(_ number: UInt64, at offset: Int) {
        for index in 0..<8 { self[offset &+ index] = UInt8(truncatingIfNeeded: number >> UInt64(56 &- 8 &* index)) }
    }
}
