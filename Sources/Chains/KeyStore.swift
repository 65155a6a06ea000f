import Wire

/// A version of a key with its owner; the value lies in the store's bytes.
struct VersionCell: Sendable {
    var version = ChainVersion.none
    /// When it is due to be sent again; `UInt64.max`: never.
    var dueAt = UInt64.max
    var client = Endpoint(address: 0, port: 0)
    /// The owner: session and request that wrote it.
    var slot: UInt32 = 0
    var request: UInt32 = 0
    /// Bytes of the value, or `ChainPacket.deleted`.
    var length = ChainPacket.deleted
    /// Which of the key's value cells it has.
    var storage: UInt8 = 0
}

/// A key at its place.
struct StoredKey: Sendable {
    var key = ChainKey(low: 0)
    var group: UInt16 = 0
    /// `none`: the place is free.
    var width = WidthClass.none
    /// Uncommitted versions, in the cells after the first.
    var dirtyCount: UInt8 = 0
    /// Which row of the class's bytes.
    var row: Int32 = 0
    /// Where it stands in the list of keys with something to send again; -1: nowhere.
    var pendingPosition: Int32 = -1
    /// NetChain's head: the highest version known to be committed.
    var committed = ChainVersion.none
    /// The store's stamp at its last change.
    var stamp: UInt64 = 0
    var hits = KeyHits()
}

/// The keys of a switch and their versions: flat arrays by place, values in fixed cells of the key's width.
///
/// A key has `cellsPerKey` cells. The first is the committed version (NetChain: the stored one), the next
/// `dirtyCount` are the uncommitted ones, ascending; the rest are free. Cells move, value bytes do not.
struct KeyStore: Sendable {
    let cellsPerKey: Int
    private let limit: Int
    private var index = KeyIndex()
    private(set) var places: [StoredKey] = []
    var cells: [VersionCell] = []
    private var values16: [UInt8] = []
    private var values128: [UInt8] = []
    private var values1024: [UInt8] = []
    private var freePlaces: [Int32] = []
    /// By width class less one.
    private var freeRows: [[Int32]] = [[], [], []]
    private var rowCounts = [0, 0, 0]

    init(cellsPerKey: Int, limit: Int) {
        self.cellsPerKey = cellsPerKey
        self.limit = limit
    }

    var count: Int { index.count }
    var isFull: Bool { index.count >= limit }

    /// The place of `key` in `group`; -1 if it is not there.
    func find(_ key: ChainKey, group: UInt16) -> Int {
        let place = index.find(key)
        return place >= 0 && places[place].group == group ? place : -1
    }

    /// The place of `key` in whatever group.
    func find(_ key: ChainKey) -> Int { index.find(key) }

    /// Precondition: not full, and `key` is not there.
    mutating func insert(_ key: ChainKey, group: UInt16, width: WidthClass) -> Int {
        precondition(!isFull && width != .none, "a key needs a place and a width")
        let place: Int
        if let free = freePlaces.popLast() {
            place = Int(free)
        } else {
            place = places.count
            places.append(StoredKey())
            for storage in 0..<cellsPerKey { cells.append(VersionCell(storage: UInt8(storage))) }
        }
        for cell in place * cellsPerKey..<(place + 1) * cellsPerKey {
            cells[cell] = VersionCell(storage: cells[cell].storage)
        }
        places[place] = StoredKey(key: key, group: group, width: width, row: takeRow(width))
        index.insert(key, at: place)
        return place
    }

    mutating func remove(at place: Int) {
        index.remove(places[place].key)
        freeRows[Int(places[place].width.rawValue) - 1].append(places[place].row)
        places[place] = StoredKey()
        freePlaces.append(Int32(place))
    }

    private mutating func takeRow(_ width: WidthClass) -> Int32 {
        let kind = Int(width.rawValue) - 1
        if let row = freeRows[kind].popLast() { return row }
        rowCounts[kind] += 1
        let bytes = repeatElement(UInt8(0), count: cellsPerKey * width.byteCount)
        switch width {
        case .none: break
        case .bytes16: values16.append(contentsOf: bytes)
        case .bytes128: values128.append(contentsOf: bytes)
        case .bytes1024: values1024.append(contentsOf: bytes)
        }
        return Int32(rowCounts[kind] - 1)
    }

    // Fields of a place, changed in place.

