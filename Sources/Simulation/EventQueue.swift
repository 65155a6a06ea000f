/// Something that happens at a time: what, where, and a number that whoever scheduled it understands.
package struct Event: BitwiseCopyable, Sendable {
    package enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// A packet (`argument`) reaches a station.
        case arrival
        /// A station has served the packet that it holds.
        case served
        /// A switch has something to do without a packet.
        case deadline
        /// What the owner of the network scheduled: a client's timer, a message of the control plane, a fault.
        case owner
    }

    /// Nanoseconds since the run began.
    package var time: UInt64
    /// Two events of one time happen in the order in which they were scheduled.
    fileprivate(set) var order: UInt64
    package var kind: Kind
    package var station: UInt16
    package var argument: UInt32

    @inline(__always)
    fileprivate func precedes(_ other: Event) -> Bool {
        time < other.time || (time == other.time && order < other.order)
    }
}

/// Events by time, those of one time in the order in which they were scheduled: a heap with four children a node, since
/// its depth, not the comparisons at a node, costs cache misses.
package struct EventQueue: Sendable {
    private var heap: [Event] = []
    /// Events scheduled so far.
    package private(set) var scheduled: UInt64 = 0

    package init() { heap.reserveCapacity(1024) }

    package var count: Int { heap.count }
    package var isEmpty: Bool { heap.isEmpty }
    /// When the next event happens.
    package var nextTime: UInt64? { heap.first?.time }

    package mutating func schedule(
        _ kind: Event.Kind, at time: UInt64, station: Int = 0, argument: Int = 0
    ) {
        scheduled &+= 1
        let event = Event(
            time: time, order: scheduled, kind: kind, station: UInt16(truncatingIfNeeded: station),
            argument: UInt32(truncatingIfNeeded: argument))
        var hole = heap.count
        heap.append(event)
        while hole > 0 {
            let parent = (hole - 1) >> 2
            guard event.precedes(heap[parent]) else { break }
            heap[hole] = heap[parent]
            hole = parent
        }
        heap[hole] = event
    }

    /// Takes the next event out.
    package mutating func next() -> Event? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        let count = heap.count
        if count == 0 { return first }
        var hole = 0
        while true {
            let child = hole << 2 + 1
            if child >= count { break }
            var least = child
            for other in child + 1..<max(child + 1, min(child + 4, count))
            where heap[other].precedes(heap[least]) {
                least = other
            }
            guard heap[least].precedes(last) else { break }
            heap[hole] = heap[least]
            hole = least
        }
        heap[hole] = last
        return first
    }
}
