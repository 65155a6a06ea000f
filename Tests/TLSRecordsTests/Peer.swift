import Crypto
import Foundation
import TestSupport
import Wire

/// Both ends of a TLS connection, which seal records by swift-crypto's own interface: AES.GCM, ChaChaPoly and HKDF,
/// none of which the machine under test calls.
struct Peer {
    enum Suite: UInt16, CaseIterable {
        case tls13AES128 = 0x1301
        case tls13AES256 = 0x1302
        case tls13ChaCha = 0x1303
        case tls12AES128 = 0xc02f
        case tls12AES256 = 0xc030
        case tls12ChaCha = 0xcca8

        var isTLS13: Bool { rawValue < 0x1400 }
        var isChaCha: Bool { self == .tls13ChaCha || self == .tls12ChaCha }
        var keyBytes: Int { self == .tls13AES128 || self == .tls12AES128 ? 16 : 32 }
        var secretBytes: Int { self == .tls13AES256 || self == .tls12AES256 ? 48 : 32 }
    }

    /// What one side seals with.
    private struct Side {
        var secret: [UInt8] = []
        var key = SymmetricKey(size: .bits128)
        var iv: [UInt8] = []
        var sequence: UInt64 = 0
        /// Added to the sequence number for the explicit nonce, as OpenSSL starts it anywhere.
        var explicitNonce: UInt64 = 0
    }

    let suite: Suite
    let clientRandom: [UInt8]
    let serverRandom: [UInt8]
    private let masterSecret: [UInt8]
    private var secrets: [String: [UInt8]] = [:]
    private var client = Side()
    private var server = Side()

    init(_ suite: Suite, _ random: inout SplitMix64) throws {
        self.suite = suite
        clientRandom = random.bytes(32)
        serverRandom = random.bytes(32)
        masterSecret = random.bytes(48)
        for label in [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0", "CLIENT_EARLY_TRAFFIC_SECRET",
        ] {
            secrets[label] = random.bytes(suite.secretBytes)
        }
        client.explicitNonce = random.next()
        server.explicitNonce = random.next()
    }

    /// The lines of a key log; only those with these words in their label, if any are given.
    func keyLog(_ words: String...) -> String {
        let lines = suite.isTLS13 ? secrets : ["CLIENT_RANDOM": masterSecret]
        return lines.sorted { $0.key < $1.key }
            .filter { line in words.isEmpty || words.contains { line.key.contains($0) } }
            .map { "\($0.key) \(hex(clientRandom)) \(hex($0.value))\n" }.joined()
    }

    // MARK: Hellos

    func clientHello(earlyData: Bool = false) -> [UInt8] {
        var extensions: [UInt8] = [0, 43, 0, 3, 2, 3, 4]
        if earlyData { extensions += [0, 42, 0, 0] }
        let body = [3, 3] + clientRandom + [0] + [0, 2, suite.code.0, suite.code.1, 1, 0] + Self.vector(extensions)
        return Self.record(22, Self.message(1, body), version: 1)
    }

    func serverHello() -> [UInt8] {
        let extensions: [UInt8] = suite.isTLS13 ? [0, 43, 0, 2, 3, 4] : [0xff, 1, 0, 1, 0]
        let body = [3, 3] + serverRandom + [0, suite.code.0, suite.code.1, 0] + Self.vector(extensions)
        return Self.record(22, Self.message(2, body))
    }

