import Wire

/// The input of `EtcdLaws`: a byte of options, then what happens on the streams of a connection, as a reader of its
/// frames would tell it:
///
///      0        1        2        3        5
///     | kind   | options| stream | length | content ...
package struct EtcdInput: Sendable {
    /// Options of the input: the connection was seen from its start; limits so small that an input reaches them.
    static let isFromStart: UInt8 = 1
    static let smallLimits: UInt8 = 2

    package enum Kind: UInt8, CaseIterable, Sendable {
        /// HEADERS of the client; the content is `:path`, or one byte: the number of a method of the catalogue.
        case requestHeaders
        case responseHeaders
        /// HEADERS of the server with END_STREAM; the content is `grpc-status`, a line end, `grpc-message`.
        case trailers
        /// A whole gRPC message, in one DATA frame.
        case message
        /// The payload of a DATA frame: any part of messages.
        case data
        /// A DATA frame of which as many bytes are missing as the length says.
        case dataLost
        case headersLost
        case reset
        /// Bytes of a direction were lost in which anything may have been.
        case desynchronized
        case goAway
        /// As many milliseconds pass as the length says.
        case pause
    }

    package struct Options: OptionSet, Sendable {
        package var rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Of the server; else of the client.
        package static let response = Options(rawValue: 1)
        package static let endStream = Options(rawValue: 2)
        /// The compressed flag of a message; `grpc-encoding: gzip` of headers.
        package static let compressed = Options(rawValue: 4)
        /// A value of the fields is not known.
        package static let unknownValue = Options(rawValue: 8)
        /// The piece goes on with the frame before.
        package static let sameFrame = Options(rawValue: 16)
        /// `grpc-encoding` is one that cannot be inflated.
        package static let foreignEncoding = Options(rawValue: 32)
    }

    private var writer = InputWriter()

    package init(isFromStart: Bool) { writer.append(isFromStart ? Self.isFromStart : 0) }

    package var bytes: [UInt8] { writer.bytes }

    /// Appends a record. Precondition: the content has fewer than 64 Ki bytes.
    package mutating func append(_ kind: Kind, _ options: Options, stream: UInt32, _ content: [UInt8] = []) {
        writer.append(kind.rawValue)
        writer.append(options.rawValue)
        writer.append(UInt8(truncatingIfNeeded: stream / 2))
        writer.append(content: content)
    }

    /// A record as it is read.
    struct Record {
        var kind: Kind
        var options: Options
        var stream: UInt32
        var length: Int
        /// Empty where the length counts something else.
        var content = 0..<0

        init(_ reader: inout InputReader, _ input: Span<UInt8>) {
            kind = Kind(rawValue: reader.byte(input) % UInt8(Kind.allCases.count)) ?? .pause
            options = Options(rawValue: reader.byte(input))
            stream = UInt32(reader.byte(input)) * 2 + 1
            length = reader.number(input)
            switch kind {
            case .requestHeaders, .responseHeaders, .trailers, .message, .data: content = reader.range(length)
            case .dataLost, .headersLost, .reset, .desynchronized, .goAway, .pause: break
            }
        }

        var direction: Direction { options.contains(.response) ? .response : .request }
    }
}
