import Chains
import Testing
import Wire

@Suite("Fabric frames: what switches put before a client's payload")
struct FabricFrameTests {
    /// Client 127.0.0.1:40001 to 127.0.0.10:8888.
    private static let golden: [UInt8] = [
        0x4b, 0x56, 0x01, 0x40, 0x7f, 0x00, 0x01, 0x01, 0x7f, 0x00, 0x00, 0x0a, 0x9c, 0x41, 0x22, 0xb8,
    ]

    private static func frame(_ bytes: [UInt8]) -> FabricFrame? { FabricFrame(bytes.span) }

    @Test("the golden header reads and writes byte for byte")
    func golden() throws {
        let frame = try #require(Self.frame(Self.golden))
        #expect(frame.ttl == 64)
        #expect(frame.source.description == "127.0.1.1:40001")
        #expect(frame.destination.description == "127.0.0.10:8888")
        var bytes = [UInt8](repeating: 0xff, count: 18)
        frame.store(in: &bytes, at: 1)
        #expect(Array(bytes[1..<17]) == Self.golden)
        #expect(bytes[0] == 0xff && bytes[17] == 0xff)
    }

    @Test("what is shorter, of another magic or of another version is no frame")
    func refused() {
        for count in 0..<FabricFrame.byteCount { #expect(Self.frame(Array(Self.golden.prefix(count))) == nil) }
        for offset in 0...2 {
            var bytes = Self.golden
            bytes[offset] ^= 0x80
            #expect(Self.frame(bytes) == nil)
        }
    }

    @Test("an outbox keeps datagrams apart, and the payload apart from the frame")
    func outbox() throws {
        let frame = try #require(Self.frame(Self.golden))
        var outbox = Outbox()
        for _ in 0..<2 {
            outbox.removeAll()
            let payload: [UInt8] = [1, 2, 3]
            outbox.add(payload.span, to: frame.source)
            outbox.add(payload.span, behind: frame, toSwitch: 0x7f00_000b)
            let opened = outbox.open(byteCount: 2, behind: frame, toSwitch: 0x7f00_000c)
            #expect(outbox.datagrams.map(\.bytes) == [0..<3, 3..<22, 22..<40])
            #expect(outbox.datagrams.map { $0.payload.count } == [3, 3, 2])
            #expect(outbox.datagrams[1].destination.description == "127.0.0.11:8890")
            #expect(Array(outbox.bytes[outbox.datagrams[1].bytes]) == Self.golden + payload)
            #expect(opened == 38 && Array(outbox.bytes[38..<40]) == [0, 0])
        }
    }
}
