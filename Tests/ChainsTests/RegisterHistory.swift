/// What clients asked of one register and got, in steps of a script. A register of one value begins absent (0).
struct RegisterHistory {
    struct Operation {
        var isWrite: Bool
        var value: UInt128
        var call: Int
        /// Nil: no reply came. A write may have happened then, or may happen at any later time; a read says nothing.
        var end: Int?
    }

    var operations: [Operation] = []

    /// Whether some order explains all replies: each operation at one instant between its call and its end, each read
    /// with the value of the last write before it (Herlihy and Wing 1990). Tries all orders: for histories by hand.
    var isLinearizable: Bool {
        let relevant = operations.filter { $0.isWrite || $0.end != nil }
        precondition(relevant.count < 64, "a history by hand is short")
        var seen: Set<Place> = []
        return Self.search(relevant, Place(done: 0, value: 0), &seen)
    }

    private struct Place: Hashable {
        var done: UInt64
        var value: UInt128
    }

    private static func search(_ operations: [Operation], _ place: Place, _ seen: inout Set<Place>) -> Bool {
        guard seen.insert(place).inserted else { return false }
        let open = operations.indices.filter { place.done & 1 << UInt64($0) == 0 }
        guard let firstEnd = open.compactMap({ operations[$0].end }).min() else { return true }
        for index in open where operations[index].call < firstEnd {
            let operation = operations[index]
            guard operation.isWrite || operation.value == place.value else { continue }
            let next = Place(done: place.done | 1 << UInt64(index), value: operation.value)
            if search(operations, next, &seen) { return true }
        }
        return false
    }
}
