import TLSRecords
import TestSupport
import Testing
import Wire

@Suite("Loss: records are found again, and nothing wrong comes out")
struct LossLaws {
    /// What is heard of a direction lies in the truth: data where it belongs, exact gaps of their length.
    private func place(_ heard: [Listener.Heard], in truth: [UInt8]) -> String? {
        var position = 0
        var isKnown = true
        for item in heard {
            switch item {
            case .started: if position != 0 { return "a start at \(position)" }
            case .gap(_, let count, let isExact):
                position += isExact ? count : 0
                if !isExact { isKnown = false }
            case .data(_, let bytes):
                if !isKnown {
                    // Records of 40 and more random bytes lie at one place only.
                    guard let found = truth[position...].firstRange(of: bytes) else { return "invented data" }
                    position = found.lowerBound
                    isKnown = true
                }
                guard position + bytes.count <= truth.count, Array(truth[position..<position + bytes.count]) == bytes
                else { return "data that is not at \(position)" }
                position += bytes.count
            }
        }
        return nil
    }

    @Test("segments lost anywhere behind the handshake", arguments: Peer.Suite.allCases, seeds())
    func segments(_ suite: Peer.Suite, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var peer = try Peer(suite, &random)
        var listener = Listener(keyLog: peer.keyLog())
        for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
        var stream: [UInt8] = []
        var truth: [UInt8] = []
        var records: [(range: Range<Int>, content: [UInt8])] = []
        for _ in 0..<60 {
            let largest = Int.random(in: 0..<10, using: &random) == 0 ? 1 << 14 : 600
            let content = random.bytes(Int.random(in: 40...largest, using: &random))
            truth += content
            let start = stream.count
            stream += try peer.seal(content, .request)
            records.append((start..<stream.count, content))
        }
        var lost: [Range<Int>] = []
        var offset = 0
        while offset < stream.count {
            let end = min(offset + Int.random(in: 1...1448, using: &random), stream.count)
            if Int.random(in: 0..<20, using: &random) == 0 {
                listener.connection.receiveGap(end - offset, .request)
                lost.append(offset..<end)
            } else {
                listener.receive(Array(stream[offset..<end]), .request)
            }
            offset = end
        }
        listener.finish()
        let heard = listener.heard(.request)
        #expect(place(heard, in: truth) == nil)
        let whole = records.filter { record in !lost.contains { $0.overlaps(record.range) } }
        #expect(listener.data(.request) == whole.flatMap(\.content), "a lost segment costs the records that it touches")
        // How much is missing is known but at both ends.
        let first = heard.firstIndex { if case .data = $0 { true } else { false } } ?? heard.count
        for (index, item) in heard.enumerated() where index > first && index < heard.count - 1 {
            if case .gap(_, _, let isExact) = item { #expect(isExact) }
        }
    }

    @Test("segments lost within the handshake", arguments: Peer.Suite.allCases, 0..<8)
    func handshake(_ suite: Peer.Suite, lost: Int) throws {
        var random = SplitMix64(seed: 5)
        var peer = try Peer(suite, &random)
        var listener = Listener(keyLog: peer.keyLog())
        let handshake = try peer.handshake()
        guard handshake.indices.contains(lost) else { return }
        for (index, part) in handshake.enumerated() {
            if index == lost {
                listener.connection.receiveGap(part.bytes.count, part.direction)
            } else {
                listener.receive(part.bytes, part.direction)
            }
        }
        var truth: [UInt8] = []
        for _ in 0..<10 {
            let content = random.bytes(100)
            truth += content
            listener.receive(try peer.seal(content, .response), .response)
            listener.receive(try peer.seal(content, .request), .request)
        }
        listener.finish()
        for direction in Direction.allCases {
            let data = listener.data(direction)
            #expect(truth.suffix(data.count) == data[...])
            // Without both hellos there are no keys of TLS 1.2; TLS 1.3 is found by trial.
            let isReadable = suite.isTLS13 || lost >= 2
            #expect(data.count == (isReadable ? truth.count : 0), "\(direction)")
        }
    }

    @Test("records found again within a false one that ends amid the next", arguments: Array(1...60))
    func foundWithinFalseRecord(_ length: UInt8) throws {
        var random = SplitMix64(seed: 9)
        var peer = try Peer(.tls13AES128, &random)
        var listener = Listener(keyLog: peer.keyLog())
        for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
        // The header of none, of which the length is known a byte later.
        listener.receive([20, 0xa1, 0xec, 0], .request)
        let records = try (0..<3).map { try peer.seal([$0, $0], .request) }.flatMap(\.self)
        listener.receive([length] + records.prefix(70), .request)
        for byte in records.dropFirst(70) { listener.receive([byte], .request) }
        #expect(listener.data(.request) == [0, 0, 1, 1, 2, 2])
    }

    @Test(
        "early data lost in part, whole, or with its end, is named as missing",
        arguments: [[0], [1], [2], [0, 2], [0, 1, 2], [3], [2, 3], [0, 1, 2, 3], [1, 4], [0, 1, 2, 3, 4]])
    func earlyData(_ lost: [Int]) throws {
        var random = SplitMix64(seed: 4)
        var peer = try Peer(.tls13AES128, &random)
        var listener = Listener(keyLog: peer.keyLog())
        listener.receive(peer.clientHello(earlyData: true), .request)
        listener.receive(peer.serverHello(), .response)
        let contents = (0..<5).map { _ in random.bytes(50) }
        try peer.use("CLIENT_EARLY_TRAFFIC_SECRET", .request)
        var records = try contents.prefix(3).map { try peer.seal($0, .request) }
        records.append(try peer.seal(Peer.message(5, []), .request, type: 22))
        try peer.use("CLIENT_HANDSHAKE_TRAFFIC_SECRET", .request)
        records.append(try peer.seal(Peer.message(20, random.bytes(32)), .request, type: 22))
        try peer.useTrafficKeys(.request)
        records += try contents.suffix(2).map { try peer.seal($0, .request) }
        for (index, record) in records.enumerated() {
            if lost.contains(index) {
                listener.connection.receiveGap(record.count, .request)
            } else {
                listener.receive(record, .request)
            }
        }
        listener.finish()
        let heard = listener.heard(.request)
        #expect(heard.first == .started(.request))
        #expect(place(heard, in: contents.flatMap(\.self)) == nil)
        #expect(listener.data(.request).suffix(100) == contents.suffix(2).flatMap(\.self)[...])
        let missing = heard.reduce(0) { sum, heard in
            if case .gap(_, let count, _) = heard { sum + count } else { sum }
        }
        #expect(listener.data(.request).count + missing >= 250)
    }

    @Test("more early data than is kept is named as missing")
    func muchEarlyData() throws {
        var random = SplitMix64(seed: 4)
        var limits = TLSLimits()
        limits.earlyDataBytes = 80
        var peer = try Peer(.tls13AES128, &random)
        var listener = Listener(keyLog: peer.keyLog(), limits: limits)
        listener.receive(peer.clientHello(earlyData: true), .request)
        listener.receive(peer.serverHello(), .response)
        try peer.use("CLIENT_EARLY_TRAFFIC_SECRET", .request)
        let last = random.bytes(50)
        for content in [random.bytes(50), random.bytes(50), last] {
            listener.receive(try peer.seal(content, .request), .request)
        }
        listener.receive(try peer.seal(Peer.message(5, []), .request, type: 22), .request)
        #expect(
            listener.heard(.request) == [
                .started(.request), .gap(.request, 100, isExact: false), .data(.request, last),
            ])
    }

