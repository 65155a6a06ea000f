import Wire

/// Finds the place of a key: open addressing with linear probing, at most half full, memory kept.
struct KeyIndex: Sendable {
    private struct Cell: Sendable {
        var key = ChainKey(low: 0)
        /// -1: free.
        var place: Int32 = -1
    }

    private var cells: [Cell]
    private(set) var count = 0
    /// Another one in every process, so that nobody can choose keys that meet; no order depends on it.
    private let seed = HashSeed.process
    private let factor = HashSeed.factor(HashSeed.process)

    init() { cells = Array(repeating: Cell(), count: 16) }

    private func home(_ key: ChainKey) -> Int {
        let hash = HashSeed.mixed(HashSeed.mixed(seed ^ key.high, factor) ^ key.low, factor)
        return Int(truncatingIfNeeded: hash) & (cells.count - 1)
    }

    /// The place of `key`; -1 if it has none.
    func find(_ key: ChainKey) -> Int {
        var position = home(key)
        while cells[position].place >= 0 {
            if cells[position].key == key { return Int(cells[position].place) }
            position = (position + 1) & (cells.count - 1)
        }
        return -1
    }

    /// Precondition: `key` has no place yet.
    mutating func insert(_ key: ChainKey, at place: Int) {
        if 2 * (count + 1) > cells.count { grow() }
        put(key, place: Int32(place))
        count += 1
    }

    private mutating func put(_ key: ChainKey, place: Int32) {
        var position = home(key)
        while cells[position].place >= 0 { position = (position + 1) & (cells.count - 1) }
        cells[position] = Cell(key: key, place: place)
    }

    private mutating func grow() {
        let old = cells
        cells = Array(repeating: Cell(), count: 2 * old.count)
        for cell in old where cell.place >= 0 { put(cell.key, place: cell.place) }
    }

    /// Forgets `key`. What lies behind it in the same run moves up, so that no search ends at the hole.
    mutating func remove(_ key: ChainKey) {
        let mask = cells.count - 1
        var hole = home(key)
        while cells[hole].place >= 0, cells[hole].key != key { hole = (hole + 1) & mask }
        guard cells[hole].place >= 0 else { return }
        count -= 1
        var position = hole
        while true {
            position = (position + 1) & mask
            guard cells[position].place >= 0 else { break }
            // It may fill the hole unless its home lies after the hole.
            if (position - home(cells[position].key)) & mask >= (position - hole) & mask {
                cells[hole] = cells[position]
                hole = position
            }
        }
        cells[hole] = Cell()
    }
}
