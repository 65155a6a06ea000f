import HTTP2
import Wire

/// The client's side of a connection, with what the server says in an `HTTP2Input` as the server's bytes, gaps left
/// out: any split gives the same events and the same bytes for the server, whatever it says.
enum HTTP2ClientLaws {
    /// Streams that are open when the server begins; one in three has more to say.
    private static let streams = 64
    /// What each of them has sent, more than a window of the server may allow.
    private static let message = [UInt8](repeating: 7, count: 300)

    static func check(_ input: Span<UInt8>) throws(BrokenLaw) {
        let said = responses(input)
        var dice = InputDice(input)
        let whole = try hear(said) { $0 }
        let pieces = try hear(said) { dice.piece(of: $0) }
        try BrokenLaw.unlessEqual(pieces.events, whole.events, "any split tells a client the same")
        try BrokenLaw.unlessEqual(pieces.out, whole.out, "any split makes a client say the same")
    }

    /// What the server says in the input.
    private static func responses(_ input: Span<UInt8>) -> [UInt8] {
        var source = InputReader(input)
        _ = source.byte(input)
        var bytes: [UInt8] = []
        while !source.isAtEnd {
            if case .bytes(let range, .response) = HTTP2Input.Record(&source, input) {
                bytes.append(copying: input.extracting(range))
            }
        }
        return bytes
    }

    /// An event with its bytes and text, pieces of one frame's data joined.
    private struct Told: Equatable {
        var event: ClientEvent
        var bytes: [UInt8]
        var text: [UInt8]
    }

    private static func hear(
        _ bytes: [UInt8], piece: (Int) -> Int
    ) throws(BrokenLaw) -> (events: [Told], out: [UInt8]) {
        var limits = ClientLimits()
        limits.windowBytes = 1 << 17
        limits.fieldBlockBytes = 256
        var connection = ClientConnection(limits: limits)
        let list = connection.fieldLists.add([
            HPACKEncoder.Field(":method", "POST"), HPACKEncoder.Field("te", "trailers"),
        ])
        var out: [UInt8] = []
        connection.start(into: &out)
        for tag in 0..<streams {
            _ = connection.open(list, message.span, endStream: tag % 3 != 0, tag: UInt32(tag), into: &out)
        }
        var told: [Told] = []
        var events: [ClientEvent] = []
        var start = 0
        while start < bytes.count {
            let input = Array(bytes[start..<start + piece(bytes.count - start)])
            start += input.count
            let hadFailed = connection.failure != .none
            connection.receive(input.span, into: &events, out: &out)
            try BrokenLaw.unless(events.isEmpty || !hadFailed, "after the end nothing is told", "\(events)")
            for var event in events {
                try BrokenLaw.unless(
                    event.bytes.upperBound <= input.count && event.text.upperBound <= connection.text.count,
                    "what an event names is there", "\(event)")
                let (data, text) = (Array(input[event.bytes]), Array(connection.text[event.text]))
                (event.bytes, event.text) = (0..<0, 0..<0)
                if event.kind == .data, let last = told.indices.last, told[last].event == event {
                    told[last].bytes += data
                } else {
                    told.append(Told(event: event, bytes: data, text: text))
                }
            }
            events.removeAll(keepingCapacity: true)
        }
        try BrokenLaw.unless(connection.openStreams <= streams, "no stream opens itself", "\(connection.openStreams)")
        // Acknowledgements are not longer than what they answer, windows are raised seldom, and the server's may let
        // each byte that waits go in a frame of its own.
        try BrokenLaw.unless(
            out.count <= streams * message.count * 12 + bytes.count * 4, "a client says no more than it is asked",
            "\(out.count)")
        return (told, out)
    }
}
