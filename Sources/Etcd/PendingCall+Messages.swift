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

extension PendingCall {
    mutating func receiveRequest(_ bytes: Span<UInt8>, _ piece: DataPiece, _ output: inout CallOutput) {
        request.begin(isFrameStart: piece.isFrameStart, frameLength: piece.frameLength, at: piece.start)
        var offset = 0
        while true {
            switch request.next(in: bytes, at: &offset) {
            case .needMore: return
            case .whole(let range): completeRequest(bytes.extracting(range), at: piece.end, &output)
            case .part(let range, let isLast):
                receiveRequestPart(bytes.extracting(range), isLast: isLast, piece, &output)
            case .senseless: loseRequest(isWithinMessage: false, &output)
            }
        }
    }

    private mutating func receiveRequestPart(
        _ bytes: Span<UInt8>, isLast: Bool, _ piece: DataPiece, _ output: inout CallOutput
    ) {
        // A damaged message was counted when its bytes were lost.
        if request.isDamaged { return }
        let isKept =
            !marks.isDisjoint(with: [.scanned, .collecting])
            && request.length <= output.limits.requestBytes
        if isKept { output.memory.append(bytes, to: &heldRequest, of: request.length) }
        guard isLast else { return }
        guard isKept else {
            countRequest(&output)
            if marks.contains(.scanned) { failRequest(&output) }
            return
        }
        var whole: [UInt8] = []
        swap(&whole, &heldRequest)
        completeRequest(whole.span, at: piece.end, &output)
        output.memory.takeBack(&whole)
    }

    private mutating func countRequest(_ output: inout CallOutput) {
        output.countMessage()
        requestMessages &+= 1
        requestBytes &+= Int64(request.length)
    }

    mutating func failRequest(_ output: inout CallOutput) {
        output.countUndecodable()
        completeness.insert(.requestUndecoded)
    }

    /// A whole request message, as it was on the wire.
    private mutating func completeRequest(_ bytes: Span<UInt8>, at end: Int64, _ output: inout CallOutput) {
        countRequest(&output)
        guard marks.contains(.scanned) else {
            if marks.contains(.collecting) { collectRequest(bytes, at: end, &output) }
            return
        }
        if !request.isCompressed {
            readRequest(bytes, at: end, &output)
            return
        }
        var whole: [UInt8] = []
        swap(&whole, &output.inflated)
        let limit = output.limits.requestBytes
        let isWhole =
            !marks.contains(.requestEncodingForeign)
            && output.inflate(bytes) { _, piece in
                whole.append(copying: piece)
                return whole.count <= limit
            } && whole.count <= limit
        if isWhole { readRequest(whole.span, at: end, &output) } else { failRequest(&output) }
        whole.removeAll(keepingCapacity: whole.capacity <= 1 << 20)
        swap(&whole, &output.inflated)
    }

    mutating func readRequest(_ bytes: Span<UInt8>, at end: Int64, _ output: inout CallOutput) {
        switch kind {
        case .watch: readWatchRequest(bytes, at: end, &output)
        case .leaseKeepAlive: readKeepAlive(bytes, at: end, &output)
        default:
            // A second message of a unary call is nothing that etcd would read.
            if marks.contains(.requestRead) { return }
            marks.insert(.requestRead)
            if marks.contains(.nameUnproven) { proveName(bytes, &output) }
            if !details.scanRequest(kind, bytes, limits: output.limits) { failRequest(&output) }
        }
    }

    /// `byteCount` bytes of the request's DATA are missing.
    mutating func loseRequest(byteCount: Int, _ output: inout CallOutput) {
        let isWithinMessage = request.isWholeSoFar
        request.lose(byteCount)
        loseRequest(isWithinMessage: isWithinMessage, &output)
    }

