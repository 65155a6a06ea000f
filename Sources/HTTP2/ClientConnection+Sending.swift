import Wire

extension ClientConnection {
    /// Says what a client says first (RFC 9113 §3.4); requests may follow at once.
    package mutating func start(into out: inout [UInt8]) {
        out.append(copying: FrameWriter.preface.span)
        let settings = [
            (FrameWriter.Setting.enablePush, 0), (FrameWriter.Setting.initialWindowSize, UInt32(limits.windowBytes)),
        ]
        FrameWriter.appendSettings(settings, to: &out)
        // The connection's window is raised by an update alone (§6.9.2).
        FrameWriter.appendWindowUpdate(limits.windowBytes - 65_535, stream: 0, to: &out)
    }

    /// Opens a stream with the fields of that list and the first bytes of its request, none if there are none yet.
    /// Answers its identifier; nil if none may be opened now (`canOpen`).
    /// - Parameters:
    ///   - endStream: nothing follows from this side.
    ///   - tag: what events of the stream name it by.
    package mutating func open(
        _ fieldList: Int, _ bytes: Span<UInt8>, endStream: Bool, tag: UInt32, into out: inout [UInt8]
    ) -> UInt32? {
        guard canOpen else { return nil }
        let id = nextStream
        nextStream += 2
        appendHeaders(fieldList, stream: id, endStream: endStream && bytes.isEmpty, into: &out)
        streams.insert(
            ClientStream(id: id, tag: tag, marks: endStream ? .ended : [], sendWindow: initialSendWindow))
        if !bytes.isEmpty { append(bytes, to: id, endStream: endStream, into: &out) }
        return id
    }

    /// Sends more of a request. False, and nothing is sent, if the stream is closed or ended from this side, or too
    /// much waits already.
    package mutating func send(
        _ bytes: Span<UInt8>, on stream: UInt32, endStream: Bool, into out: inout [UInt8]
    ) -> Bool {
        guard failure == .none, let place = streams.place(of: stream) else { return false }
        guard !streams.slots[place].marks.contains(.ended), waitingByteCount <= limits.waitingBytes else {
            return false
        }
        if endStream { streams.change(place) { $0.marks.insert(.ended) } }
        append(bytes, to: stream, endStream: endStream, into: &out)
        return true
    }

    /// Gives up a stream (RFC 9113 §5.4.2): no event of it comes any more. False if it is closed.
    @discardableResult
    package mutating func reset(_ stream: UInt32, _ code: ErrorCode, into out: inout [UInt8]) -> Bool {
        guard failure == .none, let place = streams.place(of: stream) else { return false }
        FrameWriter.appendReset(code, stream: stream, to: &out)
        forget(at: place)
        return true
    }

    /// Asks the server to answer at once, which shows that it is there (RFC 9113 §6.7).
    package func ping(into out: inout [UInt8]) {
        FrameWriter.appendPing(0, isAck: false, to: &out)
    }

    private mutating func appendHeaders(_ list: Int, stream: UInt32, endStream: Bool, into out: inout [UInt8]) {
        let start = out.count
        var flags = endStream ? FrameHeader.Flag.endStream : 0
        FrameWriter.appendHeader(
            length: 0, kind: FrameHeader.Kind.headers, flags: flags | FrameHeader.Flag.endHeaders, stream: stream,
            to: &out)
        fieldLists.append(list, to: &out)
        let length = out.count - start - FrameHeader.byteCount
        guard length > frameBytesMax else {
            out[start] = UInt8(truncatingIfNeeded: length >> 16)
            out.storeBigEndian16(UInt16(truncatingIfNeeded: length), at: start + 1)
            return
        }
        // Longer than a frame may be (§6.10).
        let block = out.span.extracting(start + FrameHeader.byteCount..<out.count).copied()
        out.removeLast(out.count - start)
        var offset = 0
        var kind = FrameHeader.Kind.headers
        while offset < block.count {
            let count = min(frameBytesMax, block.count - offset)
            if offset + count == block.count { flags |= FrameHeader.Flag.endHeaders }
            FrameWriter.appendHeader(length: count, kind: kind, flags: flags, stream: stream, to: &out)
            out.append(copying: block.span.extracting(offset..<offset + count))
            offset += count
            (kind, flags) = (FrameHeader.Kind.continuation, 0)
        }
    }

