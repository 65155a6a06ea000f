import Wire

/// Out-of-order data of one direction: blocks in the order of their offsets, none overlapping another.
///
/// The first copy of a byte wins. A block may stand for bytes that a snap length cut away; any real copy of those
/// bytes that comes in time replaces it.
struct HeldBlocks {
    struct Block {
        var offset: Int
        var count: Int
        /// Empty when the bytes were cut away.
        var bytes: [UInt8]
        var time: CaptureTime

        var end: Int { offset + count }
        var isCut: Bool { bytes.isEmpty }
    }

    /// Charged for each block beside its bytes: the entry here and the heap's own.
    static let blockCost = 96

    private var blocks: [Block] = []
    /// Blocks before this one have been taken.
    private var head = 0
    private var byteCount = 0

    var isEmpty: Bool { head == blocks.count }
    var count: Int { blocks.count - head }
    /// Memory, in bytes.
    var cost: Int { byteCount + count * Self.blockCost }
    var firstOffset: Int? { isEmpty ? nil : blocks[head].offset }
    /// Behind the last block's last byte.
    var end: Int? { blocks.last?.end }
    /// Length of the first block, 0 when there is none.
    var firstCount: Int { isEmpty ? 0 : blocks[head].count }

    /// Whether all bytes from 0 to `length` are held.
    func covers(_ length: Int) -> Bool {
        var position = 0
        for index in head..<blocks.count {
            guard blocks[index].offset == position, !blocks[index].isCut else { return false }
            position = blocks[index].end
        }
        return position == length
    }

    /// Keeps a copy of those bytes of `bytes[range]` that are not held yet; the first belongs at `offset`.
    /// Returns how many were held before and how many of these differ.
    mutating func insert(
        _ bytes: Span<UInt8>, _ range: Range<Int>, at offset: Int, time: CaptureTime
    ) -> (held: Int, differing: Int) {
        var held = 0
        var differing = 0
        var position = offset
        let end = offset + range.count
        var index = firstIndex(endingBehind: offset)
        while position < end {
            let blockStart = index < blocks.count ? blocks[index].offset : end
            if position < blockStart {
                let free = position..<min(end, blockStart)
                let from = range.lowerBound + (free.lowerBound - offset)
                add(
                    bytes.extracting(from..<from + free.count).copied(), count: free.count, at: position, time: time,
                    index)
                index += 1
                position = free.upperBound
                continue
            }
            let shared = position..<min(end, blocks[index].end)
            let from = range.lowerBound + (shared.lowerBound - offset)
            if blocks[index].isCut {
                split(index, around: shared)
                // After the split exactly one block covers `shared`.
                index = firstIndex(endingBehind: shared.lowerBound)
                blocks[index].bytes = bytes.extracting(from..<from + shared.count).copied()
                blocks[index].time = time
                byteCount += shared.count
            } else {
                held += shared.count
                let block = blocks[index]
                let inBlock = shared.lowerBound - block.offset
                let same = block.bytes.span.extracting(inBlock..<inBlock + shared.count)
                    .isEqual(to: bytes.extracting(from..<from + shared.count))
                if !same {
                    for step in 0..<shared.count where block.bytes[inBlock + step] != bytes[from + step] {
                        differing += 1
                    }
                }
            }
            position = shared.upperBound
            index += 1
        }
        return (held, differing)
    }

    /// Notes that the bytes of `range` were on the wire but cut away, where nothing is held.
    mutating func insertCut(_ range: Range<Int>, time: CaptureTime) {
        var position = range.lowerBound
        var index = firstIndex(endingBehind: position)
        while position < range.upperBound {
            let blockStart = index < blocks.count ? blocks[index].offset : range.upperBound
            if position < blockStart {
                let end = min(range.upperBound, blockStart)
                add([], count: end - position, at: position, time: time, index)
                index += 1
                position = end
            } else {
                position = blocks[index].end
                index += 1
            }
        }
    }

    /// Takes the first block.
    mutating func removeFirst() -> Block {
        precondition(!isEmpty, "there must be a block to take")
        let block = blocks[head]
        blocks[head].bytes = []
        head += 1
        byteCount -= block.bytes.count
        if head == blocks.count {
            // Memory is given back at once: thousands of connections may each have had a hole.
            blocks = []
            head = 0
        } else if head >= 64, head * 2 >= blocks.count {
            blocks.removeFirst(head)
            head = 0
        }
        return block
    }

    /// Renumbers all offsets: what was at `origin` is at 0 afterwards, and what lay before it is dropped.
    mutating func rebase(to origin: Int) {
        while let first = firstOffset, first < origin {
            var block = removeFirst()
            guard block.end > origin else { continue }
            let surplus = origin - block.offset
            if !block.isCut { block.bytes.removeFirst(surplus) }
            add(block.bytes, count: block.count - surplus, at: origin, time: block.time, head)
        }
        for index in head..<blocks.count { blocks[index].offset -= origin }
    }

    private mutating func add(_ bytes: [UInt8], count: Int, at offset: Int, time: CaptureTime, _ index: Int) {
        byteCount += bytes.count
        blocks.insert(Block(offset: offset, count: count, bytes: bytes, time: time), at: index)
    }

    /// Cuts the block at `index`, which has no bytes, so that a block of its own covers `part`.
    private mutating func split(_ index: Int, around part: Range<Int>) {
        let block = blocks[index]
        blocks[index].offset = part.lowerBound
        blocks[index].count = part.count
        if block.end > part.upperBound {
            add([], count: block.end - part.upperBound, at: part.upperBound, time: block.time, index + 1)
        }
        if block.offset < part.lowerBound {
            add([], count: part.lowerBound - block.offset, at: block.offset, time: block.time, index)
        }
    }

    /// The first block whose end is behind `offset`.
    private func firstIndex(endingBehind offset: Int) -> Int {
        var low = head
        var high = blocks.count
        // New data nearly always belongs behind all that is held.
        if let last = blocks.last, last.end <= offset { return high }
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].end > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
