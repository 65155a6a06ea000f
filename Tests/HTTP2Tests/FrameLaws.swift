import HTTP2
import TestSupport
import Testing
import Wire

@Suite("Frames of a connection read from its start")
struct FrameLaws {
    static func connection(_ seed: UInt64) -> RecordedConnection {
        RecordedConnection(seed: seed, .init(requests: 12, isUnusual: true, bigMessageBytes: 40_000))
    }

    /// Both directions in one piece each.
    static func whole(_ connection: RecordedConnection) -> Listener {
        var listener = Listener()
        for direction in Direction.allCases { listener.receive(connection.bytes[direction] ?? [], direction) }
        return listener
    }

    @Test("every field section and every byte of DATA is told, once", arguments: seeds())
    func everything(seed: UInt64) {
        let connection = Self.connection(seed)
        var listener = Self.whole(connection)
        for direction in Direction.allCases {
            let told = listener.told[direction] ?? []
            #expect(told.filter { $0.kind == .fieldSection }.count == connection.sections(direction).count)
            for (section, truth) in zip(listener.sections(direction), connection.sections(direction)) {
                #expect(section.fields.map(\.name) == truth.fields.map(\.name))
                #expect(section.fields.map(\.value) == truth.fields.map(\.value))
                #expect(section.fields.map(\.entry) == truth.serials.map { $0.map(Int64.init) })
                #expect(section.stream == UInt32(truth.stream))
            }
            // Each message begins with its prefix, and its DATA frames hold just that many bytes.
            var messages: [UInt32: [UInt8]] = [:]
            for event in told where event.kind == .data { messages[event.stream, default: []] += event.bytes }
            #expect(messages.count == 12)
            for message in messages.values { #expect(message.count == 5 + Int(message.span.bigEndian32(at: 1))) }
        }
        listener.finish()
        #expect(listener.reader.health.undecodableBytes == 0)
        #expect(listener.reader.health.oddities.total == 0)
        #expect(listener.reader.content == .http2)
    }

    @Test("the bytes that events stand for are all bytes but those of frames nobody is told of", arguments: seeds())
    func wireBytes(seed: UInt64) {
        let connection = RecordedConnection(seed: seed, .init(bigMessageBytes: 50_000))
        let listener = Self.whole(connection)
        let told = (listener.told[.request] ?? []).reduce(0) { $0 + $1.wireBytes }
        let pings = (0..<40).filter { $0 % 3 == 0 }.count
        let silent = 24 + 9 + 9 + pings * (13 + 17)
        #expect(told == (connection.bytes[.request]?.count ?? 0) - silent)
    }

    @Test("a split at any byte changes nothing")
    func everySplit() {
        let connection = RecordedConnection(seed: 7, .init(requests: 4, isUnusual: true))
        let expected = Self.whole(connection)
        for direction in Direction.allCases {
            let bytes = connection.bytes[direction] ?? []
            for split in 0...bytes.count {
                var listener = Listener()
                listener.receive(Array(bytes[..<split]), direction)
                listener.receive(Array(bytes[split...]), direction)
                #expect(
                    listener.told[direction] == expected.told[direction], "split at byte \(split) of \(bytes.count)")
                #expect(listener.reader.health.undecodableBytes == 0)
            }
        }
    }

    @Test("many splits at once change nothing", arguments: seeds())
    func randomSplits(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let connection = Self.connection(seed)
        let expected = Self.whole(connection)
        for most in [1, 3, 20, 1448] {
            var listener = Listener()
            var starts: [Direction: Int] = [:]
            var frames = 0
            while frames < 2 {
                let direction: Direction = Bool.random(using: &random) ? .request : .response
                let bytes = connection.bytes[direction] ?? []
                let start = starts[direction] ?? 0
                let end = min(bytes.count, start + Int.random(in: 1...most, using: &random))
                starts[direction] = end
                listener.receive(Array(bytes[start..<end]), direction)
                frames = Direction.allCases.filter { starts[$0] == connection.bytes[$0]?.count }.count
            }
            #expect(listener.told == expected.told, "seed \(seed), up to \(most) bytes a piece")
            #expect(listener.reader.health == expected.reader.health)
        }
    }

    @Test("the client's preface proves its start, whatever was said")
    func prefaceProves() {
        let connection = RecordedConnection(seed: 5)
        var listener = Listener(atStart: false)
        listener.receive(connection.bytes[.request] ?? [])
        #expect(listener.told[.request] == Self.whole(connection).told[.request])
    }

    @Test("END_STREAM without payload, padding without data, RST_STREAM and GOAWAY are told")
    func smallFrames() {
        var listener = Listener()
        listener.receive(
            Frame.preface + Frame.settings() + Frame.data([], stream: 1, endStream: true)
                + Frame.data([], stream: 3, endStream: true, padding: 9) + Frame.frame(3, stream: 5, Frame.bigEndian(8))
                + Frame.frame(7, Frame.bigEndian(7) + Frame.bigEndian(2) + Array("bye".utf8)))
        let told = listener.told[.request] ?? []
        #expect(told.map(\.kind) == [.data, .data, .resetStream, .goAway])
        #expect(told.prefix(2).allSatisfy { $0.flags == [.frameStart, .frameEnd, .endStream] && $0.bytes.isEmpty })
        #expect(told.map(\.wireBytes) == [9, 19, 13, 20])
        #expect(told.map(\.code) == [0, 0, 8, 2])
        #expect(told.map(\.stream) == [1, 3, 5, 7])
    }

