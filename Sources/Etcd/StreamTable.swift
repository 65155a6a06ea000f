import Wire

/// The open streams of one connection: where the pool holds their calls. Open addressing by a hash of the stream
/// number that nobody can foresee: neighbours would form runs, which removals have to walk.
struct StreamTable: Sendable {
    private struct Place: Sendable {
        /// 0 where free.
        var stream: UInt32 = 0
        var slot: Int32 = 0
    }

    /// A power of two long, or empty.
    private var places: [Place] = []
    private(set) var count = 0
    private let factor = HashSeed.factor(HashSeed.process)

    /// Takes over the memory of one that is of no use any more, unless it is more than most connections need.
    /// Precondition: this one is empty.
    mutating func takeMemory(of old: inout StreamTable) {
        guard old.places.count <= 1024 else { return }
        if old.count > 0 { for index in old.places.indices { old.places[index] = Place() } }
        swap(&places, &old.places)
    }

    /// Whether the next insertion makes the table longer.
    var isFull: Bool { count * 2 >= places.count }

    /// All streams and their slots, in no order.
    var all: [(stream: UInt32, slot: Int)] {
        var all: [(stream: UInt32, slot: Int)] = []
        all.reserveCapacity(count)
        for place in places where place.stream != 0 { all.append((place.stream, Int(place.slot))) }
        return all
    }

    /// Fills the array with all streams and their slots, in ascending order of stream numbers.
    func sort(into streams: inout [(stream: UInt32, slot: Int)]) {
        streams.removeAll(keepingCapacity: true)
        if count == 0 { return }
        for place in places where place.stream != 0 { streams.append((place.stream, Int(place.slot))) }
        // The standard library's sort allocates.
        guard streams.count <= 32 else { return streams.sort { $0.stream < $1.stream } }
        for end in streams.indices.dropFirst() {
            var index = end
            while index > 0, streams[index - 1].stream > streams[index].stream {
                streams.swapAt(index - 1, index)
                index -= 1
            }
        }
    }

    func slot(of stream: UInt32) -> Int? {
        if count == 0 { return nil }
        let mask = places.count - 1
        var index = home(of: stream)
        while places[index].stream != stream {
            if places[index].stream == 0 { return nil }
            index = (index + 1) & mask
        }
        return Int(places[index].slot)
    }

    /// Precondition: the stream is not 0 and not in the table.
    mutating func insert(_ stream: UInt32, slot: Int) {
        if isFull { grow() }
        put(Place(stream: stream, slot: Int32(slot)))
        count += 1
    }

    mutating func remove(_ stream: UInt32) {
        guard count > 0 else { return }
        let mask = places.count - 1
        var hole = home(of: stream)
        while places[hole].stream != stream {
            if places[hole].stream == 0 { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        // Those behind move up, unless that would put them before their own place.
        var index = hole
        while true {
            index = (index + 1) & mask
            if places[index].stream == 0 { break }
            if (index - home(of: places[index].stream)) & mask >= (index - hole) & mask {
                places[hole] = places[index]
                hole = index
            }
        }
        places[hole].stream = 0
    }

    @inline(__always)
    private func home(of stream: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(stream) &* factor) >> 32) & (places.count - 1)
    }

    private mutating func put(_ place: Place) {
        let mask = places.count - 1
        var index = home(of: place.stream)
        while places[index].stream != 0 { index = (index + 1) & mask }
        places[index] = place
    }

    private mutating func grow() {
        let old = places
        places = Array(repeating: Place(), count: max(16, old.count * (old.count < 256 ? 4 : 2)))
        for place in old where place.stream != 0 { put(place) }
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
