package import Etcd
import Wire

/// Makes blocks of batches: pure, from records to bytes. Keeps its arrays, so that a writer allocates them once.
package struct BlockEncoder: ~Copyable {
    private var codec = BatchCodec(coder: ColumnEncoder())
    private var columnWriter = ColumnWriter()
    private var keyColumns = StringColumns()
    private var textColumns = StringColumns()
    private var payload: [UInt8] = []
    /// Where columns of some size end in the payload.
    private var boundaries: [Int] = []
    private let zstandard: Zstandard

    /// `level` is zstd's: 1 is fastest, above 9 little is won; 0 leaves payloads as they are.
    package init(level: Int32 = TraceLimits.recommendedLevel) { zstandard = Zstandard(level: level) }

    /// Appends the block of the batch, numbered `number` in its file. False, and nothing is appended, if the batch is
    /// beyond the limits of a block. Precondition: slices and numbers in the batch are within its arrays, and a
    /// replay has a record for each operation. A block
    /// whose slices name more records than there are is one that no decoder takes.
    package mutating func encode(_ batch: borrowing OperationBatch, number: UInt32, into bytes: inout [UInt8]) -> Bool {
        let counts = BatchCounts(batch)
        guard counts.isWithinLimits, batch.keys.bytes.count <= TraceLimits.stringBytes,
            batch.texts.bytes.count <= TraceLimits.stringBytes
        else { return false }
        var header = BlockHeader(type: .operations, number: number)
        header.records = UInt32(counts.operations)
        codec.coder.removeAll()
        codec.batch = copy batch
        codec.counts = counts
        codec.timeBase = batch.operations.first?.time.nanoseconds ?? 0
        codec.timeUnit = Self.timeUnit(of: batch.operations, base: codec.timeBase)
        codec.run()
        precondition(!codec.coder.hasFailed, "slices and numbers of a batch must lie within its arrays")
        codec.batch = OperationBatch()
        if let first = batch.operations.first {
            (header.firstTime, header.lastTime) = (first.time.nanoseconds, first.time.nanoseconds)
            for operation in batch.operations {
                header.firstTime = min(header.firstTime, operation.time.nanoseconds)
                header.lastTime = max(header.lastTime, operation.time.nanoseconds)
            }
        }
        writePayload(batch)
        return Self.seal(&header, payload: payload, boundaries: boundaries, zstandard, into: &bytes)
    }

    private mutating func writePayload(_ batch: borrowing OperationBatch) {
        codec.coder.writeShapes()
        codec.coder.columns[Column.clock.rawValue] = [codec.timeUnit, codec.timeBase]
        codec.coder.columns[Column.replays.rawValue] = [Int64(codec.counts.replays)]
        for field in RecordingHealth.Field.allCases where batch.health[field] != 0 {
            codec.coder.columns[Column.healthField.rawValue].append(Int64(field.rawValue))
            codec.coder.columns[Column.healthValue.rawValue].append(batch.health[field])
        }
        codec.coder.columns[Column.counts.rawValue] =
            codec.counts.numbers + codec.coder.shapes.map { Int64($0.shapes.count) }
            + [Int64(codec.coder.columns[Column.healthField.rawValue].count)]
        keyColumns.removeAll()
        textColumns.removeAll()
        keyColumns.append(batch.keys)
        textColumns.append(batch.texts)
        payload.removeAll(keepingCapacity: true)
        boundaries.removeAll(keepingCapacity: true)
        for column in Column.allCases {
            let start = payload.count
            switch column {
            case .keyShared: columnWriter.append(keyColumns.shared, as: column, to: &payload)
            case .keySuffixLength: columnWriter.append(keyColumns.suffixLengths, as: column, to: &payload)
            case .keySuffix: columnWriter.append(bytes: keyColumns.suffixes, as: column, to: &payload)
            case .textShared: columnWriter.append(textColumns.shared, as: column, to: &payload)
            case .textSuffixLength: columnWriter.append(textColumns.suffixLengths, as: column, to: &payload)
            case .textSuffix: columnWriter.append(bytes: textColumns.suffixes, as: column, to: &payload)
            default: columnWriter.append(codec.coder.columns[column.rawValue], as: column, to: &payload)
            }
            if payload.count - start >= Self.ownTableBytes {
                if let last = boundaries.last, last != start { boundaries.append(start) }
                if boundaries.isEmpty, start > 0 { boundaries.append(start) }
                boundaries.append(payload.count)
            }
        }
    }

    /// A column of so many bytes gets entropy tables of its own: they cost about 100 bytes.
    private static let ownTableBytes = 2048

    /// Compresses the payload where that helps, and appends header and payload.
    static func seal(
        _ header: inout BlockHeader, payload: [UInt8], boundaries: [Int], _ zstandard: borrowing Zstandard,
        into bytes: inout [UInt8]
    ) -> Bool {
        guard payload.count <= TraceLimits.blockBytes else { return false }
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: BlockHeader.byteCount))
        let content = bytes.count
        header.payloadLength = UInt32(payload.count)
        if zstandard.compress(payload, boundaries: boundaries, into: &bytes), bytes.count - content < payload.count {
            header.flags |= BlockHeader.compressedFlag
        } else {
            bytes.removeLast(bytes.count - content)
            bytes.append(contentsOf: payload)
        }
        header.storedLength = UInt32(bytes.count - content)
        header.payloadChecksum = CRC32C.checksum(of: bytes.span.extracting(content..<bytes.count))
        var head: [UInt8] = []
        header.append(to: &head)
        bytes.replaceSubrange(start..<content, with: head)
        return true
    }

    /// The largest number of nanoseconds of which all times of the operations are multiples. 1 where differences of
    /// them could overflow.
    private static func timeUnit(of operations: [Operation], base: Int64) -> Int64 {
        var unit: UInt64 = 0
        let most: UInt64 = 1 << 60
        for operation in operations {
            let (sinceBase, overflow) = operation.time.nanoseconds.subtractingReportingOverflow(base)
            if overflow { return 1 }
            for time in [sinceBase, operation.requestEnd, operation.responseStart, operation.responseEnd]
            where time != Operation.absent && time != 0 {
                if time.magnitude > most { return 1 }
                if unit != 0, time.magnitude % unit == 0 { continue }
                unit = greatestCommonDivisor(unit, time.magnitude)
                if unit == 1 { return 1 }
            }
        }
        return unit == 0 ? 1 : Int64(unit)
    }

    private static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}

