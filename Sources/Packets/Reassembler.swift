import Wire

/// Turns one direction of one TCP connection into an ordered byte stream.
///
/// Segments arrive in capture order. Offsets are 64-bit and start at 0 with the first byte of the connection, or with
/// the first byte that was seen when it was joined midway. Where two copies of a byte differ, the first seen wins.
/// A hole is given up by the rules of `TrackerLimits`; a gap names exactly the bytes that are missing.
struct Reassembler {
    /// What is known of offset 0.
    enum Origin: UInt8 {
        /// No data and no SYN yet.
        case unknown
        /// Data came without a SYN; earlier data or the SYN may still come. Offsets count from the first segment.
        case settling
        /// Offset 0 is the first byte seen.
        case midway
        /// Offset 0 is the first byte of the connection.
        case start
    }

    enum Outcome {
        case taken
        /// The segment belongs to another connection on the same ports, whose start was not seen.
        case anotherConnection
    }

    private(set) var origin = Origin.unknown
    /// The sequence number at offset 0.
    private(set) var first = SequenceNumber(0)
    /// The sequence number at `nextOffset`.
    private var next = SequenceNumber(0)
    /// Everything before was handed on or named as a gap.
    private(set) var nextOffset = 0
    private(set) var held = HeldBlocks()
    /// Whether SYN or data of this direction was seen itself, not only the peer's word of it.
    private(set) var isSeen = false
    /// The offset of the FIN; nil: not seen.
    private(set) var finOffset: Int?
    /// `.finished` was said.
    private var isFinished = false

    /// Highest offset that two segments of the peer, or one and a later higher one, acknowledged. One alone may be
    /// damaged.
    private var acknowledged = 0
    private var acknowledgedOnce = 0
    private var acknowledgedLast = 0
    private var hasAcknowledgements = false

    private var suspected = HoleWait()
    private var waiting = HoleWait()
    /// `nextOffset` when `waiting` began.
    private var waitingOffset = 0
    /// While settling: where a segment of one byte lay that may be a keep-alive probe.
    private var probeOffset: Int?
    private var strayNext = SequenceNumber(0)
    private var strayRun = 0

    /// Segments with payload.
    private var segments = 0
    /// Their payload bytes.
    private var segmentBytes = 0
    private(set) var payloadBytes = 0
    private(set) var lostBytes = 0
    private(set) var gaps = 0
    /// What `StreamOutput.heldBytes` holds for this direction.
    private var accountedCost = 0

    // Asked for every segment: not inlined, they are asked of a copy.

    @inline(__always)
    var isPlaced: Bool { origin == .midway || origin == .start }

    /// Kept for the tracker: whether this reassembler is in its queue of those that hold data.
    var isQueued = false

    /// Whether anything of this direction was handed on or lies here.
    var hasPayload: Bool { payloadBytes > 0 || lostBytes > 0 || !held.isEmpty }

    /// Whether `check` could find something to do.
    @inline(__always)
    var isDisturbed: Bool { acknowledged > nextOffset && isSeen || !held.isEmpty }

    // MARK: Input

    /// Takes the payload of `segment`, which must have some, if it is whole and the next of an undisturbed direction;
    /// else it says false, and `receiveOutOfTurn` is to take it.
    mutating func receiveInTurn(
        _ segment: TCPSegment, in bytes: Span<UInt8>, _ context: SegmentContext, _ output: inout StreamOutput
    ) -> Bool {
        segments += 1
        segmentBytes += segment.length
        guard segment.sequence == next, isPlaced, held.isEmpty, segment.payload.count == segment.length else {
            return false
        }
        isSeen = true
        strayRun = 0
        deliver(bytes, segment.payload, context, &output)
        return true
    }

    /// Takes the payload of a segment that `receiveInTurn` did not take.
    mutating func receiveOutOfTurn(
        _ segment: TCPSegment, in bytes: Span<UInt8>, _ context: SegmentContext, _ limits: TrackerLimits,
        _ output: inout StreamOutput
    ) -> Outcome {
        if isKeepAliveProbe(segment) { return .taken }
        isSeen = true
        if origin == .unknown {
            origin = .settling
            begin(at: segment.sequence)
        }
        let distance = segment.sequence.distance(from: next)
        guard abs(distance) <= limits.windowBytes else {
            return receiveStray(segment, in: bytes, distance: distance, context, limits, &output)
        }
        strayRun = 0
        let offset = nextOffset + distance
        if origin == .settling {
            if segment.length == 1, !segment.flags.contains(.psh) { probeOffset = offset }
            hold(segment, in: bytes, at: offset, from: offset, context, &output)
            if held.cost >= limits.settlingBytes { settle(context, &output) }
        } else {
            take(segment, in: bytes, at: offset, context, limits, &output)
        }
        account(&output)
        return .taken
    }

