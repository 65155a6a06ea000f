import Etcd
import Wire

/// Where a trace's blocks are and which times they hold: the last block of a finished trace.
struct BlockIndex: Equatable {
    var entries: [Entry] = []

    struct Entry: Equatable {
        var type: UInt8
        /// Of the block's header, from the file's start.
        var offset: Int64
        /// Operations.
        var records: Int64 = 0
        var firstTime: Int64 = 0
        var lastTime: Int64 = 0
    }

    private static let columns: [Column] = [.indexOffset, .indexType, .indexRecords, .indexFirstTime, .indexLastTime]

    /// Appends the payload of the index block. Offsets and times are differences to the entry before.
    func append(to payload: inout [UInt8]) {
        var writer = ColumnWriter()
        var values: [[Int64]] = Array(repeating: [], count: 5)
        var previous = Entry(type: 0, offset: 0)
        for entry in entries {
            values[0].append(entry.offset &- previous.offset)
            values[1].append(Int64(entry.type))
            values[2].append(entry.records)
            values[3].append(entry.firstTime &- previous.firstTime)
            values[4].append(entry.lastTime &- entry.firstTime)
            previous = entry
        }
        for (column, numbers) in zip(Self.columns, values) { writer.append(numbers, as: column, to: &payload) }
    }

    init() {}

    /// Nil if the payload is not an index of `count` entries.
    init?(payload: [UInt8], count: Int) {
        guard count <= TraceLimits.indexedBlocks else { return nil }
        var coder = ColumnDecoder()
        coder.start(payload: payload)
        var previous = Entry(type: 0, offset: 0)
        for _ in 0..<count {
            guard let type = UInt8(exactly: coder.next(.indexType)) else { return nil }
            var entry = Entry(type: type, offset: previous.offset &+ coder.next(.indexOffset))
            entry.records = coder.next(.indexRecords)
            entry.firstTime = previous.firstTime &+ coder.next(.indexFirstTime)
            entry.lastTime = entry.firstTime &+ coder.next(.indexLastTime)
            entries.append(entry)
            previous = entry
        }
        guard coder.isComplete else { return nil }
    }
}

extension BlockIndex.Entry {
    init(_ batch: borrowing OperationBatch, offset: Int64) {
        type = BlockType.operations.rawValue
        self.offset = offset
        records = Int64(batch.operations.count)
        if let first = batch.operations.first {
            (firstTime, lastTime) = (first.time.nanoseconds, first.time.nanoseconds)
        }
        for operation in batch.operations {
            firstTime = min(firstTime, operation.time.nanoseconds)
            lastTime = max(lastTime, operation.time.nanoseconds)
        }
    }
}
