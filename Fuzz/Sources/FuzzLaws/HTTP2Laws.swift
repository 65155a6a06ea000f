import HTTP2
import Wire

/// Frames and HPACK: the input is an `HTTP2Input`. What its server says, a client is told too (`HTTP2ClientLaws`).
///
/// Where boundaries have to be found, where segments begin is evidence, so a split may find them elsewhere: the law of
/// splits holds up to the first `.desynchronized` of a direction.
enum HTTP2Laws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let whole = try read(bytes) { $0 }
        var dice = InputDice(bytes)
        let pieces = try read(bytes) { dice.piece(of: $0) }
        for direction in Direction.allCases {
            let side = Int(direction.rawValue)
            let found = pieces.told[side]
            let expected = whole.told[side]
            if let index = firstDifference(found, expected) {
                func event(_ told: [ToldEvent]) -> String { index < told.count ? told[index].description : "no event" }
                throw BrokenLaw(
                    law: "any split gives the same events",
                    found: "\(direction) \(index): \(event(found)), not \(event(expected))")
            }
        }
        if whole.isInStep, pieces.isInStep {
            try BrokenLaw.unlessEqual(pieces.health, whole.health, "any split gives the same health")
        }
        try HTTP2ClientLaws.check(bytes)
    }

    /// The first event in which they differ, of those before the first loss of step.
    private static func firstDifference(_ found: [ToldEvent], _ expected: [ToldEvent]) -> Int? {
        for index in 0..<max(found.count, expected.count) {
            guard index < found.count, index < expected.count else { return index }
            if found[index] != expected[index] { return index }
        }
        return nil
    }

    private struct Reading {
        /// By direction, up to the first loss of step.
        var told: [[ToldEvent]] = [[], []]
        var isInStep = true
        var health = HTTP2Health()
    }

    private static let smallLimits: ConnectionLimits = {
        var limits = ConnectionLimits()
        limits.fieldBlockBytes = 256
        limits.tableBytes = 128
        limits.huntingBytes = 512
        limits.huntingCandidates = 2
        limits.huntingMarks = 4
        limits.textBytes = 256
        limits.bytesUntilOther = 64
        return limits
    }()

    /// Bytes that a reader may hold beside what its limits name: text of the static table, arrays that double.
    private static let spareBytes = 1 << 20

    private static func read(_ input: Span<UInt8>, piece: (Int) -> Int) throws(BrokenLaw) -> Reading {
        var source = InputReader(input)
        let options = source.byte(input)
        let limits = options & HTTP2Input.smallLimits == 0 ? ConnectionLimits() : smallLimits
        var reader = ConnectionReader(limits: limits)
        reader.begin(.request, atStart: options & HTTP2Input.requestAtStart != 0)
        reader.begin(.response, atStart: options & HTTP2Input.responseAtStart != 0)
        var reading = Reading()
        var isOutOfStep = [false, false]
        var given = 0
        var time = CaptureTime(nanoseconds: 0)
        var events: [HTTP2Event] = []
        let nothing: [UInt8] = []

        func take(_ bytes: Span<UInt8>, _ direction: Direction?) throws(BrokenLaw) {
            for event in events {
                let side = Int(event.direction.rawValue)
                try BrokenLaw.unless(
                    direction == nil || event.direction == direction, "events are of the direction that was read",
                    "\(event)")
                let told = try ToldEvent(event, of: reader, input: bytes)
                if event.kind == .desynchronized {
                    isOutOfStep[side] = true
                    reading.isInStep = false
                }
                if isOutOfStep[side] { continue }
                if let last = reading.told[side].indices.last, reading.told[side][last].isContinued(by: told) {
                    reading.told[side][last].join(told)
                } else {
                    reading.told[side].append(told)
                }
            }
            events.removeAll(keepingCapacity: true)
            let health = reader.health
            try BrokenLaw.unless(
                health.undecodableBytes >= 0 && health.undecodableBytes <= given,
                "no more bytes are undecodable than were given", "\(health.undecodableBytes) of \(given)")
            try BrokenLaw.unless(
                reader.memoryBytes <= limits.huntingBytes * 4 + limits.fieldBlockBytes * 2 + limits.tableBytes * 8
                    + spareBytes + bytes.count * 4,
                "memory stays within the limits", "\(reader.memoryBytes)")
        }

        while !source.isAtEnd {
            time.nanoseconds += 1_000
            switch HTTP2Input.Record(&source, input) {
            case .gap(let count, let direction):
                reader.receiveGap(count, direction, at: time, into: &events)
                try take(nothing.span, direction)
            case .bytes(let range, let direction):
                var start = range.lowerBound
                while start < range.upperBound {
                    let end = start + piece(range.upperBound - start)
                    let bytes = input.extracting(start..<end)
                    reader.receive(bytes, direction, at: time, into: &events)
                    given += bytes.count
                    try take(bytes, direction)
                    start = end
                }
            }
        }
        reader.finish(at: time, into: &events)
        try take(nothing.span, nil)
        reading.health = reader.health
        if reader.health.resynchronizations > 0 || reader.content != .http2 { reading.isInStep = false }
        return reading
    }
}

