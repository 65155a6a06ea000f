import TLSRecords
import TestSupport
import Testing
import Wire

@Suite("Key logs: the lines of SSLKEYLOGFILE")
struct KeyLogTests {
    private static let random = String(repeating: "ab", count: 32)
    private static let secret = String(repeating: "cd", count: 32)

    private func read(_ text: String, piece: Int = 1 << 16, limits: TLSLimits = TLSLimits()) -> KeyLog {
        var log = KeyLog(limits: limits)
        var reader = KeyLogText(limits: limits)
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            reader.receive(Array(bytes[start..<min(start + piece, bytes.count)]).span, into: &log)
        }
        reader.finish(into: &log)
        return log
    }

    @Test(
        "comments, line ends of either kind, unknown labels and letters of either case", arguments: [1, 3, 1 << 16])
    func format(_ piece: Int) {
        let text = """
            # SSL/TLS secrets log file\r
            \r

            CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.secret)\r
            SERVER_TRAFFIC_SECRET_0 \(Self.random.uppercased()) \(Self.secret.uppercased())
            EXPORTER_SECRET \(Self.random) \(Self.secret)
            RSA 0011223344556677 \(Self.secret)
            # CLIENT_RANDOM no line
            CLIENT_RANDOM \(String(repeating: "12", count: 32)) \(String(repeating: "34", count: 48))
            """
        let log = read(text, piece: piece)
        #expect(log.connectionCount == 2)
        #expect(log.version == 3)
        #expect(log.malformedLines == 0)
    }

    @Test(
        "what is no secret is counted",
        arguments: [
            "CLIENT_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0 ", "CLIENT_TRAFFIC_SECRET_0 \(random)",
            "CLIENT_TRAFFIC_SECRET_0 \(random) ", "CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)0",
            "CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)00", "CLIENT_TRAFFIC_SECRET_0 \(random)\(secret)",
            "CLIENT_TRAFFIC_SECRET_0 \(random) g\(secret.dropFirst())", "CLIENT_RANDOM \(random) \(secret)",
            "CLIENT_RANDOM \(random.dropFirst(2)) \(secret)\(secret.prefix(32))",
            "CLIENT_RANDOM \(random) \(String(repeating: "00", count: 5000))",
        ])
    func malformed(_ line: String) {
        let log = read("\(line)\nSERVER_TRAFFIC_SECRET_0 \(Self.random) \(Self.secret)\n")
        #expect(log.malformedLines == 1)
        #expect(log.version == 1)
    }

    @Test("a line that has not ended yet is read when it has")
    func growing() {
        var log = KeyLog()
        var reader = KeyLogText()
        let line = Array("CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.secret)\n".utf8)
        reader.receive(Array(line.prefix(100)).span, into: &log)
        #expect(log.version == 0)
        reader.receive(Array(line.dropFirst(100)).span, into: &log)
        #expect(log.version == 1)
        #expect(log.malformedLines == 0)
    }

    @Test("beyond the limit the oldest connections are forgotten")
    func limit() throws {
        var limits = TLSLimits()
        limits.keyLogConnections = 3
        var generator = SplitMix64(seed: 1)
        var peers: [Peer] = []
        for _ in 0..<5 { peers.append(try Peer(.tls13AES128, &generator)) }
        let log = peers.map { $0.keyLog() }.joined()
        #expect(read(log, limits: limits).connectionCount == 3)
        for (index, peer) in peers.enumerated() {
            var peer = peer
            var listener = Listener(keyLog: log, limits: limits)
            for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
            listener.receive(try peer.seal([1, 2, 3], .request), .request)
            #expect(listener.data(.request) == (index < 2 ? [] : [1, 2, 3]), "connection \(index)")
        }
    }
}
