import Packets
import Testing
import Wire

/// A way to wrap an IPv4 TCP packet.
struct Wrapping: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var linkType: LinkType
    var wrap: @Sendable ([UInt8]) -> [UInt8]

    static let all: [Wrapping] = [
        Wrapping(testDescription: "Ethernet", linkType: .ethernet) { PacketBuilder.ethernet($0) },
        Wrapping(testDescription: "802.1Q", linkType: .ethernet) { PacketBuilder.ethernet(tags: [0x8100], $0) },
        Wrapping(testDescription: "QinQ", linkType: .ethernet) { PacketBuilder.ethernet(tags: [0x88a8, 0x8100], $0) },
        Wrapping(testDescription: "four tags", linkType: .ethernet) {
            PacketBuilder.ethernet(tags: [0x9100, 0x88a8, 0x8100, 0x8100], $0)
        },
        Wrapping(testDescription: "padding and FCS", linkType: .ethernet) {
            PacketBuilder.ethernet($0) + Array(repeating: 0xee, count: 22)
        },
        Wrapping(testDescription: "cooked", linkType: .linuxCooked) { Array(repeating: 0, count: 14) + [8, 0] + $0 },
        Wrapping(testDescription: "cooked, tagged", linkType: .linuxCooked) {
            Array(repeating: 0, count: 14) + [0x81, 0, 0, 7, 8, 0] + $0
        },
        Wrapping(testDescription: "cooked 2", linkType: .linuxCooked2) {
            [8, 0] + Array(repeating: 0, count: 18) + $0
        },
        Wrapping(testDescription: "raw", linkType: .rawIP) { $0 },
        Wrapping(testDescription: "raw 12", linkType: .rawIPOfBSD) { $0 },
        Wrapping(testDescription: "raw 14", linkType: .rawIPOfOpenBSD) { $0 },
        Wrapping(testDescription: "raw IPv4", linkType: .rawIPv4) { $0 },
        Wrapping(testDescription: "null, little-endian", linkType: .null) { [2, 0, 0, 0] + $0 },
        Wrapping(testDescription: "null, big-endian", linkType: .null) { [0, 0, 0, 2] + $0 },
        Wrapping(testDescription: "loop", linkType: .loop) { [0, 0, 0, 2] + $0 },
    ]
}

@Suite("Link layers and IP")
struct LinkLayerTests {
    static let segment = PacketBuilder.tcp(
        from: 40_000, to: 2379, sequence: 1, acknowledgement: 1, flags: Flag.ack | Flag.psh,
        payload: Array("abcdef".utf8))
    static let v4 = PacketBuilder.ipv4(from: [10, 0, 0, 1], to: [10, 0, 0, 2], payload: segment)

    /// What a tracker makes of one packet.
    static func listen(_ packet: TestPacket) -> Listener {
        var listener = Listener()
        listener.receive(packet)
        listener.finish()
        return listener
    }

    @Test("the payload is found behind every link layer", arguments: Wrapping.all)
    func wrapped(_ wrapping: Wrapping) {
        let listener = Self.listen(TestPacket(wrapping.wrap(Self.v4), linkType: wrapping.linkType))
        #expect(listener.heard.map { text($0.request) } == ["abcdef"])
    }

    @Test("every truncation of every wrapping is decoded as far as it goes, and no further", arguments: Wrapping.all)
    func truncated(_ wrapping: Wrapping) {
        let whole = TestPacket(wrapping.wrap(Self.v4), linkType: wrapping.linkType)
        for count in 0..<whole.bytes.count {
            let cut = Self.listen(whole.cut(at: count))
            let heard = cut.heard.first.map { text($0.request) } ?? ""
            #expect("abcdef".hasPrefix(heard.prefix { $0 != "." }), "cut at \(count)")
            #expect(cut.tracker.health.packetsCut == 1)
            let shorter = Self.listen(TestPacket(Array(whole.bytes.prefix(count)), linkType: wrapping.linkType))
            #expect(shorter.tracker.health.packetsCut == 0)
        }
    }

    static let v6Families: [[UInt8]] = [[10, 0, 0, 0], [24, 0, 0, 0], [0, 0, 0, 28], [30, 0, 0, 0]]

    @Test("IPv6 behind the address families of all systems", arguments: v6Families)
    func families(_ family: [UInt8]) throws {
        let listener = Self.listen(TestPacket(family + PacketBuilder.ipv6(payload: Self.segment), linkType: .null))
        let heard = try #require(listener.heard.first)
        #expect(text(heard.request) == "abcdef")
        #expect(heard.atClose?.client.description == "[fd00::1]:40000")
    }

    @Test("options of IPv4 and of TCP are passed over")
    func options() {
        let segment = PacketBuilder.tcp(
            from: 40_000, to: 2379, sequence: 1, acknowledgement: 1, flags: Flag.ack,
            options: Array(repeating: 1, count: 40), payload: Array("abc".utf8))
        let packet = PacketBuilder.ipv4(
            from: [1, 2, 3, 4], to: [5, 6, 7, 8], options: Array(repeating: 1, count: 40), payload: segment)
        #expect(Self.listen(TestPacket(packet)).heard.map { text($0.request) } == ["abc"])
    }

