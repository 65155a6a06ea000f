import Chains
import Wire

/// The input of `ChainPaperLaws`: a byte of options, then records of what happens to a chain of three switches:
///
///      0      1      2      3        5
///     | kind | node | peer | length | content ..., where the kind has one
package struct ChainInput: Sendable {
    /// Options: bit 0 the protocol, bits 1 to 4 its settings, bit 5 whether the nodes stand in a line.
    package struct Options: Sendable {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package var isNetChain: Bool { rawValue & 1 != 0 }
        package var isLine: Bool { rawValue & 32 != 0 }
        func has(_ setting: UInt8) -> Bool { rawValue & 1 << (setting + 1) != 0 }

        var netChain: NetChainPaperOptions {
            var options = NetChainPaperOptions()
            options.width = has(0) ? .bits128 : .bits16
            options.rule = has(1) ? .serial : .greater
            options.readsAnywhere = has(2)
            if has(3) { options.quirks = [.groupInEightBits, .oneRole] }
            return options
        }

        var netCRAQ: NetCRAQPaperOptions {
            var options = NetCRAQPaperOptions()
            options.versions = 3
            options.reset = has(0) ? .toOne : .toZero
            options.entry = has(1) ? .any : .head
            options.acknowledgesClient = !has(2)
            options.indexSize = has(3) ? .versions : .keys
            options.answersEnRoute = has(1)
            return options
        }
    }

    package enum Kind: UInt8, Sendable {
        /// The content comes to the request port of a node, from client `peer`.
        case request = 0
        /// The content comes to its fabric port, from switch `peer`.
        case fabric = 1
        /// The content comes behind a good frame: from switch `peer` (low four bits), to the party of the high four.
        case framed = 2
        /// What is longest in flight arrives, or is lost when `node` is 255.
        case arrival = 3
        /// The control plane takes `node` for failed.
        case failure = 4
        /// Recovery stops for `node`; `peer` takes its place at once if it is odd.
        case recovery = 5
        /// Key `peer` is added, or taken off when `node` is odd.
        case key = 6
    }

    private var writer = InputWriter()

    package init(_ options: Options) { writer.append(options.rawValue) }

    package var bytes: [UInt8] { writer.bytes }

    /// Appends a record; kinds from `arrival` on have no content.
    package mutating func append(_ kind: Kind, node: UInt8 = 0, peer: UInt8 = 0, _ content: [UInt8] = []) {
        writer.append(kind.rawValue)
        writer.append(node)
        writer.append(peer)
        if kind.rawValue <= Kind.framed.rawValue { writer.append(content: content) }
    }

    /// A record as it is read.
    struct Record {
        var kind: Kind
        var node: UInt8
        var peer: UInt8
        var content: Range<Int>

        init(_ reader: inout InputReader, _ input: Span<UInt8>) {
            kind = Kind(rawValue: reader.byte(input) % 7) ?? .request
            node = reader.byte(input)
            peer = reader.byte(input)
            content = kind.rawValue <= Kind.framed.rawValue ? reader.range(reader.number(input)) : 0..<0
        }
    }
}
