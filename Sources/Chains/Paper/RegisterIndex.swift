/// Exact match from a key to a slot of a switch's registers, as a P4 table gives it. The control plane adds and removes
/// keys; a datagram only looks one up, without allocation.
struct RegisterIndex: Equatable, Sendable {
    /// Open addressing with linear probing, at most half full, so that a search ends.
    private var keys: [UInt128]
    /// The slot of the key at the same place; -1 where there is none.
    private var slots: [Int32]
    /// Slots without a key, the next one last.
    private var free: [Int32]
    private let shift: UInt64

    /// For up to `capacity` keys, 1 to 2^24.
    init(capacity: Int) {
        let capacity = min(max(capacity, 1), 1 << 24)
        var bits: UInt64 = 2
        while 1 << bits < 2 * capacity { bits += 1 }
        keys = Array(repeating: 0, count: 1 << bits)
        slots = Array(repeating: -1, count: 1 << bits)
        free = (0..<Int32(capacity)).reversed()
        shift = 64 - bits
    }

    private func home(of key: UInt128) -> Int {
        let folded = UInt64(truncatingIfNeeded: key) ^ UInt64(truncatingIfNeeded: key >> 64) &* 0xc2b2_ae3d_27d4_eb4f
        return Int((folded &* 0x9e37_79b9_7f4a_7c15) >> shift)
    }

    /// Where `key` lies, or the empty place where it would.
    private func place(of key: UInt128) -> Int {
        var place = home(of: key)
        while slots[place] >= 0, keys[place] != key { place = (place + 1) & (slots.count - 1) }
        return place
    }

    func slot(of key: UInt128) -> Int? {
        let slot = slots[place(of: key)]
        return slot < 0 ? nil : Int(slot)
    }

    /// The slot that `key` gets; nil if it has one, or none is free.
    mutating func insert(_ key: UInt128) -> Int? {
        let place = place(of: key)
        guard slots[place] < 0, let slot = free.popLast() else { return nil }
        keys[place] = key
        slots[place] = slot
        return Int(slot)
    }

    /// The slot that `key` had, free now; nil if it had none.
    mutating func remove(_ key: UInt128) -> Int? {
        var hole = place(of: key)
        guard slots[hole] >= 0 else { return nil }
        let slot = slots[hole]
        free.append(slot)
        // Whoever was pushed past the hole moves into it, so that a search never meets an empty place too early.
        let mask = slots.count - 1
        var next = (hole + 1) & mask
        while slots[next] >= 0 {
            if (next - home(of: keys[next])) & mask >= (next - hole) & mask {
                keys[hole] = keys[next]
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        keys[hole] = 0
        slots[hole] = -1
        return Int(slot)
    }
}