    /// First next-header number and the chain in front of TCP.
    static let chains: [(UInt8, [UInt8])] = [
        (0, [6, 0, 1, 4, 0, 0, 0, 0]),
        (43, [6, 1] + Array(repeating: 0, count: 14)),
        (60, [6, 0, 0, 0, 0, 0, 0, 0]),
        (51, [6, 4] + Array(repeating: 0, count: 22)),
        (0, [60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]),
        (44, [6, 0, 0, 0, 0, 0, 0, 9]),
    ]

    @Test("IPv6 extension headers are passed over", arguments: chains)
    func extensions(_ first: UInt8, _ chain: [UInt8]) {
        let packet = PacketBuilder.ipv6(nextHeader: first, payload: chain + Self.segment)
        #expect(Self.listen(TestPacket(packet)).heard.map { text($0.request) } == ["abcdef"])
    }

    @Test("an endless chain of extension headers is undecodable")
    func endlessChain() {
        let chain = Array(repeating: [UInt8](arrayLiteral: 60, 0, 0, 0, 0, 0, 0, 0), count: 100).flatMap { $0 }
        let listener = Self.listen(TestPacket(PacketBuilder.ipv6(nextHeader: 60, payload: chain)))
        #expect(listener.tracker.health.packetsUndecodable == 1)
    }

    @Test("a length field of 0 (BIG TCP, segmentation offload) leaves the packet's own length")
    func lengthZero() {
        let v4 = PacketBuilder.ipv4(from: [1, 2, 3, 4], to: [5, 6, 7, 8], totalLength: 0, payload: Self.segment)
        #expect(Self.listen(TestPacket(v4)).heard.map { text($0.request) } == ["abcdef"])
        let v6 = PacketBuilder.ipv6(length: 0, payload: Self.segment)
        #expect(Self.listen(TestPacket(v6)).heard.map { text($0.request) } == ["abcdef"])
        #expect(Self.listen(TestPacket(v4, originalLength: .max)).tracker.health.packetsUndecodable == 1)
    }

    /// Name, packet, and whether it is of others (else undecodable).
    static let refused: [(String, [UInt8], Bool)] = [
        ("ARP", PacketBuilder.ethernet(type: 0x0806, Array(repeating: 0, count: 46)), true),
        ("802.3 length", PacketBuilder.ethernet(type: 46, Array(repeating: 0xaa, count: 46)), true),
        (
            "UDP",
            PacketBuilder.ethernet(
                PacketBuilder.ipv4(from: [1, 1, 1, 1], to: [2, 2, 2, 2], proto: 17, payload: segment)), true
        ),
        (
            "another port",
            PacketBuilder.ethernet(
                PacketBuilder.ipv4(
                    from: [1, 1, 1, 1], to: [2, 2, 2, 2],
                    payload: PacketBuilder.tcp(from: 1, to: 2, sequence: 0, acknowledgement: 0, flags: 0, payload: [1]))
            ), true
        ),
        ("five tags", PacketBuilder.ethernet(tags: Array(repeating: 0x8100, count: 5), v4), false),
        ("wrong version", PacketBuilder.ethernet(type: 0x86dd, v4), false),
        ("IPv4 header of 16 bytes", PacketBuilder.ethernet([0x44] + v4.dropFirst()), false),
        (
            "IPv4 longer than the packet",
            PacketBuilder.ethernet(
                PacketBuilder.ipv4(from: [1, 1, 1, 1], to: [2, 2, 2, 2], totalLength: 5000, payload: segment)), false
        ),
        (
            "TCP header longer than the segment",
            PacketBuilder.ethernet(
                PacketBuilder.ipv4(
                    from: [1, 1, 1, 1], to: [2, 2, 2, 2],
                    payload: Array(segment.prefix(12)) + [0xf0] + segment.dropFirst(13))), false
        ),
        ("nothing", [], false),
    ]

    @Test("what is no TCP of the port is of others, what is damaged is undecodable", arguments: refused)
    func refuses(_ name: String, _ packet: [UInt8], _ isOther: Bool) {
        let listener = Self.listen(TestPacket(packet, linkType: .ethernet))
        #expect(listener.heard.isEmpty)
        #expect(listener.tracker.health.packetsOfOthers == (isOther ? 1 : 0))
        #expect(listener.tracker.health.packetsUndecodable == (isOther ? 0 : 1))
    }

    @Test("an unknown link type is counted apart, with its number")
    func unknownLink() {
        let listener = Self.listen(TestPacket(Self.v4, linkType: LinkType(rawValue: 147)))
        #expect(listener.tracker.health.packetsOfUnknownLink == 1)
        #expect(listener.tracker.health.unknownLink == LinkType(rawValue: 147))
    }

    static let addresses: [(UInt64, UInt64, String)] = [
        (0, 0, "::"), (0, 1, "::1"), (0x2001_0db8_0000_0000, 1, "2001:db8::1"),
        (0x2001_0db8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
        (0x2001_0000_0000_0001, 0x0000_0000_0000_0001, "2001:0:0:1::1"), (0xfe80_0000_0000_0000, 0, "fe80::"),
        (0, 0xffff_0a00_0001, "10.0.0.1"),
    ]

    @Test("addresses are written as in RFC 5952", arguments: addresses)
    func address(_ high: UInt64, _ low: UInt64, _ expected: String) {
        #expect(IPAddress(high: high, low: low).description == expected)
    }
}
