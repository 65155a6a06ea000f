import Crypto

/// How secrets become keys: HKDF of TLS 1.3 and the PRF of TLS 1.2. Runs a few times a connection.
enum KeySchedule {
    static func hmac(_ message: [UInt8], key: [UInt8], _ hash: CipherSuite.Hash) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return switch hash {
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        case .sha384: Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446 §7.1). All that is expanded here fits into one block of the
    /// hash (RFC 5869 §2.3). Precondition: `count` is no more than the hash's length.
    static func expandLabel(_ secret: [UInt8], _ label: String, count: Int, _ hash: CipherSuite.Hash) -> [UInt8] {
        precondition(count <= hash.byteCount, "one block of HKDF must do")
        let name = Array("tls13 \(label)".utf8)
        let info = [0, UInt8(count), UInt8(name.count)] + name + [0]
        return Array(hmac(info + [1], key: secret, hash).prefix(count))
    }

    /// The secret behind a KeyUpdate (RFC 8446 §7.2).
    static func nextSecret(_ secret: [UInt8], _ hash: CipherSuite.Hash) -> [UInt8] {
        expandLabel(secret, "traffic upd", count: hash.byteCount, hash)
    }

    /// The PRF of TLS 1.2 (RFC 5246 §5).
    static func prf(
        _ secret: [UInt8], label: String, seed: [UInt8], count: Int, _ hash: CipherSuite.Hash
    ) -> [UInt8] {
        let seed = Array(label.utf8) + seed
        var output: [UInt8] = []
        var chain = seed
        while output.count < count {
            chain = hmac(chain, key: secret, hash)
            output += hmac(chain + seed, key: secret, hash)
        }
        return Array(output.prefix(count))
    }
}
