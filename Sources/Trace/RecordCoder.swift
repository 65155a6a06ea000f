import Wire

/// The tables of shapes of an operations block.
enum ShapeKind: Int, CaseIterable {
    case operation = 0
    case body = 1
    case compare = 2
    case keyValue = 3
    case observed = 4
    case connection = 5
}

/// One direction of the translation between records and columns: `BatchCodec` walks through the records once, in one
/// order and with one set of predictions, and a coder writes what it meets or fills it in. So the two directions
/// cannot differ.
protocol RecordCoder {
    /// Whether values go from records to columns. A constant, so that each direction is compiled on its own.
    static var encodes: Bool { get }
    var hasFailed: Bool { get }

    /// A number that every record has.
    mutating func number(_ value: inout Int64, _ column: Column)

    /// A number that stands in its column only where it is not as predicted; then `bit` of `mask` is set.
    mutating func field(
        _ value: inout Int64, predicted: Int64, _ column: Column, mask: inout UInt64, bit: UInt64)

    /// The number of a shape that is part of another one's.
    mutating func number(of shape: Shape, in kind: ShapeKind) -> Int
    mutating func shape(_ number: Int, of kind: ShapeKind) -> Shape

    /// The next record's shape: to be read before its fields, or written when its mask is complete.
    mutating func nextShape(of kind: ShapeKind, from column: Column) -> Shape
    mutating func write(_ shape: Shape, of kind: ShapeKind, to column: Column)
    /// The number of the shape read or written last.
    var shapeNumber: Int { get }

    /// What was read cannot be: the block is not accepted. (Of an encoder: the batch is not whole.)
    mutating func fail()
}

/// Records to columns.
struct ColumnEncoder: RecordCoder {
    var columns: [[Int64]]
    var shapes: [ShapeTable] = Array(repeating: ShapeTable(), count: ShapeKind.allCases.count)
    private(set) var hasFailed = false
    private(set) var shapeNumber = 0

    /// Room in each column from the start, so that blocks do not have to find their sizes by growing. Memory that a
    /// column does not use is never touched.
    static let reserved = 8192

    init() {
        columns = (0..<Column.limit).map { _ in
            var column: [Int64] = []
            column.reserveCapacity(Self.reserved)
            return column
        }
    }

    static var encodes: Bool { true }

    mutating func removeAll() {
        for index in columns.indices { columns[index].removeAll(keepingCapacity: true) }
        for index in shapes.indices { shapes[index].removeAll() }
        hasFailed = false
    }

    mutating func number(_ value: inout Int64, _ column: Column) { columns[column.rawValue].append(value) }

    mutating func field(
        _ value: inout Int64, predicted: Int64, _ column: Column, mask: inout UInt64, bit: UInt64
    ) {
        if value == predicted { return }
        mask |= 1 << bit
        columns[column.rawValue].append(value &- predicted)
    }

    mutating func number(of shape: Shape, in kind: ShapeKind) -> Int { shapes[kind.rawValue].number(of: shape) }

    mutating func shape(_ number: Int, of kind: ShapeKind) -> Shape { shapes[kind.rawValue].shapes[number] }

    mutating func nextShape(of kind: ShapeKind, from column: Column) -> Shape { Shape() }

    mutating func write(_ shape: Shape, of kind: ShapeKind, to column: Column) {
        shapeNumber = shapes[kind.rawValue].number(of: shape)
        columns[column.rawValue].append(Int64(shapeNumber))
    }

    mutating func fail() { hasFailed = true }
}

/// Columns to records.
struct ColumnDecoder: RecordCoder {
    private var cursors: [ColumnCursor] = Array(repeating: ColumnCursor(), count: Column.limit)
    private var contents: [Range<Int>] = Array(repeating: 0..<0, count: Column.limit)
    private var dictionaries: [Int64] = []
    private(set) var payload: [UInt8] = []
    var shapes: [[Shape]] = Array(repeating: [], count: ShapeKind.allCases.count)
    private(set) var hasFailed = false
    private(set) var shapeNumber = 0

    static var encodes: Bool { false }

    /// Takes a block's payload and finds its columns; unknown ones are passed over.
    mutating func start(payload: [UInt8]) {
        self.payload = payload
        dictionaries.removeAll(keepingCapacity: true)
        hasFailed = false
        for index in 0..<Column.limit {
            cursors[index] = ColumnCursor()
            contents[index] = 0..<0
        }
        for index in shapes.indices { shapes[index].removeAll(keepingCapacity: true) }
        findColumns()
    }

    private mutating func findColumns() {
        let payload = payload
        let bytes = payload.span
        var offset = 0
        while offset < bytes.count {
            guard let number = bytes.varint(at: &offset, before: bytes.count), offset < bytes.count else {
                return fail()
            }
            let encoding = bytes[offset]
            offset += 1
            guard let count = bytes.varint(at: &offset, before: bytes.count),
                let length = bytes.varint(at: &offset, before: bytes.count),
                length <= UInt64(bytes.count - offset), count <= UInt64(TraceLimits.columnNumbers)
            else { return fail() }
            let content = offset..<offset + Int(length)
            offset = content.upperBound
            guard number < UInt64(Column.limit), Column(rawValue: Int(number)) != nil else { continue }
            guard contents[Int(number)].isEmpty, length > 0, count > 0 else { return fail() }
            contents[Int(number)] = content
            if encoding == ColumnEncoding.bytes.rawValue { continue }
            guard
                let cursor = ColumnCursor(
                    encoding: encoding, count: Int(count), content: content, bytes: payload, dictionaries: &dictionaries
                )
            else { return fail() }
            cursors[Int(number)] = cursor
        }
    }

    /// Where the column's bytes lie in `payload`.
    func content(of column: Column) -> Range<Int> { contents[column.rawValue] }

    /// Whether every number of every known column was read, and none was missing.
    var isComplete: Bool { !hasFailed && cursors.allSatisfy { $0.remaining == 0 && !$0.hasFailed } }

    mutating func next(_ column: Column) -> Int64 {
        cursors[column.rawValue].next(in: payload, dictionaries: dictionaries)
    }

    mutating func number(_ value: inout Int64, _ column: Column) { value = next(column) }

    mutating func field(
        _ value: inout Int64, predicted: Int64, _ column: Column, mask: inout UInt64, bit: UInt64
    ) {
        value = mask >> bit & 1 == 0 ? predicted : predicted &+ next(column)
    }

    mutating func number(of shape: Shape, in kind: ShapeKind) -> Int { 0 }

    mutating func shape(_ number: Int, of kind: ShapeKind) -> Shape {
        guard shapes[kind.rawValue].indices.contains(number) else {
            fail()
            return Shape()
        }
        return shapes[kind.rawValue][number]
    }

    mutating func nextShape(of kind: ShapeKind, from column: Column) -> Shape {
        shapeNumber = Int(truncatingIfNeeded: next(column))
        if !shapes[kind.rawValue].indices.contains(shapeNumber) {
            shapeNumber = 0
            fail()
            return Shape()
        }
        return shapes[kind.rawValue][shapeNumber]
    }

    mutating func write(_ shape: Shape, of kind: ShapeKind, to column: Column) {}

    mutating func fail() { hasFailed = true }
}
