import Wire

// What happens when bytes are missing or make no sense, and how the way back is found.
extension DirectionReader {
    // MARK: Out of step

    /// The header at hand may not stand here. True when it would have been the first of the direction: then this is no
    /// HTTP/2 connection seen from its start, and nothing was in step yet.
    mutating func refuse(into events: inout [HTTP2Event]) -> Bool {
        guard awaitsSettings else {
            leaveStep(into: &events)
            return false
        }
        beginHunting(isAnnounced: false)
        beginDecoding(knownFromStart: false)
        return true
    }

    /// A connection error: either the state is wrong or the peer is. Counts itself; the caller counts the bytes.
    mutating func leaveStep(into events: inout [HTTP2Event]) {
        health.oddities.connectionErrors &+= 1
        // It is not known for how long the state was wrong.
        miss(1 << 24)
        desynchronize(missing: 0, mayHaveHeld: 4 &* limits.reanchoredInsertions, at: frameTime, into: &events)
    }

    private mutating func desynchronize(
        missing: Int, mayHaveHeld byteCount: Int, at time: CaptureTime, into events: inout [HTTP2Event]
    ) {
        loseOpenBlock(into: &events)
        events.append(
            HTTP2Event(kind: .desynchronized, direction: direction, stream: 0, count: missing, time: time))
        decoder.missed(bytes: byteCount)
        beginHunting(isAnnounced: true)
    }

    mutating func beginHunting(isAnnounced: Bool) {
        phase = .hunting
        isConfirmed = false
        awaitsSettings = false
        settingsAreKnown = false
        isStreamKnown = false
        huntIsAnnounced = isAnnounced
        hunter.reset()
    }

    private mutating func loseOpenBlock(into events: inout [HTTP2Event]) {
        guard blockIsOpen else { return }
        blockIsOpen = false
        blockIsLost = true
        health.undecodableBytes &+= block.count
        block.removeAll(keepingCapacity: true)
        decoder.missed(bytes: blockWireBytes)
        appendBlockEvent(fields: 0..<0, into: &events)
    }

    // MARK: Hunting

    /// Looks for a boundary in `bytes` from `start` on, `limits.huntingPiece` bytes at a time, so that one that proves
    /// wrong costs no more than that. Returns where in `bytes` it is, below `start` by as many bytes as frames begin
    /// before, in what the hunter held; the caller then calls `resume`. Nil when there is none in all bytes.
    ///
    /// `isSegment`: `bytes` are what a segment brought, not what was held of earlier ones.
    mutating func hunt(
        _ bytes: Span<UInt8>, from start: Int, isSegment: Bool, at time: CaptureTime, context: FrameHeader.Context
    ) -> Int? {
        var offset = start
        // Behind a boundary that proved wrong, the next one mostly is near or nowhere.
        var count = start == 0 ? limits.huntingPiece : limits.huntingPiece / 16
        repeat {
            let end = min(bytes.count, offset &+ count)
            count = min(count &* 2, limits.huntingPiece)
            let piece = bytes.extracting(offset..<end)
            let isSegmentStart = isSegment && offset == 0
            let earlier = hunter.tail.count
            if isSegmentStart { look(at: piece) }
            hunter.append(piece, at: time, isSegmentStart: isSegmentStart, isSegmentEnd: end == bytes.count)
            if isAtStart, !isHTTP2, hunter.passedOver == 0, hunter.tail.count >= 5 {
                // The very first bytes: a TLS connection never turns into anything else.
                let first = ConnectionContent.beginning(with: hunter.tail.span)
                if first != .unknown { content = first }
                if first == .tls {
                    health.undecodableBytes &+= hunter.drop() &+ (bytes.count &- end)
                    phase = .foreign
                    return nil
                }
            }
            if let boundary = hunter.search(context, givenUp: &health.undecodableBytes) {
                return offset &+ boundary &- earlier
            }
            offset = end
        } while offset < bytes.count
        return nil
    }

    /// Goes on in step at the boundary that `hunt` found. Its first `count` bytes were held before: they are appended
    /// to `held`, with the times of `marks`.
    mutating func resume(
        held count: Int, at time: CaptureTime, into held: inout [UInt8], marks: inout [FrameHunter.Mark],
        events: inout [HTTP2Event]
    ) {
        if count > 0 {
            let boundary = hunter.boundaryFound
            let base = held.count
            held.append(copying: hunter.tail.span.extracting(boundary..<boundary &+ count))
            for mark in hunter.marks where mark.offset < boundary &+ count {
                if mark.offset <= boundary, marks.count > 0, marks[marks.count - 1].offset == base {
                    marks.removeLast()
                }
                marks.append(FrameHunter.Mark(offset: base &+ max(mark.offset &- boundary, 0), time: mark.time))
            }
        }
        decoder.missedMore(bytes: hunter.passedOver)
        if !huntIsAnnounced {
            events.append(
                HTTP2Event(
                    kind: .desynchronized, direction: direction, flags: hunter.passedOver == 0 ? .joined : [],
                    stream: 0, time: time))
        }
        health.resynchronizations &+= 1
        miss(hunter.passedOver)
        isHTTP2 = true
        hunter.reset()
        phase = .header
    }