    /// Bytes of the request are missing. If it was within a message, that message is lost, but for the key that was
    /// seen before.
    mutating func loseRequest(isWithinMessage: Bool, _ output: inout CallOutput) {
        if isWithinMessage {
            output.countDamaged()
            concludeKeyOfCutRequest()
        } else if isSingleRequest, requestMessages > 0 {
            // Its only message was read already.
            return
        }
        marks.insert(.firstMessageUncertain)
        completeness.insert(.requestDamaged)
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

    /// What a call comes to with the frames that were seen of it.
    enum Course { case isOpen, lingers, isOver }

    /// Whether both sides have ended, or one has and nothing that matters can come from the other. `.lingers` is said
    /// once, when the server has ended, or the client withdrawn: the other side's bytes are waited for from now on.
    mutating func conclude(at time: Int64) -> Course {
        if marks.isDisjoint(with: [.requestEnded, .responseEnded]) { return .isOpen }
        let isRequestOver =
            marks.contains(.requestEnded)
            || marks.contains(.requestHeaders) && isSingleRequest && requestMessages > 0
        if isRequestOver, marks.contains(.responseEnded) { return .isOver }
        let isEnded = marks.contains(.responseEnded) || completeness.contains(.resetByClient)
        guard isEnded, endedAt == Operation.absent else { return .isOpen }
        endedAt = time
        return .lingers
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

extension PendingCall {
    mutating func receiveResponse(_ bytes: Span<UInt8>, _ piece: DataPiece, _ output: inout CallOutput) {
        response.begin(isFrameStart: piece.isFrameStart, frameLength: piece.frameLength, at: piece.start)
        var offset = 0
        while true {
            switch response.next(in: bytes, at: &offset) {
            case .needMore: return
            case .whole(let range):
                beginResponse()
                takeResponse(bytes.extracting(range), isLast: true, &output)
                completeResponse(at: piece.end, &output)
            case .part(let range, let isLast):
                // A damaged message was counted when its bytes were lost.
                if response.isDamaged { continue }
                if !marks.contains(.withinResponse) { beginResponse() }
                takeResponse(bytes.extracting(range), isLast: isLast, &output)
                if isLast { completeResponse(at: piece.end, &output) }
            case .senseless: loseResponse(isWithinMessage: false, &output)
            }
        }
    }

    mutating func beginResponse() {
        marks.insert(.withinResponse)
        marks.remove(.responseUnreadable)
        wantedResponse = 0
        passedOverResponse = 0
        let isRead =
            marks.contains(.collecting)
            || marks.contains(.scanned)
                && (streaming != .unary || responseMessages == 0)
        if isRead { marks.insert(.responseRead) } else { marks.remove(.responseRead) }
    }

    /// Takes a part of a response message as it was on the wire.
    mutating func takeResponse(_ bytes: Span<UInt8>, isLast: Bool, _ output: inout CallOutput) {
        guard marks.contains(.responseRead) else { return }
        if marks.contains(.collecting) { return holdResponse(bytes, &output) }
        if !response.isCompressed {
            readResponse(bytes, isLast: isLast, &output)
            return
        }
        // Compressed: held until it is whole.
        guard !marks.contains(.responseUnreadable) else { return }
        guard
            !marks.contains(.responseEncodingForeign),
            heldResponse.count + bytes.count <= output.limits.fieldBytes
        else { return failResponse() }
        if isLast, heldResponse.isEmpty {
            inflateResponse(bytes, &output)
        } else {
            output.memory.append(bytes, to: &heldResponse)
            guard isLast else { return }
            var whole: [UInt8] = []
            swap(&whole, &heldResponse)
            inflateResponse(whole.span, &output)
            output.memory.takeBack(&whole)
        }
    }

    private mutating func inflateResponse(_ bytes: Span<UInt8>, _ output: inout CallOutput) {
        let isInflated = output.inflate(bytes) { output, piece in
            readResponse(piece, isLast: false, &output)
            return !marks.contains(.responseUnreadable)
        }
        if isInflated { readResponse(Span(), isLast: true, &output) } else { failResponse() }
    }

    /// Reads on in a response message: fields that are whole now; the beginning of the next one is held.
    mutating func readResponse(_ bytes: Span<UInt8>, isLast: Bool, _ output: inout CallOutput) {
        guard !marks.contains(.responseUnreadable) else { return }
        let passedOver = min(passedOverResponse, bytes.count)
        passedOverResponse -= passedOver
        let rest = bytes.extracting(passedOver..<bytes.count)
        if isLast, passedOverResponse > 0 { return failResponse() }
        if heldResponse.isEmpty {
            let scan = details.scanResponse(kind, rest, isLast: isLast, limits: output.limits)
            guard scan.outcome == .partial else {
                if scan.outcome == .malformed { failResponse() }
                return
            }
            expectRest(scan, held: rest.count - scan.consumed, &output)
            if !marks.contains(.responseUnreadable), passedOverResponse == 0 {
                output.memory.append(
                    rest.extracting(scan.consumed..<rest.count), to: &heldResponse, of: wantedResponse)
            }
            return
        }
        output.memory.append(rest, to: &heldResponse, of: wantedResponse)
        guard isLast || heldResponse.count >= wantedResponse else { return }
        var held: [UInt8] = []
        swap(&held, &heldResponse)
        let scan = details.scanResponse(kind, held.span, isLast: isLast, limits: output.limits)
        switch scan.outcome {
        case .complete: output.memory.takeBack(&held)
        case .malformed: failResponse()
        case .partial:
            expectRest(scan, held: held.count - scan.consumed, &output)
            if passedOverResponse > 0 {
                output.memory.takeBack(&held)
            } else {
                held.keep(only: scan.consumed..<held.count)
            }
        }
        if marks.contains(.responseUnreadable) { held = [] }
        swap(&held, &heldResponse)
    }

    /// Prepares for the rest of a field of which `held` bytes are there.
    private mutating func expectRest(_ scan: CallDetails.ResponseScan, held: Int, _ output: inout CallOutput) {
        if scan.isOfNoInterest {
            passedOverResponse = scan.wanted - held
        } else if scan.wanted > output.limits.fieldBytes {
            failResponse()
        } else {
            wantedResponse = scan.wanted
        }
    }

    mutating func failResponse() {
        marks.insert(.responseUnreadable)
        heldResponse.removeAll(keepingCapacity: heldResponse.capacity <= 1 << 15)
    }

    /// A response message is whole.
    private mutating func completeResponse(at end: Int64, _ output: inout CallOutput) {
        output.countMessage()
        marks.remove(.withinResponse)
        responseMessages &+= 1
        responseBytes &+= Int64(response.length)
        guard marks.contains(.responseRead) else { return }
        if marks.contains(.collecting) { return collectResponse(at: end, &output) }
        concludeResponse(at: end, &output)
    }

    /// A response message was read to its end.
    mutating func concludeResponse(at end: Int64, _ output: inout CallOutput) {
        let isReadable = !marks.contains(.responseUnreadable)
        if !isReadable {
            output.countUndecodable()
            completeness.insert(.responseUndecoded)
        } else if details.headerRevision > 0 {
            output.clock.show(details.headerRevision, by: details.headerCluster, at: end)
        }
        switch kind {
        case .watch:
            if isReadable { concludeWatchResponse(at: end, &output) }
            forgetResponseMessage()
        case .leaseKeepAlive:
            if isReadable { concludeKeepAlive(at: end, &output) }
            forgetResponseMessage()
        default:
            marks.insert(isReadable ? .answerRead : .answerLost)
        }
    }

    /// `byteCount` bytes of the response's DATA are missing.
    mutating func loseResponse(byteCount: Int, _ output: inout CallOutput) {
        let isWithinMessage = response.isWholeSoFar
        response.lose(byteCount)
        loseResponse(isWithinMessage: isWithinMessage, &output)
    }

    /// Bytes of the response are missing. If it was within a message, that message is lost.
    mutating func loseResponse(isWithinMessage: Bool, _ output: inout CallOutput) {
        if isWithinMessage {
            output.countDamaged()
            heldResponse.removeAll(keepingCapacity: heldResponse.capacity <= 1 << 15)
            marks.remove(.withinResponse)
            if streaming == .bidirectional { forgetResponseMessage() }
        } else if streaming == .unary, responseMessages > 0 {
            // Its only message was read already.
            return
        }
        marks.insert(.answerLost)
        completeness.insert(.responseDamaged)
    }

    // MARK: Responses that came before the request

    /// Keeps a piece of response DATA until the request's HEADERS tell the method.
    mutating func deferResponse(_ bytes: Span<UInt8>, _ piece: DataPiece, _ output: inout CallOutput) {
        deferred.append(
            PendingCall.DeferredPiece(
                byteCount: bytes.count, isFrameStart: piece.isFrameStart, frameLength: piece.frameLength,
                start: piece.start, end: piece.end))
        deferredBytes.append(copying: bytes)
        output.deferredBytes += MemoryLayout<PendingCall.DeferredPiece>.stride + bytes.count
        if output.deferredBytes > output.limits.deferredBytes { stopDeferring(&output) }
    }

    /// Reads what was kept, with the method if it is known by now; otherwise its messages are only counted.
    @inline(__always)
    mutating func stopDeferring(_ output: inout CallOutput) {
        if marks.contains(.deferring) { readDeferred(&output) }
    }

    private mutating func readDeferred(_ output: inout CallOutput) {
        marks.remove(.deferring)
        if deferred.isEmpty { return }
        var pieces: [PendingCall.DeferredPiece] = []
        var bytes: [UInt8] = []
        swap(&pieces, &deferred)
        swap(&bytes, &deferredBytes)
        output.deferredBytes -= pieces.count * MemoryLayout<PendingCall.DeferredPiece>.stride + bytes.count
        var offset = 0
        for piece in pieces {
            receiveResponse(
                bytes.span.extracting(offset..<offset + piece.byteCount),
                DataPiece(
                    isFrameStart: piece.isFrameStart, frameLength: piece.frameLength, start: piece.start,
                    end: piece.end), &output)
            offset += piece.byteCount
        }
        if marks.contains(.responseEnded) { endResponse(&output) }
    }

    /// The request's END_STREAM: a message that is not whole by now is damaged.
    mutating func endRequest(_ output: inout CallOutput) {
        marks.insert(.requestEnded)
        guard request.isWithinMessage else { return }
        loseRequest(isWithinMessage: request.isWholeSoFar, &output)
        request.drift()
    }

    /// The server's END_STREAM.
    mutating func endResponse(_ output: inout CallOutput) {
        marks.insert(.responseEnded)
        guard response.isWithinMessage, !marks.contains(.deferring) else { return }
        loseResponse(isWithinMessage: response.isWholeSoFar, &output)
        response.drift()
    }
}
