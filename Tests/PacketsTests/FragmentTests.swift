import Packets
import TestSupport
import Testing
import Wire

@Suite("IP fragments")
struct FragmentTests {
    static let payload = [UInt8]((0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    static let segment = PacketBuilder.tcp(
        from: 40_000, to: 2379, sequence: 1, acknowledgement: 1, flags: Flag.ack | Flag.psh, payload: payload)

    /// `segment` in parts; borders are multiples of 8.
    static func fragments(_ borders: [Int], identification: Int = 77, isV6: Bool = false, milliseconds: Int64 = 0)
        -> [TestPacket]
    {
        let ends = borders + [segment.count]
        return zip([0] + borders, ends).map { start, end in
            let part = Array(segment[start..<end])
            let more = end < segment.count
            let bytes =
                isV6
                ? PacketBuilder.ipv6(
                    nextHeader: 44, payload: [6, 0] + big16(start | (more ? 1 : 0)) + big32(identification) + part)
                : PacketBuilder.ipv4(
                    from: [10, 0, 0, 1], to: [10, 0, 0, 2], identification: identification,
                    fragment: start / 8 | (more ? 0x2000 : 0), payload: part)
            return TestPacket(bytes, milliseconds: milliseconds)
        }
    }

    @Test("fragments join, in any order, repeated or not", arguments: seeds(1...24))
    func joins(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var packets = Self.fragments([800, 1600, 2400], isV6: random.chance(0.5))
        if random.chance(0.5) { packets.append(contentsOf: packets.prefix(2)) }
        packets.shuffle(using: &random)
        var listener = Listener()
        listener.receive(packets)
        listener.finish()
        #expect(listener.heard.count == 1, "seed \(seed)")
        #expect(listener.heard.first?.request == Self.payload, "seed \(seed)")
        #expect(listener.tracker.health.lostBytes == 0)
        let counted = listener.tracker.health.fragmentsJoined + listener.tracker.health.fragmentsLost
        #expect(counted == packets.count, "every fragment is joined or lost, seed \(seed)")
    }

    @Test("where fragments overlap the first copy wins")
    func overlap() {
        var packets = Self.fragments([1600])
        // Another copy of the middle that differs, and goes on to where the second part begins.
        var other = Self.fragments([800, 2400])[1]
        for index in 28..<other.bytes.count { other.bytes[index] ^= 0xff }
        packets.insert(other, at: 1)
        var listener = Listener()
        listener.receive(packets)
        listener.finish()
        let heard = listener.heard.first?.request ?? []
        #expect(heard.count == Self.payload.count)
        #expect(heard.prefix(1580) == Self.payload.map { $0 }.prefix(1580)[...])
    }

    @Test("a datagram that stays incomplete is counted, and the stream names its bytes as missing")
    func incomplete() {
        var talk = Talk()
        talk.handshake()
        talk.clientISN = 0
        talk.listener = Listener()
        talk.handshake()
        talk.send(Self.fragments([1600])[0])
        talk.client("after", at: 3000)
        talk.idle(2, acknowledging: 3005)
        talk.finish()
        #expect(talk.health.fragmentsLost == 1)
        #expect(talk.health.lostBytes == 3000)
        #expect(talk.health.payloadBytes == 5)
    }

    @Test("incomplete datagrams are forgotten by number, bytes and time", arguments: [0, 1])
    func limits(_ milliseconds: Int64) {
        var listener = Listener()
        for index in 0..<5000 {
            listener.receive(
                Self.fragments([2400], identification: index, milliseconds: Int64(index) * milliseconds)[0])
        }
        #expect(listener.pendingBytesMax <= TrackerLimits().fragmentBytes + 100_000)
        listener.finish()
        #expect(listener.tracker.health.fragmentsLost == 5000)
        #expect(listener.heard.isEmpty)
    }

    @Test("fragments that contradict each other, lie beyond 64 KiB or are cut complete nothing")
    func contradictions() {
        var listener = Listener()
        let parts = Self.fragments([1600])
        listener.receive(parts[1])
        // Says that the datagram ends elsewhere.
        var shorter = Self.fragments([800])[1]
        shorter.bytes.removeLast(100)
        shorter.bytes[2...3] = big16(shorter.bytes.count)[...]
        shorter.originalLength = shorter.bytes.count
        listener.receive(shorter)
        var beyond = parts[1]
        beyond.bytes[6...7] = [0x1f, 0xff]
        listener.receive(beyond)
        listener.receive(parts[0].cut(at: 500))
        #expect(listener.tracker.health.fragmentsLost == 3)
        listener.receive(parts[0])
        listener.finish()
        #expect(listener.heard.first?.request == Self.payload)
    }
}
