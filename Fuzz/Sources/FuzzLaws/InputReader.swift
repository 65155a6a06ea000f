import Wire

/// Reads an input that is a row of records. Any bytes are such an input: a record that is cut is as long as what is
/// left, so that libFuzzer's changes rarely make an input meaningless.
struct InputReader {
    /// Where the next record begins.
    private(set) var offset = 0
    private let end: Int

    init(_ bytes: Span<UInt8>) { end = bytes.count }

    var isAtEnd: Bool { offset >= end }

    /// The next byte, 0 at the end.
    mutating func byte(_ bytes: Span<UInt8>) -> UInt8 {
        guard offset < end else { return 0 }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// The next two bytes as a number.
    mutating func number(_ bytes: Span<UInt8>) -> Int { Int(byte(bytes)) << 8 | Int(byte(bytes)) }

    /// Where the next `count` bytes lie, or as many as there are.
    mutating func range(_ count: Int) -> Range<Int> {
        let start = offset
        offset = min(end, offset + count)
        return start..<offset
    }
}

/// Writes what `InputReader` reads.
struct InputWriter {
    package private(set) var bytes: [UInt8] = []

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// Two bytes of length, and the content. Precondition: below 64 KiB.
    mutating func append(content: [UInt8]) {
        append(number: content.count)
        bytes += content
    }

    mutating func append(number: Int) {
        precondition(number < 1 << 16, "a record of an input has a length of two bytes")
        bytes += [UInt8(number >> 8), UInt8(number & 0xff)]
    }
}

/// Repeatable choices, drawn from the input itself.
struct InputDice: RandomNumberGenerator {
    private var state: UInt64

    init(_ bytes: Span<UInt8>) { state = bytes.hash64() }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    /// True for one input in `count`: for checks that cost more than they find.
    mutating func oneIn(_ count: UInt64) -> Bool { next() % count == 0 }

    /// The length of the next piece of `count` bytes: often 1, seldom all. Precondition: `count` > 0.
    mutating func piece(of count: Int) -> Int {
        let most =
            switch next() & 3 {
            case 0: 1
            case 1: 9
            case 2: 100
            default: count
            }
        return Int(next() % UInt64(min(most, count))) + 1
    }
}
