import Trace

/// Blocks put together by hand from the page `trace-format.md`.
enum HandmadeBlock {
    static let fileHeader = withChecksum([0x4b, 0x56, 0x52, 0x45, 0x45, 0x4c, 0x0d, 0x0a, 1, 0, 0, 0])

    static func make(type: UInt8, version: UInt8 = 1, number: UInt32, records: UInt32 = 0, payload: [UInt8]) -> [UInt8]
    {
        var bytes: [UInt8] = [0xab, 0x4b, 0x56, 0x52, 0x42, 0x4c, 0x4b, 0xbb, type, version, 0, 0]
        for word in [number, UInt32(payload.count), UInt32(payload.count), records, 0, 0, 0, 0, 0] {
            bytes += littleEndian(word)
        }
        bytes += littleEndian(CRC32C.checksum(of: payload.span))
        return withChecksum(bytes) + payload
    }

    static func withChecksum(_ bytes: [UInt8]) -> [UInt8] { bytes + littleEndian(CRC32C.checksum(of: bytes.span)) }

    private static func littleEndian(_ word: UInt32) -> [UInt8] { (0..<4).map { UInt8(word >> (8 * $0) & 0xff) } }

    /// The block with another payload and the right checksums. The block must not be compressed.
    static func replacingPayload(of block: [UInt8], by payload: [UInt8]) -> [UInt8] {
        let records = block[24..<28].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        return make(type: block[8], version: block[9], number: 0, records: records, payload: payload)
    }
}
