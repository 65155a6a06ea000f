import Wire

/// What a block holds. Numbers are never changed or reused; readers pass over those they do not know.
enum BlockType: UInt8 {
    case meta = 1
    case operations = 2
    case index = 3
}

/// The first 16 bytes of a file: magic, format version, checksum.
enum FileHeader {
    static let byteCount = 16
    /// "KVREEL" and a line end that text conversions would change.
    static let magic: [UInt8] = [0x4b, 0x56, 0x52, 0x45, 0x45, 0x4c, 0x0d, 0x0a]
    /// Raised when a reader of the version before could not find the blocks any more.
    static let version: UInt16 = 1

    /// Whether the checksum is right. Precondition: 16 bytes.
    static func isWhole(_ bytes: Span<UInt8>) -> Bool {
        bytes.littleEndian32(at: 12) == CRC32C.checksum(of: bytes.extracting(0..<12))
    }

    static func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: magic)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: CRC32C.checksum(of: bytes.span.extracting(start..<start + 12)))
    }
}

/// The 56 bytes in front of each block's payload; little-endian.
///
///      0  magic (8 bytes)
///      8  type (1)      version (1)     flags (2)
///     12  number of the block in the file (4)
///     16  bytes of payload that follow (4)
///     20  bytes of payload when decompressed (4)
///     24  records: operations, or index entries (4)
///     28  zero (4)
///     32  first time (8)
///     40  last time (8)
///     48  CRC-32C of the payload as it follows (4)
///     52  CRC-32C of bytes 0 to 51 (4)
struct BlockHeader: Equatable {
    static let byteCount = 56
    static let magic: [UInt8] = [0xab, 0x4b, 0x56, 0x52, 0x42, 0x4c, 0x4b, 0xbb]
    /// Version of the layout of payloads. Raised when a reader of the version before would misunderstand them.
    static let version: UInt8 = 1
    static let compressedFlag: UInt16 = 1

    var type: UInt8
    var version = BlockHeader.version
    var flags: UInt16 = 0
    var number: UInt32
    var storedLength: UInt32 = 0
    var payloadLength: UInt32 = 0
    var records: UInt32 = 0
    /// Earliest and latest `time` of the block's operations; 0 for other blocks and without operations.
    var firstTime: Int64 = 0
    var lastTime: Int64 = 0
    var payloadChecksum: UInt32 = 0

    init(type: BlockType, number: UInt32) {
        self.type = type.rawValue
        self.number = number
    }

    func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: Self.magic)
        bytes.append(type)
        bytes.append(version)
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: number)
        bytes.append(littleEndian: storedLength)
        bytes.append(littleEndian: payloadLength)
        bytes.append(littleEndian: records)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt64(bitPattern: firstTime))
        bytes.append(littleEndian: UInt64(bitPattern: lastTime))
        bytes.append(littleEndian: payloadChecksum)
        bytes.append(littleEndian: CRC32C.checksum(of: bytes.span.extracting(start..<start + 52)))
    }

    /// Nil if the bytes are no header, a damaged one, or one with lengths beyond the limits.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCount, bytes.starts(with: Self.magic),
            bytes.littleEndian32(at: 52) == CRC32C.checksum(of: bytes.extracting(0..<52))
        else { return nil }
        type = bytes[8]
        version = bytes[9]
        flags = bytes.littleEndian16(at: 10)
        number = bytes.littleEndian32(at: 12)
        storedLength = bytes.littleEndian32(at: 16)
        payloadLength = bytes.littleEndian32(at: 20)
        records = bytes.littleEndian32(at: 24)
        firstTime = Int64(bitPattern: bytes.littleEndian64(at: 32))
        lastTime = Int64(bitPattern: bytes.littleEndian64(at: 40))
        payloadChecksum = bytes.littleEndian32(at: 48)
        guard storedLength <= TraceLimits.blockBytes, payloadLength <= TraceLimits.blockBytes else { return nil }
    }
}

/// The last 24 bytes of a finished file: magic, offset of the index block, zero, checksum of the 20 bytes before.
enum Trailer {
    static let byteCount = 24
    static let magic: [UInt8] = [0x4b, 0x56, 0x52, 0x45, 0x4e, 0x44, 0x0d, 0x0a]

    static func append(indexOffset: UInt64, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: magic)
        bytes.append(littleEndian: indexOffset)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: CRC32C.checksum(of: bytes.span.extracting(start..<start + 20)))
    }

    /// Where the index block begins; nil if the bytes are no whole trailer.
    static func indexOffset(in bytes: Span<UInt8>) -> UInt64? {
        guard bytes.count >= byteCount, bytes.starts(with: magic),
            bytes.littleEndian32(at: 20) == CRC32C.checksum(of: bytes.extracting(0..<20))
        else { return nil }
        return bytes.littleEndian64(at: 8)
    }
}

extension Span<UInt8> {
    func starts(with magic: [UInt8]) -> Bool {
        count >= magic.count && extracting(0..<magic.count).isEqual(to: magic.span)
    }
}
