/// What became of the last write of a client session in a group.
struct SlotEntry: Sendable {
    var group: UInt16
    var status: ChainStatus
    var slot: UInt32
    var request: UInt32
    var key: ChainKey
    /// What the write got, or what the rejection named.
    var version: ChainVersion
    /// The store's stamp at its last change.
    var stamp: UInt64
}

/// The sessions of all groups. An entry stays until its session is closed or its group discarded.
struct SlotTable: Sendable {
    private let limit: Int
    private var index = KeyIndex()
    private(set) var entries: [SlotEntry] = []

    init(limit: Int) { self.limit = limit }

    var isFull: Bool { entries.count >= limit }

    private static func key(_ group: UInt16, _ slot: UInt32) -> ChainKey {
        ChainKey(high: UInt64(group), low: UInt64(slot))
    }

    /// Where the entry of a session is; -1 if there is none.
    func find(group: UInt16, slot: UInt32) -> Int { index.find(Self.key(group, slot)) }

    /// Whether the session has an entry or can get one.
    func hasRoom(group: UInt16, slot: UInt32) -> Bool { !isFull || find(group: group, slot: slot) >= 0 }

    /// Sets the session's entry. Precondition: `hasRoom`.
    mutating func set(_ entry: SlotEntry) {
        let place = find(group: entry.group, slot: entry.slot)
        if place >= 0 {
            entries[place] = entry
        } else {
            precondition(!isFull, "a new session needs room")
            index.insert(Self.key(entry.group, entry.slot), at: entries.count)
            entries.append(entry)
        }
    }

    /// Forgets the sessions of `group`, or those of them that `closed` (ascending) names.
    mutating func remove(group: UInt16, only closed: [UInt32]? = nil) {
        entries.removeAll { entry in
            entry.group == group && closed.map { $0.containsAscending(entry.slot) } ?? true
        }
        index = KeyIndex()
        for (place, entry) in entries.enumerated() { index.insert(Self.key(entry.group, entry.slot), at: place) }
    }
}

extension [UInt32] {
    /// Whether `value` is among the numbers, which ascend.
    func containsAscending(_ value: UInt32) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}
