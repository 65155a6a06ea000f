import Wire

/// Reads the fields of one protobuf message from its bytes, one after the other (protobuf encoding: tags, varints,
/// fixed, length-delimited, groups). Knows no schema and keeps no bytes: a field is a number, a type, and a value or
/// a place.
///
/// Whatever the bytes are, a scan ends: every step moves forward or is the last. What no encoder may write (field
/// number 0, a varint over 64 bits, an end of a group that did not begin, wire types 6 and 7) is `.malformed`.
package struct WireScanner {
    package enum Step: UInt8, Sendable {
        case field
        case end
        /// The bytes end within a field. `offset` is where the field begins, `missing` what it lacks.
        case truncated
        case malformed
    }

    package enum WireType: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case group = 3
        case fixed32 = 5
    }

    /// Groups within groups that are followed; deeper ones are malformed. protobuf decoders stop at 100 messages.
    static let groupDepthLimit = 100

    /// Bytes of a varint of 64 bits.
    private static let longestVarint = 10

    /// Where the next field begins.
    package private(set) var offset: Int
    package let end: Int
    package private(set) var number: UInt32 = 0
    package private(set) var type = WireType.varint
    /// The value of a varint or fixed field.
    package private(set) var value: UInt64 = 0
    /// Where the content of a length-delimited field lies, of a group with its end tag. After `.truncated` with a
    /// known length: where the content would lie.
    package private(set) var content: Range<Int> = 0..<0
    /// After `.truncated`: how many bytes after `end` the field needs at least; `content` says where they belong if
    /// `isLengthKnown`.
    package private(set) var missing = 0
    package private(set) var isLengthKnown = false

    /// Precondition of every step: the range lies inside the bytes that are handed in.
    package init(_ range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The value of an int64, as protobuf stores it in a varint.
    @inline(__always) var int64: Int64 { Int64(bitPattern: value) }
    @inline(__always) var isTrue: Bool { value != 0 }
    @inline(__always) func isVarint(_ field: UInt32) -> Bool { number == field && type == .varint }
    @inline(__always) func isBytes(_ field: UInt32) -> Bool { number == field && type == .bytes }

    /// Reads the next field.
    @inline(__always)
    package mutating func next(in bytes: Span<UInt8>) -> Step {
        if offset == end { return .end }
        let first = bytes[offset]
        // A tag of one byte and a length-delimited field of a length of one byte, or a varint of one byte: most.
        if first & 0x80 == 0, first & 0x78 != 0, offset + 1 < end {
            let second = bytes[offset + 1]
            if second & 0x80 == 0 {
                if first & 7 == 2 {
                    let start = offset + 2
                    if Int(second) <= end - start {
                        number = UInt32(first >> 3)
                        type = .bytes
                        content = start..<start + Int(second)
                        offset = start + Int(second)
                        return .field
                    }
                } else if first & 7 == 0 {
                    number = UInt32(first >> 3)
                    type = .varint
                    value = UInt64(second)
                    offset += 2
                    return .field
                }
            }
        }
        return first & 0x87 == 0 && end - offset > Self.longestVarint
            ? nextLongVarint(in: bytes) : nextOfAnyForm(in: bytes)
    }

    /// Reads a field whose tag is one byte and says that a varint follows. Precondition: there is room for the longest.
    private mutating func nextLongVarint(in bytes: Span<UInt8>) -> Step {
        number = UInt32(bytes[offset] >> 3)
        type = .varint
        var position = offset &+ 1
        guard number != 0, case .value(let value) = Self.readLongVarint(in: bytes, at: &position) else {
            return .malformed
        }
        self.value = value
        offset = position
        return .field
    }

    private mutating func nextOfAnyForm(in bytes: Span<UInt8>) -> Step {
        var position = offset
        isLengthKnown = false
        missing = 1
        switch Self.readVarint(in: bytes, at: &position, end: end) {
        case .truncated: return .truncated
        case .malformed: return .malformed
        case .value(let tag):
            guard tag >> 3 >= 1, tag >> 3 < 1 << 29 else { return .malformed }
            number = UInt32(tag >> 3)
            guard let type = WireType(rawValue: UInt8(tag & 7)) else { return .malformed }
            self.type = type
        }
        switch type {
        case .varint:
            switch Self.readVarint(in: bytes, at: &position, end: end) {
            case .truncated: return .truncated
            case .malformed: return .malformed
            case .value(let value): self.value = value
            }
        case .fixed64, .fixed32:
            let width = type == .fixed64 ? 8 : 4
            guard end - position >= width else {
                missing = width - (end - position)
                return .truncated
            }
            value = 0
            for place in (0..<width).reversed() { value = value << 8 | UInt64(bytes[position + place]) }
            position += width
        case .bytes:
            switch Self.readVarint(in: bytes, at: &position, end: end) {
            case .truncated: return .truncated
            case .malformed: return .malformed
            case .value(let length):
                // Messages and what is in them are below 2 GiB (protobuf encoding, "Size").
                guard length <= UInt64(Int32.max) else { return .malformed }
                content = position..<position + Int(length)
                guard Int(length) <= end - position else {
                    missing = Int(length) - (end - position)
                    isLengthKnown = true
                    return .truncated
                }
                position += Int(length)
            }
        case .group:
            let start = position
            switch Self.skipGroup(number, in: bytes, at: &position, end: end, depth: 1) {
            case .field: content = start..<position
            case .truncated: return .truncated
            case .end, .malformed: return .malformed
            }
        }
        offset = position
        return .field
    }

    /// The varint at `position`, which moves behind it; nil if there is none before `end`.
    static func varint(in bytes: Span<UInt8>, at position: inout Int, end: Int) -> UInt64? {
        guard case .value(let value) = readVarint(in: bytes, at: &position, end: end) else { return nil }
        return value
    }

    private enum Varint {
        case value(UInt64)
        case truncated
        case malformed
    }

    @inline(__always)
    private static func readVarint(in bytes: Span<UInt8>, at position: inout Int, end: Int) -> Varint {
        guard position < end else { return .truncated }
        let first = bytes[position]
        if first & 0x80 == 0 {
            position &+= 1
            return .value(UInt64(first))
        }
        return end &- position >= longestVarint
            ? readLongVarint(in: bytes, at: &position) : readVarintByBytes(in: bytes, at: &position, end: end)
    }

    /// Reads eight bytes at once. Precondition: as many bytes as the longest varint has lie there.
    @inline(__always)
    private static func readLongVarint(in bytes: Span<UInt8>, at position: inout Int) -> Varint {
        let word = bytes.littleEndian64(at: position)
        // The first byte without its highest bit set is the last one.
        let ends = ~word & 0x8080_8080_8080_8080
        if ends != 0 {
            position &+= ends.trailingZeroBitCount &>> 3 &+ 1
            return .value(joinSevens(word & (ends ^ (ends &- 1))))
        }
        let ninth = UInt64(bytes[position &+ 8])
        let value = joinSevens(word) | (ninth & 0x7f) &<< 56
        position &+= 9
        if ninth & 0x80 == 0 { return .value(value) }
        // The tenth byte holds the 64th bit and nothing else.
        let tenth = UInt64(bytes[position])
        position &+= 1
        return tenth > 1 ? .malformed : .value(value | tenth &<< 63)
    }

    private static func readVarintByBytes(in bytes: Span<UInt8>, at position: inout Int, end: Int) -> Varint {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position &+= 1
            // The tenth byte holds the 64th bit and nothing else.
            if shift == 63, byte > 1 { return .malformed }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte & 0x80 == 0 { return .value(value) }
            shift &+= 7
        }
        return .truncated
    }

    /// The number whose groups of seven bits lie in the bytes of `word`, the lowest first; highest bits are ignored.
    @inline(__always)
    private static func joinSevens(_ word: UInt64) -> UInt64 {
        var joined = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) &>> 1
        joined = joined & 0x0000_3fff_0000_3fff | (joined & 0x3fff_0000_3fff_0000) &>> 2
        return joined & 0x0fff_ffff | (joined & 0x0fff_ffff_0000_0000) &>> 4
    }

    /// Moves past the end tag of the group `number`, whose start tag was read.
    private static func skipGroup(
        _ number: UInt32, in bytes: Span<UInt8>, at position: inout Int, end: Int, depth: Int
    ) -> Step {
        guard depth <= groupDepthLimit else { return .malformed }
        while true {
            guard case .value(let tag) = readVarint(in: bytes, at: &position, end: end) else {
                return position < end ? .malformed : .truncated
            }
            guard tag >> 3 >= 1, tag >> 3 < 1 << 29 else { return .malformed }
            switch tag & 7 {
            case 0:
                switch readVarint(in: bytes, at: &position, end: end) {
                case .value: break
                case .truncated: return .truncated
                case .malformed: return .malformed
                }
            case 1, 5:
                let width = tag & 7 == 1 ? 8 : 4
                guard end - position >= width else { return .truncated }
                position += width
            case 2:
                switch readVarint(in: bytes, at: &position, end: end) {
                case .value(let length):
                    guard length <= UInt64(Int32.max) else { return .malformed }
                    guard Int(length) <= end - position else { return .truncated }
                    position += Int(length)
                case .truncated: return .truncated
                case .malformed: return .malformed
                }
            case 3:
                let step = skipGroup(UInt32(tag >> 3), in: bytes, at: &position, end: end, depth: depth + 1)
                guard step == .field else { return step }
            case 4: return UInt32(tag >> 3) == number ? .field : .malformed
            default: return .malformed
            }
        }
    }
}
