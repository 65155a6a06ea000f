import Wire

/// Why bytes are no frame of the control stream. Whoever sends such bytes is no party to it.
package enum ControlFormatError: Error, Equatable, Sendable {
    /// Longer than `ControlFrameLimits.frameBytes`.
    case tooLong(Int)
    case unknownKind(UInt8)
    /// The frame ends before its fields do.
    case cut
    /// So many bytes follow the last field.
    case leftOver(Int)
    /// A field has a value that nobody sends.
    case value
}

/// A part of a frame: numbers big-endian, lists behind their count in 32 bits, what may be absent behind a byte 0 or 1.
protocol ControlField {
    /// No value takes fewer bytes: a count beyond what is left of the frame is known before anything is allocated.
    static var byteCountLeast: Int { get }

    func append(to bytes: inout [UInt8])
    init(_ fields: inout FieldReader) throws(ControlFormatError)
}

/// Reads the fields of one frame.
struct FieldReader {
    private let bytes: [UInt8]
    private var offset: Int
    private let end: Int

    /// Precondition: the range lies inside the bytes.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var leftCount: Int { end - offset }

    /// Where the next `count` bytes begin.
    private mutating func take(_ count: Int) throws(ControlFormatError) -> Int {
        guard count <= leftCount else { throw .cut }
        offset += count
        return offset - count
    }

    mutating func number8() throws(ControlFormatError) -> UInt8 {
        let place = try take(1)
        return bytes[place]
    }

    mutating func number16() throws(ControlFormatError) -> UInt16 {
        let place = try take(2)
        return bytes.span.bigEndian16(at: place)
    }

    mutating func number32() throws(ControlFormatError) -> UInt32 {
        let place = try take(4)
        return bytes.span.bigEndian32(at: place)
    }

    mutating func number64() throws(ControlFormatError) -> UInt64 {
        let place = try take(8)
        return bytes.span.bigEndian64(at: place)
    }

    mutating func read<Field: ControlField>(
        _ type: Field.Type = Field.self
    ) throws(ControlFormatError) -> Field { try Field(&self) }

    /// A byte that is one of an enumeration's.
    mutating func word<Word: RawRepresentable<UInt8>>(
        _ type: Word.Type = Word.self
    ) throws(ControlFormatError) -> Word {
        guard let word = Word(rawValue: try number8()) else { throw .value }
        return word
    }

    /// A row of bytes, at most `most`.
    mutating func byteRow(most: Int) throws(ControlFormatError) -> [UInt8] {
        let count = Int(try number32())
        guard count <= most else { throw .value }
        let start = try take(count)
        return Array(bytes[start..<start + count])
    }

    mutating func list<Field: ControlField>(
        _ type: Field.Type = Field.self, _ counts: ClosedRange<Int> = 0...Int(UInt32.max)
    ) throws(ControlFormatError) -> [Field] {
        let count = Int(try number32())
        guard counts.contains(count) else { throw .value }
        guard count <= leftCount / Field.byteCountLeast else { throw .cut }
        var list: [Field] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try Field(&self)) }
        return list
    }

    mutating func optional<Field: ControlField>(
        _ type: Field.Type = Field.self
    ) throws(ControlFormatError) -> Field? { try read(Bool.self) ? try Field(&self) : nil }

    func finish() throws(ControlFormatError) {
        if leftCount > 0 { throw .leftOver(leftCount) }
    }
}

/// Writes what `FieldReader` reads.
extension [UInt8] {
    mutating func append(field: some ControlField) { field.append(to: &self) }

    mutating func append(byteRow row: [UInt8]) {
        append(field: UInt32(row.count))
        self += row
    }

    mutating func append<Field: ControlField>(list: [Field]) {
        append(field: UInt32(list.count))
        for field in list { field.append(to: &self) }
    }

    mutating func append<Field: ControlField>(optional field: Field?) {
        append(field: field != nil)
        field?.append(to: &self)
    }
}

extension UInt8: ControlField {
    static var byteCountLeast: Int { 1 }
    func append(to bytes: inout [UInt8]) { bytes.append(self) }
    init(_ fields: inout FieldReader) throws(ControlFormatError) { self = try fields.number8() }
}

extension UInt16: ControlField {
    static var byteCountLeast: Int { 2 }
    func append(to bytes: inout [UInt8]) {
        let offset = bytes.appendZeros(2)
        bytes.storeBigEndian16(self, at: offset)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) { self = try fields.number16() }
}

extension UInt32: ControlField {
    static var byteCountLeast: Int { 4 }
    func append(to bytes: inout [UInt8]) {
        let offset = bytes.appendZeros(4)
        bytes.storeBigEndian32(self, at: offset)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) { self = try fields.number32() }
}

extension UInt64: ControlField {
    static var byteCountLeast: Int { 8 }
    func append(to bytes: inout [UInt8]) {
        let offset = bytes.appendZeros(8)
        bytes.storeBigEndian64(self, at: offset)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) { self = try fields.number64() }
}

extension Bool: ControlField {
    static var byteCountLeast: Int { 1 }
    func append(to bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        let byte = try fields.number8()
        guard byte <= 1 else { throw .value }
        self = byte == 1
    }
}
