package import Wire

/// The input of `PacketLaws`: a byte of options, then a record for each packet:
///
///      0      1      2     3        5
///     | link | step | cut | length | captured bytes ...
package struct PacketInput: Sendable {
    /// Bit 0 of the options: limits so small that an input reaches them.
    static let smallLimits: UInt8 = 1

    private static let links: [LinkType] = [
        .ethernet, .rawIP, .linuxCooked, .linuxCooked2, .null, .loop, .rawIPv4, .rawIPv6, .rawIPOfBSD, .rawIPOfOpenBSD,
        LinkType(rawValue: 147),
    ]

    private var writer = InputWriter()

    package init(hasSmallLimits: Bool) { writer.append(hasSmallLimits ? Self.smallLimits : 0) }

    package var bytes: [UInt8] { writer.bytes }

    /// Appends a packet, a microsecond after the one before.
    package mutating func append(_ packet: [UInt8], linkType: LinkType) {
        writer.append(UInt8(Self.links.firstIndex(of: linkType) ?? Self.links.count - 1))
        writer.append(1)
        writer.append(0)
        writer.append(content: packet)
    }

    /// A record as it is read.
    struct Record {
        var linkType: LinkType
        var bytes: Range<Int>
        var originalLength: Int
        /// Nanoseconds after the packet before; negative when the clock stepped back.
        var step: Int64

        init(_ reader: inout InputReader, _ input: Span<UInt8>) {
            linkType = links[Int(reader.byte(input)) % links.count]
            step = Self.step(reader.byte(input))
            let cut = reader.byte(input)
            bytes = reader.range(reader.number(input))
            originalLength = cut == 0xff ? .max : bytes.count + Int(cut)
        }

        /// Microseconds, then seconds up to 100 minutes, then the same backwards; the last is as far as it goes.
        private static func step(_ byte: UInt8) -> Int64 {
            let distance = Int64(byte & 0x3f)
            switch byte >> 6 {
            case 0: return distance * 1_000
            case 1: return distance * distance * 1_500_000_000
            case 2: return -distance * 2_000_000_000
            default: return byte == 0xff ? .max : -distance * 1_000
            }
        }
    }
}
