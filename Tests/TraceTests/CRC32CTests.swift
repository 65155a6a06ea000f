import Testing
import Trace

@Suite("CRC-32C")
struct CRC32CTests {
    /// RFC 3720 appendix B.4.
    @Test(
        "the vectors of RFC 3720",
        arguments: [
            (Array(repeating: UInt8(0), count: 32), 0x8a91_36aa), (Array(repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e), (Array((0..<32).reversed()), 0x113f_db5c),
            (Array("123456789".utf8), 0xe306_9283),
        ] as [([UInt8], UInt32)])
    func vectors(bytes: [UInt8], checksum: UInt32) { #expect(CRC32C.checksum(of: bytes.span) == checksum) }

    @Test("in two parts it is the same", arguments: 0...20)
    func parts(_ split: Int) {
        let bytes: [UInt8] = Array(100..<120)
        let first = CRC32C.checksum(of: bytes.span.extracting(0..<split))
        #expect(CRC32C.checksum(of: bytes.span.extracting(split..<20), after: first) == CRC32C.checksum(of: bytes.span))
    }
}
