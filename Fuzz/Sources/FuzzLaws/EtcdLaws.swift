import Etcd
import HTTP2
import Wire

/// gRPC and etcd's messages: the input is an `EtcdInput`.
///
/// Not covered: that a message means what was read from it. For that the tests of `Etcd` hold the scanners against
/// code that protoc generated.
struct EtcdLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let whole = try EtcdLaws.run(bytes) { $0 }
        var dice = InputDice(bytes)
        let pieces = try EtcdLaws.run(bytes) { dice.piece(of: $0) }
        // What a call holds, and so whether it reaches a limit, depends on the pieces that its bytes come in; and of a
        // frame that comes after its call was given up, only the first piece finds it.
        if whole.hasSmallLimits || whole.clock - Self.clockStart >= whole.limits.lingering { return }
        if let difference = difference(pieces.context.output.batch, whole.context.output.batch) {
            throw BrokenLaw(law: "any split of DATA gives the same operations", found: difference)
        }
        try BrokenLaw.unlessEqual(pieces.health, whole.health, "any split of DATA gives the same health")
    }

    private static let smallLimits: CallLimits = {
        var limits = CallLimits()
        limits.openCalls = 4
        limits.heldBytes = 4096
        limits.requestBytes = 256
        limits.fieldBytes = 256
        limits.inflatedBytes = 4096
        limits.parts = 16
        limits.depth = 3
        limits.keyValues = 16
        limits.keyBytes = 64
        limits.deferredBytes = 256
        limits.unansweredMessages = 4
        limits.textBytes = 16
        return limits
    }()

    private static let clockStart: Int64 = 1_000_000_000
    private let hasSmallLimits: Bool
    private let limits: CallLimits
    private var calls: ConnectionCalls
    private var context: CallContext
    private var clock = Self.clockStart
    private var payloadBytes = 0

    private var health: CallHealth { context.output.health }

    private init(options: UInt8) {
        hasSmallLimits = options & EtcdInput.smallLimits != 0
        limits = hasSmallLimits ? Self.smallLimits : CallLimits()
        calls = ConnectionCalls(connection: 7, isFromStart: options & EtcdInput.isFromStart != 0)
        context = CallContext(limits: limits)
    }

    /// Runs the input; DATA comes in pieces, of the bytes that are left `piece` says how many are next.
    private static func run(_ input: Span<UInt8>, piece: (Int) -> Int) throws(BrokenLaw) -> EtcdLaws {
        var reader = InputReader(input)
        var laws = EtcdLaws(options: reader.byte(input))
        while !reader.isAtEnd {
            let record = EtcdInput.Record(&reader, input)
            laws.receive(record, input.extracting(record.content), piece)
            laws.clock += 1_000
            try laws.checkLimits()
        }
        _ = laws.calls.finish(at: CaptureTime(nanoseconds: laws.clock), context: &laws.context)
        try laws.checkEnd()
        return laws
    }

    // MARK: What happens

    private mutating func receive(_ record: EtcdInput.Record, _ content: Span<UInt8>, _ piece: (Int) -> Int) {
        let direction = record.direction
        let end: HTTP2Event.Flags = record.options.contains(.endStream) ? .endStream : []
        switch record.kind {
        case .requestHeaders: receiveRequestHeaders(record, content)
        case .responseHeaders:
            send(event(.fieldSection, .response, record.stream, end), fields: encoding(record.options))
        case .trailers:
            var middle = 0
            while middle < content.count, content[middle] != 0x0a { middle += 1 }
            let isKnown = !record.options.contains(.unknownValue)
            send(
                event(.fieldSection, .response, record.stream, .endStream),
                fields: [
                    (.grpcStatus, isKnown ? content.extracting(0..<middle).copied() : nil),
                    (.grpcMessage, content.extracting(min(middle + 1, content.count)..<content.count).copied()),
                ])
        case .message:
            var payload: [UInt8] = [record.options.contains(.compressed) ? 1 : 0, 0]
            payload += [UInt8(content.count >> 16), UInt8(content.count >> 8 & 0xff), UInt8(content.count & 0xff)]
            payload += content.copied()
            data(record, payload, end, piece)
        case .data: data(record, content.copied(), end, piece)
        case .dataLost:
            var lost = event(.dataLost, direction, record.stream, end.union([.frameStart, .frameEnd]))
            lost.count = record.length
            lost.frameLength = record.length
            lost.wireBytes = record.length + 9
            send(lost)
        case .headersLost: send(event(.fieldSectionLost, direction, record.stream, end))
        case .reset: send(event(.resetStream, direction, record.stream))
        case .desynchronized: send(event(.desynchronized, direction, 0))
        case .goAway: send(event(.goAway, direction, record.stream))
        case .pause: clock += Int64(record.length) * 1_000_000
        }
    }

    private typealias Field = (name: HeaderField.Name, value: [UInt8]?)

    private mutating func receiveRequestHeaders(_ record: EtcdInput.Record, _ content: Span<UInt8>) {
        var path = content.copied()
        if content.count == 1, let method = MethodCatalogue.method(MethodNumber(rawValue: UInt16(content[0]))) {
            path = Array(method.path.utf8)
        }
        let isKnown = !record.options.contains(.unknownValue)
        let fields: [Field] = [(.path, isKnown ? path : nil), (.userAgent, Array("grpc-go/1.81.1".utf8))]
        let end: HTTP2Event.Flags = record.options.contains(.endStream) ? .endStream : []
        send(event(.fieldSection, .request, record.stream, end), fields: fields + encoding(record.options))
    }

    private func encoding(_ options: EtcdInput.Options) -> [Field] {
        if options.contains(.foreignEncoding) { return [(.grpcEncoding, Array("snappy".utf8))] }
        return options.contains(.compressed) ? [(.grpcEncoding, Array("gzip".utf8))] : []
    }

    private func event(
        _ kind: HTTP2Event.Kind, _ direction: Direction, _ stream: UInt32, _ flags: HTTP2Event.Flags = []
    ) -> HTTP2Event {
        HTTP2Event(
            kind: kind, direction: direction, flags: flags, stream: stream, wireBytes: 9,
            time: CaptureTime(nanoseconds: clock))
    }

    private mutating func data(
        _ record: EtcdInput.Record, _ payload: [UInt8], _ end: HTTP2Event.Flags, _ piece: (Int) -> Int
    ) {
        let isNewFrame = !record.options.contains(.sameFrame)
        payloadBytes += payload.count
        var start = 0
        repeat {
            let next = payload.isEmpty ? 0 : start + piece(payload.count - start)
            var event = event(.data, record.direction, record.stream)
            event.wireBytes = next - start
            if start == 0, isNewFrame {
                event.flags.insert(.frameStart)
                event.frameLength = payload.count
                event.wireBytes += 9
            }
            if next == payload.count { event.flags.formUnion(end.union(.frameEnd)) }
            send(event, bytes: payload.span.extracting(start..<next))
            start = next
        } while start < payload.count
    }

    private mutating func send(_ event: HTTP2Event, fields: [Field] = []) {
        let nothing: [UInt8] = []
        send(event, bytes: nothing.span, fields: fields)
    }

    private mutating func send(_ event: HTTP2Event, bytes: Span<UInt8>, fields: [Field] = []) {
        var text: [UInt8] = []
        var headerFields: [HeaderField] = []
        for field in fields {
            var place: Range<Int>?
            if let value = field.value {
                place = text.count..<text.count + value.count
                text += value
            }
            headerFields.append(HeaderField(name: field.name, value: place, entry: nil, epoch: 0))
        }
        calls.receive(
            event, bytes: bytes, fields: headerFields.span, fieldBytes: text.span,
            at: CaptureTime(nanoseconds: clock + 500), context: &context)
    }

    // MARK: What must hold

    private func checkLimits() throws(BrokenLaw) {
        try BrokenLaw.unless(
            context.openCalls >= 0 && context.openCalls <= limits.openCalls, "no more calls than the limit are open",
            "\(context.openCalls)")
        try BrokenLaw.unless(
            context.heldBytes >= 0 && context.heldBytes <= limits.heldBytes, "held bytes stay within the limit",
            "\(context.heldBytes) of \(limits.heldBytes)")
    }

    private func checkEnd() throws(BrokenLaw) {
        try BrokenLaw.unlessEqual(context.openCalls, 0, "no call is open at the end")
        try BrokenLaw.unlessEqual(context.heldBytes, 0, "nothing is held at the end")
        try BatchLaws.checkReferences(context.output.batch)
        var calls: Int64 = 0
        var callBytes: Int64 = 0
        for operation in context.output.batch.operations where operation.role == .call {
            calls += Int64(operation.requestMessages) + Int64(operation.responseMessages)
            callBytes += operation.requestBytes + operation.responseBytes
        }
        try BrokenLaw.unlessEqual(health.messages, calls, "the messages of the calls are all messages")
        try BrokenLaw.unless(
            callBytes >= 0 && callBytes <= Int64(payloadBytes), "messages have no more bytes than came",
            "\(callBytes) of \(payloadBytes)")
        try BrokenLaw.unless(
            health.messagesUndecodable >= 0 && health.messagesUndecodable <= health.messages,
            "messages that cannot be read are some of all", "\(health)")
    }
}
