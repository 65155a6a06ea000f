package import HTTP2
package import Wire

/// The calls of one connection: turns its HTTP/2 events, both directions, into operations.
///
/// A direction's events come in the order of its bytes; the two directions may be out of step with each other, because
/// recorders deliver late. So a call begins with whichever direction's frame comes first, and when one side has ended,
/// the other side's bytes are waited for (`CallLimits.lingering`) unless nothing more can come.
///
/// Calls whose `:path` was not seen are named by what their messages can be, together with the other calls of the same
/// header-table entry (`EntryNames`), as soon as that leaves one method; those that it does not stay `ambiguous`.
package struct ConnectionCalls {
    let connection: UInt32
    let isFromStart: Bool
    private(set) var table = StreamTable()
    private var ended = EndedStreams()
    /// Numbers of streams whose request HEADERS were seen; every stream above the lowest began inside the recording.
    var lowestHeaders = UInt32.max
    private var highestHeaders: UInt32 = 0
    private var highestStream: UInt32 = 0
    /// Calls that wait for the other direction's bytes.
    private var lingering = LingeringCalls()
    /// Streams of calls that were evicted are not told from new ones but by their numbers.
    private var lostStreams = false
    /// Directions that were told of since the last time that they lost their step: only then is there more to lose.
    private var isRequestTold = false
    private var isResponseTold = false

    // Names of calls whose `:path` was not seen.

    var names: EntryNames
    var closedSet = ClosedSet()
    /// Calls that wait for a name without an entry: slots of the pool, and streams.
    var lone: [(slot: Int32, stream: UInt32)] = []
    /// When the first call began to wait; `absent` if none does.
    var firstWaiting = Operation.absent
    var statuses = StatusEntries()
    /// A name that was read with a re-anchored table does not fit its call: the table has to be forgotten. Set back by
    /// who has done so.
    package var tableIsRefuted = false

    /// The client's `user-agent`, empty until it was seen.
    package private(set) var userAgent: [UInt8] = []

    /// - Parameters:
    ///   - connection: its number in the trace.
    ///   - isFromStart: whether everything that it carried was on the wire during the recording.
    package init(connection: UInt32, isFromStart: Bool, limits: CallLimits = CallLimits()) {
        self.connection = connection
        self.isFromStart = isFromStart
        names = EntryNames(limit: limits.entryNames)
    }

    /// Takes over the memory of a connection that is over, and nothing of what is known of it.
    package mutating func takeMemory(of old: inout ConnectionCalls) {
        table.takeMemory(of: &old.table)
        ended.takeMemory(of: &old.ended)
        lingering.takeMemory(of: &old.lingering)
        names.takeMemory(of: &old.names)
        old.userAgent.removeAll(keepingCapacity: true)
        swap(&userAgent, &old.userAgent)
    }

    /// Calls that are open, or wait for late bytes.
    package var openCalls: Int { table.count }

    /// Takes the next event.
    /// - Parameters:
    ///   - bytes: the DATA that the event names; empty for other events.
    ///   - fields: the fields of the section that it names, with their values' bytes in `fieldBytes`.
    ///   - time: when the last byte of the event was captured; `event.time` is its frame's first byte.
    package mutating func receive(
        _ event: HTTP2Event, bytes: Span<UInt8>, fields: Span<HeaderField>, fieldBytes: Span<UInt8>,
        at time: CaptureTime, context: inout CallContext
    ) {
        read(event, bytes: bytes, fields: fields, fieldBytes: fieldBytes, at: time, &context)
        // Afterwards: the event may be what an ended call waits for, or tell that it was lost.
        if !lingering.isEmpty { emitLingering(at: time.nanoseconds, &context) }
        if firstWaiting != Operation.absent { endLongWaits(at: time.nanoseconds, &context) }
    }

    private mutating func read(
        _ event: HTTP2Event, bytes: Span<UInt8>, fields: Span<HeaderField>, fieldBytes: Span<UInt8>,
        at time: CaptureTime, _ context: inout CallContext
    ) {
        switch event.kind {
        case .desynchronized:
            if !event.flags.contains(.joined) { desynchronize(event.direction, &context) }
            return
        // What was not processed stays unfinished: the client tries it again elsewhere (RFC 9113 §6.8).
        case .goAway: return
        case .fieldSection, .data, .dataLost, .fieldSectionLost, .resetStream: break
        }
        // Clients open streams of odd numbers (RFC 9113 §5.1.1); etcd pushes none.
        guard event.stream & 1 == 1, let slot = slot(of: event, &context) else { return }
        isRequestTold = true
        isResponseTold = true
        switch event.direction {
        case .request:
            receiveRequest(
                event, &context.calls[slot], bytes: bytes, fields: fields, fieldBytes: fieldBytes, at: time,
                &context.output)
        case .response:
            receiveResponse(
                event, &context.calls[slot], bytes: bytes, fields: fields, fieldBytes: fieldBytes, at: time,
                &context.output)
        }
        // Not within a frame: what else it holds belongs to the call, in however many pieces it comes.
        let isData = if case .data = event.kind { true } else { false }
        if !isData || event.flags.contains(.frameEnd) {
            if concludeIfOver(slot, event.stream, at: time.nanoseconds, &context) { return }
            if isData, context.calls[slot].marks.contains(.collecting) { judgeOpen(slot, &context) }
        }
        // May evict calls, this one too.
        if context.calls[slot].isHoldingMuch() { context.account(slot) }
    }

    /// The connection is over, or the recording: calls that are open are unfinished. False when the batch had as many
    /// operations before all were written: it should be taken, and this called again.
    package mutating func finish(
        at time: CaptureTime, upTo operations: Int = .max, context: inout CallContext
    ) -> Bool {
        var streams = context.takeStreams()
        defer { context.giveBack(&streams) }
        table.sort(into: &streams)
        for (stream, slot) in streams {
            if context.output.batch.operations.count >= operations { return false }
            conclude(slot, stream, at: time.nanoseconds, &context)
            table.remove(stream)
        }
        concludeNames(&context)
        return true
    }

    // MARK: - Streams

    /// The slot of the event's call, a new one if it is the first of its stream; nil for late frames of a call that
    /// ended.
    private mutating func slot(of event: HTTP2Event, _ context: inout CallContext) -> Int? {
        let stream = event.stream
        if let slot = table.slot(of: stream) {
            if context.holds(slot, connection: connection, stream: stream) { return slot }
            forgetEvicted(stream)
            return nil
        }
        let isHeaders =
            switch (event.direction, event.kind) {
            case (.request, .fieldSection), (.request, .fieldSectionLost): true
            default: false
            }
        if stream <= highestStream, ended.contains(stream) || lostStreams && !isHeaders { return nil }
        let slot = context.open(connection: connection, stream: stream)
        if table.isFull { forgetEvicted(&context) }
        table.insert(stream, slot: slot)
        highestStream = max(highestStream, stream)
        if isFromStart || stream > lowestHeaders || isHeaders { context.calls[slot].marks.insert(.begunInside) }
        if !isHeaders {
            context.calls[slot].marks.insert(.collecting)
            // DATA without HEADERS before it may begin anywhere.
            context.calls[slot].request.drift()
            context.calls[slot].marks.insert(.firstMessageUncertain)
            // The request's HEADERS may still come if that direction has not got so far.
            if case .response = event.direction, stream > highestHeaders {
                context.calls[slot].marks.insert(.deferring)
            }
        }
        context.calls[slot].response.drift()
        return slot
    }

    /// Takes a stream off the table whose call was evicted.
    private mutating func forgetEvicted(_ stream: UInt32) {
        table.remove(stream)
        ended.insert(stream)
        lostStreams = true
    }

    /// Takes all streams off the table whose calls were evicted: one-sided recordings bring no other event of them.
    private mutating func forgetEvicted(_ context: inout CallContext) {
        for (stream, slot) in table.all where !context.holds(slot, connection: connection, stream: stream) {
            forgetEvicted(stream)
        }
    }

    private mutating func emit(_ slot: Int, _ stream: UInt32, at time: Int64, _ context: inout CallContext) {
        conclude(slot, stream, at: time, &context)
        table.remove(stream)
        ended.insert(stream)
    }

    private mutating func conclude(_ slot: Int, _ stream: UInt32, at time: Int64, _ context: inout CallContext) {
        guard context.holds(slot, connection: connection, stream: stream) else { return }
        if context.calls[slot].marks.contains(.collecting) {
            concludeUnnamed(slot, stream, at: time, &context)
        } else {
            write(slot, begunInside: hasBegunInside(stream), &context)
        }
    }

    /// Whether it is certain that the stream began inside the recording.
    func hasBegunInside(_ stream: UInt32) -> Bool { isFromStart || stream > lowestHeaders }

    /// Emits the call if both sides have ended, or one has and nothing that matters can come from the other.
    /// - Returns: whether it was emitted.
    private mutating func concludeIfOver(
        _ slot: Int, _ stream: UInt32, at time: Int64, _ context: inout CallContext
    ) -> Bool {
        switch context.calls[slot].conclude(at: time) {
        case .isOpen: return false
        case .isOver:
            emit(slot, stream, at: time, &context)
            return true
        case .lingers:
            linger(LingeringCalls.Entry(slot: Int32(slot), stream: stream, endedAt: time), &context)
            return false
        }
    }

    private mutating func linger(_ entry: LingeringCalls.Entry, _ context: inout CallContext) {
        if lingering.isFull {
            // Most have ended on the other side too by now.
            let number = connection
            lingering.keep { context.holds(Int($0.slot), connection: number, stream: $0.stream) }
        }
        lingering.append(entry)
    }

    /// Emits the calls that have waited long enough for the other direction's bytes.
    private mutating func emitLingering(at time: Int64, _ context: inout CallContext) {
        let (limit, overflow) = time.subtractingReportingOverflow(context.limits.lingering)
        guard !overflow else { return }
        while let entry = lingering.takeFirst(until: limit) {
            guard context.holds(Int(entry.slot), connection: connection, stream: entry.stream) else { continue }
            emit(Int(entry.slot), entry.stream, at: time, &context)
        }
    }

    /// Bytes of one direction were lost in which anything may have been.
    private mutating func desynchronize(_ direction: Direction, _ context: inout CallContext) {
        switch direction {
        case .request:
            guard isRequestTold else { return }
            isRequestTold = false
        case .response:
            guard isResponseTold else { return }
            isResponseTold = false
        }
        var deferring: [(stream: UInt32, slot: Int)] = []
        for (stream, slot) in table.all where context.holds(slot, connection: connection, stream: stream) {
            if context.calls[slot].marks.contains(.deferring) {
                deferring.append((stream, slot))
            } else {
                Self.desynchronize(&context.calls[slot], direction, &context.output)
            }
        }
        // These may write operations, in an order that must not depend on the table's.
        deferring.sort { $0.stream < $1.stream }
        for (_, slot) in deferring { Self.desynchronize(&context.calls[slot], direction, &context.output) }
    }

    private static func desynchronize(_ call: inout PendingCall, _ direction: Direction, _ output: inout CallOutput) {
        switch direction {
        case .request:
            if call.marks.contains(.requestEnded) { return }
            call.loseRequest(isWithinMessage: call.request.isWholeSoFar, &output)
            call.request.drift()
            if call.marks.contains(.requestHeaders) { call.stopDeferring(&output) }
        case .response:
            if call.marks.contains(.responseEnded) { return }
            call.stopDeferring(&output)
            call.loseResponse(isWithinMessage: call.response.isWholeSoFar, &output)
            call.response.drift()
        }
    }

    // MARK: - Requests

    private mutating func receiveRequest(
        _ event: HTTP2Event, _ call: inout PendingCall, bytes: Span<UInt8>, fields: Span<HeaderField>,
        fieldBytes: Span<UInt8>,
        at time: CaptureTime, _ output: inout CallOutput
    ) {
        if call.requestStart == Operation.absent {
            call.requestStart = event.time.nanoseconds
        }
        if case .resetStream = event.kind {} else { call.requestEnd = time.nanoseconds }
        call.requestWireBytes &+= Int64(event.wireBytes)
        switch event.kind {
        case .fieldSection, .fieldSectionLost:
            if !call.marks.contains(.requestHeaders) {
                lowestHeaders = min(lowestHeaders, event.stream)
                highestHeaders = max(highestHeaders, event.stream)
                call.beginRequest()
                if case .fieldSection = event.kind {
                    takeRequestFields(&call, fields, fieldBytes, &output)
                    if event.flags.contains(.reanchored) { call.marks.insert(.nameUnproven) }
                } else {
                    call.completeness.insert(.requestHeadersLost)
                    call.marks.insert(.collecting)
                }
                if !call.awaitsFirstMessage { call.stopDeferring(&output) }
            }
        case .data:
            if !call.marks.contains(.requestHeaders) { call.stopDeferring(&output) }
            call.receiveRequest(
                bytes,
                DataPiece(
                    isFrameStart: event.flags.contains(.frameStart), frameLength: event.frameLength,
                    start: event.time.nanoseconds, end: time.nanoseconds), &output)
            if !call.awaitsFirstMessage { call.stopDeferring(&output) }
        case .dataLost:
            call.loseRequest(byteCount: event.count, &output)
            call.stopDeferring(&output)
        case .resetStream:
            call.marks.insert(.requestEnded)
            call.completeness.insert(.resetByClient)
            if call.requestEnd == event.time.nanoseconds {
                call.completeness.insert(.withdrawn)
            }
            // A unary request had ended before; a stream's client ends it with this.
            if call.kind == .watch || call.kind == .leaseKeepAlive { call.requestEnd = event.time.nanoseconds }
        case .goAway, .desynchronized: break
        }
        if event.flags.contains(.endStream) {
            call.endRequest(&output)
            call.stopDeferring(&output)
        }
    }

    private mutating func takeRequestFields(
        _ call: inout PendingCall, _ fields: Span<HeaderField>, _ fieldBytes: Span<UInt8>, _ output: inout CallOutput
    ) {
        var path = -1
        for place in 0..<fields.count {
            switch fields[place].name {
            case .path:
                if let value = fields[place].value {
                    call.nameCall(path: fieldBytes.extracting(value), &output)
                    path = place
                }
            case .grpcEncoding:
                if let value = fields[place].value, fieldBytes.extracting(value).isForeignEncoding {
                    call.marks.insert(.requestEncodingForeign)
                }
            case .userAgent:
                if userAgent.isEmpty, let value = fields[place].value {
                    let count = min(value.count, output.limits.textBytes)
                    userAgent.append(copying: fieldBytes.extracting(value.lowerBound..<value.lowerBound + count))
                }
            default: break
            }
        }
        if path < 0 {
            placeUnnamed(&call, fields, &output)
        } else {
            if call.marks.contains(.collecting) { call.readCollected(&output) }
            if !isFromStart || !names.isEmpty { seeName(call.method, fields, path: path) }
        }
    }

    // MARK: - Responses

    private mutating func receiveResponse(
        _ event: HTTP2Event, _ call: inout PendingCall, bytes: Span<UInt8>, fields: Span<HeaderField>,
        fieldBytes: Span<UInt8>,
        at time: CaptureTime, _ output: inout CallOutput
    ) {
        if call.responseStart == Operation.absent {
            call.responseStart = event.time.nanoseconds
        }
        call.responseEnd = time.nanoseconds
        call.responseWireBytes &+= Int64(event.wireBytes)
        // Once the request direction has got beyond this stream, its HEADERS do not come any more.
        if call.marks.contains(.deferring), event.stream <= highestHeaders,
            !call.awaitsFirstMessage
        {
            call.stopDeferring(&output)
        }
        switch event.kind {
        case .fieldSection, .fieldSectionLost:
            let isEnd = event.flags.contains(.endStream)
            if !isEnd, !call.marks.contains(.responseHeaders) { call.beginResponses() }
            if case .fieldSection = event.kind {
                call.takeResponseFields(fields, fieldBytes, isEnd: isEnd, &output)
                if isEnd, call.status == nil { call.noteStatusEntry(fields) }
            }
        case .data:
            let piece = DataPiece(
                isFrameStart: event.flags.contains(.frameStart), frameLength: event.frameLength,
                start: event.time.nanoseconds, end: time.nanoseconds)
            // A server answers nothing before the first message: the recorder delivered its side first.
            if call.awaitsFirstMessage { call.marks.insert(.deferring) }
            if call.marks.contains(.deferring) {
                call.deferResponse(bytes, piece, &output)
            } else {
                call.receiveResponse(bytes, piece, &output)
            }
        case .dataLost:
            call.stopDeferring(&output)
            call.loseResponse(byteCount: event.count, &output)
        case .resetStream:
            call.marks.insert(.responseEnded)
            if !call.completeness.contains(.completed) {
                call.completeness.insert(.resetByServer)
            }
        case .goAway, .desynchronized: break
        }
        if event.flags.contains(.endStream) {
            call.completeness.insert(.completed)
            call.endResponse(&output)
        }
    }
}