    static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type, 0, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    private static func vector(_ body: [UInt8]) -> [UInt8] {
        [UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    static func record(_ type: UInt8, _ body: [UInt8], version: UInt8 = 3) -> [UInt8] {
        [type, 3, version] + vector(body)
    }

    static let changeCipherSpec: [UInt8] = [20, 3, 3, 0, 1, 1]

    // MARK: Keys

    /// Goes over to the secret with that label.
    mutating func use(_ label: String, _ direction: Direction) throws { try setSecret(secrets[label] ?? [], direction) }

    /// Goes over to the keys of TLS 1.2, or to the first traffic secret.
    mutating func useTrafficKeys(_ direction: Direction) throws {
        if suite.isTLS13 {
            return try use(direction == .request ? "CLIENT_TRAFFIC_SECRET_0" : "SERVER_TRAFFIC_SECRET_0", direction)
        }
        let ivBytes = suite.isChaCha ? 12 : 4
        let block = prf(count: 2 * (suite.keyBytes + ivBytes))
        let isClient = direction == .request
        let keyStart = isClient ? 0 : suite.keyBytes
        let ivStart = 2 * suite.keyBytes + (isClient ? 0 : ivBytes)
        set(
            key: Array(block[keyStart..<keyStart + suite.keyBytes]), iv: Array(block[ivStart..<ivStart + ivBytes]),
            direction)
    }

    /// The record of a KeyUpdate, and then the next secret.
    mutating func updateKeys(_ direction: Direction) throws -> [UInt8] {
        let record = try seal(Self.message(24, [0]), direction, type: 22)
        let secret = direction == .request ? client.secret : server.secret
        try setSecret(expand(secret, "traffic upd", count: suite.secretBytes), direction)
        return record
    }

    /// As if that many records had been sent.
    mutating func skip(_ records: UInt64, _ direction: Direction) {
        if direction == .request { client.sequence += records } else { server.sequence += records }
    }

    private mutating func setSecret(_ secret: [UInt8], _ direction: Direction) throws {
        set(
            key: expand(secret, "key", count: suite.keyBytes), iv: expand(secret, "iv", count: 12), direction)
        if direction == .request { client.secret = secret } else { server.secret = secret }
    }

    private mutating func set(key: [UInt8], iv: [UInt8], _ direction: Direction) {
        var side = direction == .request ? client : server
        side.key = SymmetricKey(data: key)
        side.iv = iv
        side.sequence = 0
        if direction == .request { client = side } else { server = side }
    }

    private func expand(_ secret: [UInt8], _ label: String, count: Int) -> [UInt8] {
        let name = Array("tls13 \(label)".utf8)
        let info = [UInt8(count >> 8), UInt8(count & 0xff), UInt8(name.count)] + name + [0]
        let key = SymmetricKey(data: secret)
        let expanded =
            suite.secretBytes == 48
            ? HKDF<SHA384>.expand(pseudoRandomKey: key, info: info, outputByteCount: count)
            : HKDF<SHA256>.expand(pseudoRandomKey: key, info: info, outputByteCount: count)
        return unsafe expanded.withUnsafeBytes { unsafe Array($0) }
    }

    /// RFC 5246 §5, §6.3.
    private func prf(count: Int) -> [UInt8] {
        let key = SymmetricKey(data: masterSecret)
        func mac(_ message: [UInt8]) -> [UInt8] {
            suite.secretBytes == 48
                ? Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
                : Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        }
        let seed = Array("key expansion".utf8) + serverRandom + clientRandom
        var chain = mac(seed)
        var block: [UInt8] = []
        while block.count < count {
            block += mac(chain + seed)
            chain = mac(chain)
        }
        return Array(block.prefix(count))
    }

    // MARK: Records

    /// A protected record.
    mutating func seal(
        _ content: [UInt8], _ direction: Direction, type: UInt8 = 23, padding: Int = 0
    ) throws -> [UInt8] {
        var side = direction == .request ? client : server
        defer {
            side.sequence += 1
            if direction == .request { client = side } else { server = side }
        }
        let number = (0..<8).map { UInt8(truncatingIfNeeded: side.sequence >> UInt64(56 - 8 * $0)) }
        let plaintext = suite.isTLS13 ? content + [type] + [UInt8](repeating: 0, count: padding) : content
        let explicit: [UInt8] = suite.isTLS13 || suite.isChaCha ? [] : Self.bytes(side.sequence &+ side.explicitNonce)
        let bodyBytes = explicit.count + plaintext.count + 16
        let header = [suite.isTLS13 ? 23 : type, 3, 3, UInt8(bodyBytes >> 8), UInt8(bodyBytes & 0xff)]
        let additional =
            suite.isTLS13
            ? header : number + header.prefix(3) + [UInt8(plaintext.count >> 8), UInt8(plaintext.count & 0xff)]
        let nonce = explicit.isEmpty ? zip(side.iv, [0, 0, 0, 0] + number).map { $0 ^ $1 } : side.iv + explicit
        if suite.isChaCha {
            let box = try ChaChaPoly.seal(
                plaintext, using: side.key, nonce: ChaChaPoly.Nonce(data: nonce), authenticating: additional)
            return header + Array(box.ciphertext) + Array(box.tag)
        }
        let box = try AES.GCM.seal(
            plaintext, using: side.key, nonce: AES.GCM.Nonce(data: nonce), authenticating: additional)
        return header + explicit + Array(box.ciphertext) + Array(box.tag)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    /// The server's and the client's handshake, up to the first application data, in order.
    mutating func handshake() throws -> [(direction: Direction, bytes: [UInt8])] {
        var talk: [(direction: Direction, bytes: [UInt8])] = [
            (.request, clientHello()), (.response, serverHello()),
        ]
        if suite.isTLS13 {
            try use("SERVER_HANDSHAKE_TRAFFIC_SECRET", .response)
            let flight = Self.message(8, [0, 0]) + Self.message(11, [UInt8](repeating: 7, count: 900))
            talk.append(
                (.response, Self.changeCipherSpec + (try seal(flight, .response, type: 22))))
            talk.append((.response, try seal(Self.message(20, serverRandom), .response, type: 22)))
            try use("CLIENT_HANDSHAKE_TRAFFIC_SECRET", .request)
            talk.append((.request, Self.changeCipherSpec))
            talk.append((.request, try seal(Self.message(20, clientRandom), .request, type: 22)))
            try useTrafficKeys(.request)
            try useTrafficKeys(.response)
            talk.append((.response, try seal(Self.message(4, [1, 2, 3]), .response, type: 22)))
        } else {
            talk.append((.response, Self.record(22, Self.message(11, [UInt8](repeating: 7, count: 900)))))
            try useTrafficKeys(.request)
            try useTrafficKeys(.response)
            talk.append((.request, Self.changeCipherSpec + (try seal([20, 0, 0, 12], .request, type: 22))))
            talk.append((.response, Self.changeCipherSpec + (try seal([20, 0, 0, 12], .response, type: 22))))
        }
        return talk
    }
}

extension Peer.Suite {
    fileprivate var code: (UInt8, UInt8) { (UInt8(rawValue >> 8), UInt8(rawValue & 0xff)) }
}
