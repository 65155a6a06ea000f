import HTTP2
import TestSupport
import Wire

/// A connection as a kube-apiserver and an etcd make it, in bytes, with the truth about every field section.
struct RecordedConnection {
    struct Section {
        var direction: Direction
        var stream: Int
        var endStream: Bool
        var fields: [TextField]
        /// Where the HEADERS frame and its CONTINUATIONs lie in the direction's bytes.
        var bytes: Range<Int>
        /// By place: the number of the insertion that the field is the entry of, nil for static ones.
        var serials: [Int?]
    }

    struct Options {
        var requests = 40
        /// Padding, PRIORITY, CONTINUATION, unknown types: what real peers do not send, but may.
        var isUnusual = false
        /// One message far above a frame's maximum.
        var bigMessageBytes = 0
        /// New `grpc-timeout` with each call, which turns the table over.
        var deadlines = true
        var isCCore = false
    }

    private(set) var bytes: [Direction: [UInt8]] = [.request: [], .response: []]
    private(set) var sections: [Section] = []
    /// Where frames begin, by direction.
    private(set) var boundaries: [Direction: [Int]] = [.request: [0], .response: [0]]
    private var encoders: [Direction: FieldBlockEncoder] = [.request: .init(), .response: .init()]
    private let options: Options
    private var random: SplitMix64

    static let methods = [
        "/etcdserverpb.KV/Txn", "/etcdserverpb.KV/Range", "/etcdserverpb.Lease/LeaseGrant", "/etcdserverpb.Watch/Watch",
    ]

    init(seed: UInt64, _ options: Options = Options()) {
        self.options = options
        random = SplitMix64(seed: seed)
        append(Frame.preface, .request)
        append(Frame.settings(), .request)
        append(Frame.settings([(5, 16_384)]), .response)
        append(Frame.settings(ack: true), .response)
        append(Frame.settings(ack: true), .request)
        for call in 0..<options.requests { appendCall(call) }
    }

    private mutating func append(_ frame: [UInt8], _ direction: Direction) {
        bytes[direction, default: []] += frame
        boundaries[direction, default: []].append(bytes[direction, default: []].count)
    }

    private mutating func appendCall(_ call: Int) {
        let stream = call * 2 + 1
        let method = Self.methods[Int.random(in: 0..<(call < 10 ? 2 : 4), using: &random)]
        let timeout = TextField("grpc-timeout", "\(33_999_000 + call * 7 % 1000)u")
        var fields: [TextField]
        if options.isCCore {
            fields = [
                TextField(":path", method), TextField(":authority", "127.0.0.1:2379"), TextField(":method", "POST"),
                TextField(":scheme", "http"), TextField("content-type", "application/grpc"),
                TextField("te", "trailers"),
                TextField("grpc-accept-encoding", "identity, deflate, gzip"),
            ]
            if options.deadlines { fields.append(timeout) }
            fields.append(TextField("user-agent", "grpc-python/1.85.0 grpc-c/52.0.0"))
        } else {
            fields = [
                TextField(":method", "POST"), TextField(":scheme", "http"), TextField(":path", method),
                TextField(":authority", "127.0.0.1:2379"), TextField("content-type", "application/grpc"),
                TextField("user-agent", "grpc-go/1.81.1"), TextField("te", "trailers"),
                TextField("grpc-accept-encoding", "gzip"),
            ]
            if options.deadlines { fields.append(timeout) }
            if Int.random(in: 0..<20, using: &random) == 0 { fields.append(TextField("hasleader", "true")) }
        }
        if call % 3 == 0 {
            append(Frame.windowUpdate(), .request)
            append(Frame.ping(), .request)
            append(Frame.ping(ack: true), .response)
        }
        appendSection(fields, stream: stream, endStream: false, .request)
        let size = call == options.requests / 2 ? options.bigMessageBytes : Int.random(in: 20..<90, using: &random)
        appendMessage(size, stream: stream, endStream: true, .request)
        appendSection(
            [TextField(":status", "200"), TextField("content-type", "application/grpc")], stream: stream,
            endStream: false,
            .response)
        appendMessage(size / 2 + 28, stream: stream, endStream: false, .response)
        let fails = Int.random(in: 0..<25, using: &random) == 0
        let text = fails ? "etcdserver: request \(Int.random(in: 0..<6, using: &random)) refused" : ""
        appendSection(
            [TextField("grpc-status", fails ? "9" : "0"), TextField("grpc-message", text)], stream: stream,
            endStream: true,
            .response)
    }

