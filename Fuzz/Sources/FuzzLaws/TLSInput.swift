package import Wire

/// The input of `TLSLaws`: a byte of options, then records of what a listener hears in that order:
///
///      0         1        3
///     | options | length | content ..., where the kind has one
///
/// Bytes may be real ones, with the lines of a key log that open them; records of the kind `sealed` are content that
/// `TLSPeer` seals when the input is read, since no change of a sealed record would open.
package struct TLSInput: Sendable {
    /// Options of the input: the first byte of the direction is the connection's first.
    static let requestAtStart: UInt8 = 1
    static let responseAtStart: UInt8 = 2
    /// Limits so small that an input reaches them; those of bytes that wait on their own, as they depend on splits.
    static let smallLimits: UInt8 = 4
    static let smallWaiting: UInt8 = 8
    /// What `TLSPeer` says is TLS 1.2.
    static let isTLS12: UInt8 = 0x10

    /// Bits 1 to 3 of a record's options; bit 0 is the direction, bits 4 to 7 depend on the kind.
    package enum Kind: UInt8, Sendable {
        /// Bytes of the wire.
        case bytes = 0
        /// Missing bytes: the length, times 4096 with bit 4.
        case gap = 1
        /// As many of the next bytes of the direction as the length says are missing.
        case loss = 2
        /// Content that the peer seals: bits 4 and 5 say with which secret, 6 and 7 as what.
        case sealed = 3
        /// The peer's hello; with early data if bit 4 is set.
        case hello = 4
        /// Lines of the peer's key log: bits 4 to 7 name them.
        case secrets = 5
        /// A piece of a key log; with bit 4, what waits for secrets is not tried again with it.
        case keyLog = 6
        /// The connection lets go of what it holds.
        case forget = 7
    }

    /// Of a record with content.
    package static let headerBytes = 3

    private var writer = InputWriter()

    package init(isFromStart: Bool, isTLS12: Bool = false) {
        writer.append((isFromStart ? Self.requestAtStart | Self.responseAtStart : 0) | (isTLS12 ? Self.isTLS12 : 0))
    }

    package var bytes: [UInt8] { writer.bytes }

    /// Appends a record that is no gap; of those kinds that have content with `content`. Precondition: fewer than 64 Ki
    /// bytes, `detail` below 16.
    package mutating func append(
        _ kind: Kind, _ direction: Direction, detail: UInt8 = 0, _ content: [UInt8] = []
    ) {
        writer.append(direction.rawValue | kind.rawValue << 1 | detail << 4)
        switch kind {
        case .bytes, .sealed, .keyLog: writer.append(content: content)
        case .gap, .loss: preconditionFailure("missing bytes have a count")
        case .hello, .secrets, .forget: break
        }
    }

    /// The next `count` bytes of the direction are missing. Precondition: fewer than 64 Ki.
    package mutating func append(loss count: Int, _ direction: Direction) {
        writer.append(direction.rawValue | Kind.loss.rawValue << 1)
        writer.append(number: count)
    }

    /// A record as it is read.
    struct Record {
        let kind: Kind
        let direction: Direction
        /// Bits 4 to 7 of the options.
        let detail: UInt8
        /// Missing bytes.
        var count = 0
        /// Where the content lies in the input.
        var content = 0..<0

        init(_ reader: inout InputReader, _ input: Span<UInt8>) {
            let options = reader.byte(input)
            direction = options & 1 == 0 ? .request : .response
            kind = Kind(rawValue: options >> 1 & 7) ?? .bytes
            detail = options >> 4
            switch kind {
            case .bytes, .sealed, .keyLog: content = reader.range(reader.number(input))
            case .gap: count = reader.number(input) * (detail & 1 == 0 ? 1 : 4096)
            case .loss: count = reader.number(input)
            case .hello, .secrets, .forget: break
            }
        }
    }
}