    private mutating func look(at bytes: Span<UInt8>) {
        let found = ConnectionContent.beginning(with: bytes)
        if found != .unknown, content == .unknown { content = found }
    }

    // MARK: Gaps

    /// `count` bytes will not come. Within a frame of which the length is known nothing but that frame is lost.
    mutating func receiveGap(_ count: Int, at time: CaptureTime, into events: inout [HTTP2Event]) {
        guard count > 0 else { return }
        miss(count)
        var beyond = count
        // What is left of the frame at hand.
        var rest = Phase.skipping
        switch phase {
        case .foreign:
            return
        case .hunting:
            health.undecodableBytes &+= hunter.drop()
            decoder.missedMore(bytes: count)
            return
        case .opening:
            health.undecodableBytes &+= prefaceMatched
            beginHunting(isAnnounced: false)
            return
        case .data:
            if awaitsPadLength { rest = .passingOver }
            beyond = loseData(count, into: &events)
        case .payload:
            let missing = payloadBytes &- partial.count &+ skipBytes
            health.undecodableBytes &+= FrameHeader.byteCount &+ partial.count
            rest = .passingOver
            partial.removeAll(keepingCapacity: true)
            loseFrame(into: &events)
            payloadBytes = 0
            skipBytes = max(missing &- count, 0)
            beyond = count &- missing
        case .skipping, .passingOver:
            rest = phase
            beyond = count &- skipBytes
            skipBytes = max(skipBytes &- count, 0)
        case .header:
            health.undecodableBytes &+= partial.count
            partial.removeAll(keepingCapacity: true)
        }
        if beyond > 0 {
            desynchronize(missing: beyond, mayHaveHeld: beyond, at: time, into: &events)
        } else if phase != .data {
            phase = skipBytes > 0 ? rest : .header
        }
    }

    /// Loses the next `count` bytes of a DATA frame, or as many as it has; returns how many there were beyond the
    /// frame.
    private mutating func loseData(_ count: Int, into events: inout [HTTP2Event]) -> Int {
        if awaitsPadLength {
            // Where the padding begins is lost with its length, so all of the frame is.
            let left = max(frame.length &- count, 0)
            events.append(dataEvent(.dataLost, bytes: 0..<0, source: .input, count: frame.length, byteCount: dataBytes))
            awaitsPadLength = false
            skipBytes = left
            return count &- frame.length
        }
        let lost = min(count, dataBytes)
        events.append(dataEvent(.dataLost, bytes: 0..<0, source: .input, count: lost, byteCount: lost))
        let padding = min(count &- lost, skipBytes)
        if dataBytes == 0 { skipBytes &-= padding }
        return count &- lost &- padding
    }

    /// The frame at hand is cut: what its header says is all that is known of it.
    private mutating func loseFrame(into events: inout [HTTP2Event]) {
        switch frame.kind {
        case FrameHeader.Kind.headers, FrameHeader.Kind.pushPromise, FrameHeader.Kind.continuation:
            blockIsLost = true
            health.undecodableBytes &+= block.count
            block.removeAll(keepingCapacity: true)
            blockIsOpen = !frame.has(FrameHeader.Flag.endHeaders)
            guard !blockIsOpen else { return }
            decoder.missed(bytes: blockWireBytes)
            appendBlockEvent(fields: 0..<0, into: &events)
        case FrameHeader.Kind.resetStream:
            appendEvent(.resetStream, stream: frame.stream, code: .max, into: &events)
        case FrameHeader.Kind.settings:
            settingsAreKnown = false
        default: break
        }
    }

    // MARK: The end

    mutating func finish(at time: CaptureTime, into events: inout [HTTP2Event]) {
        switch phase {
        case .opening: health.undecodableBytes &+= prefaceMatched
        case .hunting: health.undecodableBytes &+= hunter.drop()
        case .header:
            health.undecodableBytes &+= partial.count
            if !partial.isEmpty || blockIsOpen { health.oddities.framesUnfinished &+= 1 }
            loseOpenBlock(into: &events)
        case .payload:
            health.undecodableBytes &+= FrameHeader.byteCount &+ partial.count
            health.oddities.framesUnfinished &+= 1
            loseFrame(into: &events)
            loseOpenBlock(into: &events)
        case .data, .skipping, .passingOver:
            health.oddities.framesUnfinished &+= 1
        case .foreign: break
        }
        partial.removeAll()
        block.removeAll()
        prefaceMatched = 0
        phase = .foreign
    }
}