    /// A probe repeats the last byte sent, without or with a byte that is garbage (RFC 9293 §3.8.4). Where it is one
    /// below `next` it is old anyway. In a hole it shows by its place just before what is acknowledged, and by having
    /// no PSH, which the last segment of any write has.
    private func isKeepAliveProbe(_ segment: TCPSegment) -> Bool {
        guard isPlaced, segment.length == 1, !segment.flags.contains(.psh) else { return false }
        let offset = nextOffset + segment.sequence.distance(from: next)
        return offset == nextOffset - 1
            || offset > nextOffset && hasAcknowledgements && acknowledgedLast == offset + 1
    }

    /// Takes a segment of a direction whose offset 0 is settled.
    private mutating func take(
        _ segment: TCPSegment, in bytes: Span<UInt8>, at offset: Int, _ context: SegmentContext,
        _ limits: TrackerLimits, _ output: inout StreamOutput
    ) {
        let captured = segment.payload.count
        if offset + segment.length <= nextOffset {
            output.health.retransmittedBytes += captured
            return
        }
        var from = offset
        if offset <= nextOffset {
            let old = min(nextOffset - offset, captured)
            output.health.retransmittedBytes += old
            // Straight from the packet as far as nothing is held; the first copy of a byte wins.
            let free = min(offset + captured, held.firstOffset ?? .max)
            if free > nextOffset {
                let start = segment.payload.lowerBound + (nextOffset - offset)
                deliver(bytes, start..<segment.payload.lowerBound + (free - offset), context, &output)
            }
            from = nextOffset
        }
        hold(segment, in: bytes, at: offset, from: from, context, &output)
        drain(context, &output)
        keepWithin(limits, context, &output)
    }

    /// Holds what `segment`, whose first byte belongs at `offset`, says of the bytes from the offset `from`.
    private mutating func hold(
        _ segment: TCPSegment, in bytes: Span<UInt8>, at offset: Int, from: Int, _ context: SegmentContext,
        _ output: inout StreamOutput
    ) {
        let capturedEnd = offset + segment.payload.count
        if capturedEnd > from {
            let start = segment.payload.lowerBound + (from - offset)
            let (old, differing) = held.insert(
                bytes, start..<segment.payload.upperBound, at: from, time: context.time)
            output.health.retransmittedBytes += old
            output.health.overlapDiffers += differing
        }
        let end = offset + segment.length
        if end > capturedEnd { held.insertCut(max(capturedEnd, from)..<max(end, from), time: context.time) }
    }

    /// A single stray segment is damaged or of another time. A run of them shows where the connection goes on.
    private mutating func receiveStray(
        _ segment: TCPSegment, in bytes: Span<UInt8>, distance: Int, _ context: SegmentContext,
        _ limits: TrackerLimits, _ output: inout StreamOutput
    ) -> Outcome {
        output.health.straySegments += 1
        strayRun = strayRun > 0 && segment.sequence == strayNext ? strayRun + 1 : 1
        strayNext = segment.sequence.advanced(by: segment.length)
        guard strayRun >= limits.strayRun else { return .taken }
        strayRun = 0
        guard distance > 0, distance <= limits.pauseBytes else { return .anotherConnection }
        flush(context, &output)
        let offset = nextOffset + segment.sequence.distance(from: next)
        giveUp(below: offset, context, &output)
        take(segment, in: bytes, at: offset, context, limits, &output)
        account(&output)
        return .taken
    }

    /// Learns from a SYN, or from the peer's acknowledgement of it, that `start` is the connection's first byte.
    mutating func place(
        at start: SequenceNumber, isSeen seen: Bool, _ context: SegmentContext, _ output: inout StreamOutput
    ) {
        isSeen = isSeen || seen
        switch origin {
        case .unknown: begin(at: start)
        case .settling:
            rebase(to: start.distance(from: next))
            begin(at: start)
        case .midway, .start:
            if first != start, nextOffset == 0, held.isEmpty { begin(at: start) }
        }
        if first == start { origin = .start }
        drain(context, &output)
        account(&output)
    }

    private mutating func begin(at start: SequenceNumber) {
        next = start
        first = start
    }