    mutating func setStamp(_ stamp: UInt64, at place: Int) { places[place].stamp = stamp }
    mutating func setPendingPosition(_ position: Int, at place: Int) { places[place].pendingPosition = Int32(position) }
    mutating func setCommitted(_ version: ChainVersion, at place: Int) { places[place].committed = version }
    mutating func countCleanRead(at place: Int) { places[place].hits.readsClean &+= 1 }
    mutating func countDirtyRead(at place: Int) { places[place].hits.readsDirty &+= 1 }
    mutating func countWrite(at place: Int) { places[place].hits.writes &+= 1 }
    mutating func countRejection(at place: Int) { places[place].hits.rejections &+= 1 }

    // Versions.

    /// The first cell of a place: the committed version.
    func cleanCell(_ place: Int) -> Int { place * cellsPerKey }

    /// The cell of the highest version.
    func topCell(_ place: Int) -> Int { place * cellsPerKey + Int(places[place].dirtyCount) }

    func dirtyCount(_ place: Int) -> Int { Int(places[place].dirtyCount) }

    var dirtyLimit: Int { cellsPerKey - 1 }

    /// The cell of an uncommitted version; -1 if it is not there.
    func dirtyCell(_ version: ChainVersion, at place: Int) -> Int {
        let first = place * cellsPerKey
        var cell = first + Int(places[place].dirtyCount)
        while cell > first {
            if cells[cell].version == version { return cell }
            cell -= 1
        }
        return -1
    }

    /// Adds an uncommitted version; answers its cell. Precondition: there is room, and the version is not there.
    mutating func addDirty(_ new: VersionCell, value: Span<UInt8>, at place: Int) -> Int {
        precondition(dirtyCount(place) < dirtyLimit, "an uncommitted version needs a cell")
        let first = place * cellsPerKey
        var cell = first + Int(places[place].dirtyCount) + 1
        let storage = cells[cell].storage
        while cell > first + 1, new.version < cells[cell - 1].version {
            cells[cell] = cells[cell - 1]
            cell -= 1
        }
        cells[cell] = new
        cells[cell].storage = storage
        places[place].dirtyCount += 1
        setValue(value, of: cell, at: place)
        return cell
    }

    /// The version in `cell` becomes the committed one; those below it are dropped, those above stay.
    mutating func makeClean(_ cell: Int, at place: Int) {
        let first = place * cellsPerKey
        let dropped = cell - first
        guard dropped > 0 else { return }
        // One turn to the left per dropped version; there are at most fifteen of both.
        for _ in 0..<dropped {
            let freed = cells[first]
            for position in first..<first + Int(places[place].dirtyCount) { cells[position] = cells[position + 1] }
            cells[first + Int(places[place].dirtyCount)] = freed
        }
        places[place].dirtyCount -= UInt8(dropped)
        cells[first].dueAt = .max
    }

    /// Puts a version in the committed one's place; uncommitted ones up to it are dropped.
    mutating func setClean(_ new: VersionCell, value: Span<UInt8>, at place: Int) {
        let first = place * cellsPerKey
        var last = first
        while last < first + Int(places[place].dirtyCount), cells[last + 1].version <= new.version { last += 1 }
        makeClean(last, at: place)
        let storage = cells[first].storage
        cells[first] = new
        cells[first].storage = storage
        setValue(value, of: first, at: place)
    }

    /// Forgets all uncommitted versions.
    mutating func dropDirty(at place: Int) { places[place].dirtyCount = 0 }

    // Values.

    private func valueOffset(_ cell: Int, at place: Int) -> Int {
        (Int(places[place].row) * cellsPerKey + Int(cells[cell].storage)) * places[place].width.byteCount
    }

    private mutating func setValue(_ value: Span<UInt8>, of cell: Int, at place: Int) {
        precondition(value.count <= places[place].width.byteCount, "a value must fit its key's class")
        let offset = valueOffset(cell, at: place)
        switch places[place].width {
        case .none: break
        case .bytes16: values16.overwrite(from: offset, with: value)
        case .bytes128: values128.overwrite(from: offset, with: value)
        case .bytes1024: values1024.overwrite(from: offset, with: value)
        }
    }

    /// Bytes of the value in `cell`: 0 for a deletion.
    func valueByteCount(_ cell: Int) -> Int {
        cells[cell].length == ChainPacket.deleted ? 0 : Int(cells[cell].length)
    }

    /// Copies the value in `cell` over `bytes` from `offset` on.
    func copyValue(of cell: Int, at place: Int, over bytes: inout [UInt8], from offset: Int) {
        let start = valueOffset(cell, at: place)
        let range = start..<start + valueByteCount(cell)
        switch places[place].width {
        case .none: break
        case .bytes16: bytes.overwrite(from: offset, with: values16.span.extracting(range))
        case .bytes128: bytes.overwrite(from: offset, with: values128.span.extracting(range))
        case .bytes1024: bytes.overwrite(from: offset, with: values1024.span.extracting(range))
        }
    }
}
