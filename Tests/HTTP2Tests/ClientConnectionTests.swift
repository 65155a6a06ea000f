import HTTP2
import Testing
import Wire

@Suite("The client's side of a connection")
struct ClientConnectionTests {
    private static func response(
        _ stream: Int, _ encoder: inout FieldBlockEncoder, data: [UInt8], status: String = "0", message: String = ""
    ) -> [UInt8] {
        Frame.headers(encoder.encode([TextField(":status", "200")]), stream: stream)
            + Frame.data(data, stream: stream)
            + Frame.headers(
                encoder.encode([TextField("grpc-status", status), TextField("grpc-message", message)]),
                stream: stream, endStream: true)
    }

    @Test("a request is read as what was sent, a response as what was said")
    func call() throws {
        var talk = ClientTalk()
        var encoder = FieldBlockEncoder()
        for number in 0..<300 {
            let stream = try talk.opened([1, 2, 3, UInt8(number & 255)], tag: UInt32(number))
            let sections = talk.listener.sections(.request)
            let section = try #require(sections.last)
            #expect(section.stream == stream)
            #expect(section.fields.map { TextField($0.name ?? "", $0.value ?? "") } == ClientTalk.fields)
            #expect(talk.data(stream) == [1, 2, 3, UInt8(number & 255)])
            talk.receive(
                Self.response(Int(stream), &encoder, data: [9, 8], status: "\(number % 17)", message: "no %25"))
            let told = talk.events.suffix(3)
            #expect(told.map(\.event.kind) == [.response, .data, .end])
            #expect(told.map(\.event.tag) == Array(repeating: UInt32(number), count: 3))
            #expect(told.first?.event.httpStatus == 200)
            #expect(told.last?.event.grpcStatus == UInt32(number % 17))
            #expect(told.last?.text == "no %25")
        }
        #expect(talk.connection.openStreams == 0)
        // From the second request on, all fields are indexes of one byte.
        #expect(talk.frames.filter { $0[0] == 1 }.dropFirst().allSatisfy { $0[3] == 5 })
    }

    @Test("trailers alone end a call; END_STREAM without trailers too")
    func shortAnswers() throws {
        var talk = ClientTalk()
        var encoder = FieldBlockEncoder()
        let first = try talk.opened([1])
        let fields = [TextField(":status", "200"), TextField("grpc-status", "12")]
        talk.receive(Frame.headers(encoder.encode(fields), stream: Int(first), endStream: true))
        #expect(talk.events.last?.event.kind == .end)
        #expect(talk.events.last?.event.grpcStatus == 12)
        let second = try talk.opened([1])
        talk.receive(Frame.headers(encoder.encode([TextField(":status", "502")]), stream: Int(second)))
        talk.receive(Frame.data([], stream: Int(second), endStream: true))
        #expect(talk.events.suffix(2).map(\.event.kind) == [.response, .end])
        #expect(talk.events.dropLast().last?.event.httpStatus == 502)
        #expect(talk.events.last?.event.grpcStatus == ClientEvent.noStatus)
    }

    @Test("SETTINGS and PING are acknowledged")
    func acknowledgements() {
        var talk = ClientTalk()
        talk.receive(Frame.ping() + Frame.ping(ack: true) + Frame.settings(ack: true))
        #expect(talk.frames.suffix(2) == [[4, 1, 0, 0], [6, 1, 0, 8]])
        #expect(Array(talk.said.suffix(8)) == Array(Frame.ping().suffix(8)))
    }

    @Test("nothing is sent beyond the server's windows and frame size, and all of it in the end")
    func flowControl() throws {
        var talk = ClientTalk(settings: [(4, 10)])
        let message = (0..<100).map { UInt8($0) }
        let first = try talk.opened(message, endStream: false)
        let second = try talk.opened(message)
        #expect(talk.data(first) == Array(message[..<10]))
        talk.receive(Frame.frame(8, stream: Int(first), Frame.bigEndian(15)))
        #expect(talk.data(first) == Array(message[..<25]))
        #expect(talk.data(second) == Array(message[..<10]))
        // RFC 9113 §6.9.2: the windows of both fall by 10, below nothing for those that are used up.
        talk.receive(Frame.settings([(4, 0)]))
        talk.receive(Frame.frame(8, stream: Int(first), Frame.bigEndian(10)))
        #expect(talk.data(first).count == 25)
        talk.receive(Frame.frame(8, stream: Int(first), Frame.bigEndian(1)))
        #expect(talk.data(first).count == 26)
        let isSent = talk.send([7], on: first, endStream: true)
        #expect(isSent)
        talk.receive(Frame.settings([(4, 65_535)]))
        #expect(talk.data(first) == message + [7])
        #expect(talk.data(second) == message)
        #expect(talk.frames.last?[1] == 1)
        #expect(talk.frames.filter { $0[0] == 0 && $0[1] == 1 }.count == 2)
    }

