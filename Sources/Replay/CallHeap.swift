/// Calls that were due before all that they wait for was answered, and now may be sent; the earliest comes first. A
/// binary heap over one array.
struct CallHeap: Sendable {
    struct Entry: Sendable {
        /// Its number in the plan: in the order of the intended times.
        var call: UInt32
        /// It was sent before: its watch is to be created again.
        var createsAnew = false
        var intended: Int64
        var released: Int64
    }

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            if entries[parent].call <= entry.call { break }
            entries[place] = entries[parent]
            place = parent
        }
        entries[place] = entry
    }

    /// Precondition: it is not empty.
    mutating func removeFirst() -> Entry {
        let first = entries[0]
        let last = entries.removeLast()
        if entries.isEmpty { return first }
        var place = 0
        while true {
            var child = 2 * place + 1
            if child >= entries.count { break }
            if child + 1 < entries.count, entries[child + 1].call < entries[child].call { child += 1 }
            if last.call <= entries[child].call { break }
            entries[place] = entries[child]
            place = child
        }
        entries[place] = last
        return first
    }
}
