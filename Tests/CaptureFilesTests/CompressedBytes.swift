/// Compressed files made by hand, without compression: both formats can carry bytes as they are.
enum CompressedBytes {
    /// A gzip member (RFC 1952 §2.3) of stored blocks (RFC 1951 §3.2.4).
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var member: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = bytes[...]
        repeat {
            let part = rest.prefix(0xffff)
            rest = rest.dropFirst(part.count)
            member.append(rest.isEmpty ? 1 : 0)
            member += little(UInt16(part.count)) + little(~UInt16(part.count)) + part
        } while !rest.isEmpty
        return member + little(crc32(bytes)) + little(UInt32(bytes.count))
    }

    /// A zstd frame (RFC 8878 §3.1.1) of raw blocks, without checksum, with a window of 2^`windowLog` bytes.
    static func zstd(_ bytes: [UInt8], windowLog: Int = 17) -> [UInt8] {
        var frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, UInt8((windowLog - 10) << 3)]
        var rest = bytes[...]
        repeat {
            let part = rest.prefix(1 << 16)
            rest = rest.dropFirst(part.count)
            let header = UInt32(part.count) << 3 | (rest.isEmpty ? 1 : 0)
            frame += little(header).prefix(3) + part
        } while !rest.isEmpty
        return frame
    }

    /// A zstd skippable frame (RFC 8878 §3.1.2).
    static func skippable(_ bytes: [UInt8]) -> [UInt8] {
        [0x53, 0x2a, 0x4d, 0x18] + little(UInt32(bytes.count)) + bytes
    }

    private static func little<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var remainder: UInt32 = .max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1 }
        }
        return ~remainder
    }
}