    // MARK: DATA within the server's windows (RFC 9113 §6.9)

    /// Sends what the windows allow, and keeps the rest. Precondition: the stream is open.
    private mutating func append(_ bytes: Span<UInt8>, to stream: UInt32, endStream: Bool, into out: inout [UInt8]) {
        guard let place = streams.place(of: stream) else { return }
        if streams.slots[place].marks.contains(.waiting) {
            guard let last = waiting.lastIndex(where: { $0.stream == stream }) else { return }
            waiting[last].bytes.append(copying: bytes)
            waiting[last].endsStream = endStream
            waitingByteCount += bytes.count
            return
        }
        let sent = appendFrames(bytes, at: place, endStream: endStream, into: &out)
        guard sent < bytes.count else { return }
        streams.change(place) { $0.marks.insert(.waiting) }
        waiting.append(
            WaitingBytes(stream: stream, bytes: bytes.extracting(sent..<bytes.count).copied(), endsStream: endStream))
        waitingByteCount += bytes.count - sent
    }

    /// Sends as much as the windows allow; answers how many bytes that was.
    private mutating func appendFrames(
        _ bytes: Span<UInt8>, at place: Int, endStream: Bool, into out: inout [UInt8]
    ) -> Int {
        let stream = streams.slots[place].id
        var window = min(connectionSendWindow, streams.slots[place].sendWindow)
        var sent = 0
        repeat {
            let count = min(bytes.count - sent, frameBytesMax, max(window, 0))
            // An empty frame is sent only to end the stream.
            if count == 0, !bytes.isEmpty || !endStream { break }
            let isLast = sent + count == bytes.count
            FrameWriter.appendHeader(
                length: count, kind: FrameHeader.Kind.data, flags: isLast && endStream ? FrameHeader.Flag.endStream : 0,
                stream: stream, to: &out)
            out.append(copying: bytes.extracting(sent..<sent + count))
            sent += count
            window -= count
        } while sent < bytes.count
        connectionSendWindow -= sent
        streams.change(place) { $0.sendWindow -= sent }
        return sent
    }

    /// Sends what waits and may be sent now, in the order in which it began to wait.
    mutating func sendWaiting(into out: inout [UInt8]) {
        guard !waiting.isEmpty, failure == .none else { return }
        var unsent: [WaitingBytes] = []
        for item in waiting {
            guard let place = streams.place(of: item.stream) else { continue }
            let rest = item.bytes.span.extracting(item.sent..<item.bytes.count)
            let count = appendFrames(rest, at: place, endStream: item.endsStream, into: &out)
            waitingByteCount -= count
            if count == rest.count {
                streams.change(place) { $0.marks.remove(.waiting) }
            } else {
                unsent.append(item)
                unsent[unsent.count - 1].sent += count
            }
        }
        waiting = unsent
    }

    // MARK: Ends of streams

    /// The server ended the stream. One whose request is not over is given up: nobody reads the rest.
    mutating func close(at place: Int, out: inout [UInt8]) {
        let stream = streams.slots[place]
        if !stream.marks.contains(.ended) || stream.marks.contains(.waiting) {
            FrameWriter.appendReset(.noError, stream: stream.id, to: &out)
        }
        forget(at: place)
    }

    /// Ends a stream on which the server broke a rule (RFC 9113 §5.4.2).
    mutating func failStream(
        at place: Int, _ failure: ClientFailure, _ code: ErrorCode = .protocolError,
        into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        var event = ClientEvent(.reset, streams.slots[place])
        event.failure = failure
        event.code = code
        events.append(event)
        FrameWriter.appendReset(code, stream: event.stream, to: &out)
        forget(at: place)
    }

    mutating func forget(at place: Int) {
        let stream = streams.slots[place]
        if stream.marks.contains(.waiting), let item = waiting.firstIndex(where: { $0.stream == stream.id }) {
            waitingByteCount -= waiting[item].bytes.count - waiting[item].sent
            waiting.remove(at: item)
        }
        streams.remove(at: place)
    }
}
