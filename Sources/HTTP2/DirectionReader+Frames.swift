import Wire

// What each frame type means to a listener (RFC 9113 §6).
extension DirectionReader {
    /// Takes the header in `frame`; false when no frame may have it here.
    @inline(__always)
    mutating func beginFrame(frameBytesMax: Int, into events: inout [HTTP2Event]) -> Bool {
        guard !blockIsOpen, !awaitsSettings else { return beginExpectedFrame(frameBytesMax: frameBytesMax) }
        if frame.isOfNoConcern {
            health.frames &+= 1
            phase = .skipping
            skipBytes = frame.length
            return true
        }
        return beginAnyFrame(frameBytesMax: frameBytesMax, into: &events)
    }

    /// A frame that only one thing may be: the server's first SETTINGS, or CONTINUATION of the open block.
    mutating func beginExpectedFrame(frameBytesMax: Int) -> Bool {
        if blockIsOpen {
            guard frame.kind == FrameHeader.Kind.continuation, frame.stream == blockHeader.stream,
                isConfirmed || frame.length <= frameBytesMax
            else { return false }
            blockWireBytes &+= FrameHeader.byteCount &+ frame.length
            expectPayload(frame.length)
            if block.count &+ frame.length > limits.fieldBlockBytes { skipBlock() }
            health.frames &+= 1
            return true
        }
        guard frame.kind == FrameHeader.Kind.settings, frame.isPermitted, !frame.has(FrameHeader.Flag.ack),
            frame.length <= limits.fieldBlockBytes
        else { return false }
        awaitsSettings = false
        isHTTP2 = true
        health.frames &+= 1
        expectPayload(frame.length)
        return true
    }

    mutating func beginAnyFrame(frameBytesMax: Int, into events: inout [HTTP2Event]) -> Bool {
        guard frame.isPermitted, isConfirmed || (frame.length <= frameBytesMax && hasPlausibleStream) else {
            return false
        }
        switch frame.kind {
        case FrameHeader.Kind.data:
            beginData(into: &events)
        case FrameHeader.Kind.headers:
            // RFC 9113 §5.1.1: streams of clients are odd.
            guard direction == .response || frame.stream & 1 == 1 else { return false }
            beginBlock()
        case FrameHeader.Kind.pushPromise:
            guard direction == .response else { return false }
            beginBlock()
        case FrameHeader.Kind.continuation:
            return false
        case FrameHeader.Kind.settings where frame.length <= limits.fieldBlockBytes, FrameHeader.Kind.resetStream:
            expectPayload(frame.length)
        case FrameHeader.Kind.goAway:
            expectPayload(8)
            skipBytes = frame.length &- 8
        default:
            phase = .skipping
            skipBytes = frame.length
            if skipBytes == 0 { phase = .header }
        }
        health.frames &+= 1
        if frame.kind == FrameHeader.Kind.headers { meet(frame.stream) }
        return true
    }

    /// Only asked where the boundary was found, not known. Streams of servers are even, and gRPC has none.
    private var hasPlausibleStream: Bool {
        switch frame.kind {
        case FrameHeader.Kind.data, FrameHeader.Kind.headers, FrameHeader.Kind.resetStream, FrameHeader.Kind.priority:
            frame.stream & 1 == 1 && !frame.isReservedBitSet
                && (lastStream == 0 || frame.stream <= lastStream &+ streamsAhead)
        default: true
        }
    }

    private var streamsAhead: UInt32 {
        isStreamKnown ? FrameHeader.streamsAhead : FrameHeader.streamsAheadOfGap
    }

    mutating func expectPayload(_ count: Int) {
        payloadBytes = count
        skipBytes = 0
        phase = .payload
    }

    // MARK: DATA

    private mutating func beginData(into events: inout [HTTP2Event]) {
        isFirstPiece = true
        dataBytes = frame.length
        skipBytes = 0
        awaitsPadLength = frame.has(FrameHeader.Flag.padded)
        if dataBytes == 0 {
            appendData(0..<0, source: .input, into: &events)
        } else {
            phase = .data
        }
    }