    @Test("the connection's window holds for all streams together; frames are as long as allowed")
    func connectionWindow() throws {
        var talk = ClientTalk(settings: [(4, 1_000_000)])
        let message = Array(repeating: UInt8(5), count: 50_000)
        let streams = [try talk.opened(message), try talk.opened(message), try talk.opened(message)]
        #expect(streams.map { talk.data($0).count } == [50_000, 15_535, 0])
        #expect(talk.frames.filter { $0[0] == 0 }.map { $0[3] }.max() == 16_384)
        talk.receive(Frame.settings([(5, 40_000)]) + Frame.frame(8, Frame.bigEndian(200_000)))
        #expect(streams.map { talk.data($0) } == [message, message, message])
        #expect(talk.frames.filter { $0[0] == 0 }.map { $0[3] }.max() == 40_000)
    }

    @Test("no more streams are opened than the server allows")
    func concurrentStreams() throws {
        var talk = ClientTalk(settings: [(3, 2)])
        let first = try talk.opened([1])
        _ = try talk.opened([1])
        #expect(throws: ClientTalk.Refused.self) { try talk.opened([1]) }
        talk.receive(Frame.frame(3, stream: Int(first), Frame.bigEndian(8)))
        #expect(talk.events.last?.event.kind == .reset)
        #expect(talk.events.last?.event.code == .cancel)
        #expect(try talk.opened([1]) == 5)
    }

    @Test("windows for what comes in are opened again before they close")
    func receiveWindow() throws {
        var limits = ClientLimits()
        limits.windowBytes = 100_000
        var talk = ClientTalk(limits)
        var encoder = FieldBlockEncoder()
        let stream = try talk.opened([1])
        talk.receive(Frame.headers(encoder.encode([TextField(":status", "200")]), stream: Int(stream)))
        for _ in 0..<100 {
            talk.receive(Frame.data(Array(repeating: 0, count: 10_000), stream: Int(stream), padding: 20))
        }
        #expect(talk.connection.failure == .none)
        #expect(talk.events.last?.bytes.count == 1_000_000)
        let updates = talk.frames.filter { $0[0] == 8 }
        #expect(updates.contains { $0[2] == Int(stream) } && updates.contains { $0[2] == 0 })
    }

    @Test("GOAWAY: later streams were not looked at, earlier ones go on, new ones are not opened")
    func goAway() throws {
        var talk = ClientTalk()
        var encoder = FieldBlockEncoder()
        for tag in 0..<4 { talk.open([1], tag: UInt32(tag)) }
        talk.receive(Frame.frame(7, Frame.bigEndian(3) + Frame.bigEndian(11) + Array("too_many_pings".utf8)))
        let told = talk.events.suffix(3)
        #expect(told.map(\.event.kind) == [.goAway, .refused, .refused])
        #expect(told.first?.text == "too_many_pings")
        #expect(told.first?.event.code == .enhanceYourCalm)
        #expect(told.dropFirst().map(\.event.tag) == [2, 3])
        #expect(talk.connection.isDraining && !talk.connection.canOpen)
        talk.receive(Self.response(3, &encoder, data: [1]))
        #expect(talk.events.last?.event.kind == .end)
    }

    @Test("a server that ends a stream early is told that the rest will not come")
    func earlyEnd() throws {
        var talk = ClientTalk()
        var encoder = FieldBlockEncoder()
        let stream = try talk.opened([1], endStream: false)
        talk.receive(Self.response(Int(stream), &encoder, data: [1], status: "16"))
        #expect(talk.frames.last == [3, 0, Int(stream), 4])
        let isSent = talk.send([1], on: stream)
        #expect(!isSent)
    }