    @Test("a KeyUpdate lost with what is around it")
    func keyUpdate() throws {
        var random = SplitMix64(seed: 6)
        var peer = try Peer(.tls13AES256, &random)
        var listener = Listener(keyLog: peer.keyLog())
        for (direction, bytes) in try peer.handshake() { listener.receive(bytes, direction) }
        listener.receive(try peer.seal([1], .request), .request)
        var lost = try peer.seal([2, 2], .request)
        lost += try peer.updateKeys(.request)
        lost += try peer.seal([3, 3, 3], .request)
        listener.connection.receiveGap(lost.count, .request)
        listener.receive(try peer.seal([4], .request), .request)
        listener.receive(try peer.seal([5], .request), .request)
        #expect(
            listener.heard(.request) == [
                .started(.request), .data(.request, [1]), .gap(.request, lost.count, isExact: false),
                .data(.request, [4]), .data(.request, [5]),
            ])
    }

    @Test(
        "joined midway, the connection is found in the log by trial", arguments: [0, 1, 100, 50_000] as [UInt64],
        [Peer.Suite.tls13AES128, .tls13AES256, .tls13ChaCha])
    func midway(_ records: UInt64, _ suite: Peer.Suite) throws {
        var random = SplitMix64(seed: records)
        var peer = try Peer(suite, &random)
        var log = ""
        for index in 0..<20 { log += index == 12 ? peer.keyLog() : try Peer(suite, &random).keyLog() }
        var listener = Listener(keyLog: log)
        listener.connection.joinMidway(.request)
        listener.connection.joinMidway(.response)
        _ = try peer.handshake()
        peer.skip(records, .request)
        peer.skip(2 * records, .response)
        // It begins within a record.
        listener.receive(Array(try peer.seal(random.bytes(300), .request).dropFirst(40)), .request)
        for number: UInt8 in 1...5 { listener.receive(try peer.seal([number, number], .request), .request) }
        for number: UInt8 in 6...9 { listener.receive(try peer.seal([number, number], .response), .response) }
        #expect(listener.data(.request).suffix(8) == [2, 2, 3, 3, 4, 4, 5, 5])
        #expect(listener.data(.response).suffix(8) == [6, 6, 7, 7, 8, 8, 9, 9])
        #expect(!listener.heard.contains { if case .gap = $0 { true } else { false } })
        #expect(!listener.heard.contains(.started(.request)))
    }

    @Test(
        "joined within the handshake, the connection is found in the log by trial", arguments: 1..<7,
        [Peer.Suite.tls13AES128, .tls13AES256, .tls13ChaCha])
    func withinHandshake(_ first: Int, _ suite: Peer.Suite) throws {
        var random = SplitMix64(seed: 7)
        var peer = try Peer(suite, &random)
        // The server's flight in as many records as the recordings have: five.
        var talk: [(direction: Direction, bytes: [UInt8])] = [
            (.request, peer.clientHello()), (.response, peer.serverHello() + Peer.changeCipherSpec),
        ]
        for (label, direction, count) in [
            ("SERVER_HANDSHAKE_TRAFFIC_SECRET", Direction.response, 5),
            ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", .request, 3),
        ] {
            try peer.use(label, direction)
            for _ in 0..<count {
                talk.append((direction, try peer.seal(Peer.message(11, random.bytes(90)), direction, type: 22)))
            }
            try peer.useTrafficKeys(direction)
        }
        var log = ""
        for index in 0..<20 { log += index == 12 ? peer.keyLog() : try Peer(suite, &random).keyLog() }
        var listener = Listener(keyLog: log)
        listener.connection.joinMidway(.request)
        listener.connection.joinMidway(.response)
        for part in talk.dropFirst(first) { listener.receive(part.bytes, part.direction) }
        var truth: [UInt8] = []
        for number: UInt8 in 1...5 {
            truth += [number, number]
            listener.receive(try peer.seal([number, number], .response), .response)
            listener.receive(try peer.seal([number, number], .request), .request)
        }
        for direction in Direction.allCases {
            #expect(listener.data(direction) == truth, "\(direction)")
            #expect(listener.heard.contains(.started(direction)))
        }
    }

    @Test("a search ends at its limit, and the connection is then left alone")
    func searchLimit() throws {
        var limits = TLSLimits()
        limits.trialsPerConnection = 10_000
        var random = SplitMix64(seed: 3)
        var peer = try Peer(.tls13AES128, &random)
        var listener = Listener(keyLog: peer.keyLog(), limits: limits)
        listener.connection.joinMidway(.request)
        _ = try peer.handshake()
        peer.skip(1 << 40, .request)
        for _ in 0..<50 { listener.receive(try peer.seal(random.bytes(50), .request), .request) }
        #expect(listener.heard.isEmpty)
        #expect(listener.connection.memoryBytes < 1 << 17)
    }

    @Test("mutated and random bytes give nothing that was not sealed", arguments: seeds())
    func hostile(_ seed: UInt64) throws {
        for round in 0..<30 {
            var random = SplitMix64(seed: seed &* 1000 &+ UInt64(round))
            let suite = Peer.Suite.allCases.randomElement(using: &random) ?? .tls13AES128
            var peer = try Peer(suite, &random)
            var limits = TLSLimits()
            limits.trialsPerConnection = 1 << 14
            var listener = Listener(keyLog: peer.keyLog(), limits: limits)
            var streams: [Direction: [UInt8]] = [:]
            for (direction, bytes) in try peer.handshake() { streams[direction, default: []] += bytes }
            var sealed: [Direction: Set<[UInt8]>] = [:]
            for _ in 0..<20 {
                for direction in Direction.allCases {
                    let content = random.bytes(Int.random(in: 20...300, using: &random))
                    sealed[direction, default: []].insert(content)
                    streams[direction, default: []] += try peer.seal(content, direction)
                }
            }
            for direction in Direction.allCases {
                var bytes = streams[direction] ?? []
                for _ in 0..<Int.random(in: 0..<12, using: &random) {
                    let place = Int.random(in: bytes.indices, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[place] = .random(in: .min ... .max, using: &random)
                    case 1: bytes.removeSubrange(place..<min(place + 7, bytes.count))
                    case 2: bytes.insert(contentsOf: random.bytes(30), at: place)
                    default: bytes[place] = [20, 21, 22, 23, 3, 0, 255].randomElement(using: &random) ?? 0
                    }
                }
                listener.receive(bytes, direction, pieces: [Int.random(in: 1...2000, using: &random), 60])
            }
            listener.finish()
            for case .data(let direction, let bytes) in listener.heard {
                #expect(sealed[direction]?.contains(bytes) == true, "round \(round): invented data")
            }
            #expect(listener.connection.memoryBytes < 1 << 19)
        }
    }

    @Test("random bytes behind plausible headers neither hang nor grow", arguments: seeds())
    func noise(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var listener = Listener(keyLog: try Peer(.tls13AES128, &random).keyLog())
        listener.connection.joinMidway(.request)
        for _ in 0..<200 {
            let count = Int.random(in: 0...2000, using: &random)
            var bytes = random.bytes(count)
            if count > 5 {
                bytes[0] = UInt8.random(in: 20...23, using: &random)
                bytes[1] = 3
                bytes[2] = 3
                bytes[3] = UInt8.random(in: 0...72, using: &random)
            }
            listener.receive(bytes, Bool.random(using: &random) ? .request : .response)
            #expect(listener.connection.memoryBytes < 1 << 19)
        }
        listener.finish()
        #expect(listener.heard.isEmpty)
    }
}
