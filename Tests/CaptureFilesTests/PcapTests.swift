import CaptureFiles
import Testing

@Suite("pcap")
struct PcapTests {
    @Test("packets, times and lengths are read in both byte orders", arguments: CaptureBuilder.Order.allCases)
    func orders(_ order: CaptureBuilder.Order) {
        var file = CaptureBuilder(order)
        file.pcapHeader()
        file.pcapRecord(seconds: 1_700_000_000, fraction: 999_999, [1, 2, 3])
        file.pcapRecord(seconds: 4_294_967_295, fraction: 1, [], original: 0)
        file.pcapRecord(seconds: 0, fraction: 0, [7], original: 1500)
        let read = ReadCapture(file.bytes)
        #expect(
            read.packets == [
                ReadPacket(1_700_000_000_999_999_000, [1, 2, 3]),
                ReadPacket(4_294_967_295_000_001_000, []),
                ReadPacket(0, [7], original: 1500),
            ])
        #expect(read.failure == nil)
        #expect(read.health.packets == 3)
        #expect(read.health.packetBytes == 4)
        #expect(read.health.packetsCut == 1)
        #expect(read.health.damages == 0)
        #expect(!read.health.endsWithinPacket)
    }

    @Test("the nanosecond magic makes the fraction nanoseconds", arguments: CaptureBuilder.Order.allCases)
    func nanoseconds(_ order: CaptureBuilder.Order) {
        var file = CaptureBuilder(order)
        file.pcapHeader(magic: 0xa1b2_3c4d)
        file.pcapRecord(seconds: 5, fraction: 123_456_789, [1])
        #expect(ReadCapture(file.bytes).packets == [ReadPacket(5_123_456_789, [1])])
    }

    @Test("records of the modified format have eight bytes more", arguments: CaptureBuilder.Order.allCases)
    func modified(_ order: CaptureBuilder.Order) {
        var file = CaptureBuilder(order)
        file.pcapHeader(magic: 0xa1b2_cd34)
        file.pcapRecord(seconds: 5, fraction: 6, [1, 2], modified: [0, 0, 0, 2, 8, 0, 4, 0])
        file.pcapRecord(seconds: 6, fraction: 6, [3], modified: [0, 0, 0, 2, 8, 0, 4, 0])
        #expect(
            ReadCapture(file.bytes).packets == [ReadPacket(5_000_006_000, [1, 2]), ReadPacket(6_000_006_000, [3])])
    }

    @Test("a fraction of a second or more carries over")
    func largeFraction() {
        var file = CaptureBuilder()
        file.pcapHeader()
        file.pcapRecord(seconds: .max, fraction: .max, [1])
        #expect(ReadCapture(file.bytes).packets == [ReadPacket(4_294_967_295_000_000_000 + 4_294_967_295_000, [1])])
    }

    @Test("the link type is what remains without the bits for the frame check sequence")
    func linkType() {
        var file = CaptureBuilder()
        file.pcapHeader(linkType: 0x4400_0114)
        file.pcapRecord(seconds: 1, fraction: 0, [1])
        #expect(ReadCapture(file.bytes).packets == [ReadPacket(1_000_000_000, [1], linkType: 276)])
    }

    @Test("an original length below the captured one is raised to it")
    func originalTooShort() {
        var file = CaptureBuilder()
        file.pcapHeader()
        file.pcapRecord(seconds: 1, fraction: 0, [1, 2, 3], original: 2)
        let read = ReadCapture(file.bytes)
        #expect(read.packets == [ReadPacket(1_000_000_000, [1, 2, 3])])
        #expect(read.health.packetsCut == 0)
    }

    @Test("a header and nothing else is no failure, and no packet")
    func headerOnly() {
        var file = CaptureBuilder()
        file.pcapHeader()
        #expect(ReadCapture(file.bytes) == ReadCapture(file.bytes, cuts: [3]))
        #expect(ReadCapture(file.bytes).failure == nil)
        #expect(ReadCapture(file.bytes).packets.isEmpty)
        #expect(!ReadCapture(file.bytes).health.endsWithinPacket)
    }

    @Test("another version than 2 is refused")
    func version() {
        var file = CaptureBuilder()
        file.pcapHeader(major: 3)
        #expect(ReadCapture(file.bytes).failure == .version(major: 3, minor: 4))
    }

    @Test(
        "what is no capture is refused",
        arguments: [[], [0xd4], [0xd4, 0xc3, 0xb2], [0, 0, 0, 0], Array("text".utf8)])
    func notACapture(_ bytes: [UInt8]) {
        #expect(ReadCapture(bytes).failure == (bytes.isEmpty ? .empty : .notACapture))
    }
}
