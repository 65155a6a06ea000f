// DATA of one call: messages cut out, read, and told to the call.

import Wire

/// One piece of a DATA frame's payload: what is known of it beside its bytes.
struct DataPiece: Sendable {
    var isFrameStart: Bool
    var frameLength: Int
    /// Nanoseconds since the epoch of the frame's first byte, and of the piece's last.
    var start: Int64
    var end: Int64
}

// MARK: - Requests

extension CallContext {
    mutating func receiveRequest(_ slot: Int, _ bytes: Span<UInt8>, _ piece: DataPiece) {
        calls[slot].request.begin(isFrameStart: piece.isFrameStart, frameLength: piece.frameLength, at: piece.start)
        var offset = 0
        while true {
            switch calls[slot].request.next(in: bytes, at: &offset) {
            case .needMore: return
            case .whole(let range): completeRequest(slot, bytes.extracting(range), at: piece.end)
            case .part(let range, let isLast): receiveRequestPart(slot, bytes.extracting(range), isLast: isLast, piece)
            case .senseless: loseRequest(slot, isWithinMessage: false)
            }
        }
    }

    private mutating func receiveRequestPart(_ slot: Int, _ bytes: Span<UInt8>, isLast: Bool, _ piece: DataPiece) {
        // A damaged message was counted when its bytes were lost.
        if calls[slot].request.isDamaged { return }
        let isKept =
            !calls[slot].marks.isDisjoint(with: [.scanned, .collecting])
            && calls[slot].request.length <= limits.requestBytes
        if isKept { calls[slot].heldRequest.append(copying: bytes) }
        guard isLast else { return }
        guard isKept else {
            countRequest(slot)
            if calls[slot].marks.contains(.scanned) { failRequest(slot) }
            return
        }
        var whole: [UInt8] = []
        swap(&whole, &calls[slot].heldRequest)
        completeRequest(slot, whole.span, at: piece.end)
        whole.removeAll(keepingCapacity: whole.capacity <= 1 << 15)
        swap(&whole, &calls[slot].heldRequest)
    }

    private mutating func countRequest(_ slot: Int) {
        countMessage()
        calls[slot].requestMessages &+= 1
        calls[slot].requestBytes &+= Int64(calls[slot].request.length)
    }

    mutating func failRequest(_ slot: Int) {
        countUndecodable()
        calls[slot].completeness.insert(.requestUndecoded)
    }

    /// A whole request message, as it was on the wire.
    private mutating func completeRequest(_ slot: Int, _ bytes: Span<UInt8>, at end: Int64) {
        countRequest(slot)
        guard calls[slot].marks.contains(.scanned) else {
            if calls[slot].marks.contains(.collecting) { collectRequest(slot, bytes, at: end) }
            return
        }
        if !calls[slot].request.isCompressed {
            readRequest(slot, bytes, at: end)
            return
        }
        var whole: [UInt8] = []
        swap(&whole, &inflated)
        let limit = limits.requestBytes
        let isWhole =
            !calls[slot].marks.contains(.requestEncodingForeign)
            && inflate(bytes) { _, piece in
                whole.append(copying: piece)
                return whole.count <= limit
            } && whole.count <= limit
        if isWhole { readRequest(slot, whole.span, at: end) } else { failRequest(slot) }
        whole.removeAll(keepingCapacity: whole.capacity <= 1 << 20)
        swap(&whole, &inflated)
    }

    mutating func readRequest(_ slot: Int, _ bytes: Span<UInt8>, at end: Int64) {
        switch calls[slot].kind {
        case .watch: readWatchRequest(slot, bytes, at: end)
        case .leaseKeepAlive: readKeepAlive(slot, bytes, at: end)
        default:
            // A second message of a unary call is nothing that etcd would read.
            if calls[slot].marks.contains(.requestRead) { return }
            calls[slot].marks.insert(.requestRead)
            if calls[slot].marks.contains(.nameUnproven) { proveName(slot, bytes) }
            if !calls[slot].details.scanRequest(calls[slot].kind, bytes, limits: limits) { failRequest(slot) }
        }
    }

    /// `byteCount` bytes of the request's DATA are missing.
    mutating func loseRequest(_ slot: Int, byteCount: Int) {
        let isWithinMessage = calls[slot].request.isWholeSoFar
        calls[slot].request.lose(byteCount)
        loseRequest(slot, isWithinMessage: isWithinMessage)
    }