    @Test("after a reset nothing of the stream is told, and the table is kept all the same")
    func reset() throws {
        var talk = ClientTalk()
        var encoder = FieldBlockEncoder()
        let first = try talk.opened([1])
        let second = try talk.opened([1])
        let resets = [talk.reset(first), talk.reset(first)]
        #expect(resets == [true, false])
        let count = talk.events.count
        talk.receive(Self.response(Int(first), &encoder, data: [1], status: "7", message: "late"))
        #expect(talk.events.count == count)
        talk.receive(Self.response(Int(second), &encoder, data: [1], status: "7", message: "late"))
        #expect(talk.events.last?.text == "late")
    }

    struct Breach: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var failure: ClientFailure
        var code: ErrorCode
        var testDescription: String { name }

        init(_ name: String, _ bytes: [UInt8], _ failure: ClientFailure, _ code: ErrorCode = .protocolError) {
            (self.name, self.bytes, self.failure, self.code) = (name, bytes, failure, code)
        }
    }

    /// Frames that end the connection, on which stream 1 is open.
    static let breaches = [
        Breach(
            "a frame of 16385 bytes", Frame.frame(99, Array(repeating: 0, count: 16_385)), .frameTooLong,
            .frameSizeError),
        Breach("HEADERS on an idle stream", Frame.headers([0x88], stream: 3), .frameOnIdleStream),
        Breach("HEADERS on an even stream", Frame.headers([0x88], stream: 2), .frameOnIdleStream),
        Breach("RST_STREAM on an idle stream", Frame.frame(3, stream: 9, Frame.bigEndian(8)), .frameOnIdleStream),
        Breach("WINDOW_UPDATE on an idle stream", Frame.windowUpdate(9), .frameOnIdleStream),
        Breach("PUSH_PROMISE", Frame.frame(5, flags: 4, stream: 1, Frame.bigEndian(2)), .frameNotAllowed),
        Breach("CONTINUATION alone", Frame.frame(9, flags: 4, stream: 1), .frameNotAllowed),
        Breach(
            "a field block that is not gone on with", Frame.frame(1, stream: 1, [0x88]) + Frame.ping(),
            .continuationMissing),
        Breach(
            "a field block gone on with on another stream",
            Frame.frame(1, stream: 1, [0x88]) + Frame.frame(9, flags: 4, stream: 3), .continuationMissing),
        Breach("PING of 7 bytes", Frame.frame(6, Array(repeating: 0, count: 7)), .frameMalformed, .frameSizeError),
        Breach("PING on a stream", Frame.frame(6, stream: 1, Array(repeating: 0, count: 8)), .frameMalformed),
        Breach("SETTINGS of 5 bytes", Frame.frame(4, Array(repeating: 0, count: 5)), .frameMalformed, .frameSizeError),
        Breach("SETTINGS that allow push", Frame.settings([(2, 1)]), .settingNotAllowed),
        Breach("a window of 2^31", Frame.settings([(4, 1 << 31)]), .settingNotAllowed, .flowControlError),
        Breach("frames of 16383 bytes", Frame.settings([(5, 16_383)]), .settingNotAllowed),
        Breach("frames of 2^24 bytes", Frame.settings([(5, 1 << 24)]), .settingNotAllowed),
        Breach("WINDOW_UPDATE of nothing", Frame.frame(8, Frame.bigEndian(0)), .windowUpdateOfNothing),
        Breach(
            "WINDOW_UPDATE beyond 2^31 - 1", Frame.frame(8, Frame.bigEndian(Int(Int32.max))), .windowOverflow,
            .flowControlError),
        Breach("padding longer than DATA", Frame.frame(0, flags: 8, stream: 1, [5, 0, 0]), .frameMalformed),
        Breach("padding longer than HEADERS", Frame.frame(1, flags: 12, stream: 1, [5, 0, 0]), .frameMalformed),
        Breach("DATA on no stream", Frame.frame(0, [1]), .frameMalformed),
        Breach(
            "an index that the table does not have", Frame.headers([0xbe], stream: 1), .fieldBlockUnreadable,
            .compressionError),
        Breach(
            "a field block that is cut", Frame.headers([0x40, 0x05, 0x61], stream: 1), .fieldBlockUnreadable,
            .compressionError),
        Breach(
            "a table of 4097 bytes", Frame.headers([0x3f, 0xe2, 0x1f, 0x88], stream: 1), .fieldBlockUnreadable,
            .compressionError),
    ]

    @Test("a server that breaks a rule of the connection is told which, and not heard any more", arguments: breaches)
    func connectionErrors(_ breach: Breach) throws {
        var talk = ClientTalk()
        talk.open([1])
        let before = talk.events.count
        talk.receive(breach.bytes + Frame.ping())
        #expect(talk.events.count == before + 1)
        let event = try #require(talk.events.last?.event)
        #expect(event.kind == .failed)
        #expect(event.failure == breach.failure)
        #expect(event.code == breach.code)
        #expect(talk.frames.last == [7, 0, 0, 8])
        #expect(talk.said.last == UInt8(breach.code.rawValue))
        #expect(!talk.connection.canOpen)
    }

    @Test(
        "who does not begin with SETTINGS does not speak HTTP/2",
        arguments: [Array("HTTP/1.1 400 Bad Request\r\n".utf8), Frame.ping(), Frame.settings(ack: true)])
    func notHTTP2(_ bytes: [UInt8]) {
        var talk = ClientTalk(silent: ClientLimits())
        talk.receive(bytes)
        #expect(talk.events.map(\.event.failure) == [.notHTTP2])
    }

    /// Frames that end stream 1 alone.
    static let streamBreaches = [
        Breach("DATA before the response", Frame.data([1], stream: 1), .dataBeforeResponse),
        Breach("a response without a status", Frame.headers([0x82], stream: 1), .statusMissing),
        Breach(
            "an interim response that ends", Frame.headers([0x48, 3, 0x31, 0x30, 0x30], stream: 1, endStream: true),
            .statusMissing),
        Breach(
            "two responses", Frame.headers([0x88], stream: 1) + Frame.headers([0x88], stream: 1),
            .trailersWithoutEnd),
        Breach("WINDOW_UPDATE of nothing", Frame.frame(8, stream: 1, Frame.bigEndian(0)), .windowUpdateOfNothing),
        Breach(
            "WINDOW_UPDATE beyond 2^31 - 1", Frame.frame(8, stream: 1, Frame.bigEndian(Int(Int32.max))),
            .windowOverflow, .flowControlError),
    ]

    @Test("a server that breaks a rule of a stream loses that stream alone", arguments: streamBreaches)
    func streamErrors(_ breach: Breach) throws {
        var talk = ClientTalk()
        talk.open([1], tag: 5)
        talk.receive(breach.bytes)
        let event = try #require(talk.events.last?.event)
        #expect(event.kind == .reset)
        #expect(event.tag == 5)
        #expect(event.failure == breach.failure)
        #expect(event.code == breach.code)
        #expect(talk.frames.last == [3, 0, 1, 4])
        #expect(talk.connection.canOpen && talk.connection.openStreams == 0)
    }

    @Test("an interim response is passed over; padding, priority, CONTINUATION and unknown frames are read")
    func allForms() throws {
        var talk = ClientTalk()
        var encoder = FieldBlockEncoder()
        let stream = Int(try talk.opened([1]))
        let block = encoder.encode([TextField(":status", "103")])
        talk.receive(Frame.headers(block, stream: stream) + Frame.frame(0xaa, flags: 0xff, stream: 77, [1, 2, 3]))
        #expect(talk.events.count == 1)
        let final = encoder.encode([TextField(":status", "200"), TextField("x", "y")])
        talk.receive(
            Frame.frame(1, flags: 0x28, stream: stream, [2, 0, 0, 0, 0, 9] + final.prefix(1) + [0, 0])
                + Frame.frame(9, stream: stream, [])
                + Frame.frame(9, flags: 4, stream: stream, Array(final.dropFirst()))
                + Frame.frame(2, stream: 99, [0, 0, 0, 0, 1]) + Frame.data([4, 5], stream: stream, padding: 255)
                + Frame.data([6], stream: stream, endStream: true, padding: 0))
        #expect(talk.events.dropFirst().map(\.event.kind) == [.response, .data, .end])
        #expect(talk.events.dropFirst(2).first?.bytes == [4, 5, 6])
    }
}