    /// Whether a SYN that says `start` can be the late start of what is settling: nothing lies before it, and not much
    /// is missing.
    func canStart(at start: SequenceNumber, within limit: Int) -> Bool {
        guard let lowest = held.firstOffset else { return true }
        let distance = lowest - start.distance(from: next)
        return distance >= -1 && distance <= limit
    }

    /// Ends the wait for earlier data: the lowest byte held is offset 0 from now on.
    mutating func settle(_ context: SegmentContext, _ output: inout StreamOutput) {
        guard origin == .settling else { return }
        var lowest = held.firstOffset ?? 0
        // A single byte in front may be a keep-alive probe's garbage; what counts begins behind it either way.
        if lowest == probeOffset, held.firstCount == 1 { lowest += 1 }
        rebase(to: lowest)
        begin(at: next.advanced(by: lowest))
        origin = .midway
        drain(context, &output)
        account(&output)
    }

    private mutating func rebase(to lowest: Int) {
        held.rebase(to: lowest)
        acknowledged -= lowest
        acknowledgedOnce -= lowest
        acknowledgedLast -= lowest
        if let fin = finOffset { finOffset = fin - lowest }
    }

    /// Notes that the peer has everything below `number`.
    mutating func acknowledge(_ number: SequenceNumber, windowBytes: Int) {
        guard origin != .unknown else { return }
        let offset = nextOffset + number.distance(from: next)
        let seenEnd = max(nextOffset, held.end ?? 0)
        guard offset <= seenEnd + windowBytes, offset >= nextOffset - windowBytes else { return }
        acknowledgedLast = offset
        guard hasAcknowledgements else {
            hasAcknowledgements = true
            acknowledged = min(offset, nextOffset)
            acknowledgedOnce = offset
            return
        }
        acknowledged = max(acknowledged, min(offset, acknowledgedOnce))
        acknowledgedOnce = max(acknowledgedOnce, offset)
    }

    /// Notes a FIN behind the segment's payload.
    mutating func receiveFIN(
        _ segment: TCPSegment, _ context: SegmentContext, windowBytes: Int, _ output: inout StreamOutput
    ) {
        guard origin != .unknown, finOffset == nil else { return }
        let distance = segment.sequence.advanced(by: segment.length).distance(from: next)
        guard abs(distance) <= windowBytes, origin == .settling || distance >= 0 else { return }
        finOffset = nextOffset + distance
        sayFinished(context, &output)
    }

    // MARK: Giving up

    /// Gives up the holes that were waited for long enough.
    mutating func check(_ context: SegmentContext, _ limits: TrackerLimits, _ output: inout StreamOutput) {
        guard isPlaced else { return }
        checkSuspected(context, limits, &output)
        checkWaiting(context, limits, &output)
        account(&output)
    }

    private mutating func checkSuspected(
        _ context: SegmentContext, _ limits: TrackerLimits, _ output: inout StreamOutput
    ) {
        if let limit = suspected.limit {
            if nextOffset >= limit {
                suspected.stop()
            } else if context.connectionPackets - suspected.packets > limits.suspectedPackets
                || segmentBytes - suspected.bytes > limits.suspectedBytes
                || context.elapsed - suspected.elapsed > limits.suspectedTime
            {
                suspected.stop()
                giveUp(below: limit, context, &output)
            }
        }
        guard suspected.limit == nil else { return }
        let limit = dataEnd(acknowledged: acknowledged)
        guard isSeen, limit > nextOffset else { return }
        suspected.start(
            below: limit, packets: context.connectionPackets, bytes: segmentBytes, elapsed: context.elapsed)
    }

    private mutating func checkWaiting(_ context: SegmentContext, _ limits: TrackerLimits, _ output: inout StreamOutput)
    {
        guard let end = held.end else {
            waiting.stop()
            return
        }
        guard let limit = waiting.limit, waitingOffset == nextOffset else {
            waitingOffset = nextOffset
            waiting.start(below: end, packets: segments, bytes: segmentBytes, elapsed: context.elapsed)
            return
        }
        let isOneSided = !hasAcknowledgements
        guard
            context.elapsed - waiting.elapsed > limits.waitingTime
                || isOneSided && segments - waiting.packets > limits.waitingPackets
                || isOneSided && held.cost > limits.waitingBytes
        else { return }
        waiting.stop()
        giveUp(below: limit, context, &output)
    }

    /// Gives up holes, the first one first, until no more is held than one direction may.
    private mutating func keepWithin(_ limits: TrackerLimits, _ context: SegmentContext, _ output: inout StreamOutput) {
        while held.cost > limits.heldBytes || held.count > limits.heldBlocks, let offset = held.firstOffset {
            output.health.heldBytesExceeded += 1
            giveUp(below: offset, context, &output)
        }
    }

