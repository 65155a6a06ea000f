import Chains
import TestSupport
import Testing
import Wire

@Suite("CQX and NCX: packets with versions, epochs and request numbers")
struct ExtendedFormatTests {
    struct Golden: CustomTestStringConvertible, Sendable {
        var name: String
        var format: ChainFormat
        var bytes: [UInt8]
        var packet: ChainPacket
        var list: [UInt32] = []
        var value: [UInt8] = []
        var testDescription: String { name }
    }

    private static func packet(_ operation: ChainOperation, request: UInt32, wasWritten: Bool) -> ChainPacket {
        var packet = ChainPacket(operation, key: ChainKey(low: 2018), group: 7, epoch: 3)
        packet.slot = 17
        packet.request = request
        if wasWritten { packet.version = ChainVersion(epoch: 3, number: 9) }
        return packet
    }

    /// Key 2018, value 222, group 7, epoch 3, session 17.
    static let goldens: [Golden] = {
        let value = [UInt8](repeating: 0, count: 15) + [222]
        var write = packet(.chainWrite, request: 5, wasWritten: true)
        write.width = .bytes16
        write.valueLength = 16
        var writeOfCQX = write
        writeOfCQX.aux = ChainVersion(epoch: 3, number: 8)
        var writeOfNCX = write
        writeOfNCX.hops = 3
        let reply = packet(.writeReply, request: 5, wasWritten: true)
        let read = packet(.read, request: 6, wasWritten: false)
        return [
            Golden(
                name: "CQX CHAIN_WRITE", format: .cqx,
                bytes: [UInt8](
                    hex:
                        """
                        81 18 00 01 000007e2 00000003 0007 0010 00000011 00000005 00000003 0000000000000009
                        00000003 0000000000000008 000000000000000000000000000000de
                        """), packet: writeOfCQX, value: value),
            Golden(
                name: "CQX WRITE_REPLY", format: .cqx,
                bytes: [UInt8](
                    hex:
                        """
                        c1 0d 00 00 000007e2 00000003 0007 0000 00000011 00000005 00000003 0000000000000009
                        00000000 0000000000000000
                        """), packet: reply),
            Golden(
                name: "CQX READ", format: .cqx,
                bytes: [UInt8](hex: "01 0a 00 00 000007e2 00000003 0007 0000 00000011 00000006")
                    + [UInt8](repeating: 0, count: 24), packet: read),
            Golden(
                name: "NCX CHAIN_WRITE", format: .ncx,
                bytes: [UInt8](
                    hex:
                        """
                        f1 18 00 01 00000003 0007 0010 00000011 00000005 00000003 0000000000000009
                        000000000000000000000000 000000000000000000000000000007e2 03 000000
                        0a006402 0a006403 0a006404 000000000000000000000000000000de
                        """), packet: writeOfNCX, list: [0x0a00_6402, 0x0a00_6403, 0x0a00_6404], value: value),
            Golden(
                name: "NCX WRITE_REPLY", format: .ncx,
                bytes: [UInt8](
                    hex:
                        """
                        f1 0d 00 00 00000003 0007 0000 00000011 00000005 00000003 0000000000000009
                        000000000000000000000000 000000000000000000000000000007e2 00 000000
                        """), packet: reply),
        ]
    }()

    private static func read(_ bytes: [UInt8], _ format: ChainFormat) -> ChainPacket? {
        ChainPacket(bytes.span, format: format)
    }

    @Test("the golden packets read and write byte for byte", arguments: goldens)
    func golden(_ golden: Golden) throws {
        let packet = try #require(Self.read(golden.bytes, golden.format))
        #expect(packet == golden.packet)
        #expect(packet.byteCount(golden.format) == golden.bytes.count)
        let list = ChainPacket.listOffset(golden.format)
        let value = packet.valueOffset(golden.format)
        let words = (0..<Int(packet.hops)).map { golden.bytes.span.bigEndian32(at: list + 4 * $0) }
        #expect(words == golden.list)
        #expect(Array(golden.bytes[value...]) == golden.value)

        var bytes = [UInt8](repeating: 0xff, count: golden.format.headerByteCount + 2)
        packet.store(in: &bytes, at: 1, format: golden.format)
        #expect(Array(bytes.dropFirst().dropLast()) == Array(golden.bytes.prefix(golden.format.headerByteCount)))
        #expect(bytes.first == 0xff && bytes.last == 0xff)
    }

