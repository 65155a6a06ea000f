import Wire

/// The dynamic table of one direction, by serial number instead of by index (RFC 7541 §2.3.3).
///
/// An index counts from the newest entry, so *insertions so far − index* names the same entry for ever. What the
/// encoder has evicted it cannot refer to, so evictions are not needed to decode; they are followed only as far as
/// entry sizes are known, to bound memory and to notice a wrong state. Text lies in the reader's `fieldBytes`.
struct DynamicTable {
    struct Entry {
        var name: HeaderField.Name = .unknown
        /// RFC 7541 §4.1: name and value in octets plus 32; too small where a name or value is not known.
        var size: Int32 = 32
        var nameStart: Int32 = -1
        var nameEnd: Int32 = -1
        var valueStart: Int32 = -1
        var valueEnd: Int32 = -1

        var isKnown: Bool { valueStart >= 0 }
        var value: Range<Int>? { valueStart < 0 ? nil : Int(valueStart)..<Int(valueEnd) }
        var nameBytes: Range<Int>? { nameStart < 0 ? nil : Int(nameStart)..<Int(nameEnd) }
    }

    /// Insertions since the start; the next entry's serial number.
    private(set) var inserted: Int64 = 0
    /// The serial of the oldest entry that can still be in the encoder's table and was inserted since attach.
    private(set) var oldest: Int64 = 0
    /// Sizes of the entries from `oldest` on.
    private(set) var size = 0
    /// The encoder's maximum (RFC 7541 §4.2): 4096 until a size update tells another one.
    private(set) var sizeMax = 4096
    /// A ring, by serial number; its length is a power of two.
    private var slots: [Entry] = []
    /// Its length from the first insertion on.
    private let room: Int

    /// - Parameter room: entries to make room for with the first one; a power of two.
    init(room: Int) {
        self.room = room
    }

    /// Bytes of the ring; its text lies elsewhere.
    var memoryBytes: Int { slots.capacity &* MemoryLayout<Entry>.stride }

    subscript(serial: Int64) -> Entry { slots[Int(truncatingIfNeeded: serial) & (slots.count &- 1)] }

    func holds(_ serial: Int64) -> Bool { serial >= oldest && serial < inserted }

    /// Takes over the memory of one that is of no use any more. Precondition: this one is empty.
    mutating func takeMemory(of old: inout DynamicTable) { swap(&slots, &old.slots) }

    /// Inserts an entry; nil when it is larger than the table, which only empties it (RFC 7541 §4.4).
    mutating func insert(_ entry: Entry) -> Int64? {
        guard Int(entry.size) <= sizeMax else {
            oldest = inserted
            size = 0
            return nil
        }
        evict(until: sizeMax &- Int(entry.size))
        reserve(1)
        slots[Int(truncatingIfNeeded: inserted) & (slots.count &- 1)] = entry
        size &+= Int(entry.size)
        inserted &+= 1
        return inserted &- 1
    }

    /// Follows a size update; `size` is bounded by the caller.
    mutating func resize(to newMax: Int) {
        sizeMax = newMax
        evict(until: newMax)
    }

    /// Puts `count` unknown entries before the entry `serial`; entries from there on move up.
    mutating func insertUnknown(_ count: Int, before serial: Int64) {
        guard count > 0 else { return }
        if oldest > serial {
            reserve(count)
            move(from: oldest, by: count)
            oldest &+= Int64(count)
        } else {
            reserve(count)
            move(from: serial, by: count)
            for place in serial..<(serial &+ Int64(count)) {
                slots[Int(truncatingIfNeeded: place) & (slots.count &- 1)] = Entry()
            }
            size &+= 32 &* count
        }
        inserted &+= Int64(count)
        evict(until: sizeMax)
    }

    /// Takes back every insertion from `serial` on.
    mutating func removeLast(downTo serial: Int64) {
        while inserted > serial {
            inserted &-= 1
            if inserted >= oldest { size &-= Int(self[inserted].size) }
        }
        oldest = min(oldest, inserted)
    }

    /// Drops every entry before `serial`.
    mutating func removeFirst(upTo serial: Int64) {
        while oldest < serial, oldest < inserted { evictOldest() }
    }

    /// Copies the text of all entries behind `newText`, and remembers the new places. Text before `prefix` stays.
    mutating func moveText(from text: Span<UInt8>, prefix: Int, into newText: inout [UInt8]) {
        var serial = oldest
        while serial < inserted {
            let slot = Int(truncatingIfNeeded: serial) & (slots.count &- 1)
            (slots[slot].valueStart, slots[slot].valueEnd) = Self.moved(
                slots[slot].value, from: text, prefix: prefix, into: &newText)
            (slots[slot].nameStart, slots[slot].nameEnd) = Self.moved(
                slots[slot].nameBytes, from: text, prefix: prefix, into: &newText)
            serial &+= 1
        }
    }

    private static func moved(
        _ range: Range<Int>?, from text: Span<UInt8>, prefix: Int, into newText: inout [UInt8]
    ) -> (Int32, Int32) {
        guard let range else { return (-1, -1) }
        if range.upperBound <= prefix { return (Int32(range.lowerBound), Int32(range.upperBound)) }
        let start = Int32(newText.count)
        newText.append(copying: text.extracting(range))
        return (start, Int32(newText.count))
    }

    private mutating func evict(until limit: Int) {
        while size > limit, oldest < inserted { evictOldest() }
    }

    private mutating func evictOldest() {
        size &-= Int(self[oldest].size)
        oldest &+= 1
    }

    /// Makes room for `count` more entries. Entries have at least 32 octets, so the ring is bounded by `sizeMax`, plus
    /// the unknown entries of one gap.
    private mutating func reserve(_ count: Int) {
        let needed = Int(inserted &- oldest) &+ count
        guard needed > slots.count else { return }
        var length = max(room, slots.count)
        while length < needed { length &*= 2 }
        var grown = Array(repeating: Entry(), count: length)
        var serial = oldest
        while serial < inserted {
            grown[Int(truncatingIfNeeded: serial) & (length &- 1)] = self[serial]
            serial &+= 1
        }
        slots = grown
    }

    private mutating func move(from serial: Int64, by count: Int) {
        var place = inserted
        while place > serial {
            place &-= 1
            let target = Int(truncatingIfNeeded: place &+ Int64(count)) & (slots.count &- 1)
            slots[target] = self[place]
        }
    }
}
