import CaptureFiles
import Testing

@Suite("pcapng")
struct PcapngTests {
    @Test("two sections of both byte orders, with every kind of block")
    func everything() {
        let read = ReadCapture(CaptureBuilder.smallPcapng())
        let section = [
            ReadPacket(1_700_000_000_000_000_000, [1, 2, 3, 4, 5]),
            ReadPacket(1_700_000_001_000_000_001, [6, 7, 8], original: 60, linkType: 113, interface: 1),
            ReadPacket(1_700_000_001_000_000_001, [9, 10, 11, 12]),
        ]
        #expect(read.packets == section + section)
        let secrets = DecryptionSecrets(kind: 0x544c_534b, bytes: Array("CLIEN".utf8))
        #expect(read.secrets == [secrets, secrets])
        #expect(read.failure == nil)
        #expect(read.health.packetsDropped == 10)
        #expect(read.health.packetsCut == 2)
        #expect(read.health.damages == 0)
        #expect(!read.health.endsWithinPacket)
    }

    struct Clock: Sendable, CustomTestStringConvertible {
        var resolution: UInt8?
        var offset: Int64?
        var units: UInt64
        var nanoseconds: Int64
        var testDescription: String {
            "\(units) units of resolution \(resolution.map(String.init) ?? "none"), offset \(offset ?? 0)"
        }
    }

    @Test(
        "times are exact for every resolution and clamped where they leave the range",
        arguments: [
            Clock(units: 1_700_000_000_123_456, nanoseconds: 1_700_000_000_123_456_000),
            Clock(resolution: 0, units: 7, nanoseconds: 7_000_000_000),
            Clock(resolution: 3, units: 1_700_000_000_123, nanoseconds: 1_700_000_000_123_000_000),
            Clock(resolution: 9, units: 1_700_000_000_123_456_789, nanoseconds: 1_700_000_000_123_456_789),
            Clock(resolution: 9, units: .max, nanoseconds: .max),
            Clock(resolution: 6, units: 1 << 53, nanoseconds: (1 << 53) * 1000),
            Clock(resolution: 6, units: (1 << 53) + 1, nanoseconds: ((1 << 53) + 1) * 1000),
            Clock(resolution: 6, units: .max, nanoseconds: .max),
            // Picoseconds, rounded down.
            Clock(resolution: 12, units: 5_000_000_001_999, nanoseconds: 5_000_000_001),
            Clock(resolution: 28, units: .max, nanoseconds: 1),
            Clock(resolution: 29, units: .max, nanoseconds: 0),
            Clock(resolution: 127, units: .max, nanoseconds: 0),
            // 2^-20 s: 3 units are 2861.02 ns.
            Clock(resolution: 0x80 | 20, units: 3, nanoseconds: 2861),
            Clock(resolution: 0x80 | 20, units: 1_700_000_000 << 20, nanoseconds: 1_700_000_000_000_000_000),
            Clock(resolution: 0x80, units: 7, nanoseconds: 7_000_000_000),
            Clock(resolution: 0xff, units: .max, nanoseconds: 0),
            Clock(resolution: 6, offset: 1_600_000_000, units: 1_000_001, nanoseconds: 1_600_000_001_000_001_000),
            Clock(resolution: 9, offset: -2, units: 1_000_000_000, nanoseconds: -1_000_000_000),
            Clock(resolution: 0x80 | 20, offset: 10, units: 1 << 19, nanoseconds: 10_500_000_000),
            Clock(offset: .max, units: 0, nanoseconds: .max),
            Clock(offset: .min, units: .max, nanoseconds: .min),
        ])
    func times(_ clock: Clock) {
        var file = CaptureBuilder()
        file.sectionHeader()
        file.interface(resolution: clock.resolution, offset: clock.offset)
        file.enhancedPacket(units: clock.units, [1])
        #expect(ReadCapture(file.bytes).packets == [ReadPacket(clock.nanoseconds, [1])])
    }