    private mutating func appendSection(_ fields: [TextField], stream: Int, endStream: Bool, _ direction: Direction) {
        var encoder = encoders[direction, default: .init()]
        let block = encoder.encode(fields)
        let serials = fields.map { encoder.serial(of: $0) }
        encoders[direction] = encoder
        let start = bytes[direction, default: []].count
        let end: UInt8 = endStream ? 1 : 0
        if options.isUnusual {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                append(
                    Frame.frame(1, flags: 0x2c | end, stream: stream, [3, 0, 0, 0, 0, 16] + block + [0, 0, 0]),
                    direction)
            case 1:
                let cut = Int.random(in: 0...block.count, using: &random)
                append(Frame.frame(1, flags: end, stream: stream, Array(block[..<cut])), direction)
                append(Frame.frame(9, stream: stream), direction)
                append(Frame.frame(9, flags: 4, stream: stream, Array(block[cut...])), direction)
            case 2:
                append(Frame.frame(0x42, flags: 0xff, stream: stream, random.bytes(7)), direction)
                append(Frame.frame(2, stream: stream, [0, 0, 0, 0, 7]), direction)
                append(Frame.frame(1, flags: 4 | end, stream: stream, block), direction)
            default:
                append(Frame.frame(1, flags: 0x24 | end, stream: stream, [0, 0, 0, 0, 16] + block), direction)
            }
        } else {
            append(Frame.headers(block, stream: stream, endStream: endStream), direction)
        }
        sections.append(
            Section(
                direction: direction, stream: stream, endStream: endStream, fields: fields,
                bytes: start..<bytes[direction, default: []].count,
                serials: serials))
    }

    private mutating func appendMessage(_ size: Int, stream: Int, endStream: Bool, _ direction: Direction) {
        let message = random.bytes(size)
        if options.isUnusual, Int.random(in: 0..<2, using: &random) == 0 {
            let prefixed = [0] + Frame.bigEndian(size) + message
            for (index, start) in stride(from: 0, to: prefixed.count, by: 9000).enumerated() {
                let end = min(start + 9000, prefixed.count)
                append(Frame.data([], stream: stream, padding: index), direction)
                append(
                    Frame.data(
                        Array(prefixed[start..<end]), stream: stream, endStream: endStream && end == prefixed.count,
                        padding: Int.random(in: 0..<200, using: &random)), direction)
            }
            return
        }
        var frames = Frame.message(message, stream: stream, endStream: endStream)[...]
        while frames.count >= 9 {
            let first = frames.startIndex
            let length = 9 + (Int(frames[first]) << 16 | Int(frames[first + 1]) << 8 | Int(frames[first + 2]))
            append(Array(frames.prefix(length)), direction)
            frames = frames.dropFirst(length)
        }
    }

    func sections(_ direction: Direction) -> [Section] { sections.filter { $0.direction == direction } }

    /// The section that `told` is of, when everything that it claims is true; what it does not know is left out.
    func section(of told: Told) -> Section? {
        sections.first { section in
            section.direction == told.direction && section.stream == told.stream
                && section.endStream == told.flags.contains(.endStream) && section.fields.count == told.fields.count
                && zip(section.fields, told.fields).allSatisfy { truth, field in
                    (field.name == nil || field.name == truth.name)
                        && (field.value == nil || field.value == truth.value)
                }
        }
    }
}
