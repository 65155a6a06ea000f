import FuzzLaws
import HTTP2
import Packets
import Wire

/// What connections carried, as inputs of `http2` and `etcd`: from their start, and from later on.
struct StreamSeeds {
    private(set) var http2: [[UInt8]] = []
    private(set) var etcd: [[UInt8]] = []

    /// A connection: a reader, and a seed of each kind that grows.
    private struct Connection {
        var reader = ConnectionReader()
        var begun = [false, false]
        var bytes: HTTP2Input
        var events: EtcdInput

        init(isFromStart: Bool) {
            bytes = HTTP2Input(isFromStart: isFromStart)
            events = EtcdInput(isFromStart: isFromStart)
        }
    }

    private var tracker = ConnectionTracker(ports: [2379])
    private var connections: [Int: Connection] = [:]

    mutating func read(_ packets: [SeedCutter.Packet]) {
        var events: [StreamEvent] = []
        for packet in packets {
            tracker.receive(
                packet.bytes.span, originalLength: packet.bytes.count, linkType: packet.linkType, at: packet.time,
                into: &events)
            for event in events { take(event, of: packet.bytes) }
            events.removeAll(keepingCapacity: true)
        }
    }

    private mutating func take(_ event: StreamEvent, of packet: [UInt8]) {
        switch event.kind {
        case .opened:
            let isFromStart = tracker.connection(event.slot).start == .seen
            connections[event.slot] = Connection(isFromStart: isFromStart)
        case .data:
            let source = event.source == .packet ? packet : tracker.released
            let bytes = Array(source[event.bytes])
            guard var connection = connections[event.slot] else { return }
            connections[event.slot] = nil
            read(bytes, event, &connection)
            connections[event.slot] = connection
        case .gap: connections[event.slot]?.bytes.append(gap: min(event.count, 65_535), event.direction)
        case .closed:
            guard let connection = connections.removeValue(forKey: event.slot) else { return }
            http2.append(connection.bytes.bytes)
            etcd.append(connection.events.bytes)
        case .finished, .reset: break
        }
    }

    private mutating func read(_ bytes: [UInt8], _ event: StreamEvent, _ connection: inout Connection) {
        let side = Int(event.direction.rawValue)
        if !connection.begun[side] {
            connection.begun[side] = true
            let isAtStart = tracker.connection(event.slot)[event.direction].beginsAtStart
            connection.reader.begin(event.direction, atStart: isAtStart)
        }
        connection.bytes.append(Array(bytes.prefix(60_000)), event.direction)
        var events: [HTTP2Event] = []
        connection.reader.receive(bytes.span, event.direction, at: event.time, into: &events)
        for event in events { append(event, bytes, connection.reader, to: &connection.events) }
        if connection.bytes.bytes.count >= SeedCutter.seedBytes {
            http2.append(connection.bytes.bytes)
            connection.bytes = HTTP2Input(isFromStart: false)
        }
        if connection.events.bytes.count >= SeedCutter.seedBytes {
            etcd.append(connection.events.bytes)
            connection.events = EtcdInput(isFromStart: false)
        }
    }

    private func append(
        _ event: HTTP2Event, _ input: [UInt8], _ reader: ConnectionReader, to seed: inout EtcdInput
    ) {
        var options: EtcdInput.Options = event.direction == .response ? .response : []
        if event.flags.contains(.endStream) { options.insert(.endStream) }
        switch event.kind {
        case .fieldSection:
            func value(_ name: HeaderField.Name) -> [UInt8] {
                let field = reader.fields[event.fields].first { $0.name == name }
                return field?.value.map { Array(reader.fieldBytes[$0]) } ?? []
            }
            switch event.direction {
            case .request: seed.append(.requestHeaders, options, stream: event.stream, value(.path))
            case .response where options.contains(.endStream):
                let content = value(.grpcStatus) + [0x0a] + value(.grpcMessage)
                seed.append(.trailers, options, stream: event.stream, content)
            case .response: seed.append(.responseHeaders, options, stream: event.stream)
            }
        case .data:
            let source = event.source == .input ? input : reader.held
            var content = Array(source[event.bytes].prefix(60_000))
            // A frame of one message is given as such: changes of its length then leave its prefix right.
            let isMessage =
                event.flags.contains(.frameStart) && content.count >= 5 && content.count == event.frameLength
            if !event.flags.contains(.frameStart) { options.insert(.sameFrame) }
            if isMessage { content.removeFirst(5) }
            seed.append(isMessage ? .message : .data, options, stream: event.stream, content)
        case .resetStream: seed.append(.reset, options, stream: event.stream)
        case .fieldSectionLost: seed.append(.headersLost, options, stream: event.stream)
        case .desynchronized: seed.append(.desynchronized, options, stream: 0)
        case .goAway: seed.append(.goAway, options, stream: event.stream)
        case .dataLost: break
        }
    }
}
