import Chains
import Wire

/// The input of `ReplicaLaws`: a byte of options, then records of what happens to four switches of a default variant,
/// three of them in the first chain:
///
///      0      1      2      3        5
///     | kind | node | peer | length | content ..., where the kind has one
package struct ReplicaInput: Sendable {
    /// Bit 0: NetChain. Bit 1: NetCRAQ asks for versions. Bit 2: limits so small that an input reaches them. Bit 3: two
    /// version cells rather than four.
    package struct Options: Sendable {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        var format: ChainFormat { rawValue & 1 != 0 ? .ncx : .cqx }
        var hasSmallLimits: Bool { rawValue & 4 != 0 }

        func configuration(_ address: UInt32) -> ReplicaConfiguration {
            var configuration = ReplicaConfiguration(
                address: address, clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24))
            configuration.asksForVersions = rawValue & 2 != 0
            configuration.versions = rawValue & 8 != 0 ? 2 : 4
            if hasSmallLimits {
                configuration.limits.keys = 3
                configuration.limits.slots = 3
                configuration.limits.groups = 1
                configuration.limits.closedSlots = 2
                configuration.limits.removals = 2
                configuration.limits.keysPerAdvance = 2
                configuration.limits.resendsPerAdvance = 1
                configuration.limits.entriesPerCopy = 1
                configuration.limits.bytesPerCopy = 16
            }
            return configuration
        }
    }

    package enum Kind: UInt8, Sendable {
        /// The content comes to the request port of a node, from client `peer`.
        case request = 0
        /// The content comes to its fabric port, from switch `peer`.
        case fabric = 1
        /// The content comes behind a good frame, from switch `peer`.
        case framed = 2
        /// The eight bytes of content are what a good packet is made of; a request comes from client `peer`, any other
        /// from switch `peer`.
        case packet = 3
        /// What is `peer`th in flight arrives, or is lost when `node` is 255.
        case arrival = 4
        /// The switches that are bits of `node` are sealed, and go on as the chain; slot `peer` is closed.
        case change = 5
        /// `node` joins, copied from `peer`.
        case join = 6
        /// Key `peer` is added, or taken off when `node` is odd.
        case key = 7
        /// `peer` times 4 ms go by; the bits of `node` are those who get leases.
        case time = 8
        /// A control message for `node` alone, made of the eight bytes of content.
        case control = 9
    }

    private var writer = InputWriter()

    package init(_ options: Options) { writer.append(options.rawValue) }

    package var bytes: [UInt8] { writer.bytes }

    package mutating func append(_ kind: Kind, node: UInt8 = 0, peer: UInt8 = 0, _ content: [UInt8] = []) {
        writer.append(kind.rawValue)
        writer.append(node)
        writer.append(peer)
        if Record.hasContent(kind) { writer.append(content: content) }
    }

    /// A record as it is read.
    struct Record {
        var kind: Kind
        var node: UInt8
        var peer: UInt8
        var content: Range<Int>

        static func hasContent(_ kind: Kind) -> Bool { kind.rawValue <= Kind.packet.rawValue || kind == .control }

        init(_ reader: inout InputReader, _ input: Span<UInt8>) {
            kind = Kind(rawValue: reader.byte(input) % 10) ?? .request
            node = reader.byte(input)
            peer = reader.byte(input)
            content = Self.hasContent(kind) ? reader.range(reader.number(input)) : 0..<0
        }
    }
}
