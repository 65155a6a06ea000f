import Packets
import TestSupport
import Testing
import Wire

@Suite("Connections begin, end and begin again")
struct ConnectionLifeTests {
    /// A whole short connection; `closes` false leaves it open.
    static func play(_ talk: inout Talk, closes: Bool = true) {
        talk.handshake()
        talk.client("abc")
        talk.server("xyz", acknowledging: 3)
        guard closes else { return }
        talk.client(at: 3, acknowledging: 3, flags: Flag.fin)
        talk.server(at: 3, acknowledging: 4, flags: Flag.fin)
        talk.client(at: 4, acknowledging: 4, flags: 0)
    }

    @Test(
        "the same connection again, ten minutes later or earlier and alike to the last bit, is another one",
        arguments: [true, false], [600_000, -600_000])
    func replayed(_ closes: Bool, _ pause: Int64) {
        var talk = Talk()
        talk.milliseconds = 10_000_000
        Self.play(&talk, closes: closes)
        talk.milliseconds += pause
        Self.play(&talk, closes: closes)
        talk.finish()
        #expect(talk.heard.map { text($0.request) } == ["abc", "abc"])
        #expect(talk.heard.map { text($0.response) } == ["xyz", "xyz"])
        #expect(talk.heard.map(\.number) == [0, 1])
        #expect(talk.health.connections == 2)
        #expect(talk.health.lostBytes == 0)
    }

    @Test("a SYN with another number begins another connection at once")
    func portReuse() {
        var talk = Talk()
        Self.play(&talk, closes: false)
        talk.clientISN &+= 77_777
        talk.serverISN &+= 99_999
        Self.play(&talk)
        talk.finish()
        #expect(talk.heard.map { text($0.request) } == ["abc", "abc"])
        #expect(talk.heard.map { text($0.response) } == ["xyz", "xyz"])
    }

    @Test("repeated SYNs and SYN-ACKs change nothing")
    func repeatedSYN() {
        var talk = Talk()
        talk.handshake()
        talk.handshake()
        talk.client("abc")
        talk.milliseconds += 1000
        talk.server(flags: Flag.syn)
        talk.client(acknowledging: nil, flags: Flag.syn)
        talk.client("def", at: 3)
        talk.finish()
        #expect(talk.heard.map { text($0.request) } == ["abcdef"])
    }

    @Test("a SYN repeated for a minute before it is answered is one connection")
    func slowHandshake() {
        var talk = Talk()
        for _ in 0..<6 {
            talk.client(acknowledging: nil, flags: Flag.syn)
            talk.milliseconds += 12_000
        }
        talk.handshake()
        talk.client("abc")
        talk.finish()
        #expect(talk.heard.map { text($0.request) } == ["abc"])
    }

    @Test("a connection that is over waits for late packets, then is closed")
    func lingering() {
        var talk = Talk()
        Self.play(&talk)
        var other = Talk()
        other.clientPort = 40_001
        func pass(_ milliseconds: Int64) {
            for index in 0..<128 {
                other.milliseconds = talk.milliseconds + milliseconds
                talk.listener.receive(other.packet(.request, [1], at: index))
            }
        }
        pass(9_000)
        #expect(talk.heard[0].atClose == nil)
        pass(11_000)
        #expect(talk.heard[0].atClose?.end == .finished)
        #expect(talk.heard[0].finished.count == 2)
    }

    @Test("an idle connection stays, whatever the time")
    func idle() {
        var talk = Talk()
        Self.play(&talk, closes: false)
        talk.milliseconds += 7 * 86_400_000
        talk.client("def", at: 3, acknowledging: 3)
        talk.finish()
        #expect(talk.heard.map { text($0.request) } == ["abcdef"])
    }

    @Test("beyond the limit the connection idle for longest is evicted, with what it held")
    func eviction() {
        var limits = TrackerLimits()
        limits.connections = 10
        var talk = Talk()
        talk.listener = Listener(limits: limits)
        for port in 0..<25 {
            talk.clientPort = 40_000 + port
            talk.handshake()
            talk.client("c", at: 2)
        }
        #expect(talk.listener.tracker.openConnections == 10)
        #expect(talk.health.connectionsEvicted == 15)
        #expect(talk.heard.prefix(15).allSatisfy { text($0.request) == "..c" })
        talk.finish()
        #expect(talk.heard.count == 25)
        #expect(talk.health.lostBytes == 50)
    }

    @Test("what all connections hold together is bounded; the oldest hole is given up")
    func heldTotal() {
        var limits = TrackerLimits()
        limits.heldBytesTotal = 100_000
        var talk = Talk()
        talk.listener = Listener(limits: limits)
        let block = String(repeating: "b", count: 1000)
        for port in 0..<300 {
            talk.clientPort = 40_000 + port
            talk.handshake()
            talk.client(block, at: 5)
        }
        #expect(talk.listener.pendingBytesMax <= 100_000)
        #expect(talk.heard[0].gaps == [5])
        #expect(talk.heard[299].gaps.isEmpty)
        talk.finish()
        #expect(talk.health.payloadBytes == 300_000)
        #expect(talk.health.lostBytes == 1500)
    }

    @Test("what one direction holds is bounded in bytes and blocks")
    func heldByDirection() {
        var limits = TrackerLimits()
        limits.heldBytes = 10_000
        limits.heldBlocks = 50
        var talk = Talk()
        talk.listener = Listener(limits: limits)
        talk.handshake()
        for index in 0..<400 { talk.client("a", at: 10 + index * 2) }
        #expect(talk.listener.pendingBytesMax <= 10_000)
        talk.finish()
        #expect(talk.heard[0].request.count == 809)
        #expect(talk.health.lostBytes == 409)
    }

    @Test("between two watched ports the SYN tells the server, else the lower port is taken")
    func bothWatched() {
        for hasSYN in [true, false] {
            var talk = Talk()
            talk.listener = Listener(ports: [2379, 2380])
            talk.clientPort = hasSYN ? 2379 : 2380
            talk.serverPort = hasSYN ? 2380 : 2379
            if hasSYN { talk.handshake() }
            talk.client("abc")
            talk.server("xyz", acknowledging: 3)
            talk.finish()
            #expect(talk.heard.map { text($0.request) } == ["abc"])
            #expect(talk.heard[0].atClose?.server.port == UInt16(talk.serverPort))
        }
    }

    @Test("many connections side by side keep apart", arguments: seeds(1...24))
    func manyConnections(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var talk = Talk()
        var sent: [Int: [UInt8]] = [:]
        for _ in 0..<4000 {
            talk.clientPort = 30_000 + Int.random(in: 0..<300, using: &random)
            talk.client[3] = UInt8.random(in: 1...2, using: &random)
            let key = talk.clientPort << 8 | Int(talk.client[3])
            let payload = random.bytes(Int.random(in: 1...5, using: &random))
            if sent[key] == nil { talk.handshake() }
            talk.send(talk.packet(.request, payload, at: sent[key, default: []].count))
            sent[key, default: []] += payload
        }
        talk.finish()
        #expect(talk.heard.count == sent.count, "seed \(seed)")
        for heard in talk.heard {
            guard let client = heard.atClose?.client else { continue }
            let key = Int(client.port) << 8 | Int(client.address.low & 0xff)
            #expect(heard.request == sent[key], "seed \(seed)")
        }
    }
}
