import Wire

/// The keys that one pending call names, numbered from 1 in the order of their appearance; 0 is "no key".
///
/// A call names the same key again and again (compare, put, range, reply), so a key equal to the previous one gets its
/// number; other repetitions are kept twice and meet again in the batch's table.
package struct KeyList: Sendable {
    /// The keys, one after the other. What lies behind the last one means nothing: of calls before, written over by the
    /// next key. To cut an array off and append to it again takes longer than the copy.
    package private(set) var bytes: [UInt8] = []
    package private(set) var ends: [UInt32] = []

    package init() {}

    package var count: Int { ends.count }
    /// Bytes of all keys.
    var keyBytes: Int { Int(ends.last ?? 0) }
    var byteCount: Int { keyBytes + ends.count * 8 }
    /// Bytes of memory, used or not.
    var capacityBytes: Int { bytes.capacity + ends.capacity * 4 }

    /// Where the key of that number lies in `bytes`. Precondition: the number was given out and is not 0.
    package func range(of number: UInt32) -> Range<Int> {
        (number == 1 ? 0 : Int(ends[Int(number) - 2]))..<Int(ends[Int(number) - 1])
    }

    /// The number of a key that lies in `source` at `place`.
    package mutating func number(of source: Span<UInt8>, at place: Range<Int>) -> UInt32 {
        if place.isEmpty { return 0 }
        let key = source.extracting(place)
        if let last = ends.last {
            let start = ends.count == 1 ? 0 : Int(ends[ends.count - 2])
            if Int(last) - start == key.count, bytes.span.extracting(start..<Int(last)).isEqual(to: key) {
                return UInt32(ends.count)
            }
        }
        let start = keyBytes
        if key.count > bytes.count - start { grow(to: start + key.count) }
        bytes.overwrite(from: start, with: key)
        ends.makeRoom(for: 1, atLeast: 16)
        ends.append(UInt32(start + key.count))
        return UInt32(ends.count)
    }

    /// The number in a batch's table of the key of that number. Precondition: it was given out and is not 0.
    func number(_ number: UInt32, in table: inout ByteTable) -> KeyNumber {
        table.number(of: bytes.span.extracting(range(of: number)))
    }

    @inline(never)
    private mutating func grow(to needed: Int) {
        bytes.makeRoom(for: needed - bytes.count, atLeast: 512)
        _ = bytes.appendZeros(min(bytes.capacity, max(needed, 512)) - bytes.count)
    }

    /// Forgets all, and keeps the memory.
    package mutating func removeAll() { ends.clear() }
}
