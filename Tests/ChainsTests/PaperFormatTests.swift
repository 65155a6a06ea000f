import Chains
import TestSupport
import Testing
import Wire

/// A packet written out by hand, and what it says.
struct GoldenNetChain: Sendable, CustomTestStringConvertible {
    var name: String
    var width: SequenceWidth
    var list: [UInt32]
    /// Whether the end of the list stands before the header: in all but a write's reply.
    var hasEnd = true
    var packet: NetChainPaperPacket
    var bytes: [UInt8]

    var testDescription: String { name }

    private static let nodes: [UInt32] = (1...4).map { 0x0a00_6400 | $0 }
    private static let key = wide(2018)
    private static let value = wide(222)
    private static let zero = wide(0)

    /// Key 2018, value 222, group 7 in a chain of four, 10.0.100.1 to 10.0.100.4.
    static let all = [
        GoldenNetChain(
            name: "NC16 write, client to S0", width: .bits16, list: nodes,
            packet: .init(.write, remaining: 5, key: 2018, value: 222, group: 7),
            bytes: [UInt8](
                hex:
                    "0a006401 0a006402 0a006403 0a006404 00000000 0c 05 0000 \(key) \(value) 0007")),
        GoldenNetChain(
            name: "NC16 write, S0 to S1", width: .bits16, list: Array(nodes[1...]),
            packet: .init(.write, remaining: 4, sequence: 1, key: 2018, value: 222, group: 7),
            bytes: [UInt8](hex: "0a006402 0a006403 0a006404 00000000 0c 04 0001 \(key) \(value) 0007")),
        GoldenNetChain(
            name: "NC16 write, S2 to S3", width: .bits16, list: Array(nodes[3...]),
            packet: .init(.write, remaining: 2, sequence: 1, key: 2018, value: 222, group: 7),
            bytes: [UInt8](hex: "0a006404 00000000 0c 02 0001 \(key) \(value) 0007")),
        GoldenNetChain(
            name: "NC16 write reply", width: .bits16, list: [], hasEnd: false,
            packet: .init(.writeReply, sequence: 1, key: 2018, value: 222, group: 7),
            bytes: [UInt8](hex: "0d 00 0001 \(key) \(value) 0007")),
        GoldenNetChain(
            name: "NC16 read, client to S3", width: .bits16, list: nodes.reversed(),
            packet: .init(.read, remaining: 5, key: 2018, group: 7),
            bytes: [UInt8](
                hex:
                    "0a006404 0a006403 0a006402 0a006401 00000000 0a 05 0000 \(key) \(zero) 0007")),
        GoldenNetChain(
            name: "NC16 read reply", width: .bits16, list: nodes.reversed().dropFirst().map { $0 },
            packet: .init(.readReply, remaining: 4, key: 2018, value: 222, group: 7),
            bytes: [UInt8](hex: "0a006403 0a006402 0a006401 00000000 0b 04 0000 \(key) \(value) 0007")),
        GoldenNetChain(
            name: "NC128 write, client to S0", width: .bits128, list: nodes,
            packet: .init(.write, remaining: 5, key: 2018, value: 222, group: 7),
            bytes: [UInt8](
                hex:
                    "0a006401 0a006402 0a006403 0a006404 00000000 0c 05 \(zero) \(key) \(value) 0007")),
        GoldenNetChain(
            name: "NC128 write reply, session 1, number 1", width: .bits128, list: [], hasEnd: false,
            packet: .init(.writeReply, sequence: 1 << 64 | 1, key: 2018, value: 222, group: 7),
            bytes: [UInt8](hex: "0d 00 00000000000000010000000000000001 \(key) \(value) 0007")),
    ]
}

struct GoldenNetCRAQ: Sendable, CustomTestStringConvertible {
    var packet: NetCRAQPaperPacket
    var bytes: [UInt8]

    var testDescription: String { "\(packet.operation)" }