    /// Bytes of the request are missing. If it was within a message, that message is lost, but for the key that was
    /// seen before.
    mutating func loseRequest(_ slot: Int, isWithinMessage: Bool) {
        if isWithinMessage {
            countDamaged()
            calls[slot].concludeKeyOfCutRequest()
        } else if calls[slot].isSingleRequest, calls[slot].requestMessages > 0 {
            // Its only message was read already.
            return
        }
        calls[slot].marks.insert(.firstMessageUncertain)
        calls[slot].completeness.insert(.requestDamaged)
    }
}

extension PendingCall {
    /// Takes the first key from the beginning of a request that never becomes whole, and forgets that beginning.
    mutating func concludeKeyOfCutRequest() {
        let beginning = heldRequest
        if firstKey.isEmpty, isSingleRequest, requestMessages == 0, !request.isCompressed,
            let key = CallDetails.firstKey(ofCut: kind, beginning.span)
        {
            firstKey.append(copying: beginning.span.extracting(key))
        }
        heldRequest.removeAll(keepingCapacity: heldRequest.capacity <= 1 << 15)
    }

    /// Settles, at the end of the call, what is missing of it without any sign of loss: no server answers a request
    /// that was not sent, and a call that succeeded has its answer.
    mutating func concludeMissing(begunInside: Bool) {
        if begunInside, !marks.contains(.requestHeaders), marks.contains(.methodKnown),
            requestMessages == 0 || !isSingleRequest
        {
            completeness.insert(.requestDamaged)
        }
        guard isSingleRequest, marks.isSuperset(of: [.requestHeaders, .methodKnown]) else { return }
        let isWithdrawn = completeness.contains(.resetByClient)
        if requestMessages == 0, marks.contains(.responseEnded), !marks.contains(.requestEnded), !isWithdrawn {
            completeness.insert(.requestDamaged)
        }
        if responseMessages == 0, streaming == .unary, status == 0, completeness.contains(.completed) {
            completeness.insert(.responseDamaged)
        }
    }

    /// Settles, at the end of the call, what is known of its first key.
    mutating func concludeKey() {
        if !heldRequest.isEmpty { concludeKeyOfCutRequest() }
        switch kind {
        case .range, .rangeStream, .put, .delete, .txn, .watch:
            if completeness.contains(.requestDamaged), firstKey.isEmpty, details.firstKey == 0 {
                completeness.insert(.keyLost)
            }
        default: break
        }
    }
}

// MARK: - Responses

extension CallContext {
    mutating func receiveResponse(_ slot: Int, _ bytes: Span<UInt8>, _ piece: DataPiece) {
        calls[slot].response.begin(isFrameStart: piece.isFrameStart, frameLength: piece.frameLength, at: piece.start)
        var offset = 0
        while true {
            switch calls[slot].response.next(in: bytes, at: &offset) {
            case .needMore: return
            case .whole(let range):
                beginResponse(slot)
                takeResponse(slot, bytes.extracting(range), isLast: true)
                completeResponse(slot, at: piece.end)
            case .part(let range, let isLast):
                // A damaged message was counted when its bytes were lost.
                if calls[slot].response.isDamaged { continue }
                if !calls[slot].marks.contains(.withinResponse) { beginResponse(slot) }
                takeResponse(slot, bytes.extracting(range), isLast: isLast)
                if isLast { completeResponse(slot, at: piece.end) }
            case .senseless: loseResponse(slot, isWithinMessage: false)
            }
        }
    }

    mutating func beginResponse(_ slot: Int) {
        calls[slot].marks.insert(.withinResponse)
        calls[slot].marks.remove(.responseUnreadable)
        calls[slot].wantedResponse = 0
        calls[slot].passedOverResponse = 0
        let isRead =
            calls[slot].marks.contains(.collecting)
            || calls[slot].marks.contains(.scanned)
                && (calls[slot].streaming != .unary || calls[slot].responseMessages == 0)
        if isRead { calls[slot].marks.insert(.responseRead) } else { calls[slot].marks.remove(.responseRead) }
    }