    @Test("the golden sizes: 64, 48, 48, 92 and 64 bytes")
    func sizes() {
        #expect(Self.goldens.map(\.bytes.count) == [64, 48, 48, 92, 64])
    }

    @Test("a packet that is cut anywhere, or has a byte more, is none", arguments: goldens)
    func lengths(_ golden: Golden) {
        for count in golden.bytes.indices {
            #expect(Self.read(Array(golden.bytes.prefix(count)), golden.format) == nil)
        }
        #expect(Self.read(golden.bytes + [0], golden.format) == nil)
    }

    @Test("of the first bytes only the one of this version and operation is taken", arguments: goldens)
    func firstByte(_ golden: Golden) {
        var bytes = golden.bytes
        for first in UInt8.min...UInt8.max where first != golden.bytes[0] {
            bytes[0] = first
            #expect(Self.read(bytes, golden.format) == nil, "first byte \(first)")
        }
    }

    @Test("an operation, a status and a class that no table has are refused", arguments: goldens)
    func tables(_ golden: Golden) {
        let operations: Set<UInt8> = [1, 2, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x15, 0x16, 0x18, 0x19]
        var bytes = golden.bytes
        for value in UInt8.min...UInt8.max {
            bytes[1] = value
            if !operations.contains(value) { #expect(Self.read(bytes, golden.format) == nil, "operation \(value)") }
        }
        bytes = golden.bytes
        for value in UInt8.min...UInt8.max {
            bytes[2] = value
            #expect((Self.read(bytes, golden.format) != nil) == (value <= 10), "status \(value)")
        }
        bytes = golden.bytes
        for value in UInt8.min...UInt8.max where value != golden.bytes[3] {
            bytes[3] = value
            #expect(Self.read(bytes, golden.format) == nil, "wcode \(value)")
        }
    }

    @Test("a value is as long as its class has room, or deleted", arguments: goldens.filter { !$0.value.isEmpty })
    func valueLengths(_ golden: Golden) {
        let offset = golden.format == .cqx ? 14 : 10
        var bytes = golden.bytes
        for length in UInt16.min...UInt16.max {
            bytes.storeBigEndian16(length, at: offset)
            let isRead = Self.read(bytes, golden.format) != nil
            #expect(isRead == (length <= 16 || length == 0xffff), "vlen \(length)")
        }
    }

    @Test("the list of an NCX packet is as long as sc says, and at most nine words")
    func lists() {
        var packet = ChainPacket(.write, key: ChainKey(low: 1), group: 0, epoch: 1)
        for hops in UInt8(0)...20 {
            packet.hops = hops
            for words in 0..<21 {
                var bytes = [UInt8](repeating: 0, count: 64 + 4 * words)
                packet.store(in: &bytes, at: 0, format: .ncx)
                #expect((Self.read(bytes, .ncx) != nil) == (Int(hops) == words && hops <= 9), "\(hops) of \(words)")
            }
        }
    }

    @Test("the three bytes after sc are zero", arguments: 61..<64)
    func reserved(_ offset: Int) {
        for golden in Self.goldens where golden.format == .ncx {
            var bytes = golden.bytes
            bytes[offset] = 1
            #expect(Self.read(bytes, .ncx) == nil)
        }
    }

    @Test("a request or a reply without a value has no room for one", arguments: ChainFormat.allCases)
    func room(_ format: ChainFormat) {
        for operation in ChainOperation.allCases {
            var packet = ChainPacket(operation, key: ChainKey(low: 1), group: 0, epoch: 1)
            packet.width = .bytes128
            var bytes = [UInt8](repeating: 0, count: packet.byteCount(format))
            packet.store(in: &bytes, at: 0, format: format)
            let carriers: [ChainOperation] = [.readReply, .write, .compareAndSet, .chainWrite, .commit]
            #expect((Self.read(bytes, format) != nil) == carriers.contains(operation), "\(operation)")
        }
    }

    @Test("the largest packet is below an Ethernet frame's payload")
    func largest() {
        var packet = ChainPacket(.chainWrite, key: ChainKey(low: 1), group: 0, epoch: 1)
        packet.hops = UInt8(ChainPacket.hopsMax)
        packet.width = .bytes1024
        #expect(packet.byteCount(.ncx) == 1124)
        #expect(WidthClass.fitting(0) == .bytes16 && WidthClass.fitting(17) == .bytes128)
        #expect(WidthClass.fitting(1024) == .bytes1024 && WidthClass.fitting(1025) == nil)
        #expect(WidthClass.allCases.map(\.bit).reduce(0, |) == WidthClass.allBits)
    }
}
