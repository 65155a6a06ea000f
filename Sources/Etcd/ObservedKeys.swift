/// What is known of each key, by a 64-bit hash of its name: open addressing, never shrinks.
struct ObservedKeys: Sendable {
    /// What was said of a key: a fact is appended only where it says more.
    enum Said: UInt8, Sendable { case nothing, existence, all }

    struct Entry: Sendable {
        /// 0 where free.
        var hash: UInt64 = 0
        /// Lowest revision inside the recording that is known to have changed the key; 0: it may have changed at any.
        var firstChange = Int64.max
        var said = Said.nothing
    }

    /// A `firstChange` below every revision.
    static let changedAnywhere: Int64 = 0

    private var entries: [Entry] = Array(repeating: Entry(), count: 1_024)
    private var count = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    subscript(place: Int) -> Entry {
        get { entries[place] }
        _modify { yield &entries[place] }
    }

    func said(_ hash: UInt64) -> Said { entries[find(hash)].said }

    /// The entry's place, a new one if there was none; nil when there is no room. Holds until the next call.
    mutating func place(of hash: UInt64) -> Int? {
        var place = find(hash)
        if entries[place].hash != 0 { return place }
        guard count < limit else { return nil }
        if count * 2 >= entries.count {
            grow()
            place = find(hash)
        }
        entries[place].hash = hash | 1
        count += 1
        return place
    }

    /// Where the hash is, or would be put. The lowest bit is set in all, to tell them from free places.
    private func find(_ hash: UInt64) -> Int {
        var place = Int(truncatingIfNeeded: hash >> 1) & (entries.count - 1)
        while entries[place].hash != 0, entries[place].hash != hash | 1 { place = (place + 1) & (entries.count - 1) }
        return place
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: Entry(), count: old.count * 2)
        for entry in old where entry.hash != 0 { entries[find(entry.hash)] = entry }
    }
}
