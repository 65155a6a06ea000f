import Etcd
import HTTP2
import Wire

/// A connection between a client and an etcd that says what a test wants, event by event, as a reader of its frames
/// would tell it.
struct Conversation {
    var calls: ConnectionCalls
    var context: CallContext
    /// Nanoseconds; every event takes one microsecond.
    var clock: Int64 = 1_000_000_000
    /// DATA goes in pieces of these sizes, again and again; empty: frame by frame.
    var pieces: [Int] = []
    /// The longest DATA frame.
    var frameBytes = 16_384
    private var nextPiece = 0

    init(isFromStart: Bool = true, limits: CallLimits = CallLimits()) {
        calls = ConnectionCalls(connection: 7, isFromStart: isFromStart)
        context = CallContext(limits: limits)
    }

    /// A field as a test names it; a nil value is one that the decoder does not know.
    typealias Field = (name: HeaderField.Name, value: String?)

    mutating func send(_ event: HTTP2Event, bytes: [UInt8] = [], fields: [Field] = []) {
        var fieldBytes: [UInt8] = []
        var headerFields: [HeaderField] = []
        for field in fields {
            var place: Range<Int>?
            if let value = field.value {
                let start = fieldBytes.count
                fieldBytes.append(contentsOf: Array(value.utf8))
                place = start..<fieldBytes.count
            }
            headerFields.append(HeaderField(name: field.name, value: place, entry: nil, epoch: 0))
        }
        calls.receive(
            event, bytes: bytes.span, fields: headerFields.span, fieldBytes: fieldBytes.span,
            at: CaptureTime(nanoseconds: clock + 500), context: &context)
        clock += 1_000
    }

    private func event(
        _ kind: HTTP2Event.Kind, _ direction: Direction, _ stream: UInt32, _ flags: HTTP2Event.Flags = [],
        count: Int = 0, frameLength: Int = 0, code: UInt32 = 0, wireBytes: Int = 0
    ) -> HTTP2Event {
        HTTP2Event(
            kind: kind, direction: direction, flags: flags, stream: stream, count: count, frameLength: frameLength,
            code: code, wireBytes: wireBytes, time: CaptureTime(nanoseconds: clock))
    }

    // MARK: What a client says

    mutating func open(_ stream: UInt32, _ path: String?, more: [Field] = []) {
        let fields: [Field] =
            [
                (.method, "POST"), (.scheme, "http"), (.path, path), (.authority, "etcd:2379"),
                (.userAgent, "grpc-go/1.81.1"),
            ] + more
        send(event(.fieldSection, .request, stream, wireBytes: 30), fields: fields)
    }

    /// HEADERS in which path and authority are table entries of which only the number is known.
    mutating func open(_ stream: UInt32, path entry: Int64, authority: Int64? = nil, epoch: UInt32 = 0) {
        let post = Array("POST".utf8)
        var fields = [
            HeaderField(name: .method, value: 0..<4, entry: nil, epoch: epoch),
            HeaderField(name: .scheme, value: 0..<4, entry: nil, epoch: epoch),
            HeaderField(name: .unknown, value: nil, entry: entry, epoch: epoch),
        ]
        if let authority {
            fields.append(HeaderField(name: .unknown, value: nil, entry: authority, epoch: epoch))
        } else {
            fields.append(HeaderField(name: .authority, value: 0..<4, entry: nil, epoch: epoch))
        }
        send(event(.fieldSection, .request, stream, wireBytes: 30), fields: fields, bytes: post)
    }

    /// HEADERS in which the path is a literal that becomes the table's entry of that number.
    mutating func open(_ stream: UInt32, _ path: String, inserting entry: Int64) {
        let bytes = Array(path.utf8)
        let fields = [
            HeaderField(name: .method, value: 0..<4, entry: nil, epoch: 0),
            HeaderField(name: .scheme, value: 0..<4, entry: nil, epoch: 0),
            HeaderField(name: .path, value: 0..<bytes.count, entry: entry, epoch: 0),
            HeaderField(name: .authority, value: 0..<4, entry: nil, epoch: 0),
        ]
        send(event(.fieldSection, .request, stream, wireBytes: 30), fields: fields, bytes: bytes)
    }

    private mutating func send(_ event: HTTP2Event, fields: [HeaderField], bytes: [UInt8]) {
        let nothing: [UInt8] = []
        calls.receive(
            event, bytes: nothing.span, fields: fields.span, fieldBytes: bytes.span,
            at: CaptureTime(nanoseconds: clock + 500), context: &context)
        clock += 1_000
    }

    mutating func request(_ stream: UInt32, _ message: [UInt8], isLast: Bool = true, compressed: Bool = false) {
        data(.request, stream, Self.framed(message, compressed: compressed), isLast: isLast)
    }

