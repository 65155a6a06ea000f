/// The requests that are outstanding, by their numbers. Numbers are used again in the order in which they became free.
struct SlotTable: ~Copyable, Sendable {
    /// What a request is sent for.
    enum Purpose: UInt8, Sendable {
        /// The call is in the plan.
        case plan
        /// It asks for the store's revision on behalf of the call, which is sent then.
        case revision
        /// It creates the call's watch again, on a stream that was opened anew.
        case watch
    }

    struct Slot: Sendable {
        /// The call's number in the plan; `noCall` for the end of a stream that the plan leaves open.
        var call: UInt32 = 0
        var stream: UInt32 = 0
        var isOutstanding = false
        /// What it was sent with had to be sent as recorded, since its meaning on the target is not known.
        var isUnmapped = false
        var purpose = Purpose.plan
        var intended: Int64 = 0
        var released: Int64 = 0
        /// When the number became free; `Int64.min` for a new one.
        var freed: Int64 = .min
    }

    static let noCall = UInt32.max

    private(set) var slots: [Slot] = []
    /// Free numbers, oldest first, in a ring: `count` of them from `first` on.
    private var free: [UInt32] = []
    private var first = 0
    private var freeCount = 0
    let limit: Int

    /// - Parameters:
    ///   - limit: how many may be outstanding at once, at least 1.
    init(limit: Int) { self.limit = limit }

    var outstanding: Int { slots.count - freeCount }
    var isFull: Bool { freeCount == 0 && slots.count >= limit }

    /// A free number, to be filled at once. Precondition: it is not full.
    @inline(__always)
    mutating func take() -> UInt32 {
        if freeCount == 0 {
            slots.append(Slot())
            return UInt32(slots.count - 1)
        }
        let number = free[first]
        first = first + 1 == free.count ? 0 : first + 1
        freeCount -= 1
        return number
    }

    @inline(__always)
    mutating func fill(_ number: UInt32, call: UInt32, stream: UInt32, intended: Int64, released: Int64) {
        slots[Int(number)] = Slot(
            call: call, stream: stream, isOutstanding: true, intended: intended, released: released)
    }

    mutating func markUnmapped(_ number: UInt32) { slots[Int(number)].isUnmapped = true }
    mutating func mark(_ number: UInt32, as purpose: Purpose) { slots[Int(number)].purpose = purpose }

    /// What is outstanding under that number, which is free from now on; nil if nothing is.
    @inline(__always)
    mutating func release(_ number: UInt32, at moment: Int64) -> Slot? {
        guard number < slots.count, slots[Int(number)].isOutstanding else { return nil }
        let slot = slots[Int(number)]
        slots[Int(number)] = Slot(freed: moment)
        if freeCount == free.count { growRing() }
        var place = first + freeCount
        if place >= free.count { place -= free.count }
        free[place] = number
        freeCount += 1
        return slot
    }

    /// Makes the ring as long as there are numbers, beginning with the oldest.
    private mutating func growRing() {
        var ring = Array(free[first...])
        ring += free[..<first]
        ring += Array(repeating: 0, count: max(64, slots.count * 2) - ring.count)
        free = ring
        first = 0
    }
}
