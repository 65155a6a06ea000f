package import Wire

/// What a trace's blocks add up to.
package struct TraceSummary: Equatable, Sendable {
    /// Whole blocks of every kind.
    package var blocks = 0
    /// Bytes of those blocks and of the file's header and trailer.
    package var bytes: Int64 = 0
    package var operationBlocks = 0
    package var operations: Int64 = 0
    /// Earliest and latest time of an operation; nil without operations.
    package var times: ClosedRange<CaptureTime>?

    package init() {}

    mutating func add(_ header: BlockHeader) {
        blocks += 1
        bytes += Int64(BlockHeader.byteCount) + Int64(header.storedLength)
        guard header.type == BlockType.operations.rawValue else { return }
        operationBlocks += 1
        operations += Int64(header.records)
        guard header.records > 0, header.firstTime <= header.lastTime else { return }
        let first = CaptureTime(nanoseconds: header.firstTime)
        let last = CaptureTime(nanoseconds: header.lastTime)
        times = min(first, times?.lowerBound ?? first)...max(last, times?.upperBound ?? last)
    }
}

/// What of a trace could not be read.
package struct TraceDamage: Equatable, Sendable {
    /// Blocks that are damaged, begun and not ended, or missing between others.
    package var lostBlocks = 0
    /// Bytes that belong to no whole block.
    package var unreadableBytes: Int64 = 0
    /// Of those, the block and the bytes that no whole block follows: where a trace was cut, its end.
    package var blocksAtEnd = 0
    package var bytesAtEnd: Int64 = 0
    /// Blocks of operations in a layout of later versions.
    package var newerBlocks = 0
    /// The trailer is missing: the recording was interrupted, or the file was cut. How many blocks followed is not
    /// known.
    package var isCutShort = false

    package init() {}

    /// Whether something is missing before the last whole block, so that it was not merely cut off.
    package var isWithin: Bool { lostBlocks > blocksAtEnd || unreadableBytes > bytesAtEnd }

    package var isNone: Bool { self == TraceDamage() }
}
