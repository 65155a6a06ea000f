package import Etcd
import Wire

/// Makes batches of blocks: pure, from bytes to records. Whatever the bytes are, it neither traps nor takes more memory
/// than `TraceLimits` allow.
package struct BlockDecoder: ~Copyable {
    private var codec = BatchCodec(coder: ColumnDecoder())
    private var payload: [UInt8] = []
    private var scratch: [UInt8] = []
    private let zstandard = Zstandard()

    package init() {}

    /// Replaces the batch's content by that of one whole operations block, its header included. False, and the batch is
    /// empty, if the bytes are not one.
    package mutating func decode(block bytes: [UInt8], into batch: inout OperationBatch) -> Bool {
        let span = bytes.span
        guard let header = BlockHeader(span), header.type == BlockType.operations.rawValue,
            header.version <= BlockHeader.version,
            bytes.count == BlockHeader.byteCount + Int(header.storedLength),
            case let stored = span.extracting(BlockHeader.byteCount..<bytes.count),
            CRC32C.checksum(of: stored) == header.payloadChecksum,
            let payload = decompress(stored, header: header)
        else {
            batch.removeAll()
            return false
        }
        return decode(payload: payload, header: header, into: &batch)
    }

    /// Fills `payload` with the block's; nil if it is not what the header says.
    mutating func decompress(_ stored: Span<UInt8>, header: BlockHeader) -> [UInt8]? {
        if header.flags & BlockHeader.compressedFlag == 0 {
            guard header.storedLength == header.payloadLength else { return nil }
            return stored.copied()
        }
        guard zstandard.decompress(stored, count: Int(header.payloadLength), into: &payload) else { return nil }
        return payload
    }

    /// Replaces the batch's content by an operations block's. False if the payload is not one; the batch is then empty.
    mutating func decode(payload: [UInt8], header: BlockHeader, into batch: inout OperationBatch) -> Bool {
        swap(&codec.batch, &batch)
        codec.batch.removeAll()
        codec.batch.health = RecordingHealth()
        codec.coder.start(payload: payload)
        let isWhole = decodeRecords() && codec.batch.operations.count == header.records
        if !isWhole { codec.batch.removeAll() }
        swap(&codec.batch, &batch)
        return isWhole
    }

    private mutating func decodeRecords() -> Bool {
        var numbers: [Int] = []
        for _ in 0..<BatchCounts.numbers + ShapeKind.allCases.count + 1 {
            let number = codec.coder.next(.counts)
            guard number >= 0, number <= Int64(TraceLimits.records) else { return false }
            numbers.append(Int(number))
        }
        codec.counts = BatchCounts(numbers)
        let replays = codec.coder.next(.replays)
        guard replays == 0 || replays == Int64(codec.counts.operations) else { return false }
        codec.counts.replays = Int(replays)
        guard codec.counts.isWithinLimits else { return false }
        codec.timeUnit = codec.coder.next(.clock)
        codec.timeBase = codec.coder.next(.clock)
        codec.coder.readStrings(
            codec.counts.keys, shared: .keyShared, suffixLength: .keySuffixLength, suffix: .keySuffix,
            into: &codec.batch.keys, scratch: &scratch)
        codec.coder.readStrings(
            codec.counts.texts, shared: .textShared, suffixLength: .textSuffixLength, suffix: .textSuffix,
            into: &codec.batch.texts, scratch: &scratch)
        if codec.coder.hasFailed { return false }
        codec.coder.readShapes(Array(numbers[BatchCounts.numbers...].prefix(ShapeKind.allCases.count)))
        if codec.coder.hasFailed { return false }
        codec.run()
        readHealth(numbers[numbers.count - 1])
        return codec.coder.isComplete
    }

    private mutating func readHealth(_ count: Int) {
        guard count <= 256 else { return codec.coder.fail() }
        for _ in 0..<count {
            let number = codec.coder.next(.healthField)
            let value = codec.coder.next(.healthValue)
            guard let raw = UInt8(exactly: number) else { return codec.coder.fail() }
            // A field of a later version is passed over.
            if let field = RecordingHealth.Field(rawValue: raw) { codec.batch.health[field] = value }
        }
    }
}

extension BatchCounts {
    /// How many kinds of records there are.
    static let numbers = 8

    init(_ numbers: [Int]) {
        operations = numbers[0]
        parts = numbers[1]
        compares = numbers[2]
        keyValues = numbers[3]
        keys = numbers[4]
        texts = numbers[5]
        observed = numbers[6]
        connections = numbers[7]
    }
}