    @Test("a frame has the time of its first byte")
    func times() {
        var listener = Listener()
        let frame = Frame.data(Array("hello".utf8), stream: 1)
        listener.receive(Frame.preface + Frame.settings() + frame[..<3], at: 10)
        listener.receive(Array(frame[3..<11]), at: 20)
        listener.receive(Array(frame[11...]), at: 30)
        #expect(listener.told[.request]?.map(\.time.nanoseconds) == [10])
    }

    @Test("unknown frame types, settings and flags are ignored, also in front of a block")
    func unknowns() {
        var listener = Listener()
        let unknown = Frame.frame(0xfe, flags: 0xff, stream: 2, [1, 2, 3]) + Frame.settings([(0xfe03, 1), (99, 7)])
        listener.receive(Frame.preface + Frame.settings() + unknown + Frame.headers([0x82, 0x84], stream: 1))
        #expect(listener.told[.request]?.map(\.kind) == [.fieldSection])
        #expect(listener.reader.health.oddities.total == 0)
    }

    static let errors: [(String, [UInt8])] = [
        ("DATA on stream 0", Frame.data([1], stream: 0)),
        ("padding as long as the payload", Frame.frame(0, flags: 8, stream: 1, [3, 0, 0])),
        ("HEADERS on an even stream of the client", Frame.headers([0x82], stream: 2)),
        ("HEADERS padded beyond its end", Frame.frame(1, flags: 12, stream: 1, [9, 0x82])),
        ("SETTINGS on a stream", Frame.frame(4, stream: 1)),
        ("SETTINGS of seven bytes", Frame.frame(4, [0, 0, 0, 0, 0, 0, 0])),
        ("SETTINGS ack with content", Frame.frame(4, flags: 1, [0, 1, 0, 0, 0, 0])),
        ("PING of seven bytes", Frame.frame(6, [0, 0, 0, 0, 0, 0, 0])),
        ("RST_STREAM of five bytes", Frame.frame(3, stream: 1, [0, 0, 0, 0, 0])),
        ("WINDOW_UPDATE of three bytes", Frame.frame(8, [0, 0, 1])),
        ("CONTINUATION of nothing", Frame.frame(9, flags: 4, stream: 1, [0x82])),
        (
            "CONTINUATION of another stream",
            Frame.frame(1, stream: 1, [0x82]) + Frame.frame(9, flags: 4, stream: 3, [0x84])
        ),
        ("a frame between HEADERS and CONTINUATION", Frame.frame(1, stream: 1, [0x82]) + Frame.ping()),
        ("PUSH_PROMISE of a client", Frame.frame(5, flags: 4, stream: 1, [0, 0, 0, 2, 0x82])),
    ]

    @Test("a connection error puts the direction out of step, and it finds back", arguments: errors)
    func connectionErrors(_ name: String, frames: [UInt8]) {
        var listener = Listener()
        listener.receive(Frame.preface + Frame.settings() + frames)
        #expect(listener.told[.request]?.last?.kind == .desynchronized)
        listener.receive(Frame.ping() + Frame.headers([0x83, 0x86, 0x84], stream: 5))
        listener.receive(Frame.message(Array("abc".utf8), stream: 5, endStream: true))
        #expect(listener.sections(.request).map(\.stream) == [5])
        #expect(listener.told[.request]?.last?.bytes.suffix(3) == Array("abc".utf8)[...])
        listener.finish()
        #expect(listener.reader.health.oddities.connectionErrors == 1)
        #expect(listener.reader.health.resynchronizations == 1)
    }

    @Test("a field block above the limit is lost, and nothing else")
    func largeBlock() {
        var limits = ConnectionLimits()
        limits.fieldBlockBytes = 1000
        for cut in [1100, 600] {
            var listener = Listener(limits)
            let block = [0x00, 0x01, 0x61, 0x7f, 0xd9, 0x07] + Array(repeating: UInt8(0x62), count: 1200)
            listener.receive(
                Frame.preface + Frame.settings() + Frame.frame(1, stream: 1, Array(block[..<cut]))
                    + Frame.frame(9, flags: 4, stream: 1, Array(block[cut...])) + Frame.headers([0x82], stream: 3))
            #expect(listener.told[.request]?.map(\.kind) == [.fieldSectionLost, .fieldSection])
            #expect(listener.reader.health.oddities.fieldBlocksTooLarge == 1)
            #expect(listener.reader.memoryBytes < 100_000)
        }
    }

    @Test("a promised request counts for the table, and is no section of the stream's")
    func pushPromise() {
        var listener = Listener()
        var encoder = FieldBlockEncoder()
        let field = TextField("te", "trailers")
        let promise = encoder.encode([field])
        listener.receive(
            Frame.settings() + Frame.frame(5, flags: 4, stream: 1, [0, 0, 0, 2] + promise)
                + Frame.headers(encoder.encode([TextField(":status", "200"), field]), stream: 1), .response)
        #expect(listener.sections(.response).map { $0.value("te") } == ["trailers"])
    }

    @Test("a table that the other side allowed to grow is followed from the size update on")
    func tableSize() {
        var listener = Listener()
        listener.receive(Frame.settings([(1, 20_000)]), .response)
        var encoder = FieldBlockEncoder()
        encoder.resize(to: 20_000)
        var bytes = Frame.preface + Frame.settings()
        let fields = (0..<300).map { TextField("grpc-timeout", "\($0)m") }
        for (call, field) in fields.enumerated() {
            bytes += Frame.headers(encoder.encode([field]), stream: call * 2 + 1)
        }
        bytes += Frame.headers(encoder.encode(fields), stream: 601)
        listener.receive(bytes)
        #expect(listener.sections(.request).last?.fields.map(\.value) == fields.map(\.value))
        #expect(listener.reader.health.oddities.total == 0)
        #expect(listener.reader.health.fieldSectionsLost == 0)
    }
}