    /// Takes a part of a response message as it was on the wire.
    mutating func takeResponse(_ slot: Int, _ bytes: Span<UInt8>, isLast: Bool) {
        guard calls[slot].marks.contains(.responseRead) else { return }
        if calls[slot].marks.contains(.collecting) { return holdResponse(slot, bytes) }
        if !calls[slot].response.isCompressed {
            readResponse(slot, bytes, isLast: isLast)
            return
        }
        // Compressed: held until it is whole.
        guard !calls[slot].marks.contains(.responseUnreadable) else { return }
        guard
            !calls[slot].marks.contains(.responseEncodingForeign),
            calls[slot].heldResponse.count + bytes.count <= limits.fieldBytes
        else { return failResponse(slot) }
        if isLast, calls[slot].heldResponse.isEmpty {
            inflateResponse(slot, bytes)
        } else {
            calls[slot].heldResponse.append(copying: bytes)
            guard isLast else { return }
            var whole: [UInt8] = []
            swap(&whole, &calls[slot].heldResponse)
            inflateResponse(slot, whole.span)
        }
    }

    private mutating func inflateResponse(_ slot: Int, _ bytes: Span<UInt8>) {
        let isInflated = inflate(bytes) { context, piece in
            context.readResponse(slot, piece, isLast: false)
            return !context.calls[slot].marks.contains(.responseUnreadable)
        }
        if isInflated { readResponse(slot, Span(), isLast: true) } else { failResponse(slot) }
    }

    /// Reads on in a response message: fields that are whole now; the beginning of the next one is held.
    mutating func readResponse(_ slot: Int, _ bytes: Span<UInt8>, isLast: Bool) {
        guard !calls[slot].marks.contains(.responseUnreadable) else { return }
        let passedOver = min(calls[slot].passedOverResponse, bytes.count)
        calls[slot].passedOverResponse -= passedOver
        let rest = bytes.extracting(passedOver..<bytes.count)
        if isLast, calls[slot].passedOverResponse > 0 { return failResponse(slot) }
        if calls[slot].heldResponse.isEmpty {
            let scan = calls[slot].details.scanResponse(calls[slot].kind, rest, isLast: isLast, limits: limits)
            guard scan.outcome == .partial else {
                if scan.outcome == .malformed { failResponse(slot) }
                return
            }
            expectRest(slot, scan, held: rest.count - scan.consumed)
            if !calls[slot].marks.contains(.responseUnreadable), calls[slot].passedOverResponse == 0 {
                calls[slot].heldResponse.append(copying: rest.extracting(scan.consumed..<rest.count))
            }
            return
        }
        calls[slot].heldResponse.append(copying: rest)
        guard isLast || calls[slot].heldResponse.count >= calls[slot].wantedResponse else { return }
        var held: [UInt8] = []
        swap(&held, &calls[slot].heldResponse)
        let scan = calls[slot].details.scanResponse(calls[slot].kind, held.span, isLast: isLast, limits: limits)
        switch scan.outcome {
        case .complete: held.removeAll(keepingCapacity: held.capacity <= 1 << 17)
        case .malformed: failResponse(slot)
        case .partial:
            expectRest(slot, scan, held: held.count - scan.consumed)
            if calls[slot].passedOverResponse > 0 {
                held.removeAll(keepingCapacity: held.capacity <= 1 << 17)
            } else {
                held.keep(only: scan.consumed..<held.count)
            }
        }
        if calls[slot].marks.contains(.responseUnreadable) { held = [] }
        swap(&held, &calls[slot].heldResponse)
    }

    /// Prepares for the rest of a field of which `held` bytes are there.
    private mutating func expectRest(_ slot: Int, _ scan: CallDetails.ResponseScan, held: Int) {
        if scan.isOfNoInterest {
            calls[slot].passedOverResponse = scan.wanted - held
        } else if scan.wanted > limits.fieldBytes {
            failResponse(slot)
        } else {
            calls[slot].wantedResponse = scan.wanted
        }
    }

    mutating func failResponse(_ slot: Int) {
        calls[slot].marks.insert(.responseUnreadable)
        calls[slot].heldResponse.removeAll(keepingCapacity: calls[slot].heldResponse.capacity <= 1 << 15)
    }

    /// A response message is whole.
    private mutating func completeResponse(_ slot: Int, at end: Int64) {
        countMessage()
        calls[slot].marks.remove(.withinResponse)
        calls[slot].responseMessages &+= 1
        calls[slot].responseBytes &+= Int64(calls[slot].response.length)
        guard calls[slot].marks.contains(.responseRead) else { return }
        if calls[slot].marks.contains(.collecting) { return collectResponse(slot, at: end) }
        concludeResponse(slot, at: end)
    }

