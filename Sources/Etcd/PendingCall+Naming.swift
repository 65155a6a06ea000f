// Calls whose method was not read from their header fields: their messages are kept until the method is known.

import Wire

extension PendingCall {
    // MARK: - Collecting

    /// Keeps a whole request message.
    mutating func collectRequest(_ bytes: Span<UInt8>, at end: Int64, _ output: inout CallOutput) {
        let message = CollectedMessages.Message(
            direction: .request, length: request.length, start: request.start, end: end)
        let isForeign = marks.contains(.requestEncodingForeign)
        collect(message, bytes, isCompressed: request.isCompressed, isForeign: isForeign, &output)
    }

    /// Keeps a part of the present response message.
    mutating func holdResponse(_ bytes: Span<UInt8>, _ output: inout CallOutput) {
        guard !marks.contains(.responseUnreadable) else { return }
        if heldResponse.count + bytes.count > output.limits.collectedBytes {
            marks.insert(.responseUnreadable)
            heldResponse = []
        } else {
            output.memory.append(bytes, to: &heldResponse)
        }
    }

    /// Keeps the response message that is whole now.
    mutating func collectResponse(at end: Int64, _ output: inout CallOutput) {
        var whole: [UInt8] = []
        swap(&whole, &heldResponse)
        var message = CollectedMessages.Message(
            direction: .response, length: response.length, start: response.start, end: end)
        message.isMissing = marks.contains(.responseUnreadable)
        let isForeign = marks.contains(.responseEncodingForeign)
        collect(message, whole.span, isCompressed: response.isCompressed, isForeign: isForeign, &output)
        output.memory.takeBack(&whole)
    }

    private mutating func collect(
        _ message: CollectedMessages.Message, _ bytes: Span<UInt8>, isCompressed: Bool, isForeign: Bool,
        _ output: inout CallOutput
    ) {
        guard collected.count < output.limits.collectedMessages else { return }
        var message = message
        let room = output.limits.collectedBytes - collected.bytes.count
        if isCompressed, !message.isMissing {
            var whole: [UInt8] = []
            swap(&whole, &output.inflated)
            let isWhole =
                !isForeign
                && output.inflate(bytes) { _, piece in
                    whole.append(copying: piece)
                    return whole.count <= room
                } && whole.count <= room
            message.isMissing = !isWhole
            keep(message, whole.span, &output)
            whole.removeAll(keepingCapacity: whole.capacity <= 1 << 20)
            swap(&whole, &output.inflated)
        } else {
            if bytes.count > room { message.isMissing = true }
            keep(message, bytes, &output)
        }
    }

    private mutating func keep(_ message: CollectedMessages.Message, _ bytes: Span<UInt8>, _ output: inout CallOutput) {
        collected.append(message, message.isMissing ? Span() : bytes)
        if message.direction == .response, !message.isMissing { showRevision(bytes, at: message.end, &output) }
    }

    /// Reads the header of a response of any method: all but a few begin with it.
    private mutating func showRevision(_ bytes: Span<UInt8>, at time: Int64, _ output: inout CallOutput) {
        var message = WireScanner(0..<bytes.count)
        guard message.next(in: bytes) == .field, message.isBytes(1) else { return }
        var header = WireScanner(message.content)
        var cluster: UInt64 = 0
        var revision: Int64 = 0
        while header.next(in: bytes) == .field {
            if header.isVarint(1) { cluster = header.value } else if header.isVarint(3) { revision = header.int64 }
        }
        guard revision > 0 else { return }
        if answeredRevision == 0 {
            answeredRevision = revision
            answeredCluster = cluster
            answeredAt = time
        }
        output.clock.show(revision, by: cluster, at: time)
    }

    // MARK: - Judging

    /// The methods that fit what is known of the call.
    func candidates(_ output: borrowing CallOutput) -> MethodSet {
        var course = CallShape.Course()
        course.isRequestWhole = marks.contains(.requestHeaders) && !completeness.contains(.requestDamaged)
        course.isRequestEnded = marks.contains(.requestEnded)
        course.requestMessages = requestMessages
        course.responseMessages = responseMessages
        course.isCompleted = completeness.contains(.completed)
        return output.shapes.candidates(course, collected)
    }

    /// What the revision of the answer says of a call that is over.
    func likelihood(_ output: borrowing CallOutput) -> Likelihood {
        let (revision, cluster) = (answeredRevision, answeredCluster)
        guard revision > 0, requestStart != Operation.absent else { return Likelihood() }
        return Likelihood(
            isOld: revision <= output.clock.shown(before: requestStart, by: cluster),
            isNext: output.clock.isNext(revision, at: answeredAt, by: cluster))
    }

    /// Holds the name that was read with a table known by inference against the whole request.
    mutating func proveName(_ bytes: Span<UInt8>, _ output: inout CallOutput) {
        guard let method = MethodCatalogue.method(self.method), !output.shapes.fits(method, request: bytes) else {
            return
        }
        marks.insert(.nameRefuted)
    }

    // MARK: - Naming

    /// The call's method was inferred: what was kept of it is read.
    mutating func infer(_ method: MethodNumber, _ inference: Inference, _ output: inout CallOutput) {
        self.method = method
        kind = output.paths.kind(of: method)
        streaming = output.paths.streaming(of: method)
        self.inference = inference
        marks.formUnion([.methodKnown, .methodInferred, .scanned])
        readCollected(&output)
    }

    /// The call's name turned out to be wrong: nothing is known of it but its messages' number and size.
    mutating func unname() {
        method = .unknown
        kind = .other
        marks.subtract([.methodKnown, .methodInferred, .scanned])
        details.reset()
        firstKey.removeAll(keepingCapacity: true)
    }

    /// Reads what was kept, now that the method is known, or forgets it if nothing is read of that method.
    mutating func readCollected(_ output: inout CallOutput) {
        marks.remove(.collecting)
        var collected = CollectedMessages()
        swap(&collected, &self.collected)
        guard marks.contains(.scanned) else {
            output.memory.takeBack(&heldResponse)
            return
        }
        // A response message that is not whole yet: its beginning is held as it was on the wire.
        var beginning: [UInt8] = []
        swap(&beginning, &heldResponse)
        let (present, answer, state) = (request, response, marks)
        for place in 0..<collected.count {
            read(collected.messages[place], collected.bytes.span.extracting(collected.range(place)), &output)
        }
        request = present
        response = answer
        guard state.contains(.withinResponse) else { return }
        beginResponse()
        if state.contains(.responseUnreadable) {
            marks.insert(.responseUnreadable)
        } else if !beginning.isEmpty {
            takeResponse(beginning.span, isLast: false, &output)
        }
    }

    private mutating func read(_ message: CollectedMessages.Message, _ bytes: Span<UInt8>, _ output: inout CallOutput) {
        switch message.direction {
        case .request:
            request = MessageAssembler(having: message.length, start: message.start)
            if message.isMissing { failRequest(&output) } else { readRequest(bytes, at: message.end, &output) }
        case .response:
            response = MessageAssembler(having: message.length, start: message.start)
            // Only the first answer of a unary call is one.
            if streaming == .unary,
                !marks.isDisjoint(with: [.answerRead, .answerLost])
            {
                return
            }
            marks.remove(.responseUnreadable)
            wantedResponse = 0
            passedOverResponse = 0
            if message.isMissing { failResponse() } else { readResponse(bytes, isLast: true, &output) }
            concludeResponse(at: message.end, &output)
        }
    }
}
