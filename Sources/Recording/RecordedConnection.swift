import Etcd
import HTTP2
import Wire

/// Everything that the pipeline keeps of one connection: its reader, and what the trace was told of it.
struct RecordedConnection {
    let number: UInt32
    var reader: ConnectionReader
    /// Set once the connection is known to be TLS: then `reader` gets what was decrypted (`Decryption`).
    var isTLS = false
    /// TLS of which no record was opened.
    var isEncrypted = false
    var content = ConnectionContent.unknown
    var hasPayload = false
    /// Directions of which the reader was told how they begin.
    var requestBegun = false
    var responseBegun = false
    var userAgentWritten = false
    /// The part of the recording in which the trace was last told of the connection; 0: in none.
    var part: UInt32 = 0
    /// Bytes that the reader was last seen to hold, and when, counted in packets of the recording.
    var readerBytes = 0
    var lastPacket = 0
    var isOpen = true
    /// Its last bytes were read; its calls may still have to be written.
    var isRead = false

    init(number: UInt32, limits: RecordingLimits) {
        self.number = number
        reader = ConnectionReader(limits: limits.http2)
    }

    /// What is left of a connection that is over.
    init(closed number: UInt32) {
        self.number = number
        reader = ConnectionReader()
        isOpen = false
    }

    // Mutating only so that the reader is asked in place.

    mutating func health() -> HTTP2Health { reader.health }

    /// Notes what the connection carries, and what of it could not be read.
    mutating func describe(in record: inout ConnectionRecord) {
        record.content = ConnectionRecord.Content(carries)
        record.undecodableBytes = Int64(reader.health.undecodableBytes)
    }

    /// Whether bytes of that direction were seen, or their loss.
    func hasBegun(_ direction: Direction) -> Bool { direction == .request ? requestBegun : responseBegun }

    /// Whether that direction begins now; true once.
    mutating func begins(_ direction: Direction) -> Bool {
        switch direction {
        case .request:
            defer { requestBegun = true }
            return !requestBegun
        case .response:
            defer { responseBegun = true }
            return !responseBegun
        }
    }

    /// What the connection carries, inside of TLS where it can be read.
    var carries: ConnectionContent {
        @inline(__always) get { isEncrypted ? .tls : reader.content }
    }

    /// Lets the reader take more bytes of a connection that is known to be HTTP/2 without TLS, as nearly all bytes are;
    /// returns by how many bytes its memory grew. Nil, and nothing is read, where there is more to look at.
    @inline(__always)
    mutating func readOn(
        _ bytes: Span<UInt8>, _ direction: Direction, at time: CaptureTime, packet: Int,
        into events: inout [HTTP2Event]
    ) -> Int? {
        guard content == .http2, !isTLS, hasPayload, hasBegun(direction) else { return nil }
        lastPacket = packet
        return read(bytes, direction, at: time, into: &events)
    }

    /// Lets the reader take bytes; returns by how many bytes its memory grew.
    mutating func read(
        _ bytes: Span<UInt8>, _ direction: Direction, at time: CaptureTime, into events: inout [HTTP2Event]
    ) -> Int {
        reader.receive(bytes, direction, at: time, into: &events)
        return growth()
    }

    /// By how many bytes the memory of the connection grew since the last call.
    mutating func growth(tlsBytes: Int = 0) -> Int {
        let before = readerBytes
        readerBytes = reader.memoryBytes + tlsBytes
        return readerBytes - before
    }

    /// What the connection turned from and into with the bytes that were just read; nil if it did not.
    mutating func changeOfContent() -> (from: ConnectionContent, into: ConnectionContent)? {
        let now = carries
        if now == content { return nil }
        defer { content = now }
        return (content, now)
    }

    /// Hands the reader's events, and the bytes and fields that they name, to the calls. Mutating only so that the
    /// bytes are lent in place.
    mutating func deliver(
        _ events: [HTTP2Event], input: Span<UInt8>, at time: CaptureTime, to calls: inout ConnectionCalls,
        _ context: inout CallContext
    ) {
        let held = reader.held.span
        let fields = reader.fields.span
        let fieldBytes = reader.fieldBytes.span
        for event in events {
            let source = event.source == .input ? input : held
            calls.receive(
                event, bytes: source.extracting(event.bytes), fields: fields.extracting(event.fields),
                fieldBytes: fieldBytes, at: time, context: &context)
        }
    }
}