    /// A response message was read to its end.
    mutating func concludeResponse(_ slot: Int, at end: Int64) {
        let isReadable = !calls[slot].marks.contains(.responseUnreadable)
        if !isReadable {
            countUndecodable()
            calls[slot].completeness.insert(.responseUndecoded)
        } else if calls[slot].details.headerRevision > 0 {
            clock.show(calls[slot].details.headerRevision, by: calls[slot].details.headerCluster, at: end)
        }
        switch calls[slot].kind {
        case .watch:
            if isReadable { concludeWatchResponse(slot, at: end) }
            calls[slot].forgetResponseMessage()
        case .leaseKeepAlive:
            if isReadable { concludeKeepAlive(slot, at: end) }
            calls[slot].forgetResponseMessage()
        default:
            calls[slot].marks.insert(isReadable ? .answerRead : .answerLost)
        }
    }

    /// `byteCount` bytes of the response's DATA are missing.
    mutating func loseResponse(_ slot: Int, byteCount: Int) {
        let isWithinMessage = calls[slot].response.isWholeSoFar
        calls[slot].response.lose(byteCount)
        loseResponse(slot, isWithinMessage: isWithinMessage)
    }

    /// Bytes of the response are missing. If it was within a message, that message is lost.
    mutating func loseResponse(_ slot: Int, isWithinMessage: Bool) {
        if isWithinMessage {
            countDamaged()
            calls[slot].heldResponse.removeAll(keepingCapacity: calls[slot].heldResponse.capacity <= 1 << 15)
            calls[slot].marks.remove(.withinResponse)
            if calls[slot].streaming == .bidirectional { calls[slot].forgetResponseMessage() }
        } else if calls[slot].streaming == .unary, calls[slot].responseMessages > 0 {
            // Its only message was read already.
            return
        }
        calls[slot].marks.insert(.answerLost)
        calls[slot].completeness.insert(.responseDamaged)
    }

    // MARK: Responses that came before the request

    /// Keeps a piece of response DATA until the request's HEADERS tell the method.
    mutating func deferResponse(_ slot: Int, _ bytes: Span<UInt8>, _ piece: DataPiece) {
        calls[slot].deferred.append(
            PendingCall.DeferredPiece(
                byteCount: bytes.count, isFrameStart: piece.isFrameStart, frameLength: piece.frameLength,
                start: piece.start, end: piece.end))
        calls[slot].deferredBytes.append(copying: bytes)
        deferredBytes += MemoryLayout<PendingCall.DeferredPiece>.stride + bytes.count
        if deferredBytes > limits.deferredBytes { stopDeferring(slot) }
    }

    /// Reads what was kept, with the method if it is known by now; otherwise its messages are only counted.
    mutating func stopDeferring(_ slot: Int) {
        guard calls[slot].marks.contains(.deferring) else { return }
        calls[slot].marks.remove(.deferring)
        if calls[slot].deferred.isEmpty { return }
        var pieces: [PendingCall.DeferredPiece] = []
        var bytes: [UInt8] = []
        swap(&pieces, &calls[slot].deferred)
        swap(&bytes, &calls[slot].deferredBytes)
        deferredBytes -= pieces.count * MemoryLayout<PendingCall.DeferredPiece>.stride + bytes.count
        var offset = 0
        for piece in pieces {
            receiveResponse(
                slot, bytes.span.extracting(offset..<offset + piece.byteCount),
                DataPiece(
                    isFrameStart: piece.isFrameStart, frameLength: piece.frameLength, start: piece.start,
                    end: piece.end))
            offset += piece.byteCount
        }
        if calls[slot].marks.contains(.responseEnded) { endResponse(slot) }
    }

    /// The request's END_STREAM: a message that is not whole by now is damaged.
    mutating func endRequest(_ slot: Int) {
        calls[slot].marks.insert(.requestEnded)
        guard calls[slot].request.isWithinMessage else { return }
        loseRequest(slot, isWithinMessage: calls[slot].request.isWholeSoFar)
        calls[slot].request.drift()
    }

    /// The server's END_STREAM.
    mutating func endResponse(_ slot: Int) {
        calls[slot].marks.insert(.responseEnded)
        guard calls[slot].response.isWithinMessage, !calls[slot].marks.contains(.deferring) else { return }
        loseResponse(slot, isWithinMessage: calls[slot].response.isWholeSoFar)
        calls[slot].response.drift()
    }
}
