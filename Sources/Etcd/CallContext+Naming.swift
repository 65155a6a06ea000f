// Calls whose method was not read from their header fields: their messages are kept until the method is known.

import Wire

extension CallContext {
    // MARK: - Collecting

    /// Keeps a whole request message.
    mutating func collectRequest(_ slot: Int, _ bytes: Span<UInt8>, at end: Int64) {
        let message = CollectedMessages.Message(
            direction: .request, length: calls[slot].request.length, start: calls[slot].request.start, end: end)
        let isForeign = calls[slot].marks.contains(.requestEncodingForeign)
        collect(slot, message, bytes, isCompressed: calls[slot].request.isCompressed, isForeign: isForeign)
    }

    /// Keeps a part of the present response message.
    mutating func holdResponse(_ slot: Int, _ bytes: Span<UInt8>) {
        guard !calls[slot].marks.contains(.responseUnreadable) else { return }
        if calls[slot].heldResponse.count + bytes.count > limits.collectedBytes {
            calls[slot].marks.insert(.responseUnreadable)
            calls[slot].heldResponse = []
        } else {
            calls[slot].heldResponse.append(copying: bytes)
        }
    }

    /// Keeps the response message that is whole now.
    mutating func collectResponse(_ slot: Int, at end: Int64) {
        var whole: [UInt8] = []
        swap(&whole, &calls[slot].heldResponse)
        var message = CollectedMessages.Message(
            direction: .response, length: calls[slot].response.length, start: calls[slot].response.start, end: end)
        message.isMissing = calls[slot].marks.contains(.responseUnreadable)
        let isForeign = calls[slot].marks.contains(.responseEncodingForeign)
        collect(slot, message, whole.span, isCompressed: calls[slot].response.isCompressed, isForeign: isForeign)
        whole.removeAll(keepingCapacity: whole.capacity <= 1 << 15)
        swap(&whole, &calls[slot].heldResponse)
    }

    private mutating func collect(
        _ slot: Int, _ message: CollectedMessages.Message, _ bytes: Span<UInt8>, isCompressed: Bool, isForeign: Bool
    ) {
        guard calls[slot].collected.count < limits.collectedMessages else { return }
        var message = message
        let room = limits.collectedBytes - calls[slot].collected.bytes.count
        if isCompressed, !message.isMissing {
            var whole: [UInt8] = []
            swap(&whole, &inflated)
            let isWhole =
                !isForeign
                && inflate(bytes) { _, piece in
                    whole.append(copying: piece)
                    return whole.count <= room
                } && whole.count <= room
            message.isMissing = !isWhole
            keep(slot, message, whole.span)
            whole.removeAll(keepingCapacity: whole.capacity <= 1 << 20)
            swap(&whole, &inflated)
        } else {
            if bytes.count > room { message.isMissing = true }
            keep(slot, message, bytes)
        }
    }

    private mutating func keep(_ slot: Int, _ message: CollectedMessages.Message, _ bytes: Span<UInt8>) {
        calls[slot].collected.append(message, message.isMissing ? Span() : bytes)
        if message.direction == .response, !message.isMissing { showRevision(slot, bytes, at: message.end) }
    }

    /// Reads the header of a response of any method: all but a few begin with it.
    private mutating func showRevision(_ slot: Int, _ bytes: Span<UInt8>, at time: Int64) {
        var message = WireScanner(0..<bytes.count)
        guard message.next(in: bytes) == .field, message.isBytes(1) else { return }
        var header = WireScanner(message.content)
        var cluster: UInt64 = 0
        var revision: Int64 = 0
        while header.next(in: bytes) == .field {
            if header.isVarint(1) { cluster = header.value } else if header.isVarint(3) { revision = header.int64 }
        }
        guard revision > 0 else { return }
        if calls[slot].answeredRevision == 0 {
            calls[slot].answeredRevision = revision
            calls[slot].answeredCluster = cluster
            calls[slot].answeredAt = time
        }
        clock.show(revision, by: cluster, at: time)
    }

    // MARK: - Judging