    /// Takes the pad length; false when the padding is longer than the payload (RFC 9113 §6.1).
    mutating func beginPaddedData(_ padding: Int, into events: inout [HTTP2Event]) -> Bool {
        awaitsPadLength = false
        guard padding < frame.length else { return false }
        dataBytes = frame.length &- 1 &- padding
        skipBytes = padding
        if dataBytes == 0 { appendData(0..<0, source: .input, into: &events) }
        return true
    }

    /// Hands on the next piece of the payload; the last one stands for the padding too.
    mutating func appendData(_ bytes: Range<Int>, source: HTTP2Event.Source, into events: inout [HTTP2Event]) {
        events.append(dataEvent(.data, bytes: bytes, source: source, count: 0, byteCount: bytes.count))
    }

    /// Moves on by `byteCount` bytes of payload and gives the event that says so.
    mutating func dataEvent(
        _ kind: HTTP2Event.Kind, bytes: Range<Int>, source: HTTP2Event.Source, count: Int, byteCount: Int
    ) -> HTTP2Event {
        dataBytes &-= byteCount
        var flags: HTTP2Event.Flags = []
        var wireBytes = byteCount
        if isFirstPiece {
            flags.insert(.frameStart)
            wireBytes &+= FrameHeader.byteCount &+ (frame.has(FrameHeader.Flag.padded) && !awaitsPadLength ? 1 : 0)
        }
        if dataBytes == 0 {
            flags.insert(.frameEnd)
            if frame.has(FrameHeader.Flag.endStream) { flags.insert(.endStream) }
            wireBytes &+= skipBytes
            phase = skipBytes > 0 ? .skipping : .header
        }
        let event = HTTP2Event(
            kind: kind, direction: direction, flags: flags, source: source, stream: frame.stream, bytes: bytes,
            count: count,
            frameLength: isFirstPiece ? frame.length : 0, wireBytes: wireBytes, time: frameTime)
        isFirstPiece = false
        return event
    }

    // MARK: Frames read as a whole

    /// Takes the whole payload of the frame; false when RFC 9113 makes it a connection error.
    mutating func endPayload(
        _ payload: Span<UInt8>, into events: inout [HTTP2Event], fields: inout [HeaderField], text: inout [UInt8],
        used: inout Int
    ) -> Bool {
        switch frame.kind {
        case FrameHeader.Kind.headers, FrameHeader.Kind.pushPromise, FrameHeader.Kind.continuation:
            return endBlockFrame(payload, into: &events, fields: &fields, text: &text, used: &used)
        case FrameHeader.Kind.settings:
            takeSettings(payload)
        case FrameHeader.Kind.resetStream:
            appendEvent(.resetStream, stream: frame.stream, code: payload.bigEndian32(at: 0), into: &events)
        case FrameHeader.Kind.goAway:
            appendEvent(
                .goAway, stream: payload.bigEndian32(at: 0) & 0x7fff_ffff, code: payload.bigEndian32(at: 4),
                into: &events)
        default: break
        }
        return true
    }

    func appendEvent(_ kind: HTTP2Event.Kind, stream: UInt32, code: UInt32, into events: inout [HTTP2Event]) {
        events.append(
            HTTP2Event(
                kind: kind, direction: direction, stream: stream, code: code,
                wireBytes: FrameHeader.byteCount &+ frame.length, time: frameTime))
    }

    /// RFC 9113 §6.5. The table size is the other side's to use, from its next size update on (RFC 7541 §4.2).
    private mutating func takeSettings(_ payload: Span<UInt8>) {
        var offset = 0
        while offset &+ 6 <= payload.count {
            let value = Int(payload.bigEndian32(at: offset + 2))
            switch payload.bigEndian16(at: offset) {
            case 1: tableSizeAnnounced = max(tableSizeAnnounced ?? 0, value)
            case 5: frameBytesAnnounced = max(frameBytesAnnounced, min(value, 1 << 24 - 1))
            default: break
            }
            offset &+= 6
        }
    }

