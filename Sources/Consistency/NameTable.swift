import Wire

/// Distinct texts as UTF-8, numbered from 1 in the order of their first appearance. 0 stands for absence.
package struct NameTable: Sendable {
    /// The texts, one after the other.
    private var bytes: [UInt8] = []
    /// Where each ends and the next begins.
    private var ends = [0]
    /// Numbers at the places of their hashes, 0 where free; a power of two long.
    private var slots = [UInt32](repeating: 0, count: 64)

    package init() {}

    /// How many there are; the highest number given out.
    package var count: Int { ends.count - 1 }
    /// Bytes of all texts.
    package var byteCount: Int { bytes.count }

    /// The text of that number; empty for 0 and for numbers that were not given out.
    package func text(_ number: Int) -> [UInt8] {
        guard number > 0, number < ends.count else { return [] }
        return Array(bytes[range(of: number)])
    }

    /// The text's number, a new one if it was not there. The empty text has a number as any other.
    package mutating func number(of text: Span<UInt8>) -> Int {
        var place = Int(truncatingIfNeeded: text.hash64(seed: HashSeed.process)) & (slots.count - 1)
        while slots[place] != 0 {
            let candidate = Int(slots[place])
            if bytes.span.extracting(range(of: candidate)).isEqual(to: text) { return candidate }
            place = (place + 1) & (slots.count - 1)
        }
        bytes.append(copying: text)
        ends.append(bytes.count)
        slots[place] = UInt32(count)
        if count * 2 > slots.count { grow() }
        return count
    }

    /// As `number(of:)`, for the text's UTF-8.
    package mutating func number(of text: String) -> Int { number(of: Array(text.utf8).span) }

    private func range(of number: Int) -> Range<Int> { ends[number - 1]..<ends[number] }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 4)
        for number in 1...count {
            let hash = bytes.span.extracting(range(of: number)).hash64(seed: HashSeed.process)
            var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
            slots[place] = UInt32(number)
        }
    }
}