extension BatchCounts {
    init(_ batch: borrowing OperationBatch) {
        operations = batch.operations.count
        parts = batch.parts.count
        compares = batch.compares.count
        keyValues = batch.keyValues.count
        keys = batch.keys.count
        texts = batch.texts.count
        observed = batch.observed.count
        connections = batch.connections.count
        replays = batch.replays.count
    }

    /// In the order of the column `counts`, which was there before replays.
    var numbers: [Int64] {
        [operations, parts, compares, keyValues, keys, texts, observed, connections].map(Int64.init)
    }

    var isWithinLimits: Bool {
        operations <= TraceLimits.operations
            && [parts, compares, keyValues, keys, texts, observed, connections].allSatisfy { $0 <= TraceLimits.records }
            && decodedBytes <= TraceLimits.decodedBytes
    }

    /// Bytes of the records in memory, without keys and texts.
    var decodedBytes: Int {
        operations * MemoryLayout<Operation>.stride + parts * MemoryLayout<RequestOp>.stride
            + compares * MemoryLayout<Compare>.stride + keyValues * MemoryLayout<KeyValueRecord>.stride
            + observed * MemoryLayout<ObservedRecord>.stride + connections * MemoryLayout<ConnectionRecord>.stride
            + replays * MemoryLayout<ReplayRecord>.stride
    }
}
