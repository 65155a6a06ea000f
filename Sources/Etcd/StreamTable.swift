import Wire

/// The open streams of one connection: where the pool holds their calls. Open addressing by a hash of the stream
/// number that nobody can foresee: neighbours would form runs, which removals have to walk.
struct StreamTable: Sendable {
    /// Stream numbers at their places, 0 where free; a power of two long, or empty.
    private var streams: [UInt32] = []
    private var slots: [Int32] = []
    private(set) var count = 0
    private let factor = HashSeed.factor(HashSeed.process)

    /// Takes over the memory of one that is of no use any more, unless it is more than most connections need.
    /// Precondition: this one is empty.
    mutating func takeMemory(of old: inout StreamTable) {
        guard old.streams.count <= 1024 else { return }
        if old.count > 0 { for place in old.streams.indices { old.streams[place] = 0 } }
        swap(&streams, &old.streams)
        swap(&slots, &old.slots)
    }

    /// Whether the next insertion makes the table longer.
    var isFull: Bool { count * 2 >= streams.count }

    /// All streams and their slots, in no order.
    var all: [(stream: UInt32, slot: Int)] {
        var all: [(stream: UInt32, slot: Int)] = []
        all.reserveCapacity(count)
        for place in streams.indices where streams[place] != 0 { all.append((streams[place], Int(slots[place]))) }
        return all
    }

    /// Fills the array with all streams and their slots, in ascending order of stream numbers.
    func sort(into streams: inout [(stream: UInt32, slot: Int)]) {
        streams.removeAll(keepingCapacity: true)
        if count == 0 { return }
        for place in self.streams.indices where self.streams[place] != 0 {
            streams.append((self.streams[place], Int(slots[place])))
        }
        // The standard library's sort allocates.
        guard streams.count <= 32 else { return streams.sort { $0.stream < $1.stream } }
        for end in streams.indices.dropFirst() {
            var place = end
            while place > 0, streams[place - 1].stream > streams[place].stream {
                streams.swapAt(place - 1, place)
                place -= 1
            }
        }
    }

    func slot(of stream: UInt32) -> Int? {
        if count == 0 { return nil }
        let mask = streams.count - 1
        var place = home(of: stream)
        while streams[place] != stream {
            if streams[place] == 0 { return nil }
            place = (place + 1) & mask
        }
        return Int(slots[place])
    }

    /// Precondition: the stream is not 0 and not in the table.
    mutating func insert(_ stream: UInt32, slot: Int) {
        if isFull { grow() }
        place(stream, Int32(slot))
        count += 1
    }

    mutating func remove(_ stream: UInt32) {
        guard count > 0 else { return }
        let mask = streams.count - 1
        var hole = home(of: stream)
        while streams[hole] != stream {
            if streams[hole] == 0 { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        // Those behind move up, unless that would put them before their own place.
        var place = hole
        while true {
            place = (place + 1) & mask
            if streams[place] == 0 { break }
            if (place - home(of: streams[place])) & mask >= (place - hole) & mask {
                streams[hole] = streams[place]
                slots[hole] = slots[place]
                hole = place
            }
        }
        streams[hole] = 0
    }

    @inline(__always)
    private func home(of stream: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(stream) &* factor) >> 32) & (streams.count - 1)
    }

    private mutating func place(_ stream: UInt32, _ slot: Int32) {
        let mask = streams.count - 1
        var place = home(of: stream)
        while streams[place] != 0 { place = (place + 1) & mask }
        streams[place] = stream
        slots[place] = slot
    }

    private mutating func grow() {
        let (oldStreams, oldSlots) = (streams, slots)
        streams = Array(repeating: 0, count: max(16, oldStreams.count * (oldStreams.count < 256 ? 4 : 2)))
        slots = Array(repeating: 0, count: streams.count)
        for old in oldStreams.indices where oldStreams[old] != 0 { place(oldStreams[old], oldSlots[old]) }
    }
}

/// Calls of one connection that ended on one side, in the order in which they did.
struct LingeringCalls: Sendable {
    struct Entry: Sendable {
        var slot: Int32
        var stream: UInt32
        /// Nanoseconds since the epoch of the end.
        var endedAt: Int64
    }

    private var entries: [Entry] = []
    /// The first entry that counts.
    private var first = 0

    var isEmpty: Bool { first == entries.count }
    var count: Int { entries.count - first }
    /// Whether entries of calls that are gone should be looked for before the next is added.
    var isFull: Bool { entries.count == entries.capacity }

    /// Takes over the memory of one that is of no use any more, unless it is more than most connections need.
    mutating func takeMemory(of old: inout LingeringCalls) {
        old.entries.removeAll(keepingCapacity: old.entries.capacity <= 256)
        swap(&entries, &old.entries)
    }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    /// Takes the first entry if it ended at `limit` or before.
    mutating func takeFirst(until limit: Int64) -> Entry? {
        guard first < entries.count, entries[first].endedAt <= limit else { return nil }
        defer {
            first += 1
            if first == entries.count {
                entries.removeAll(keepingCapacity: entries.capacity <= 256)
                first = 0
            }
        }
        return entries[first]
    }

    /// Keeps those entries only for which `isHeld` is true.
    mutating func keep(where isHeld: (Entry) -> Bool) {
        var kept = 0
        for place in first..<entries.count where isHeld(entries[place]) {
            entries[kept] = entries[place]
            kept += 1
        }
        entries.removeLast(entries.count - kept)
        first = 0
    }
}

/// The streams of one connection that ended last. The other direction's frames may come after the end; they must not
/// pass for a new call.
struct EndedStreams: Sendable {
    /// As many are remembered: what of a stream comes late comes soon.
    static let limit = 512

    private var numbers: [UInt32] = []
    private var next = 0

    /// Takes over the memory of one that is of no use any more.
    mutating func takeMemory(of old: inout EndedStreams) {
        old.numbers.removeAll(keepingCapacity: true)
        swap(&numbers, &old.numbers)
    }

    func contains(_ stream: UInt32) -> Bool {
        for number in numbers where number == stream { return true }
        return false
    }

    mutating func insert(_ stream: UInt32) {
        if numbers.count < Self.limit {
            numbers.makeRoom(for: 1, atLeast: 128)
            numbers.append(stream)
        } else {
            numbers[next] = stream
            next = (next + 1) % Self.limit
        }
    }
}
