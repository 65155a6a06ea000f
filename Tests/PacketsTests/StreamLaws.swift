import Packets
import TestSupport
import Testing
import Wire

/// Random streams of both directions, cut into random segments; the laws say what disturbances may not change.
struct RandomTalk {
    struct Piece {
        var direction: Direction
        var range: Range<Int>
    }

    var talk = Talk()
    var random: SplitMix64
    var streams: [[UInt8]]
    var pieces: [Piece] = []

    /// Both streams in random pieces of 1 to `pieceMax` bytes, in turn at random.
    init(seed: UInt64, pieceMax: Int = 200) {
        random = SplitMix64(seed: seed)
        // Close below the wrap often enough.
        talk.clientISN = random.chance(0.5) ? UInt32.max - UInt32.random(in: 0..<3000, using: &random) : random.next32()
        talk.serverISN =
            random.chance(0.5) ? 0x7fff_ffff - UInt32.random(in: 0..<3000, using: &random) : random.next32()
        streams = [
            random.bytes(Int.random(in: 1...6000, using: &random)),
            random.bytes(Int.random(in: 1...6000, using: &random)),
        ]
        var positions = [0, 0]
        while positions[0] < streams[0].count || positions[1] < streams[1].count {
            let side = Int.random(in: 0...1, using: &random)
            let end = min(streams[side].count, positions[side] + Int.random(in: 1...pieceMax, using: &random))
            guard end > positions[side] else { continue }
            pieces.append(Piece(direction: side == 0 ? .request : .response, range: positions[side]..<end))
            positions[side] = end
        }
    }

    func packet(_ direction: Direction, _ range: Range<Int>, acknowledging: Int) -> TestPacket {
        talk.packet(
            direction, Array(streams[Int(direction.rawValue)][range]), at: range.lowerBound,
            acknowledging: acknowledging)
    }

    /// The packets of all pieces as the network carried them; each acknowledges what went before it.
    mutating func packets(withHandshake: Bool = true) -> [TestPacket] {
        var ends = [0, 0]
        var packets: [TestPacket] = []
        if withHandshake {
            packets.append(talk.packet(.request, acknowledging: nil, flags: Flag.syn))
            packets.append(talk.packet(.response, flags: Flag.syn))
            packets.append(talk.packet(.request, flags: 0))
        }
        for piece in pieces {
            packets.append(
                packet(piece.direction, piece.range, acknowledging: ends[Int(piece.direction.opposite.rawValue)]))
            ends[Int(piece.direction.rawValue)] = piece.range.upperBound
        }
        return packets
    }

    /// Ends the connection with FINs that acknowledge everything.
    mutating func ending() -> [TestPacket] {
        [
            talk.packet(.request, at: streams[0].count, acknowledging: streams[1].count, flags: Flag.fin),
            talk.packet(.response, at: streams[1].count, acknowledging: streams[0].count + 1, flags: Flag.fin),
            talk.packet(.request, at: streams[0].count + 1, acknowledging: streams[1].count + 1, flags: 0),
        ]
    }
}

extension SplitMix64 {
    mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next()) }

    /// Each item up to `places` places later than it was.
    mutating func jostled<Item>(_ items: [Item], places: Int) -> [Item] {
        items.enumerated()
            .map {
                (key: Double($0.offset) + Double.random(in: 0..<Double(places + 1), using: &self), item: $0.element)
            }
            .sorted { $0.key < $1.key }
            .map(\.item)
    }
}

@Suite("Laws of reassembly")
struct StreamLaws {
    @Test("packets jostled, repeated and overlapping with other borders give the same bytes", arguments: seeds(1...24))
    func disturbedWithoutLoss(seed: UInt64) {
        var run = RandomTalk(seed: seed)
        var packets = run.packets()
        for piece in run.pieces where run.random.chance(0.2) {
            // A retransmission of some bytes around this piece.
            let stream = run.streams[Int(piece.direction.rawValue)]
            let start = max(0, piece.range.lowerBound - Int.random(in: 0...100, using: &run.random))
            let end = min(stream.count, piece.range.upperBound + Int.random(in: 0...100, using: &run.random))
            packets.insert(
                run.packet(piece.direction, start..<end, acknowledging: 0),
                at: Int.random(in: 3...packets.count, using: &run.random))
        }
        packets += packets.filter { _ in run.random.chance(0.05) }
        packets = run.random.jostled(packets + run.ending(), places: 6)
        var listener = Listener()
        listener.receive(packets)
        listener.finish()
        #expect(listener.heard.count == 1, "seed \(seed)")
        #expect(listener.heard.first?.request == run.streams[0], "seed \(seed)")
        #expect(listener.heard.first?.response == run.streams[1], "seed \(seed)")
        #expect(listener.heard.first?.finished.count == 2, "seed \(seed)")
        #expect(listener.tracker.health.lostBytes == 0, "seed \(seed)")
        #expect(listener.tracker.health.overlapDiffers == 0, "seed \(seed)")
        #expect(listener.heard.first?.atClose?.request.beginsAtStart == true, "seed \(seed)")
        #expect(listener.heard.first?.atClose?.response.beginsAtStart == true, "seed \(seed)")
    }