    /// Gives up every hole before what is held.
    mutating func flush(_ context: SegmentContext, _ output: inout StreamOutput) {
        settle(context, &output)
        if let end = held.end { giveUp(below: end, context, &output) }
        account(&output)
    }

    /// Ends the direction: hands on what is held, names what is missing.
    mutating func finish(_ context: SegmentContext, _ output: inout StreamOutput) {
        settle(context, &output)
        guard isPlaced, isSeen else { return }
        // The highest acknowledgement counts even if only one segment had it, unless a later one contradicts.
        let last = acknowledgedLast == acknowledgedOnce ? acknowledgedOnce : acknowledged
        giveUp(below: max(dataEnd(acknowledged: last), held.end ?? 0, finOffset ?? 0), context, &output)
        account(&output)
    }

    /// Where data ends that the peer acknowledged: a FIN takes a sequence number too. One that was not seen is assumed
    /// where the acknowledgement is one beyond the last byte.
    private func dataEnd(acknowledged: Int) -> Int {
        if let finOffset { return min(acknowledged, finOffset) }
        let seenEnd = max(nextOffset, held.end ?? 0)
        return acknowledged == seenEnd + 1 ? seenEnd : acknowledged
    }

    /// Names everything missing below `limit` as gaps, and hands on what is held between.
    private mutating func giveUp(below limit: Int, _ context: SegmentContext, _ output: inout StreamOutput) {
        drain(context, &output)
        while nextOffset < limit {
            let holeEnd = min(limit, held.firstOffset ?? .max)
            gaps += 1
            output.health.gaps += 1
            lose(holeEnd - nextOffset, at: context.time, context, &output)
            drain(context, &output)
        }
    }

    // MARK: Output

    /// Hands on `bytes[range]`, the next bytes of the direction.
    private mutating func deliver(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ context: SegmentContext, _ output: inout StreamOutput
    ) {
        if context.isInPacket {
            output.events.append(
                StreamEvent(
                    kind: .data, direction: context.direction, source: .packet, slot: context.slot, bytes: range,
                    time: context.time))
        } else {
            release(bytes.extracting(range), at: context.time, context, &output)
        }
        advance(delivered: range.count, &output)
        if finOffset != nil { sayFinished(context, &output) }
    }

    private func release(
        _ bytes: Span<UInt8>, at time: CaptureTime, _ context: SegmentContext, _ output: inout StreamOutput
    ) {
        let start = output.released.count
        output.released.append(copying: bytes)
        output.events.append(
            StreamEvent(
                kind: .data, direction: context.direction, source: .released, slot: context.slot,
                bytes: start..<output.released.count, time: time))
    }

    private mutating func advance(delivered count: Int, _ output: inout StreamOutput) {
        next = next.advanced(by: count)
        nextOffset += count
        payloadBytes += count
        output.health.payloadBytes += count
    }

    /// Hands on what is held and in turn now.
    private mutating func drain(_ context: SegmentContext, _ output: inout StreamOutput) {
        while isPlaced, held.firstOffset == nextOffset {
            let block = held.removeFirst()
            if block.isCut {
                lose(block.count, at: block.time, context, &output)
            } else {
                release(block.bytes.span, at: block.time, context, &output)
                advance(delivered: block.count, &output)
            }
        }
        if finOffset != nil { sayFinished(context, &output) }
    }

    private mutating func lose(
        _ count: Int, at time: CaptureTime, _ context: SegmentContext, _ output: inout StreamOutput
    ) {
        next = next.advanced(by: count)
        nextOffset += count
        lostBytes += count
        output.health.lostBytes += count
        output.events.append(
            StreamEvent(kind: .gap, direction: context.direction, slot: context.slot, count: count, time: time))
    }

    private mutating func sayFinished(_ context: SegmentContext, _ output: inout StreamOutput) {
        guard let fin = finOffset, isPlaced else { return }
        if nextOffset > fin {
            // Data goes on behind it: the FIN was damage.
            finOffset = nil
            isFinished = false
        } else if nextOffset == fin, !isFinished {
            isFinished = true
            output.events.append(
                StreamEvent(kind: .finished, direction: context.direction, slot: context.slot, time: context.time))
        }
    }

    private mutating func account(_ output: inout StreamOutput) {
        output.heldBytes += held.cost - accountedCost
        accountedCost = held.cost
    }
}
