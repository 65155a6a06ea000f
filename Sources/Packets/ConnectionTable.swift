import Wire

/// Finds a connection's slot by its ends: open addressing with linear probing, half full at most.
struct ConnectionTable {
    private struct Cell {
        var key: ConnectionKey
        var slot: Int
    }

    private static let empty = Cell(
        key: ConnectionKey(
            client: Endpoint(address: IPAddress(high: 0, low: 0), port: 0),
            server: Endpoint(address: IPAddress(high: 0, low: 0), port: 0)), slot: -1)

    private var cells: [Cell] = Array(repeating: Self.empty, count: 64)
    private(set) var count = 0
    private let seed = HashSeed.process

    /// The slot of the connection, or nil.
    func find(_ key: ConnectionKey) -> Int? {
        let mask = cells.count - 1
        var index = key.hash(seed: seed) & mask
        while cells[index].slot >= 0 {
            if cells[index].key == key { return cells[index].slot }
            index = (index + 1) & mask
        }
        return nil
    }

    /// Enters a connection that is not in the table.
    mutating func insert(_ key: ConnectionKey, slot: Int) {
        if (count + 1) * 2 > cells.count { grow() }
        place(Cell(key: key, slot: slot))
        count += 1
    }

    mutating func remove(_ key: ConnectionKey) {
        let mask = cells.count - 1
        var hole = key.hash(seed: seed) & mask
        while cells[hole].slot >= 0, cells[hole].key != key { hole = (hole + 1) & mask }
        guard cells[hole].slot >= 0 else { return }
        count -= 1
        // Move back what a search would not find any more across the hole (Knuth, TAOCP 6.4, algorithm R).
        var index = hole
        while true {
            cells[hole] = Self.empty
            var home: Int
            repeat {
                index = (index + 1) & mask
                guard cells[index].slot >= 0 else { return }
                home = cells[index].key.hash(seed: seed) & mask
            } while (index - home) & mask < (index - hole) & mask
            cells[hole] = cells[index]
            hole = index
        }
    }

    private mutating func place(_ cell: Cell) {
        let mask = cells.count - 1
        var index = cell.key.hash(seed: seed) & mask
        while cells[index].slot >= 0 { index = (index + 1) & mask }
        cells[index] = cell
    }

    private mutating func grow() {
        let old = cells
        cells = Array(repeating: Self.empty, count: old.count * 2)
        for cell in old where cell.slot >= 0 { place(cell) }
    }
}
