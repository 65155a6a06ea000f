import TLSRecords
import TestSupport
import Testing
import Wire

@Suite("Decryption: whatever a peer seals comes out")
struct DecryptionTests {
    /// Sealed records of one direction, and the truth about them.
    private struct Talk {
        var records: [[UInt8]] = []
        var contents: [[UInt8]] = []
    }

    private func talk(
        _ peer: inout Peer, _ direction: Direction, records: Int, largest: Int, _ random: inout SplitMix64
    ) throws -> Talk {
        var talk = Talk()
        for _ in 0..<records {
            let content = random.bytes(Int.random(in: 1...largest, using: &random))
            talk.records.append(try peer.seal(content, direction))
            talk.contents.append(content)
        }
        return talk
    }

    @Test("every suite, in segments of any size", arguments: Peer.Suite.allCases, seeds())
    func suites(_ suite: Peer.Suite, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var peer = try Peer(suite, &random)
        let handshake = try peer.handshake()
        let requests = try talk(&peer, .request, records: 12, largest: 400, &random)
        let responses = try talk(&peer, .response, records: 5, largest: 1 << 14, &random)
        for pieces in [[1 << 20], [1], [3, 1000, 17], [1448]] {
            var listener = Listener(keyLog: peer.keyLog())
            for (direction, bytes) in handshake { listener.receive(bytes, direction, pieces: pieces) }
            listener.receive(requests.records.flatMap(\.self), .request, pieces: pieces)
            listener.receive(responses.records.flatMap(\.self), .response, pieces: pieces)
            listener.finish()
            #expect(
                listener.heard(.request) == [.started(.request)] + requests.contents.map { .data(.request, $0) })
            #expect(
                listener.heard(.response) == [.started(.response)] + responses.contents.map { .data(.response, $0) })
            #expect(listener.connection.health.recordsUnopened == 0)
        }
    }

    @Test("a record's time is that of its last byte")
    func times() throws {
        var random = SplitMix64(seed: 1)
        var peer = try Peer(.tls13AES128, &random)
        var listener = Listener(keyLog: peer.keyLog())
        let handshake = try peer.handshake()
        for (direction, bytes) in handshake { listener.receive(bytes, direction) }
        let before = Int64(handshake.count)
        let first = try peer.seal([1], .request)
        let second = try peer.seal([2], .request)
        let third = try peer.seal([3], .request)
        listener.receive(Array(first.prefix(10)), .request)
        listener.receive(Array(first.dropFirst(10)) + second + third.prefix(3), .request)
        listener.receive(Array(third.dropFirst(3)), .request)
        #expect(listener.times == [before + 2, before + 2, before + 3])
    }

    @Test("records of all types: padding, alerts, empty ones, key updates", arguments: seeds())
    func tls13Records(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let suites: [Peer.Suite] = [.tls13AES128, .tls13AES256, .tls13ChaCha]
        var peer = try Peer(suites[Int(seed % 3)], &random)
        var listener = Listener(keyLog: peer.keyLog())
        for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
        var expected: [UInt8] = []
        for _ in 0..<60 {
            let content = random.bytes(Int.random(in: 1...50, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: listener.receive(try peer.seal([1, 0], .request, type: 21), .request)
            case 1: listener.receive(try peer.seal([], .request), .request)
            case 2: listener.receive(try peer.updateKeys(.request), .request)
            case 3:
                listener.receive(try peer.seal(content, .request, padding: 100), .request)
                expected += content
            default:
                listener.receive(try peer.seal(content, .request), .request)
                expected += content
            }
        }
        #expect(listener.data(.request) == expected)
        #expect(listener.connection.health.recordsUnopened == 0)
    }

    @Test("keys that come late open what waited for them", arguments: Peer.Suite.allCases)
    func lateKeys(_ suite: Peer.Suite) throws {
        var random = SplitMix64(seed: 7)
        var peer = try Peer(suite, &random)
        var listener = Listener()
        for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
        let talk = try talk(&peer, .request, records: 20, largest: 400, &random)
        for record in talk.records.prefix(10) { listener.receive(record, .request, pieces: [100]) }
        #expect(listener.connection.isWaiting)
        #expect(!listener.connection.isReadable)
        listener.receive(keyLog: peer.keyLog())
        for record in talk.records.dropFirst(10) { listener.receive(record, .request) }
        #expect(listener.heard(.request) == [.started(.request)] + talk.contents.map { .data(.request, $0) })
        #expect(!listener.connection.isWaiting)
    }

    @Test("keys that come too late open what follows, behind a gap", arguments: Peer.Suite.allCases)
    func tooLateKeys(_ suite: Peer.Suite) throws {
        var random = SplitMix64(seed: 8)
        var peer = try Peer(suite, &random)
        var listener = Listener()
        for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
        let talk = try talk(&peer, .request, records: 200, largest: 1000, &random)
        for record in talk.records.prefix(180) { listener.receive(record, .request) }
        #expect(listener.connection.memoryBytes < 4 * listener.limits.waitingBytes)
        listener.receive(keyLog: peer.keyLog())
        for record in talk.records.dropFirst(180) { listener.receive(record, .request) }
        let data = listener.data(.request)
        #expect(data.suffix(5000) == talk.contents.flatMap(\.self).suffix(5000))
        #expect(listener.heard(.request).count > 20)
    }

    @Test("other keys than the connection's open nothing", arguments: Peer.Suite.allCases)
    func otherKeys(_ suite: Peer.Suite) throws {
        var random = SplitMix64(seed: 9)
        var peer = try Peer(suite, &random)
        let other = try Peer(suite, &random)
        let wrong = other.keyLog().replacing(hex(other.clientRandom), with: hex(peer.clientRandom))
        for log in [other.keyLog(), wrong] {
            var peer = peer
            var listener = Listener(keyLog: log)
            for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
            for _ in 0..<10 { listener.receive(try peer.seal(random.bytes(100), .request), .request) }
            listener.finish()
            #expect(listener.heard.isEmpty)
            #expect(!listener.connection.isReadable)
        }
        _ = try peer.handshake()
    }

    @Test("suites and versions that are not decrypted open nothing and hold nothing")
    func unsupported() throws {
        var random = SplitMix64(seed: 10)
        var peer = try Peer(.tls12AES128, &random)
        var listener = Listener(keyLog: peer.keyLog())
        for (direction, bytes) in try peer.handshake() {
            // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA.
            listener.receive(bytes.replacing([0xc0, 0x2f], with: [0xc0, 0x13]), direction)
        }
        for _ in 0..<100 { listener.receive(try peer.seal(random.bytes(1000), .response), .response) }
        listener.finish()
        #expect(listener.heard.isEmpty)
        #expect(listener.connection.memoryBytes < 1 << 14)
    }
}
