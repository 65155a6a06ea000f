import Crypto
import Foundation
import Wire

/// Both ends of a TLS connection whose secrets are constants: it seals what an input says by swift-crypto's own
/// interface, which the machine under test does not call. AES-128-GCM with SHA-256, in TLS 1.3 or 1.2.
struct TLSPeer {
    /// Which secret protects a record; TLS 1.2 has `traffic` only.
    enum Epoch: Int, CaseIterable {
        case early
        case handshake
        case traffic
    }

    enum ContentType {
        static let alert: UInt8 = 21
        static let handshake: UInt8 = 22
        static let applicationData: UInt8 = 23
    }

    private struct Keys {
        var secret: [UInt8]
        var key: SymmetricKey
        var iv: [UInt8]

        init(trafficSecret: [UInt8]) {
            secret = trafficSecret
            key = SymmetricKey(data: TLSPeer.expand(trafficSecret, "key", count: 16))
            iv = TLSPeer.expand(trafficSecret, "iv", count: 12)
        }

        init(key: [UInt8], iv: [UInt8]) {
            secret = []
            self.key = SymmetricKey(data: key)
            self.iv = iv
        }
    }

    private static let clientRandom = [UInt8](repeating: 0xc1, count: 32)
    private static let serverRandom = [UInt8](repeating: 0x5e, count: 32)
    private static let masterSecret = [UInt8](repeating: 0x3a, count: 48)
    private static let firstKeys13: [[Keys]] = Direction.allCases.map { direction in
        Epoch.allCases.map { Keys(trafficSecret: secret($0, direction)) }
    }
    private static let firstKeys12: [[Keys]] = Direction.allCases.map { direction in
        // RFC 5246 §6.3: both keys, then both IVs.
        let block = keyBlock(count: 2 * (16 + 4))
        let side = Int(direction.rawValue)
        let keys = Keys(key: Array(block[16 * side..<16 * (side + 1)]), iv: Array(block[32 + 4 * side..<36 + 4 * side]))
        return Epoch.allCases.map { _ in keys }
    }

    let isTLS12: Bool
    private var keys: [[Keys]]
    private var sequences: [[UInt64]] = [[0, 0, 0], [0, 0, 0]]

    init(isTLS12: Bool) {
        self.isTLS12 = isTLS12
        keys = isTLS12 ? Self.firstKeys12 : Self.firstKeys13
    }

    // MARK: What is not protected

    /// Lines of the key log: bit 0 those of the handshake, 1 the client's traffic, 2 the server's, 3 early data.
    func keyLog(_ lines: UInt8) -> [UInt8] {
        if isTLS12 { return Self.line12 }
        return (0..<4).filter { lines >> $0 & 1 != 0 }.flatMap { Self.lines13[$0] }
    }

    private static let line12 = line("CLIENT_RANDOM", masterSecret)
    private static let lines13: [[UInt8]] = [
        line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", secret(.handshake, .request))
            + line("SERVER_HANDSHAKE_TRAFFIC_SECRET", secret(.handshake, .response)),
        line("CLIENT_TRAFFIC_SECRET_0", secret(.traffic, .request)),
        line("SERVER_TRAFFIC_SECRET_0", secret(.traffic, .response)),
        line("CLIENT_EARLY_TRAFFIC_SECRET", secret(.early, .request)),
    ]

    private static func line(_ label: String, _ secret: [UInt8]) -> [UInt8] {
        func hexadecimal(_ bytes: [UInt8]) -> String {
            bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        return Array("\(label) \(hexadecimal(clientRandom)) \(hexadecimal(secret))\n".utf8)
    }

    /// The ClientHello or the ServerHello, in its record.
    func hello(_ direction: Direction, offersEarlyData: Bool) -> [UInt8] {
        let suite: [UInt8] = isTLS12 ? [0xc0, 0x2f] : [0x13, 0x01]
        switch direction {
        case .request:
            let extensions: [UInt8] = [0, 43, 0, 3, 2, 3, 4] + (offersEarlyData ? [0, 42, 0, 0] : [])
            let body = [3, 3] + Self.clientRandom + [0, 0, 2] + suite + [1, 0] + Self.vector(extensions)
            return Self.record(ContentType.handshake, Self.message(1, body))
        case .response:
            let extensions: [UInt8] = isTLS12 ? [0xff, 1, 0, 1, 0] : [0, 43, 0, 2, 3, 4]
            let body = [3, 3] + Self.serverRandom + [0] + suite + [0] + Self.vector(extensions)
            return Self.record(ContentType.handshake, Self.message(2, body))
        }
    }

    static let changeCipherSpec = record(20, [1])

    static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] { [type, 0] + vector(body) }