    // MARK: Field blocks

    private mutating func beginBlock() {
        blockHeader = frame
        blockTime = frameTime
        blockWireBytes = FrameHeader.byteCount &+ frame.length
        blockIsLost = false
        // Nothing is in it but where a block came in several frames, or was given up.
        if block.capacity > 0 { block.removeAll(keepingCapacity: block.capacity <= 4096) }
        expectPayload(frame.length)
        if frame.length > limits.fieldBlockBytes { skipBlock() }
    }

    /// Reads on without the open block, which has grown too large.
    private mutating func skipBlock() {
        if !blockIsLost { health.oddities.fieldBlocksTooLarge &+= 1 }
        blockIsLost = true
        skipBytes = payloadBytes
        payloadBytes = 0
    }

    private mutating func endBlockFrame(
        _ payload: Span<UInt8>, into events: inout [HTTP2Event], fields: inout [HeaderField], text: inout [UInt8],
        used: inout Int
    ) -> Bool {
        guard let fragment = fragment(of: payload) else { return false }
        let isWhole = frame.has(FrameHeader.Flag.endHeaders)
        if blockIsLost || (isWhole && frame.kind != FrameHeader.Kind.continuation) {
            blockIsOpen = !isWhole
            if isWhole {
                endBlock(payload.extracting(fragment), into: &events, fields: &fields, text: &text, used: &used)
            }
            return true
        }
        block.append(copying: payload.extracting(fragment))
        blockIsOpen = !isWhole
        if isWhole {
            var whole: [UInt8] = []
            swap(&whole, &block)
            endBlock(whole.span, into: &events, fields: &fields, text: &text, used: &used)
            whole.removeAll(keepingCapacity: whole.capacity <= 4096)
            swap(&whole, &block)
        }
        return true
    }

    /// Where the part of the field block lies, without padding, priority and promised stream; nil when the padding is
    /// longer than what it pads (RFC 9113 §6.2, §6.6).
    private func fragment(of payload: Span<UInt8>) -> Range<Int>? {
        if blockIsLost { return 0..<0 }
        guard frame.kind != FrameHeader.Kind.continuation else { return 0..<payload.count }
        var start = 0
        var end = payload.count
        if frame.has(FrameHeader.Flag.padded) {
            start = 1
            end &-= Int(payload[0])
        }
        if frame.kind == FrameHeader.Kind.pushPromise {
            start &+= 4
        } else if frame.has(FrameHeader.Flag.priority) {
            start &+= 5
        }
        return start <= end ? start..<end : nil
    }

    private mutating func endBlock(
        _ whole: Span<UInt8>, into events: inout [HTTP2Event], fields: inout [HeaderField], text: inout [UInt8],
        used: inout Int
    ) {
        let first = fields.count
        if blockIsLost {
            decoder.missed(bytes: blockWireBytes)
        } else {
            blockIsLost = !decoder.decode(whole, stream: blockHeader.stream, into: &fields, text: &text, used: &used)
            if blockIsLost { health.oddities.fieldBlocksMalformed &+= 1 }
        }
        appendBlockEvent(fields: first..<fields.count, into: &events)
    }

    /// Tells of the block that has ended or was lost. A promised request is no request of the client's: it counts for
    /// the table alone.
    mutating func appendBlockEvent(fields: Range<Int>, into events: inout [HTTP2Event]) {
        if blockIsLost { health.fieldSectionsLost &+= 1 }
        guard blockHeader.kind == FrameHeader.Kind.headers else { return }
        var flags: HTTP2Event.Flags = blockHeader.has(FrameHeader.Flag.endStream) ? .endStream : []
        if decoder.isReanchored { flags.insert(.reanchored) }
        events.append(
            HTTP2Event(
                kind: blockIsLost ? .fieldSectionLost : .fieldSection, direction: direction,
                flags: flags, stream: blockHeader.stream,
                fields: fields, wireBytes: blockWireBytes, time: blockTime))
    }
}
