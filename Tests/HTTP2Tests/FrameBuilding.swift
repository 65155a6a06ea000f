import HTTP2
import Wire

/// Frames as bytes (RFC 9113 §4.1).
enum Frame {
    static func frame(_ kind: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = payload.count
        return [
            UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags, UInt8(stream >> 24 & 127),
            UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255), UInt8(stream & 255),
        ] + payload
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func settings(_ values: [(Int, Int)] = [], ack: Bool = false) -> [UInt8] {
        frame(4, flags: ack ? 1 : 0, values.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + bigEndian($0.1) })
    }

    static func bigEndian(_ value: Int) -> [UInt8] {
        [UInt8(value >> 24 & 255), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    static func ping(ack: Bool = false) -> [UInt8] { frame(6, flags: ack ? 1 : 0, [2, 4, 16, 16, 9, 14, 7, 7]) }
    static func windowUpdate(_ stream: Int = 0) -> [UInt8] { frame(8, stream: stream, bigEndian(4096)) }

    static func headers(_ block: [UInt8], stream: Int, endStream: Bool = false) -> [UInt8] {
        frame(1, flags: 4 | (endStream ? 1 : 0), stream: stream, block)
    }

    static func data(_ payload: [UInt8], stream: Int, endStream: Bool = false, padding: Int? = nil) -> [UInt8] {
        let flags: UInt8 = (endStream ? 1 : 0) | (padding == nil ? 0 : 8)
        guard let padding else { return frame(0, flags: flags, stream: stream, payload) }
        return frame(0, flags: flags, stream: stream, [UInt8(padding)] + payload + Array(repeating: 0, count: padding))
    }

    /// A length-prefixed gRPC message in as many DATA frames as it takes.
    static func message(_ message: [UInt8], stream: Int, endStream: Bool) -> [UInt8] {
        let bytes = [0] + bigEndian(message.count) + message
        var frames: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + 16_384, bytes.count)
            frames += data(Array(bytes[start..<end]), stream: stream, endStream: endStream && end == bytes.count)
            start = end
        }
        return frames
    }
}

/// What an event says, with its bytes and texts, comparable between readings that split the input differently.
struct Told: Equatable, CustomStringConvertible {
    struct Field: Equatable {
        var name: String?
        var value: String?
        var entry: Int64?
        var epoch: UInt32
    }

    var kind: HTTP2Event.Kind
    var direction: Direction
    var flags: HTTP2Event.Flags
    var stream: UInt32
    var bytes: [UInt8]
    var fields: [Field]
    var count: Int
    var frameLength: Int
    var code: UInt32
    var wireBytes: Int
    var time: CaptureTime

    var description: String {
        let fields = fields.map { "\($0.name ?? "?")=\($0.value ?? "?")" }
        return "\(direction) \(kind) stream \(stream) flags \(flags.rawValue) \(bytes.count) bytes \(fields) "
            + "count \(count) length \(frameLength) code \(code) wire \(wireBytes)"
    }

    func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Feeds a reader and keeps what it says, by direction, pieces of a DATA frame joined.
struct Listener {
    var reader: ConnectionReader
    private(set) var told: [Direction: [Told]] = [.request: [], .response: []]
    private var events: [HTTP2Event] = []

    init(_ limits: ConnectionLimits = ConnectionLimits(), atStart: Bool = true) {
        reader = ConnectionReader(limits: limits)
        reader.begin(.request, atStart: atStart)
        reader.begin(.response, atStart: atStart)
    }

    mutating func receive(_ bytes: [UInt8], _ direction: Direction = .request, at nanoseconds: Int64 = 0) {
        events.removeAll(keepingCapacity: true)
        reader.receive(bytes.span, direction, at: CaptureTime(nanoseconds: nanoseconds), into: &events)
        take(bytes)
    }

    mutating func receiveGap(_ count: Int, _ direction: Direction = .request) {
        events.removeAll(keepingCapacity: true)
        reader.receiveGap(count, direction, at: CaptureTime(nanoseconds: 0), into: &events)
        take([])
    }

    mutating func finish() {
        events.removeAll(keepingCapacity: true)
        reader.finish(at: CaptureTime(nanoseconds: 0), into: &events)
        take([])
    }

    private mutating func take(_ input: [UInt8]) {
        for event in events {
            let source = event.source == .input ? input : reader.held
            let fields = reader.fields[event.fields].map { field in
                Told.Field(
                    name: field.nameBytes.map { String(decoding: reader.fieldBytes[$0], as: UTF8.self) },
                    value: field.value.map { String(decoding: reader.fieldBytes[$0], as: UTF8.self) },
                    entry: field.entry,
                    epoch: field.epoch)
            }
            let now = Told(
                kind: event.kind, direction: event.direction, flags: event.flags, stream: event.stream,
                bytes: event.kind == .data ? Array(source[event.bytes]) : [], fields: fields, count: event.count,
                frameLength: event.frameLength, code: event.code, wireBytes: event.wireBytes, time: event.time)
            var list = told[event.direction] ?? []
            if event.kind == .data, !event.flags.contains(.frameStart), var last = list.last, last.kind == .data {
                last.bytes += now.bytes
                last.flags.formUnion(now.flags)
                last.wireBytes += now.wireBytes
                list[list.count - 1] = last
            } else {
                list.append(now)
            }
            told[event.direction] = list
        }
    }

    /// Whether nothing was told at all.
    var isSilent: Bool { told.values.allSatisfy { $0.isEmpty } }

    func sections(_ direction: Direction) -> [Told] { (told[direction] ?? []).filter { $0.kind == .fieldSection } }
}
