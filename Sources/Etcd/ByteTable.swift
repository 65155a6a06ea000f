import Wire

/// Distinct byte strings, numbered from 1 in the order of their first appearance. Number 0 is "none".
///
/// Open addressing over one array of bytes: adding a string that is there allocates nothing. Strings that are known to
/// be new are only appended, and get their places once another one is looked for.
public struct ByteTable: Sendable {
    /// The strings, one after the other.
    public private(set) var bytes: [UInt8] = []
    /// `ends[n]` is where string n ends and string n + 1 begins; `ends[0]` is 0.
    public private(set) var ends: [UInt32] = [0]
    /// Of each string by its number, of those that are in `slots`.
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
            of: other.bytes.span.extracting(other.range(of: number)), hash: other.hash(of: number))
    }

    /// Adds a string of another table, where it has that number; its number here. Precondition: it is not here, and not
    /// empty.
    package mutating func append(new number: UInt32, of other: borrowing ByteTable) -> UInt32 {
        append(other.bytes.span.extracting(other.range(of: number)))
    }

    @inline(__always)
    private mutating func append(_ string: Span<UInt8>) -> UInt32 {
        precondition(bytes.count + string.count <= Int(UInt32.max), "a batch's strings must stay below 4 GiB")
        bytes.append(copying: string)
        ends.append(UInt32(bytes.count))
        return UInt32(count)
    }

    /// How many strings have no place in `slots` yet: the last ones.
    private var unplaced: Int { ends.count - hashes.count }

    /// Gives all strings their places, among more slots where these would be more than half full.
    @inline(never)
    private mutating func placeAll() {
        var first = UInt32(hashes.count)
        while hashes.count < ends.count { hashes.append(hash(of: UInt32(hashes.count))) }
        var room = slots.count
        while count * 2 > room { room *= 2 }
        if room > slots.count {
            slots = Array(repeating: 0, count: room)
            first = 1
        }
        for number in first..<UInt32(ends.count) { place(number) }
    }

    @inline(__always)
    private mutating func place(_ number: UInt32) {
        var place = Int(truncatingIfNeeded: hashes[Int(number)]) & (slots.count - 1)
        while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
        slots[place] = number
    }

    @inline(__always)
    private mutating func number(of string: Span<UInt8>, hash: UInt64) -> UInt32 {
        if unplaced > 0 { placeAll() }
        var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[place] != 0 {
            let candidate = slots[place]
            if bytes.span.extracting(range(of: candidate)).isEqual(to: string) { return candidate }
            place = (place + 1) & (slots.count - 1)
        }
        let number = append(string)
        hashes.append(hash)
        slots[place] = number
        if count * 2 > slots.count { placeAll() }
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
        var number = UInt32(hashes.count)
        while number < ends.count {
            if bytes.span.extracting(range(of: number)).isEqual(to: string) { return number }
            number += 1
        }
        return 0
    }

    /// As `number(of:)`, for the text's UTF-8.
    public mutating func number(of text: String) -> UInt32 { number(of: Array(text.utf8).span) }

    public func string(_ number: UInt32) -> [UInt8] { Array(bytes[range(of: number)]) }

    /// The hash of the string of that number, the same in all tables of a process; 0 for number 0. Precondition: the
    /// number was given out.
    func hash(of number: UInt32) -> UInt64 {
        if number < hashes.count { return hashes[Int(number)] }
        return bytes.span.extracting(range(of: number)).hash64(seed: seed)
    }

    public mutating func removeAll() {
        if count == 0 { return }
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
        ends.removeAll(keepingCapacity: true)
        ends.append(0)
        if hashes.count == 1 { return }
        hashes.removeAll(keepingCapacity: true)
        hashes.append(0)
        for place in slots.indices { slots[place] = 0 }
    }
}
