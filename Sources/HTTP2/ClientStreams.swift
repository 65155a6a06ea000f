/// A stream that is not closed (RFC 9113 §5.1).
struct ClientStream: Sendable {
    struct Marks: OptionSet, Sendable {
        var rawValue: UInt8
        /// The response's first field section was seen.
        static let responded = Marks(rawValue: 1)
        /// This side has ended (half-closed (local)), or will once what waits is sent.
        static let ended = Marks(rawValue: 2)
        /// Bytes of it wait for the window.
        static let waiting = Marks(rawValue: 4)
    }

    /// 0: none.
    var id: UInt32 = 0
    var tag: UInt32 = 0
    var marks: Marks = []
    /// Octets that may be sent; negative where SETTINGS lowered it (RFC 9113 §6.9.2).
    var sendWindow = 0
    /// Octets that came since the server was last allowed more.
    var received = 0
}

/// The open streams of a connection, by their identifiers: open addressing, as identifiers ascend and most streams end
/// in the order in which they began.
struct ClientStreams: Sendable {
    /// A power of two long, at most half full.
    private(set) var slots: [ClientStream] = Array(repeating: ClientStream(), count: 64)
    private(set) var count = 0

    /// Where the stream lies in `slots`; nil if it is not open. Valid until the next insertion or removal.
    @inline(__always)
    func place(of id: UInt32) -> Int? {
        let mask = slots.count &- 1
        var place = Int(id >> 1) & mask
        while slots[place].id != id {
            if slots[place].id == 0 { return nil }
            place = (place &+ 1) & mask
        }
        return place
    }

    /// Precondition: no stream of that identifier is open, and it is not 0.
    mutating func insert(_ stream: ClientStream) {
        if (count &+ 1) &* 2 > slots.count { grow() }
        insertWithRoom(stream)
        count &+= 1
    }

    /// Changes a stream in place. Precondition: a stream lies there.
    @inline(__always)
    mutating func change(_ place: Int, _ change: (inout ClientStream) -> Void) { change(&slots[place]) }

    /// Precondition: a stream lies there.
    mutating func remove(at place: Int) {
        let mask = slots.count &- 1
        count &-= 1
        // Those behind move up, so that none stands behind a free slot that its search would end at.
        var free = place
        var next = place
        while true {
            next = (next &+ 1) & mask
            if slots[next].id == 0 { break }
            let home = Int(slots[next].id >> 1) & mask
            if (next &- home) & mask >= (next &- free) & mask {
                slots[free] = slots[next]
                free = next
            }
        }
        slots[free].id = 0
    }

    /// Adds to the window of every stream; false if one would exceed 2^31 − 1 (RFC 9113 §6.9.2).
    mutating func addToSendWindows(_ difference: Int) -> Bool {
        for place in slots.indices where slots[place].id != 0 {
            slots[place].sendWindow += difference
            if slots[place].sendWindow > ClientConnection.windowMax { return false }
        }
        return true
    }

    /// Those with a higher identifier, in ascending order.
    func after(_ id: UInt32) -> [UInt32] { slots.map(\.id).filter { $0 > id }.sorted() }

    private mutating func insertWithRoom(_ stream: ClientStream) {
        let mask = slots.count &- 1
        var place = Int(stream.id >> 1) & mask
        while slots[place].id != 0 { place = (place &+ 1) & mask }
        slots[place] = stream
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: ClientStream(), count: old.count * 2)
        for stream in old where stream.id != 0 { insertWithRoom(stream) }
    }
}
