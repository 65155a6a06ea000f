import Wire

// What the server's frames mean (RFC 9113 §6). Headers are checked before: types stand on streams where they may, with
// lengths that they may have.

extension ClientConnection {
    /// Takes a whole frame, of DATA what comes before the data.
    mutating func take(
        _ header: FrameHeader, _ frame: Span<UInt8>, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        let payload = frame.extracting(FrameHeader.byteCount..<frame.count)
        switch header.kind {
        case FrameHeader.Kind.data: beginData(header, payload, into: &events, out: &out)
        case FrameHeader.Kind.headers: takeHeaders(header, payload, into: &events, out: &out)
        case FrameHeader.Kind.continuation: takeContinuation(header, payload, into: &events, out: &out)
        case FrameHeader.Kind.settings: takeSettings(header, payload, into: &events, out: &out)
        case FrameHeader.Kind.resetStream:
            takeReset(header.stream, ErrorCode(rawValue: payload.bigEndian32(at: 0)), into: &events)
        case FrameHeader.Kind.windowUpdate:
            let increment = Int(payload.bigEndian32(at: 0) & 0x7fff_ffff)
            takeWindowUpdate(header.stream, increment, into: &events, out: &out)
        case FrameHeader.Kind.ping:
            if !header.has(FrameHeader.Flag.ack) {
                FrameWriter.appendPing(payload.bigEndian64(at: 0), isAck: true, to: &out)
            }
        case FrameHeader.Kind.goAway: takeGoAway(payload, into: &events)
        default: break  // PRIORITY is obsolete (§5.3.2), and unknown types are passed over (§5.5).
        }
    }

    // MARK: DATA (§6.1)

    private mutating func beginData(
        _ header: FrameHeader, _ payload: Span<UInt8>, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        let isPadded = header.has(FrameHeader.Flag.padded)
        let padding = isPadded ? Int(payload[0]) : 0
        let length = header.length - (isPadded ? 1 : 0)
        guard padding <= length else { return fail(.frameMalformed, .protocolError, into: &events, out: &out) }
        // §6.9: all of the frame counts, on closed streams for the connection too.
        received += header.length
        guard received <= limits.windowBytes else {
            return fail(.windowExceeded, .flowControlError, into: &events, out: &out)
        }
        if received > limits.windowBytes / 2 {
            FrameWriter.appendWindowUpdate(received, stream: 0, to: &out)
            received = 0
        }
        let isLast = header.has(FrameHeader.Flag.endStream)
        data = IncomingData(stream: header.stream, remaining: length - padding, padding: padding, isLast: isLast)
        guard let place = streams.place(of: header.stream) else { return }
        guard streams.slots[place].marks.contains(.responded) else {
            return failStream(at: place, .dataBeforeResponse, into: &events, out: &out)
        }
        let onStream = streams.slots[place].received + header.length
        guard onStream <= limits.windowBytes else {
            return failStream(at: place, .windowExceeded, .flowControlError, into: &events, out: &out)
        }
        let isRaised = !isLast && onStream > limits.windowBytes / 2
        if isRaised { FrameWriter.appendWindowUpdate(onStream, stream: header.stream, to: &out) }
        streams.change(place) { $0.received = isRaised ? 0 : onStream }
    }

    /// Takes what is there of the present DATA frame.
    mutating func takeData(
        _ bytes: Span<UInt8>, at offset: inout Int, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        guard var frame = data else { return }
        let count = min(frame.remaining, bytes.count - offset)
        let place = streams.place(of: frame.stream)
        if count > 0, let place {
            var event = ClientEvent(.data, streams.slots[place])
            event.bytes = offset..<offset + count
            events.append(event)
        }
        frame.remaining -= count
        offset += count
        if frame.remaining == 0 {
            let padding = min(frame.padding, bytes.count - offset)
            frame.padding -= padding
            offset += padding
        }
        guard frame.remaining == 0, frame.padding == 0 else {
            data = frame
            return
        }
        data = nil
        guard frame.isLast, let place else { return }
        events.append(ClientEvent(.end, streams.slots[place]))
        close(at: place, out: &out)
    }

    // MARK: HEADERS and CONTINUATION (§6.2, §6.10)

