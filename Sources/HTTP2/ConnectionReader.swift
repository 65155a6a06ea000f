package import Wire

/// Reads the HTTP/2 frames and field sections of one connection as a listener, both directions.
///
/// Bytes are handed in by direction, in order, with gaps named. A direction may begin anywhere: at its start everything
/// is known; otherwise frame boundaries are found first, and HPACK entries of before stay nameable by number. Bytes
/// that are no HTTP/2 are counted and never decoded. Memory is bounded by `ConnectionLimits`, whatever comes in.
///
/// Times only say when frames were captured; nothing depends on them.
package struct ConnectionReader {
    private let limits: ConnectionLimits
    private var request: DirectionReader
    private var response: DirectionReader
    private var heldMarks: [FrameHunter.Mark] = []
    /// `fieldBytes` up to here is in use.
    private var textUsed: Int
    /// `textUsed` from which text that no table needs any more is dropped.
    private var textLimit: Int

    /// Bytes that events of the last call with source `.held` refer to.
    package private(set) var held: [UInt8] = []
    /// Fields that the last call's events refer to.
    package private(set) var fields: [HeaderField] = []
    /// Text of names and values of `fields`, and what else the reader keeps there.
    package private(set) var fieldBytes: [UInt8]

    // Stored, not computed, and set at the end of each call: whoever asks an element of an array for a computed
    // property of another module copies the element.

    /// What the connection carries, as far as its bytes have told.
    package private(set) var content: ConnectionContent
    /// Bytes that this reader holds, for those who share memory between connections; arrays that may keep capacity.
    package private(set) var memoryBytes = 0

    /// `content`: what is known of the connection already, when its earlier reader was forgotten.
    package init(limits: ConnectionLimits = ConnectionLimits(), content: ConnectionContent = .unknown) {
        self.limits = limits
        self.content = content
        request = DirectionReader(.request, limits: limits)
        response = DirectionReader(.response, limits: limits)
        fieldBytes = FieldText.prefix
        textUsed = fieldBytes.count
        textLimit = textUsed &+ limits.textBytes
    }

    /// Takes over the memory of a reader that is of no use any more, and nothing of what it knows. Precondition:
    /// nothing was read yet.
    package mutating func takeMemory(of old: inout ConnectionReader) {
        old.heldMarks.removeAll(keepingCapacity: true)
        swap(&heldMarks, &old.heldMarks)
        old.held.removeAll(keepingCapacity: true)
        swap(&held, &old.held)
        old.fields.removeAll(keepingCapacity: true)
        swap(&fields, &old.fields)
        // What every reader's text begins with stays.
        old.fieldBytes.removeLast(old.fieldBytes.count &- textUsed)
        swap(&fieldBytes, &old.fieldBytes)
        request.takeMemory(of: &old.request)
        response.takeMemory(of: &old.response)
    }

    /// Tells, before the first byte of `direction`, whether that byte is the first of the connection (its SYN was
    /// seen). Without this call the direction counts as joined midway, unless it begins with the client's preface.
    package mutating func begin(_ direction: Direction, atStart: Bool) {
        switch direction {
        case .request: request.begin(atStart: atStart)
        case .response: response.begin(atStart: atStart)
        }
    }

    /// Reads the next bytes of `direction`, one segment or any part of the stream, and appends what they say.
    ///
    /// Ranges in the events refer to `bytes`, or to `held`, `fields` and `fieldBytes`, which are valid until the next
    /// call.
    package mutating func receive(
        _ bytes: Span<UInt8>, _ direction: Direction, at time: CaptureTime, into events: inout [HTTP2Event]
    ) {
        beginCall()
        switch direction {
        case .request:
            request.allow(tableSize: response.tableSizeAnnounced, isKnown: response.settingsAreKnown)
            let context = context(.request)
            Self.read(
                bytes, by: &request, context: context, at: time, held: &held, marks: &heldMarks, into: &events,
                fields: &fields, text: &fieldBytes, used: &textUsed)
        case .response:
            response.allow(tableSize: request.tableSizeAnnounced, isKnown: request.settingsAreKnown)
            let context = context(.response)
            Self.read(
                bytes, by: &response, context: context, at: time, held: &held, marks: &heldMarks, into: &events,
                fields: &fields, text: &fieldBytes, used: &textUsed)
        }
        endCall()
    }

    /// The next `count` bytes of `direction` are missing and will not come. Nothing is concluded for the other
    /// direction.
    package mutating func receiveGap(
        _ count: Int, _ direction: Direction, at time: CaptureTime, into events: inout [HTTP2Event]
    ) {
        beginCall()
        switch direction {
        case .request: request.receiveGap(count, at: time, into: &events)
        case .response: response.receiveGap(count, at: time, into: &events)
        }
        endCall()
    }

    /// The connection or the recording is over: bytes that wait for more are counted, and an unfinished field section
    /// is reported lost. Nothing may be handed in afterwards.
    package mutating func finish(at time: CaptureTime, into events: inout [HTTP2Event]) {
        beginCall()
        request.finish(at: time, into: &events)
        response.finish(at: time, into: &events)
        endCall()
    }

    /// What `direction` said with a table of `HTTP2Event.Flags.reanchored` does not fit what followed: the table is
    /// forgotten.
    package mutating func forgetTable(_ direction: Direction) {
        switch direction {
        case .request: request.decoder.refute()
        case .response: response.decoder.refute()
        }
    }

    package var health: HTTP2Health { request.total + response.total }

    private mutating func beginCall() {
        if !fields.isEmpty { fields.removeAll(keepingCapacity: true) }
        if !held.isEmpty {
            held.removeAll(keepingCapacity: held.capacity <= limits.textBytes)
            heldMarks.removeAll(keepingCapacity: true)
        }
        if textUsed > textLimit { dropText() }
    }

    private mutating func endCall() {
        memoryBytes = fieldBytes.capacity &+ held.capacity &+ request.memoryBytes &+ response.memoryBytes
        if request.isHTTP2 || response.isHTTP2 {
            content = .http2
        } else if request.content != .unknown {
            content = request.content
        } else if response.content != .unknown {
            content = response.content
        } else if content == .unknown,
            request.health.undecodableBytes &+ response.health.undecodableBytes > limits.bytesUntilOther
        {
            content = .other
        }
    }

    /// Keeps the text of the entries of both tables only.
    private mutating func dropText() {
        let prefix = FieldText.prefix
        let text = fieldBytes
        var kept = prefix
        request.moveText(from: text.span, prefix: prefix.count, into: &kept)
        response.moveText(from: text.span, prefix: prefix.count, into: &kept)
        textUsed = kept.count
        textLimit = textUsed &+ limits.textBytes
        fieldBytes = kept
    }

    @inline(__always)
    private func context(_ direction: Direction) -> FrameHeader.Context {
        let tableSize = (direction == .request ? response.tableSizeAnnounced : request.tableSizeAnnounced) ?? 4096
        return FrameHeader.Context(
            direction: direction,
            frameBytes: direction == .request ? response.frameBytesAnnounced : request.frameBytesAnnounced,
            lastStream: max(request.lastStream, response.lastStream),
            streamsAhead: FrameHeader.streamsAhead(ofBytes: request.bytesAstray &+ response.bytesAstray),
            indexLimit: FieldText.staticTableCount &+ min(max(tableSize, 4096), limits.tableBytes) / 32)
    }

    private static func read(
        _ bytes: Span<UInt8>, by reader: inout DirectionReader, context: FrameHeader.Context, at time: CaptureTime,
        held: inout [UInt8], marks: inout [FrameHunter.Mark], into events: inout [HTTP2Event],
        fields: inout [HeaderField], text: inout [UInt8], used: inout Int
    ) {
        var offset = 0
        while true {
            offset = reader.read(
                bytes, from: offset, source: .input, marks: [], at: time, frameBytesMax: context.frameBytes,
                into: &events, fields: &fields, text: &text, used: &used)
            guard reader.phase == .hunting else { return }
            let start = offset
            guard let place = reader.hunt(bytes, from: start, isSegment: true, at: time, context: context) else {
                return
            }
            offset = max(place, start)
            let base = held.count
            reader.resume(held: start &- place, at: time, into: &held, marks: &marks, events: &events)
            if place >= start { continue }
            // Frames begin in what was held before. Where those turn out not to be frames after all, the hunt goes on
            // behind them, in place.
            var heldOffset = base
            while true {
                heldOffset = reader.read(
                    held.span, from: heldOffset, source: .held, marks: marks, at: time,
                    frameBytesMax: context.frameBytes, into: &events, fields: &fields, text: &text, used: &used)
                guard reader.phase == .hunting,
                    let place = reader.hunt(
                        held.span, from: heldOffset, isSegment: false, at: time, context: context)
                else { break }
                heldOffset = place
                reader.resume(held: 0, at: time, into: &held, marks: &marks, events: &events)
            }
        }
    }
}