    @Test("each interface has its own clock and link type, and a section forgets those of the one before")
    func interfaces() {
        var file = CaptureBuilder(.big)
        file.sectionHeader()
        file.interface(linkType: 1, resolution: 3)
        file.interface(linkType: 276, resolution: 9)
        file.enhancedPacket(interface: 1, units: 5, [1])
        file.enhancedPacket(interface: 0, units: 5, [2])
        file.sectionHeader()
        file.interface(linkType: 101)
        file.enhancedPacket(interface: 0, units: 5, [3])
        file.enhancedPacket(interface: 1, units: 5, [4])
        let read = ReadCapture(file.bytes)
        #expect(
            read.packets == [
                ReadPacket(5, [1], linkType: 276, interface: 1), ReadPacket(5_000_000, [2]),
                ReadPacket(5000, [3], linkType: 101),
            ])
        #expect(read.health.damages == 1)
        #expect(read.health.firstDamage?.reason == .unknownInterface(1))
    }

    @Test(
        "an obsolete packet block has a 16-bit interface and a count of drops", arguments: CaptureBuilder.Order.allCases
    )
    func obsoletePacket(_ order: CaptureBuilder.Order) {
        var file = CaptureBuilder(order)
        file.sectionHeader()
        file.interface(linkType: 113)
        file.interface()
        file.block(2) { body in
            body.number(UInt16(1))
            body.number(UInt16(0xffff))
            body.number(UInt64(0x0000_0001_0000_0002).order(order))
            body.number(UInt32(2))
            body.number(UInt32(9))
            body.raw([5, 6])
        }
        #expect(
            ReadCapture(file.bytes).packets == [ReadPacket(4_294_967_298_000, [5, 6], original: 9, interface: 1)])
    }

    @Test("a simple packet is cut at the snap length of the first interface")
    func simplePacket() {
        var file = CaptureBuilder()
        file.sectionHeader()
        file.interface(snapLength: 3)
        file.block(3) { body in
            body.number(UInt32(100))
            body.raw([1, 2, 3])
        }
        #expect(ReadCapture(file.bytes).packets == [ReadPacket(0, [1, 2, 3], original: 100)])
    }

    @Test("statistics count from the start of the capture, so the last ones of an interface hold")
    func statistics() {
        var file = CaptureBuilder()
        file.sectionHeader()
        file.interface()
        file.interface()
        file.statistics(interface: 0, droppedByInterface: 1, droppedBySystem: 2)
        file.statistics(interface: 1, droppedByInterface: 0, droppedBySystem: 10)
        file.statistics(interface: 0, droppedByInterface: 5, droppedBySystem: 2)
        file.statistics(interface: 7, droppedByInterface: 100, droppedBySystem: 100)
        #expect(ReadCapture(file.bytes).health.packetsDropped == 17)
        #expect(ReadCapture(file.bytes).health.packetsDroppedByInterface == 5)
        file.statistics(interface: 0, droppedByInterface: .max, droppedBySystem: .max)
        #expect(ReadCapture(file.bytes).health.packetsDropped == .max)
    }

    @Test("a skipped block may be larger than anything that is held, in any portions")
    func largeSkippedBlock() {
        var limits = CaptureLimits()
        limits.blockBytes = 128
        var file = CaptureBuilder()
        file.sectionHeader()
        file.interface()
        file.block(4) { $0.raw(Array(repeating: 6, count: 5000)) }
        file.enhancedPacket(units: 5, [1])
        let read = ReadCapture(file.bytes, cuts: Array(stride(from: 1, to: file.bytes.count, by: 7)), limits: limits)
        #expect(read.packets == [ReadPacket(5000, [1])])
        #expect(read.health.damages == 0)
    }

    @Test("options that leave their block end the list")
    func brokenOptions() {
        var file = CaptureBuilder()
        file.sectionHeader()
        file.block(1) { body in
            body.number(UInt32(1))
            body.number(UInt32(0))
            body.option(9, [9])
            body.number(UInt16(14))
            body.number(UInt16(0xffff))
        }
        file.enhancedPacket(units: 5, [1])
        #expect(ReadCapture(file.bytes).packets == [ReadPacket(5, [1])])
    }

    @Test("interfaces beyond the limit are not remembered, and their packets are damage")
    func interfaceLimit() {
        var limits = CaptureLimits()
        limits.interfaces = 2
        var file = CaptureBuilder()
        file.sectionHeader()
        for _ in 0..<5 { file.interface() }
        file.enhancedPacket(interface: 1, units: 5, [1])
        file.enhancedPacket(interface: 2, units: 5, [1])
        let read = ReadCapture(file.bytes, limits: limits)
        #expect(read.packets.count == 1)
        #expect(read.health.firstDamage?.reason == .unknownInterface(2))
    }

    @Test("secrets beyond the limit are dropped and counted")
    func secretsLimit() {
        var limits = CaptureLimits()
        limits.secretsBytes = 12
        let bytes = CaptureBuilder.smallPcapng()
        #expect(ReadCapture(bytes, limits: limits).health.damages == 0)
        limits.secretsBytes = 9
        let read = ReadCapture(bytes, limits: limits)
        #expect(read.secrets.count == 1)
        #expect(read.health.firstDamage?.reason == .secrets)
        #expect(read.packets.count == 6)
    }
}

extension UInt64 {
    /// The two 32-bit halves, upper first, as a builder of `order` must be given them in one number.
    fileprivate func order(_ order: CaptureBuilder.Order) -> UInt64 {
        order == .big ? self : self << 32 | self >> 32
    }
}