    static let all = [
        GoldenNetCRAQ(
            packet: .init(.read, key: 2018),
            bytes: [UInt8](hex: "0000 000007e2 00000000000000000000000000000000")),
        GoldenNetCRAQ(
            packet: .init(.readReply, key: 2018, value: 222),
            bytes: [UInt8](hex: "4000 000007e2 000000000000000000000000000000de")),
        GoldenNetCRAQ(
            packet: .init(.write, key: 2018, value: 222),
            bytes: [UInt8](hex: "8000 000007e2 000000000000000000000000000000de")),
        GoldenNetCRAQ(
            packet: .init(.acknowledge, key: 2018, value: 222),
            bytes: [UInt8](hex: "c000 000007e2 000000000000000000000000000000de")),
    ]
}

@Suite("Paper formats: NetChain with 16 and 128 bits of SEQ, and NetCRAQ, byte for byte")
struct PaperFormatTests {
    private static func netChain(_ bytes: [UInt8], _ width: SequenceWidth) -> NetChainPaperPacket? {
        NetChainPaperPacket(bytes.span, width: width)
    }

    private static func reply(_ bytes: [UInt8], _ width: SequenceWidth) -> NetChainPaperPacket? {
        NetChainPaperPacket(reply: bytes.span, width: width)
    }

    private static func netCRAQ(_ bytes: [UInt8]) -> NetCRAQPaperPacket? { NetCRAQPaperPacket(bytes.span) }
    private static func netChainForm(_ bytes: [UInt8]) -> PacketForm { PacketForm(netChain: bytes.span) }
    private static func netCRAQForm(_ bytes: [UInt8]) -> PacketForm { PacketForm(netCRAQ: bytes.span) }

    /// A header alone, of no meaning but its operation.
    private static func header(_ operation: UInt8, _ width: SequenceWidth) -> [UInt8] {
        [operation] + Array(repeating: 0, count: width.headerBytes - 1)
    }

    // MARK: NetChain