    /// The methods that fit what is known of the call.
    func candidates(_ slot: Int) -> MethodSet {
        let marks = calls[slot].marks
        let completeness = calls[slot].completeness
        var course = CallShape.Course()
        course.isRequestWhole = marks.contains(.requestHeaders) && !completeness.contains(.requestDamaged)
        course.isRequestEnded = marks.contains(.requestEnded)
        course.requestMessages = calls[slot].requestMessages
        course.responseMessages = calls[slot].responseMessages
        course.isCompleted = completeness.contains(.completed)
        return shapes.candidates(course, calls[slot].collected)
    }

    /// What the revision of the answer says of a call that is over.
    func likelihood(_ slot: Int) -> Likelihood {
        let (revision, cluster) = (calls[slot].answeredRevision, calls[slot].answeredCluster)
        guard revision > 0, calls[slot].requestStart != Operation.absent else { return Likelihood() }
        return Likelihood(
            isOld: revision <= clock.shown(before: calls[slot].requestStart, by: cluster),
            isNext: clock.isNext(revision, at: calls[slot].answeredAt, by: cluster))
    }

    /// Holds the name that was read with a table known by inference against the whole request.
    mutating func proveName(_ slot: Int, _ bytes: Span<UInt8>) {
        guard let method = MethodCatalogue.method(calls[slot].method), !shapes.fits(method, request: bytes) else {
            return
        }
        calls[slot].marks.insert(.nameRefuted)
    }

    // MARK: - Naming

    /// The call's method was inferred: what was kept of it is read.
    mutating func infer(_ slot: Int, _ method: MethodNumber, _ inference: Inference) {
        calls[slot].method = method
        calls[slot].kind = paths.kind(of: method)
        calls[slot].streaming = paths.streaming(of: method)
        calls[slot].inference = inference
        calls[slot].marks.formUnion([.methodKnown, .methodInferred, .scanned])
        readCollected(slot)
    }

    /// The call's name turned out to be wrong: nothing is known of it but its messages' number and size.
    mutating func unname(_ slot: Int) {
        calls[slot].method = .unknown
        calls[slot].kind = .other
        calls[slot].marks.subtract([.methodKnown, .methodInferred, .scanned])
        calls[slot].details.reset()
        calls[slot].firstKey.removeAll(keepingCapacity: true)
    }

    /// Reads what was kept, now that the method is known, or forgets it if nothing is read of that method.
    mutating func readCollected(_ slot: Int) {
        calls[slot].marks.remove(.collecting)
        var collected = CollectedMessages()
        swap(&collected, &calls[slot].collected)
        guard calls[slot].marks.contains(.scanned) else {
            calls[slot].heldResponse = []
            return
        }
        // A response message that is not whole yet: its beginning is held as it was on the wire.
        var beginning: [UInt8] = []
        swap(&beginning, &calls[slot].heldResponse)
        let (request, response, marks) = (calls[slot].request, calls[slot].response, calls[slot].marks)
        for place in 0..<collected.count {
            read(slot, collected.messages[place], collected.bytes.span.extracting(collected.range(place)))
        }
        calls[slot].request = request
        calls[slot].response = response
        guard marks.contains(.withinResponse) else { return }
        beginResponse(slot)
        if marks.contains(.responseUnreadable) {
            calls[slot].marks.insert(.responseUnreadable)
        } else if !beginning.isEmpty {
            takeResponse(slot, beginning.span, isLast: false)
        }
    }

    private mutating func read(_ slot: Int, _ message: CollectedMessages.Message, _ bytes: Span<UInt8>) {
        switch message.direction {
        case .request:
            calls[slot].request = MessageAssembler(having: message.length, start: message.start)
            if message.isMissing { failRequest(slot) } else { readRequest(slot, bytes, at: message.end) }
        case .response:
            calls[slot].response = MessageAssembler(having: message.length, start: message.start)
            // Only the first answer of a unary call is one.
            if calls[slot].streaming == .unary,
                !calls[slot].marks.isDisjoint(with: [.answerRead, .answerLost])
            {
                return
            }
            calls[slot].marks.remove(.responseUnreadable)
            calls[slot].wantedResponse = 0
            calls[slot].passedOverResponse = 0
            if message.isMissing { failResponse(slot) } else { readResponse(slot, bytes, isLast: true) }
            concludeResponse(slot, at: message.end)
        }
    }
}
