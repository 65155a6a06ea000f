/// Streams whose watches are to be created again, and when; the earliest comes first. A binary heap over one array.
///
/// What became of a stream meanwhile is not known here: an entry whose moment is not the stream's is an old one.
struct ReopeningHeap: Sendable {
    struct Entry: Sendable {
        var moment: Int64
        var stream: UInt32

        static func < (left: Entry, right: Entry) -> Bool {
            (left.moment, left.stream) < (right.moment, right.stream)
        }
    }

    private var entries: [Entry] = []

    /// When the first one is due; `Int64.max` if there is none.
    var due: Int64 { entries.first?.moment ?? .max }

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0, entries[place] < entries[(place - 1) / 2] {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes out the first one; nil if none is due at that moment.
    mutating func removeFirst(dueAt moment: Int64) -> Entry? {
        guard let first = entries.first, first.moment <= moment else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count && entries[child] < entries[least] {
                least = child
            }
            if least == place { return first }
            entries.swapAt(place, least)
            place = least
        }
    }
}
