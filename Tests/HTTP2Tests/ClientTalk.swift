import HTTP2
import Wire

/// A client's connection and what is said on it: a test plays the server.
struct ClientTalk {
    var connection: ClientConnection
    private(set) var events: [ToldClientEvent] = []
    /// Everything that the client said, as a passive listener reads it.
    private(set) var listener = Listener()
    /// The client's bytes.
    private(set) var said: [UInt8] = []
    var list = 0

    static let fields = [
        TextField(":method", "POST"), TextField(":scheme", "http"), TextField(":path", "/etcdserverpb.KV/Range"),
        TextField(":authority", "etcd:2379"), TextField("te", "trailers"),
    ]

    /// A connection on which both sides have begun.
    init(_ limits: ClientLimits = ClientLimits(), settings: [(Int, Int)] = []) {
        connection = ClientConnection(limits: limits)
        list = connection.fieldLists.add(Self.fields.map { HPACKEncoder.Field($0.name, $0.value) })
        var out: [UInt8] = []
        connection.start(into: &out)
        hear(out)
        receive(Frame.settings(settings))
    }

    /// Without a word of the server.
    init(silent limits: ClientLimits) {
        connection = ClientConnection(limits: limits)
        list = connection.fieldLists.add(Self.fields.map { HPACKEncoder.Field($0.name, $0.value) })
    }

    private mutating func hear(_ out: [UInt8]) {
        said += out
        listener.receive(out)
    }

    mutating func receive(_ bytes: [UInt8]) {
        var now: [ClientEvent] = []
        var out: [UInt8] = []
        connection.receive(bytes.span, into: &now, out: &out)
        hear(out)
        for event in now {
            let told = ToldClientEvent(event, input: bytes, text: connection.text)
            if event.kind == .data, events.last?.event.kind == .data, events.last?.event.stream == event.stream {
                events[events.count - 1].bytes += told.bytes
            } else {
                events.append(told)
            }
        }
    }

    @discardableResult
    mutating func open(_ bytes: [UInt8] = [], endStream: Bool = true, tag: UInt32 = 0) -> UInt32? {
        var out: [UInt8] = []
        let stream = connection.open(list, bytes.span, endStream: endStream, tag: tag, into: &out)
        hear(out)
        return stream
    }

    struct Refused: Error {}

    /// As `open`, where it must be possible.
    mutating func opened(_ bytes: [UInt8] = [], endStream: Bool = true, tag: UInt32 = 0) throws -> UInt32 {
        guard let stream = open(bytes, endStream: endStream, tag: tag) else { throw Refused() }
        return stream
    }

    mutating func send(_ bytes: [UInt8], on stream: UInt32, endStream: Bool = false) -> Bool {
        var out: [UInt8] = []
        let isSent = connection.send(bytes.span, on: stream, endStream: endStream, into: &out)
        hear(out)
        return isSent
    }

    mutating func reset(_ stream: UInt32) -> Bool {
        var out: [UInt8] = []
        let isReset = connection.reset(stream, .cancel, into: &out)
        hear(out)
        return isReset
    }

    /// The payload of the DATA that the client sent on a stream.
    func data(_ stream: UInt32) -> [UInt8] {
        (listener.told[.request] ?? []).filter { $0.kind == .data && $0.stream == stream }.flatMap(\.bytes)
    }

    /// The client's frames without their payload: type, flags, stream, length.
    var frames: [[Int]] {
        var all: [[Int]] = []
        var offset = Frame.preface.count
        while offset + 9 <= said.count {
            let length = Int(said[offset]) << 16 | Int(said[offset + 1]) << 8 | Int(said[offset + 2])
            let stream = said[offset + 5..<offset + 9].reduce(0) { $0 << 8 | Int($1) }
            all.append([Int(said[offset + 3]), Int(said[offset + 4]), stream, length])
            offset += 9 + length
        }
        return all
    }
}

/// What an event says, with its bytes and text, whatever the split of the input.
struct ToldClientEvent: Equatable {
    var event: ClientEvent
    var bytes: [UInt8]
    var text: String

    init(_ event: ClientEvent, input: [UInt8], text: [UInt8]) {
        bytes = Array(input[event.bytes])
        self.text = String(decoding: text[event.text], as: UTF8.self)
        self.event = event
        self.event.bytes = 0..<0
        self.event.text = 0..<0
    }
}