/// What an event says, without the places where its reader keeps that.
struct ToldEvent: Equatable, CustomStringConvertible {
    private struct Field: Equatable {
        var name: HeaderField.Name
        var nameText: [UInt8]?
        var value: [UInt8]?
        var entry: Int64?
        var epoch: UInt32
    }

    private var event: HTTP2Event
    private var bytes: [UInt8]
    private var fields: [Field] = []

    /// Checks that everything lies where the event says.
    init(_ event: HTTP2Event, of reader: ConnectionReader, input: Span<UInt8>) throws(BrokenLaw) {
        self.event = event
        let source = event.source == .input ? input : reader.held.span
        try BrokenLaw.unless(
            event.bytes.lowerBound >= 0 && event.bytes.upperBound <= source.count, "data lies in its source",
            "\(event.bytes) of \(source.count)")
        try BrokenLaw.unless(
            event.count >= 0 && event.wireBytes >= 0 && event.frameLength >= 0 && event.frameLength < 1 << 24,
            "counts are no less than nothing, frames below 16 MiB", "\(event)")
        try BrokenLaw.unless(
            event.kind == .data || event.bytes.isEmpty, "only data has bytes", "\(event)")
        bytes = source.extracting(event.bytes).copied()
        try BrokenLaw.unless(
            event.fields.lowerBound >= 0 && event.fields.upperBound <= reader.fields.count, "fields are the reader's",
            "\(event.fields) of \(reader.fields.count)")
        for field in reader.fields[event.fields] {
            for range in [field.value, field.nameBytes] {
                guard let range else { continue }
                try BrokenLaw.unless(
                    range.upperBound <= reader.fieldBytes.count, "text lies in the reader's",
                    "\(range) of \(reader.fieldBytes.count)")
            }
            fields.append(
                Field(
                    name: field.name, nameText: field.nameBytes.map { Array(reader.fieldBytes[$0]) },
                    value: field.value.map { Array(reader.fieldBytes[$0]) }, entry: field.entry, epoch: field.epoch))
        }
        // Where things lie depends on the split.
        self.event.bytes = 0..<0
        self.event.fields = 0..<0
        self.event.source = .input
    }

    /// Whether `next` is a further piece of this DATA frame.
    func isContinued(by next: ToldEvent) -> Bool {
        event.kind == next.event.kind && (event.kind == .data || event.kind == .dataLost)
            && event.stream == next.event.stream && !next.event.flags.contains(.frameStart)
    }

    mutating func join(_ next: ToldEvent) {
        bytes += next.bytes
        event.flags.formUnion(next.event.flags)
        event.wireBytes += next.event.wireBytes
        event.count += next.event.count
    }

    var description: String { "\(event) \(bytes) \(fields)" }
}
