// Numbers in columns: unsigned LEB128 (the varint of Protocol Buffers) and zigzag.

extension Array<UInt8> {
    /// Appends the number as LEB128, 1 to 10 bytes.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(littleEndian value: UInt16) { append(value, bytes: 2) }
    mutating func append(littleEndian value: UInt32) { append(value, bytes: 4) }
    mutating func append(littleEndian value: UInt64) { append(value, bytes: 8) }

    private mutating func append(_ value: some FixedWidthInteger, bytes count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
}

extension Span<UInt8> {
    /// The LEB128 number at `offset`, which moves behind it. Nil if it does not end before `end` or takes more than
    /// 64 bits. Precondition: `end` is not beyond the span.
    func varint(at offset: inout Int, before end: Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = self[offset]
            offset += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { return nil }
        }
        return nil
    }
}

/// 0, −1, 1, −2, ... as 0, 1, 2, 3, ...
func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }

/// How many bytes the number takes as LEB128.
func varintLength(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }
