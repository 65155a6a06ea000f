/// A combination of a record's small fields and of the bits that say which of its other fields stand in their columns,
/// packed. Records name their shape by its number in the block's table.
struct Shape: Equatable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var mask: UInt64 = 0
}

/// The distinct shapes of a block, numbered from 0 in the order of their first appearance.
struct ShapeTable {
    private(set) var shapes: [Shape] = []
    private var slots: [UInt32] = Array(repeating: 0, count: 256)

    mutating func removeAll() {
        shapes.removeAll(keepingCapacity: true)
        for place in slots.indices { slots[place] = 0 }
    }

    mutating func number(of shape: Shape) -> Int {
        var place = slot(of: shape)
        while slots[place] != 0 {
            let number = Int(slots[place]) - 1
            if shapes[number] == shape { return number }
            place = (place + 1) & (slots.count - 1)
        }
        shapes.append(shape)
        slots[place] = UInt32(shapes.count)
        if shapes.count * 2 > slots.count { grow() }
        return shapes.count - 1
    }

    private func slot(of shape: Shape) -> Int {
        var hash = shape.low &* 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ hash >> 29 ^ shape.high) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ hash >> 32 ^ shape.mask) &* 0x94d0_49bb_1331_11eb
        return Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for (number, shape) in shapes.enumerated() {
            var place = slot(of: shape)
            while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
            slots[place] = UInt32(number + 1)
        }
    }
}
