import Wire

/// Reads the numbers of one column, one after the other, from the bytes of a block's payload.
///
/// Nothing is unpacked beforehand, so a column that claims many numbers costs no memory. A number that is not there
/// reads as 0 and marks the cursor as failed; a column that the block does not have is all zeros.
struct ColumnCursor {
    private(set) var remaining = 0
    private(set) var hasFailed = false
    private var encoding = ColumnEncoding.constant
    private var isZigzag = false
    /// Place of the next byte (varints, runs), or of the first number's (planes, dictionary, bits).
    private var offset = 0
    private var end = 0
    /// Numbers in the column, and how many were read.
    private var count = 0
    private var index = 0
    private var width = 0
    /// The number of the current run, constant; and how often it still comes.
    private var run: Int64 = 0
    private var runLeft = 0
    /// Where the dictionary's numbers begin in the decoder's array of all dictionaries.
    private var dictionaryStart = 0

    private var isAbsent = false

    /// A column that is not in the block: zeros.
    init() { isAbsent = true }

    /// Nil if the column's bytes cannot be what its header says.
    init?(encoding byte: UInt8, count: Int, content: Range<Int>, bytes: [UInt8], dictionaries: inout [Int64]) {
        guard let encoding = ColumnEncoding(rawValue: byte & ~ColumnEncoding.zigzagFlag) else { return nil }
        self.encoding = encoding
        self.count = count
        isZigzag = byte & ColumnEncoding.zigzagFlag != 0
        remaining = count
        offset = content.lowerBound
        end = content.upperBound
        switch encoding {
        case .bytes: return nil
        case .varints, .runs: break
        case .constant:
            guard let number = bytes.span.varint(at: &offset, before: end), offset == end else { return nil }
            run = value(number)
        case .planes:
            guard offset < end, case let planes = Int(bytes[offset]), (1...8).contains(planes) else { return nil }
            offset += 1
            width = planes
            guard end - offset == planes * count else { return nil }
        case .bits:
            guard offset < end, case let bits = Int(bytes[offset]), bits == 1 || bits == 2 || bits == 4 else {
                return nil
            }
            offset += 1
            width = bits
            guard end - offset == (count * bits + 7) / 8 else { return nil }
        case .dictionary:
            guard let size = bytes.span.varint(at: &offset, before: end), (1...256).contains(size) else { return nil }
            dictionaryStart = dictionaries.count
            width = Int(size)
            for _ in 0..<width {
                guard let number = bytes.span.varint(at: &offset, before: end) else { return nil }
                dictionaries.append(value(number))
            }
            guard end - offset == count else { return nil }
        }
    }

    mutating func next(in bytes: [UInt8], dictionaries: [Int64]) -> Int64 {
        guard remaining > 0 else { return isAbsent ? 0 : fail() }
        remaining -= 1
        switch encoding {
        case .constant: return run
        case .varints:
            guard let number = bytes.span.varint(at: &offset, before: end) else { return fail() }
            return value(number)
        case .runs:
            if runLeft == 0 {
                guard let number = bytes.span.varint(at: &offset, before: end),
                    let length = bytes.span.varint(at: &offset, before: end), length > 0,
                    length <= UInt64(remaining) + 1
                else { return fail() }
                run = value(number)
                runLeft = Int(length)
            }
            runLeft -= 1
            return run
        case .planes:
            var number: UInt64 = 0
            var place = offset + index
            var shift: UInt64 = 0
            for _ in 0..<width {
                number |= UInt64(bytes[place]) &<< shift
                place += count
                shift += 8
            }
            index += 1
            return value(number)
        case .dictionary:
            let entry = Int(bytes[offset + index])
            index += 1
            guard entry < width else { return fail() }
            return dictionaries[dictionaryStart + entry]
        case .bits:
            let bit = index * width
            index += 1
            return value(UInt64(bytes[offset + (bit >> 3)] >> UInt8(bit & 7)) & ((1 << UInt64(width)) - 1))
        case .bytes: return fail()
        }
    }

    private func value(_ number: UInt64) -> Int64 { isZigzag ? unzigzag(number) : Int64(bitPattern: number) }

    private mutating func fail() -> Int64 {
        hasFailed = true
        remaining = 0
        return 0
    }
}