    @Test("a NetChain packet reads as it was written, and writes the same bytes", arguments: GoldenNetChain.all)
    func netChainGolden(_ golden: GoldenNetChain) throws {
        let read = try #require(Self.netChain(golden.bytes, golden.width))
        #expect(read.operation == golden.packet.operation)
        #expect(read.remaining == golden.packet.remaining)
        #expect(read.sequence == golden.packet.sequence)
        #expect(read.key == golden.packet.key && read.value == golden.packet.value)
        #expect(read.group == golden.packet.group)
        #expect(read.listWords == golden.list.count + (golden.hasEnd ? 1 : 0))
        var written: [UInt8] = []
        if golden.hasEnd {
            golden.packet.append(list: golden.list, to: &written, width: golden.width)
        } else {
            written = Array(repeating: 0xff, count: golden.width.headerBytes)
            golden.packet.store(in: &written, at: 0, width: golden.width)
        }
        #expect(written == golden.bytes)
        let isReply = golden.packet.operation == .readReply || golden.packet.operation == .writeReply
        #expect((Self.reply(golden.bytes, golden.width) != nil) == isReply)
        if isReply { #expect(Self.reply(golden.bytes, golden.width) == read) }
        #expect(Self.netChainForm(golden.bytes) == .paper)
    }

    @Test("cut anywhere, or one byte longer, a NetChain packet is none", arguments: GoldenNetChain.all)
    func netChainCut(_ golden: GoldenNetChain) {
        for count in golden.bytes.indices {
            #expect(Self.netChain(Array(golden.bytes.prefix(count)), golden.width) == nil, "\(count) bytes")
        }
        #expect(Self.netChain(golden.bytes + [0], golden.width) == nil)
    }

    @Test("a packet of one width is none of the other: 38 and 52 differ modulo 4", arguments: GoldenNetChain.all)
    func otherWidth(_ golden: GoldenNetChain) {
        let other: SequenceWidth = golden.width == .bits16 ? .bits128 : .bits16
        #expect(Self.netChain(golden.bytes, other) == nil)
        #expect(Self.reply(golden.bytes, other) == nil)
    }

    @Test("a list has an end, after one to nine addresses", arguments: SequenceWidth.allCases)
    func lists(_ width: SequenceWidth) {
        let header = Self.header(12, width)
        let address: [UInt8] = [10, 0, 100, 1]
        let end: [UInt8] = [0, 0, 0, 0]
        for count in 0...12 {
            let list = Array(repeating: address, count: count).flatMap { $0 }
            let isRequest = (1...9).contains(count)
            #expect((Self.netChain(list + end + header, width) != nil) == isRequest, "\(count) addresses")
            #expect(Self.netChain(list + header, width) == nil, "\(count) addresses without an end")
            if count > 0 { #expect(Self.netChain(list + end + address + header, width) == nil) }
        }
    }

    @Test("no list holds an address that no node can have", arguments: SequenceWidth.allCases)
    func addresses(_ width: SequenceWidth) {
        let header = Self.header(12, width)
        for first in UInt8.min...UInt8.max {
            let isNode = (0x01...0xdf).contains(first)
            let bytes = [first, 0, 0, 1, 0, 0, 0, 0] + header
            #expect((Self.netChain(bytes, width) != nil) == isNode, "first byte \(first)")
            let second = [10, 0, 0, 1, first, 0, 0, 1, 0, 0, 0, 0] + header
            #expect((Self.netChain(second, width) != nil) == isNode, "second address \(first)")
            #expect((Self.netChainForm(bytes) == .paper) == isNode)
        }
    }

    @Test("there are four operations", arguments: SequenceWidth.allCases)
    func operations(_ width: SequenceWidth) {
        for operation in UInt8.min...UInt8.max {
            let bytes = [10, 0, 0, 1, 0, 0, 0, 0] + Self.header(operation, width)
            #expect((Self.netChain(bytes, width) != nil) == (10...13).contains(operation))
            #expect((Self.reply(bytes, width) != nil) == [11, 13].contains(operation))
        }
    }

    @Test("f1 is the extended format; the rest of class E, multicast and zero are none")
    func netChainForms() {
        #expect(Self.netChainForm([]) == .malformed)
        #expect(Self.netChainForm([0xf1]) == .extended(version: 1))
        for first: UInt8 in [0x00, 0xe0, 0xef, 0xf0, 0xf2, 0xff] { #expect(Self.netChainForm([first]) == .malformed) }
        for first: UInt8 in [0x01, 0x0a, 0x0d, 0x7f, 0xdf] { #expect(Self.netChainForm([first]) == .paper) }
    }

    // MARK: NetCRAQ

    @Test("a NetCRAQ packet reads as it was written, and writes the same bytes", arguments: GoldenNetCRAQ.all)
    func netCRAQGolden(_ golden: GoldenNetCRAQ) {
        #expect(Self.netCRAQ(golden.bytes) == golden.packet)
        var written: [UInt8] = [1, 2]
        golden.packet.append(to: &written)
        #expect(written == [1, 2] + golden.bytes)
        #expect(Self.netCRAQForm(golden.bytes) == .paper)
    }

    @Test("22 bytes and zero padding, or nothing", arguments: GoldenNetCRAQ.all)
    func netCRAQRefused(_ golden: GoldenNetCRAQ) {
        for count in 0..<22 { #expect(Self.netCRAQ(Array(golden.bytes.prefix(count))) == nil) }
        #expect(Self.netCRAQ(golden.bytes + [0]) == nil)
        #expect(Self.netCRAQForm(golden.bytes + [0]) == .malformed)
        #expect(Self.netCRAQForm(Array(golden.bytes.dropLast())) == .malformed)
        for bit in 0..<14 {
            var bytes = golden.bytes
            bytes[1 - bit / 8] |= 1 << UInt8(bit % 8)
            #expect(Self.netCRAQ(bytes) == nil, "padding bit \(bit)")
            #expect(Self.netCRAQForm(bytes) == (bit < 8 ? .malformed : .extended(version: 1 << UInt8(bit - 8))))
        }
    }

    @Test("the low six bits of the first byte are the extended format's version, whatever follows")
    func netCRAQForms() {
        #expect(Self.netCRAQForm([]) == .malformed)
        for first in UInt8.min...UInt8.max {
            let version = first & 0x3f
            #expect(Self.netCRAQForm([first]) == (version == 0 ? .malformed : .extended(version: version)))
        }
    }
}
