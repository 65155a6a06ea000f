/// What one NetCRAQ switch keeps of its keys: lines 1 to 3 of Algorithm 1.
struct NetCRAQRegisters: Equatable, Sendable {
    private(set) var index: RegisterIndex
    let versions: Int
    /// `objects_store`: by slot, then by version.
    var cells: [UInt128]
    /// By slot: the newest cell in use.
    var readIndex: [Int32]
    /// By slot: the cell that the next dirty write takes; 0 before the first write.
    var writeIndex: [Int32]
    /// Reads answered or sent on, and writes stored, by slot.
    var reads: [Int]
    var writes: [Int]

    init(capacity: Int, versions: Int) {
        index = RegisterIndex(capacity: capacity)
        self.versions = versions
        cells = Array(repeating: 0, count: capacity * versions)
        readIndex = Array(repeating: 0, count: capacity)
        writeIndex = Array(repeating: 0, count: capacity)
        reads = Array(repeating: 0, count: capacity)
        writes = Array(repeating: 0, count: capacity)
    }

    /// A slot for `key` that nobody wrote to; false when it has one, or none is left.
    mutating func insert(_ key: UInt32) -> Bool {
        guard let slot = index.insert(UInt128(key)) else { return false }
        for cell in slot * versions..<(slot + 1) * versions { cells[cell] = 0 }
        readIndex[slot] = 0
        writeIndex[slot] = 0
        reads[slot] = 0
        writes[slot] = 0
        return true
    }

    mutating func remove(_ key: UInt32) -> Bool { index.remove(UInt128(key)) != nil }

    /// Lines 19, 28 and 32: `value` is all there is.
    mutating func writeClean(_ value: UInt128, _ slot: Int, writeIndex next: Int32) {
        cells[slot * versions] = value
        readIndex[slot] = 0
        writeIndex[slot] = next
    }

    /// Lines 24 to 26. Precondition: a cell is free.
    mutating func writeDirty(_ value: UInt128, _ slot: Int) {
        let cell = writeIndex[slot]
        cells[slot * versions + Int(cell)] = value
        readIndex[slot] = cell
        writeIndex[slot] = cell + 1
    }

    /// The newest value.
    func newest(_ slot: Int) -> UInt128 { cells[slot * versions + Int(readIndex[slot])] }
}