    private mutating func takeHeaders(
        _ header: FrameHeader, _ payload: Span<UInt8>, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        var start = 0
        var end = payload.count
        if header.has(FrameHeader.Flag.padded) {
            start = 1
            end -= Int(payload[0])
        }
        if header.has(FrameHeader.Flag.priority) { start += 5 }
        guard start <= end else { return fail(.frameMalformed, .protocolError, into: &events, out: &out) }
        let fragment = payload.extracting(start..<end)
        let isLast = header.has(FrameHeader.Flag.endStream)
        if header.has(FrameHeader.Flag.endHeaders) {
            return takeBlock(fragment, stream: header.stream, isLast: isLast, into: &events, out: &out)
        }
        block = IncomingBlock(stream: header.stream, isLast: isLast, bytes: fragment.copied())
    }

    private mutating func takeContinuation(
        _ header: FrameHeader, _ payload: Span<UInt8>, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        guard var whole = block else { return }
        block = nil
        guard whole.bytes.count + payload.count <= limits.fieldBlockBytes else {
            return fail(.fieldBlockTooLong, .enhanceYourCalm, into: &events, out: &out)
        }
        whole.bytes.append(copying: payload)
        guard header.has(FrameHeader.Flag.endHeaders) else {
            block = whole
            return
        }
        takeBlock(whole.bytes.span, stream: whole.stream, isLast: whole.isLast, into: &events, out: &out)
    }

    // MARK: SETTINGS (§6.5)

    private mutating func takeSettings(
        _ header: FrameHeader, _ payload: Span<UInt8>, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        if header.has(FrameHeader.Flag.ack) { return }
        for start in stride(from: 0, to: payload.count, by: 6) {
            let value = Int(payload.bigEndian32(at: start + 2))
            switch payload.bigEndian16(at: start) {
            case FrameWriter.Setting.headerTableSize: fieldLists.allow(tableSize: value)
            case FrameWriter.Setting.enablePush:
                guard value == 0 else { return fail(.settingNotAllowed, .protocolError, into: &events, out: &out) }
            case FrameWriter.Setting.maxConcurrentStreams: allow(streams: value)
            case FrameWriter.Setting.initialWindowSize:
                // §6.9.2: the windows of open streams change by the difference.
                guard value <= Self.windowMax, streams.addToSendWindows(value - initialSendWindow) else {
                    return fail(.settingNotAllowed, .flowControlError, into: &events, out: &out)
                }
                initialSendWindow = value
            case FrameWriter.Setting.maxFrameSize:
                guard value >= Self.frameBytes, value < 1 << 24 else {
                    return fail(.settingNotAllowed, .protocolError, into: &events, out: &out)
                }
                frameBytesMax = value
            default: break
            }
        }
        FrameWriter.appendSettingsAck(to: &out)
        if !isReady {
            isReady = true
            events.append(ClientEvent(.ready))
        }
        sendWaiting(into: &out)
    }

    // MARK: WINDOW_UPDATE (§6.9)

    private mutating func takeWindowUpdate(
        _ stream: UInt32, _ increment: Int, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        if stream == 0 {
            guard increment > 0 else {
                return fail(.windowUpdateOfNothing, .protocolError, into: &events, out: &out)
            }
            connectionSendWindow += increment
            guard connectionSendWindow <= Self.windowMax else {
                return fail(.windowOverflow, .flowControlError, into: &events, out: &out)
            }
        } else if let place = streams.place(of: stream) {
            guard increment > 0 else {
                return failStream(at: place, .windowUpdateOfNothing, into: &events, out: &out)
            }
            let window = streams.slots[place].sendWindow + increment
            guard window <= Self.windowMax else {
                return failStream(at: place, .windowOverflow, .flowControlError, into: &events, out: &out)
            }
            streams.change(place) { $0.sendWindow = window }
        }
        sendWaiting(into: &out)
    }

    // MARK: RST_STREAM and GOAWAY (§6.4, §6.8)

    private mutating func takeReset(_ stream: UInt32, _ code: ErrorCode, into events: inout [ClientEvent]) {
        guard let place = streams.place(of: stream) else { return }
        var event = ClientEvent(code == .refusedStream ? .refused : .reset, streams.slots[place])
        event.code = code
        events.append(event)
        forget(at: place)
    }

    private mutating func takeGoAway(_ payload: Span<UInt8>, into events: inout [ClientEvent]) {
        let lastStream = payload.bigEndian32(at: 0) & 0x7fff_ffff
        var event = ClientEvent(.goAway)
        event.code = ErrorCode(rawValue: payload.bigEndian32(at: 4))
        event.text = keep(payload.extracting(8..<payload.count))
        events.append(event)
        goAwayWasSeen = true
        for stream in streams.after(lastStream) {
            guard let place = streams.place(of: stream) else { continue }
            var refused = ClientEvent(.refused, streams.slots[place])
            refused.code = event.code
            events.append(refused)
            forget(at: place)
        }
    }
}
