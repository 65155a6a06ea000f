public import Wire

/// What a connection reader says of its streams, in the order of one direction's bytes.
public struct HTTP2Event: Sendable, Equatable {
    public enum Kind: UInt8, Sendable {
        /// A whole field section (HEADERS and its CONTINUATIONs); `fields` tells which.
        case fieldSection
        /// A piece of a DATA frame's payload, padding excluded. A frame may come in several pieces.
        case data
        /// `count` bytes of a DATA frame's payload are missing (padding excluded as far as it is known).
        case dataLost
        /// A field section of this stream was there but could not be read (bytes missing, HPACK broken).
        case fieldSectionLost
        /// RST_STREAM; `code` is the error code, `UInt32.max` when its bytes were lost.
        case resetStream
        /// GOAWAY; `code` is the error code, `stream` the last stream that was or might be processed.
        case goAway
        /// Bytes were lost or passed over in which frames of any stream may have been: headers, data, ends; `count` of
        /// them are known to be missing. After it, frames of this direction are read again from a boundary that was
        /// found, not known. Also the first event of a direction that was joined midway.
        case desynchronized
    }

    /// Where the bytes of `.data` lie.
    public enum Source: UInt8, Sendable {
        /// In the bytes that were handed in.
        case input
        /// In the reader's `held` bytes; valid until the next call of the reader.
        case held
    }

    public struct Flags: OptionSet, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// END_STREAM: on `.fieldSection`, and on the last piece of a DATA frame that has it. A DATA frame with
        /// END_STREAM and no payload gives a `.data` event of no bytes.
        @inlinable public static var endStream: Flags { Flags(rawValue: 1) }
        /// The first piece of a DATA frame.
        @inlinable public static var frameStart: Flags { Flags(rawValue: 2) }
        /// The last piece of a DATA frame.
        @inlinable public static var frameEnd: Flags { Flags(rawValue: 4) }
        /// `.desynchronized` of a direction that was joined midway, at its very first byte: nothing was passed over.
        @inlinable public static var joined: Flags { Flags(rawValue: 8) }
        /// `.fieldSection`: read with a table that was forgotten in part and known again by inference
        /// (`ConnectionReader.forgetTable` takes that back).
        @inlinable public static var reanchored: Flags { Flags(rawValue: 16) }
    }

    public var kind: Kind
    public var direction: Direction
    public var flags: Flags
    public var source: Source
    public var stream: UInt32
    /// `.data`: where the bytes lie in their source.
    public var bytes: Range<Int>
    /// `.fieldSection`: the section's part of the reader's `fields`.
    public var fields: Range<Int>
    /// `.dataLost`, `.desynchronized`: missing bytes.
    public var count: Int
    /// `.data` and `.dataLost` of a frame's first piece: length of the frame's payload (RFC 9113 §4.1), padding
    /// included.
    public var frameLength: Int
    /// `.resetStream`, `.goAway`.
    public var code: UInt32
    /// Bytes of HTTP/2 that this event stands for, missing ones included: frame headers, payload, padding.
    public var wireBytes: Int
    /// When the frame's first byte was captured.
    public var time: CaptureTime

    public init(
        kind: Kind, direction: Direction, flags: Flags = [], source: Source = .input, stream: UInt32,
        bytes: Range<Int> = 0..<0, fields: Range<Int> = 0..<0, count: Int = 0, frameLength: Int = 0, code: UInt32 = 0,
        wireBytes: Int = 0, time: CaptureTime
    ) {
        self.kind = kind
        self.direction = direction
        self.flags = flags
        self.source = source
        self.stream = stream
        self.bytes = bytes
        self.fields = fields
        self.count = count
        self.frameLength = frameLength
        self.code = code
        self.wireBytes = wireBytes
        self.time = time
    }
}