    mutating func cancel(_ stream: UInt32) { send(event(.resetStream, .request, stream, code: 8, wireBytes: 13)) }

    // MARK: What a server says

    mutating func accept(_ stream: UInt32, more: [Field] = []) {
        send(
            event(.fieldSection, .response, stream, wireBytes: 11),
            fields: [(.status, "200"), (.contentType, "application/grpc")] + more)
    }

    mutating func respond(_ stream: UInt32, _ message: [UInt8], compressed: Bool = false) {
        data(.response, stream, Self.framed(message, compressed: compressed), isLast: false)
    }

    mutating func end(_ stream: UInt32, status: String? = "0", message: String = "") {
        send(
            event(.fieldSection, .response, stream, .endStream, wireBytes: 11),
            fields: [(.grpcStatus, status), (.grpcMessage, message)])
    }

    mutating func reset(_ stream: UInt32) { send(event(.resetStream, .response, stream, code: 8, wireBytes: 13)) }

    /// Trailers whose status is a table entry of which only the number is known.
    mutating func end(_ stream: UInt32, statusEntry: Int64) {
        let fields = [HeaderField(name: .unknown, value: nil, entry: statusEntry, epoch: 0)]
        send(event(.fieldSection, .response, stream, .endStream, wireBytes: 11), fields: fields, bytes: [])
    }

    /// A whole unary call whose path is a table entry of which only the number is known.
    mutating func call(_ stream: UInt32, entry: Int64, _ message: [UInt8], answer: [UInt8]) {
        open(stream, path: entry)
        request(stream, message)
        accept(stream)
        respond(stream, answer)
        end(stream)
    }

    /// Everything of a successful unary call.
    mutating func call(_ stream: UInt32, _ path: String, _ message: [UInt8], answer: [UInt8]) {
        open(stream, path)
        request(stream, message)
        accept(stream)
        respond(stream, answer)
        end(stream)
    }

    // MARK: Frames, and what happens to them

    /// gRPC's prefix and the message.
    static func framed(_ message: [UInt8], compressed: Bool = false) -> [UInt8] {
        let length = UInt32(message.count)
        return [compressed ? 1 : 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + message
    }

    mutating func data(_ direction: Direction, _ stream: UInt32, _ payload: [UInt8], isLast: Bool) {
        var start = 0
        repeat {
            let frame = Array(payload[start..<min(start + frameBytes, payload.count)])
            start += frame.count
            self.frame(direction, stream, frame, isLast: isLast && start == payload.count)
        } while start < payload.count
    }

    /// One DATA frame, of which the bytes of `hole` are missing.
    mutating func frame(
        _ direction: Direction, _ stream: UInt32, _ payload: [UInt8], isLast: Bool, hole: Range<Int> = 0..<0
    ) {
        var place = 0
        repeat {
            var end = payload.count
            if !pieces.isEmpty {
                end = min(end, place + pieces[nextPiece % pieces.count])
                nextPiece += 1
            }
            let isHole = hole.contains(place)
            if isHole {
                end = min(end, hole.upperBound)
            } else if place < hole.lowerBound {
                end = min(end, hole.lowerBound)
            }
            var flags: HTTP2Event.Flags = []
            if place == 0 { flags.insert(.frameStart) }
            if end == payload.count {
                flags.insert(.frameEnd)
                if isLast { flags.insert(.endStream) }
            }
            send(
                event(
                    isHole ? .dataLost : .data, direction, stream, flags, count: isHole ? end - place : 0,
                    frameLength: place == 0 ? payload.count : 0, wireBytes: end - place + (place == 0 ? 9 : 0)),
                bytes: isHole ? [] : Array(payload[place..<end]))
            place = end
        } while place < payload.count
    }

    mutating func desynchronize(_ direction: Direction) { send(event(.desynchronized, direction, 0)) }
    mutating func goAway(lastStream: UInt32) { send(event(.goAway, .response, lastStream)) }
    mutating func loseHeaders(_ direction: Direction, _ stream: UInt32, isEnd: Bool = false) {
        send(event(.fieldSectionLost, direction, stream, isEnd ? .endStream : []))
    }

    mutating func finish() { _ = calls.finish(at: CaptureTime(nanoseconds: clock), context: &context) }

    // MARK: What came of it

    var operations: [Operation] { context.output.batch.operations }

    func operations(_ role: Operation.Role) -> [Operation] { operations.filter { $0.role == role } }

    func key(_ number: KeyNumber) -> String {
        String(decoding: context.output.batch.keys.string(number), as: UTF8.self)
    }

    func text(_ number: TextNumber) -> String {
        String(decoding: context.output.batch.texts.string(number), as: UTF8.self)
    }
}