    @Test(
        "whatever is lost, gaps name it exactly, and every byte is at its offset",
        arguments: seeds(1...24), [1, 10, 60])
    func lost(seed: UInt64, percent: Int) {
        var run = RandomTalk(seed: seed, pieceMax: 100)
        let packets = run.packets()
        var expected = run.streams.map { $0.map(Optional.some) }
        var kept = Array(packets.prefix(3))
        for (piece, packet) in zip(run.pieces, packets.dropFirst(3)) {
            if run.random.chance(Double(percent) / 100) {
                for offset in piece.range { expected[Int(piece.direction.rawValue)][offset] = nil }
            } else {
                kept.append(packet)
            }
        }
        kept = run.random.jostled(kept, places: 6)
        var listener = Listener()
        listener.receive(kept + run.ending())
        listener.finish()
        let missing = expected.joined().count { $0 == nil }
        #expect(listener.heard.first?.request == expected[0], "seed \(seed)")
        #expect(listener.heard.first?.response == expected[1], "seed \(seed)")
        #expect(listener.tracker.health.lostBytes == missing, "seed \(seed)")
        #expect(listener.tracker.health.payloadBytes == expected.joined().count - missing, "seed \(seed)")
        #expect(listener.tracker.health.gaps == (listener.heard.first?.gaps.count ?? 0), "seed \(seed)")
    }

    @Test("joined midway, everything from the first segment on is there, though jostled", arguments: seeds(1...24))
    func midway(seed: UInt64) {
        var run = RandomTalk(seed: seed)
        let packets = run.packets(withHandshake: false)
        let skipped = Int.random(in: 0..<max(1, packets.count / 2), using: &run.random)
        var firsts: [Int?] = [nil, nil]
        for piece in run.pieces.dropFirst(skipped) {
            let side = Int(piece.direction.rawValue)
            if firsts[side] == nil { firsts[side] = piece.range.lowerBound }
        }
        let kept = run.random.jostled(Array(packets.dropFirst(skipped)), places: 6)
        var listener = Listener()
        listener.receive(kept)
        listener.finish()
        for direction in Direction.allCases {
            let stream = run.streams[Int(direction.rawValue)]
            let expected = firsts[Int(direction.rawValue)].map { Array(stream[$0...]) } ?? []
            #expect(listener.heard.first?[direction] ?? [] == expected, "seed \(seed)")
        }
        #expect(listener.tracker.health.lostBytes == 0, "seed \(seed)")
        #expect(listener.tracker.health.connectionsMidway == 1, "seed \(seed)")
    }

    @Test("a snap length loses exactly what it cuts off", arguments: seeds(1...24))
    func snapped(seed: UInt64) {
        var run = RandomTalk(seed: seed)
        let snap = Int.random(in: 40...140, using: &run.random)
        var expected = run.streams.map { $0.map(Optional.some) }
        for piece in run.pieces {
            for offset in piece.range.dropFirst(snap - 40) { expected[Int(piece.direction.rawValue)][offset] = nil }
        }
        let packets = run.random.jostled(run.packets(), places: 6).map { $0.cut(at: snap) }
        var listener = Listener()
        listener.receive(packets)
        listener.finish()
        #expect(listener.heard.first?.request == expected[0], "seed \(seed)")
        #expect(listener.heard.first?.response == expected[1], "seed \(seed)")
        #expect(listener.tracker.health.lostBytes == expected.joined().count { $0 == nil }, "seed \(seed)")
        #expect(listener.tracker.health.gaps == 0, "seed \(seed)")
    }

    @Test("damaged packets and garbage neither trap nor grow", arguments: seeds(1...24))
    func damage(seed: UInt64) {
        var limits = TrackerLimits()
        limits.heldBytesTotal = 64 << 10
        limits.connections = 50
        var listener = Listener(limits: limits)
        var run = RandomTalk(seed: seed)
        let packets = run.packets() + run.ending() + FragmentTests.fragments([800, 1600], isV6: run.random.chance(0.5))
        let links: [LinkType] = [.rawIP, .ethernet, .null, .linuxCooked, .linuxCooked2, LinkType(rawValue: 147)]
        for _ in 0..<1000 {
            guard var packet = packets.randomElement(using: &run.random) else { return }
            switch Int.random(in: 0..<4, using: &run.random) {
            case 0:
                packet.bytes = run.random.bytes(Int.random(in: 0...200, using: &run.random))
                packet.linkType = links.randomElement(using: &run.random) ?? .rawIP
            case 1:
                packet.bytes = Array(packet.bytes.prefix(Int.random(in: 0...packet.bytes.count, using: &run.random)))
            default:
                for _ in 0...Int.random(in: 0..<4, using: &run.random) where !packet.bytes.isEmpty {
                    let index = Int.random(in: 0..<min(60, packet.bytes.count), using: &run.random)
                    packet.bytes[index] = UInt8.random(in: 0...255, using: &run.random)
                }
            }
            if run.random.chance(0.05) { packet.originalLength = Int(truncatingIfNeeded: run.random.next()) }
            if run.random.chance(0.05) {
                packet.time = CaptureTime(nanoseconds: Int64(truncatingIfNeeded: run.random.next()))
            }
            var events: [StreamEvent] = []
            listener.tracker.receive(
                packet.bytes.span, originalLength: packet.originalLength, linkType: packet.linkType, at: packet.time,
                into: &events)
            let released = listener.tracker.released.count
            for event in events where event.kind == .data {
                let limit = event.source == .packet ? packet.bytes.count : released
                #expect(event.bytes.lowerBound >= 0 && event.bytes.upperBound <= limit, "seed \(seed)")
            }
            #expect(
                listener.tracker.pendingBytes <= limits.heldBytesTotal + limits.fragmentBytes + 100_000, "seed \(seed)")
            #expect(listener.tracker.openConnections <= limits.connections, "seed \(seed)")
        }
        #expect(listener.tracker.health.packets == 1000)
    }
}
