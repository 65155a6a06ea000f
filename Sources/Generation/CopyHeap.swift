/// Which of several copies is next: the one with the earliest time, of equal ones the first.
struct CopyHeap {
    private struct Entry {
        var time: Int64
        var copy: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.time != right.time ? left.time < right.time : left.copy < right.copy
        }
    }

    private var entries: [Entry] = []

    /// The copy whose turn it is; nil when all are done.
    var first: Int? { entries.first?.copy }

    mutating func add(_ copy: Int, at time: Int64) {
        entries.append(Entry(time: time, copy: copy))
        var place = entries.count - 1
        while place > 0, entries[place] < entries[(place - 1) / 2] {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Gives the first copy its next time, nil if it has no more. Precondition: there is a first one.
    mutating func replaceFirst(_ time: Int64?) {
        if let time { entries[0].time = time } else { entries.swapAt(0, entries.count - 1) }
        if time == nil { entries.removeLast() }
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count && entries[child] < entries[least] {
                least = child
            }
            if least == place { return }
            entries.swapAt(place, least)
            place = least
        }
    }
}
