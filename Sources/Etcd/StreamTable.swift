/// The open streams of one connection: where the pool holds their calls. Open addressing by stream number; a client
/// numbers its streams 1, 3, 5, ..., so that neighbours rarely meet.
struct StreamTable: Sendable {
    /// Stream numbers at their places, 0 where free; a power of two long, or empty.
    private var streams: [UInt32] = []
    private var slots: [Int32] = []
    private(set) var count = 0

    /// Slots of all streams, in ascending order of stream numbers.
    var sorted: [(stream: UInt32, slot: Int)] {
        var all: [(stream: UInt32, slot: Int)] = []
        for place in streams.indices where streams[place] != 0 { all.append((streams[place], Int(slots[place]))) }
        all.sort { $0.stream < $1.stream }
        return all
    }

    func slot(of stream: UInt32) -> Int? {
        if count == 0 { return nil }
        let mask = streams.count - 1
        var place = Int(stream >> 1) & mask
        while streams[place] != stream {
            if streams[place] == 0 { return nil }
            place = (place + 1) & mask
        }
        return Int(slots[place])
    }

    /// Precondition: the stream is not 0 and not in the table.
    mutating func insert(_ stream: UInt32, slot: Int) {
        if count * 2 >= streams.count { grow() }
        place(stream, Int32(slot))
        count += 1
    }

    mutating func remove(_ stream: UInt32) {
        guard count > 0 else { return }
        let mask = streams.count - 1
        var hole = Int(stream >> 1) & mask
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
            let home = Int(streams[place] >> 1) & mask
            if (place - home) & mask >= (place - hole) & mask {
                streams[hole] = streams[place]
                slots[hole] = slots[place]
                hole = place
            }
        }
        streams[hole] = 0
    }

    private mutating func place(_ stream: UInt32, _ slot: Int32) {
        let mask = streams.count - 1
        var place = Int(stream >> 1) & mask
        while streams[place] != 0 { place = (place + 1) & mask }
        streams[place] = stream
        slots[place] = slot
    }

    private mutating func grow() {
        let (oldStreams, oldSlots) = (streams, slots)
        streams = Array(repeating: 0, count: max(8, oldStreams.count * 2))
        slots = Array(repeating: 0, count: streams.count)
        for old in oldStreams.indices where oldStreams[old] != 0 { place(oldStreams[old], oldSlots[old]) }
    }
}

/// The streams of one connection that ended last. The other direction's frames may come after the end; they must not
/// pass for a new call.
struct EndedStreams: Sendable {
    /// As many are remembered: what of a stream comes late comes soon.
    static let limit = 512

    private var numbers: [UInt32] = []
    private var next = 0

    func contains(_ stream: UInt32) -> Bool {
        for number in numbers where number == stream { return true }
        return false
    }

    mutating func insert(_ stream: UInt32) {
        if numbers.count < Self.limit {
            numbers.append(stream)
        } else {
            numbers[next] = stream
            next = (next + 1) % Self.limit
        }
    }
}
