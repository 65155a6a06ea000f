import Wire

/// Distinct byte strings, numbered from 1 in the order of their first appearance. Number 0 is "none".
///
/// Open addressing over one array of bytes: adding a string that is there allocates nothing.
public struct ByteTable: Sendable {
    /// The strings, one after the other.
    public private(set) var bytes: [UInt8] = []
    /// `ends[n]` is where string n ends and string n + 1 begins; `ends[0]` is 0.
    public private(set) var ends: [UInt32] = [0]
    /// Of each string by its number.
    private var hashes: [UInt64] = [0]
    /// Numbers of strings at their hashes' places, 0 where free; a power of two long.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)

    private let seed = HashSeed.process
    /// Bytes that an emptied table keeps for the next strings: more than ordinary batches of keys have.
    private static let keptBytes = 16 << 20

    public init() {}

    /// How many strings there are; the highest number given out.
    public var count: Int { ends.count - 1 }
    public var byteCount: Int { bytes.count + ends.count * 12 + slots.count * 4 }

    /// Where the string of that number lies in `bytes`; empty for 0. Precondition: the number was given out.
    @inlinable public func range(of number: UInt32) -> Range<Int> {
        if number == 0 { return 0..<0 }
        return Int(ends[Int(number) - 1])..<Int(ends[Int(number)])
    }

    /// The string's number, a new one if it was not there. The empty string is number 0.
    public mutating func number(of string: Span<UInt8>) -> UInt32 {
        if string.isEmpty { return 0 }
        return number(of: string, hash: string.hash64(seed: seed))
    }

    /// As `number(of:)`, for a string of another table, where it has that number. Its hash is known there.
    package mutating func number(of number: UInt32, in other: borrowing ByteTable) -> UInt32 {
        if number == 0 { return 0 }
        return self.number(
            of: other.bytes.span.extracting(other.range(of: number)), hash: other.hashes[Int(number)])
    }

    @inline(__always)
    private mutating func number(of string: Span<UInt8>, hash: UInt64) -> UInt32 {
        var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[place] != 0 {
            let candidate = slots[place]
            if bytes.span.extracting(range(of: candidate)).isEqual(to: string) { return candidate }
            place = (place + 1) & (slots.count - 1)
        }
        precondition(bytes.count + string.count <= Int(UInt32.max), "a batch's strings must stay below 4 GiB")
        bytes.append(copying: string)
        ends.append(UInt32(bytes.count))
        hashes.append(hash)
        let number = UInt32(count)
        slots[place] = number
        if count * 2 > slots.count { grow() }
        return number
    }

    /// The string's number; 0 if it is not there, or empty.
    public func existingNumber(of string: Span<UInt8>) -> UInt32 {
        if string.isEmpty { return 0 }
        var place = Int(truncatingIfNeeded: string.hash64(seed: seed)) & (slots.count - 1)
        while slots[place] != 0 {
            if bytes.span.extracting(range(of: slots[place])).isEqual(to: string) { return slots[place] }
            place = (place + 1) & (slots.count - 1)
        }
        return 0
    }

    /// As `number(of:)`, for the text's UTF-8.
    public mutating func number(of text: String) -> UInt32 { number(of: Array(text.utf8).span) }

    public func string(_ number: UInt32) -> [UInt8] { Array(bytes[range(of: number)]) }

    /// The hash of the string of that number, the same in all tables of a process; 0 for number 0. Precondition: the
    /// number was given out.
    func hash(of number: UInt32) -> UInt64 { hashes[Int(number)] }

    public mutating func removeAll() {
        if count == 0 { return }
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
        ends.removeAll(keepingCapacity: true)
        ends.append(0)
        hashes.removeAll(keepingCapacity: true)
        hashes.append(0)
        for place in slots.indices { slots[place] = 0 }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for number in 1...UInt32(count) {
            var place = Int(truncatingIfNeeded: hashes[Int(number)]) & (slots.count - 1)
            while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
            slots[place] = number
        }
    }
}
