package import Wire

/// The input of `HTTP2Laws`: a byte of options, then records of the bytes and gaps of a connection as they came:
///
///      0         1        3
///     | options | length | bytes ..., none for a gap
package struct HTTP2Input: Sendable {
    /// Options of the input: the first byte of the direction is the connection's first.
    static let requestAtStart: UInt8 = 1
    static let responseAtStart: UInt8 = 2
    /// Limits so small that an input reaches them.
    static let smallLimits: UInt8 = 4

    /// Options of a record: bit 0 is the direction; a gap has all of these.
    private static let isGap: UInt8 = 0x1c
    /// A gap is so many times as long as its record says.
    private static let longGap: UInt8 = 0x20
    private static let longGapFactor = 4096

    private var writer = InputWriter()

    package init(isFromStart: Bool) {
        writer.append(isFromStart ? Self.requestAtStart | Self.responseAtStart : 0)
    }

    package var bytes: [UInt8] { writer.bytes }

    /// Appends bytes of a direction. Precondition: fewer than 64 Ki.
    package mutating func append(_ bytes: [UInt8], _ direction: Direction) {
        writer.append(direction.rawValue)
        writer.append(content: bytes)
    }

    /// Appends a gap. Precondition: fewer than 64 Ki bytes.
    package mutating func append(gap count: Int, _ direction: Direction) {
        writer.append(direction.rawValue | Self.isGap)
        writer.append(number: count)
    }

    /// A record as it is read.
    enum Record {
        case bytes(Range<Int>, Direction)
        case gap(Int, Direction)

        init(_ reader: inout InputReader, _ input: Span<UInt8>) {
            let options = reader.byte(input)
            let direction: Direction = options & 1 == 0 ? .request : .response
            let count = reader.number(input)
            if options & isGap == isGap {
                self = .gap(options & longGap == 0 ? count : count * longGapFactor, direction)
            } else {
                self = .bytes(reader.range(count), direction)
            }
        }
    }
}