    private static func record(_ type: UInt8, _ body: [UInt8]) -> [UInt8] { [type, 3, 3] + vector(body) }

    private static func vector(_ body: [UInt8]) -> [UInt8] {
        [UInt8(body.count >> 8 & 0xff), UInt8(body.count & 0xff)] + body
    }

    // MARK: What is

    /// Number of the next record with that secret.
    func sequence(_ epoch: Epoch, _ direction: Direction) -> UInt64 {
        sequences[Int(direction.rawValue)][epoch.rawValue]
    }

    /// A protected record.
    mutating func seal(
        _ content: [UInt8], type: UInt8, padding: Int = 0, _ epoch: Epoch, _ direction: Direction
    ) -> [UInt8] {
        let side = Int(direction.rawValue)
        let keys = keys[side][epoch.rawValue]
        let number = Self.bytes(sequences[side][epoch.rawValue])
        sequences[side][epoch.rawValue] += 1
        let plaintext = isTLS12 ? content : content + [type] + [UInt8](repeating: 0, count: padding)
        let explicit = isTLS12 ? number : []
        let body = explicit.count + plaintext.count + 16
        let header = [isTLS12 ? type : ContentType.applicationData, 3, 3, UInt8(body >> 8), UInt8(body & 0xff)]
        let nonce = isTLS12 ? keys.iv + number : zip(keys.iv, [0, 0, 0, 0] + number).map { $0 ^ $1 }
        let additional =
            isTLS12 ? number + header.prefix(3) + [UInt8(content.count >> 8), UInt8(content.count & 0xff)] : header
        guard let nonce = try? AES.GCM.Nonce(data: nonce),
            let box = try? AES.GCM.seal(plaintext, using: keys.key, nonce: nonce, authenticating: additional)
        else { preconditionFailure("a key of 16 bytes and a nonce of 12 seal anything") }
        return header + explicit + Array(box.ciphertext) + Array(box.tag)
    }

    /// Goes over to the next traffic secret (RFC 8446 §7.2).
    mutating func updateKeys(_ direction: Direction) {
        let side = Int(direction.rawValue)
        let secret = keys[side][Epoch.traffic.rawValue].secret
        keys[side][Epoch.traffic.rawValue] = Keys(trafficSecret: Self.expand(secret, "traffic upd", count: 32))
        sequences[side][Epoch.traffic.rawValue] = 0
    }

    private static func secret(_ epoch: Epoch, _ direction: Direction) -> [UInt8] {
        [UInt8](repeating: UInt8(0x10 + 16 * epoch.rawValue) + direction.rawValue, count: 32)
    }

    /// HKDF-Expand-Label (RFC 8446 §7.1), one block of it.
    private static func expand(_ secret: [UInt8], _ label: String, count: Int) -> [UInt8] {
        let name = Array("tls13 \(label)".utf8)
        return Array(mac([0, UInt8(count), UInt8(name.count)] + name + [0, 1], secret).prefix(count))
    }

    /// RFC 5246 §5, §6.3.
    private static func keyBlock(count: Int) -> [UInt8] {
        let seed = Array("key expansion".utf8) + serverRandom + clientRandom
        var chain = mac(seed, masterSecret)
        var block: [UInt8] = []
        while block.count < count {
            block += mac(chain + seed, masterSecret)
            chain = mac(chain, masterSecret)
        }
        return Array(block.prefix(count))
    }

    private static func mac(_ message: [UInt8], _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }
}
