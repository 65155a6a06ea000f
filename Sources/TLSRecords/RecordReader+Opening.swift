import Wire

// What is done with whole records: opened with the next sequence number, or else by search; then read by content type.
extension RecordReader {
    /// Takes a record from a boundary that is known, header included.
    mutating func take(
        _ record: Span<UInt8>, _ header: RecordHeader, at time: CaptureTime, _ session: inout TLSSession,
        _ log: inout KeyLog, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Verdict {
        if header.type == RecordHeader.ContentType.applicationData || cipherIsChanged && !isTLS13(session) {
            return open(record, header, at: time, &session, &log, &budget, &output)
        }
        switch header.type {
        case RecordHeader.ContentType.handshake:
            readHello(record.extracting(RecordHeader.byteCount..<record.count), &session)
        case RecordHeader.ContentType.changeCipherSpec:
            // In TLS 1.3 it says nothing (RFC 8446 §5).
            cipherIsChanged = true
        default: break
        }
        return .taken
    }

    private func isTLS13(_ session: TLSSession) -> Bool { session.suite?.isTLS13 ?? false }

    private mutating func readHello(_ bytes: Span<UInt8>, _ session: inout TLSSession) {
        var offset = 0
        while let type = handshake.next(bytes, from: &offset) {
            let wanted =
                direction == .request
                ? HandshakeReader.MessageType.clientHello : HandshakeReader.MessageType.serverHello
            guard type == wanted, let hello = Hello(handshake.message.span) else { continue }
            session.receive(hello, direction)
        }
    }

    /// Opens a protected record and reads what it holds.
    mutating func open(
        _ record: Span<UInt8>, _ header: RecordHeader, at time: CaptureTime, _ session: inout TLSSession,
        _ log: inout KeyLog, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Verdict {
        if missing == 0, missingIsKnown, keys != nil {
            if let count = output.open(record, with: &keys, sequence: sequence) {
                sequence &+= 1
                accept(count, header, at: time, into: &output)
                return .taken
            }
        }
        var search = RecordSearch(record: record.count, limits: limits)
        let verdict = find(record, &search, &session, &log, &budget, &output)
        guard verdict == .taken, let found = search.found else {
            if verdict == .unopened, isReadable { health.recordsUnopened &+= 1 }
            return verdict
        }
        loseEarlyData(before: found, isOffered: session.offersEarlyData)
        reportLoss(before: found, at: time, into: &output)
        keys = found.keys
        epoch = found.epoch
        sequence = found.sequence &+ 1
        missing = 0
        missingIsKnown = true
        cipherIsChanged = true
        accept(found.count, header, at: time, into: &output)
        return .taken
    }

    /// Early data ends with a message of its own (RFC 8446 §4.5), if the server takes it. What is missing before that
    /// may be early data, or its end: then nobody knows whether the server took what is kept.
    private mutating func loseEarlyData(before found: RecordSearch.Found, isOffered: Bool) {
        // A ClientHello that does not offer it may follow one that did.
        let isSent = isOffered || epoch == .early || found.epoch == .early
        guard direction == .request, isSent, epoch <= .early, !isStarted else { return }
        if missing > 0 {
            earlyDataMissing &+= missing &+ earlyData.count
            missing = 0
            earlyData = []
        } else if found.epoch > .early {
            earlyDataMissing = 0
            earlyData = []
        }
    }

    /// Names what of the application data came before the record that was found and was not read.
    private mutating func reportLoss(
        before found: RecordSearch.Found, at time: CaptureTime, into output: inout TLSOutput
    ) {
        guard found.epoch == .traffic else { return }
        let suite = found.keys.suite
        let isSameKey = epoch == .traffic && found.isSameKey
        if !isSameKey, epoch != .traffic {
            // The first record of the traffic secret; in TLS 1.2 that is the Finished message.
            let first: UInt64 = suite.isTLS13 ? 0 : 1
            let isFirst = found.sequence <= first
            if missingIsKnown || isFirst { start(at: time, into: &output) }
            if missingIsKnown {
                reportGap(earlyDataMissing &+ (isFirst ? 0 : missing), isExact: false, at: time, into: &output)
            }
            earlyDataMissing = 0
            earlyData = []
            isStarted = true
            return
        }
        guard missing > 0 else { return }
        let records = isSameKey ? Int(clamping: found.sequence &- sequence) : 0
        let (overhead, overflow) = records.multipliedReportingOverflow(by: suite.recordOverhead)
        let count = overflow ? 0 : missing &- overhead
        // A server's tickets go before its first data, and a KeyUpdate before the new keys.
        let mayBeTickets = direction == .response && suite.isTLS13 && sequence < 4
        reportGap(count, isExact: isSameKey && !isPadded && !mayBeTickets, at: time, into: &output)
    }

    mutating func reportGap(_ count: Int, isExact: Bool, at time: CaptureTime, into output: inout TLSOutput) {
        guard count > 0 else { return }
        output.append(TLSEvent(kind: .gap, direction: direction, count: count, isExact: isExact, time: time))
    }

    private mutating func start(at time: CaptureTime, into output: inout TLSOutput) {
        guard !isStarted else { return }
        isStarted = true
        output.append(TLSEvent(kind: .started, direction: direction, time: time))
    }

    // MARK: Content

    /// Reads the `count` bytes that were opened last.
    private mutating func accept(
        _ count: Int, _ header: RecordHeader, at time: CaptureTime, into output: inout TLSOutput
    ) {
        health.records &+= 1
        guard keys?.suite.isTLS13 == true else {
            if header.type == RecordHeader.ContentType.applicationData { output.use(count, direction, at: time) }
            return
        }
        // RFC 8446 §5.2: content, its type, then zeros.
        var end = count
        while end > 0, output.openedByte(end &- 1) == 0 { end &-= 1 }
        guard end > 0 else { return }
        if end < count { isPadded = true }
        let content = end &- 1
        switch output.openedByte(content) {
        case RecordHeader.ContentType.applicationData:
            if epoch == .early {
                keepEarlyData(content, output)
            } else if epoch == .traffic {
                output.use(content, direction, at: time)
            }
        case RecordHeader.ContentType.handshake:
            readHandshake(content, at: time, into: &output)
        default: break
        }
    }

    private mutating func keepEarlyData(_ count: Int, _ output: TLSOutput) {
        if count > limits.earlyDataBytes &- earlyData.count {
            earlyDataMissing &+= earlyData.count &+ count
            earlyData = []
            return
        }
        for index in 0..<count { earlyData.append(output.openedByte(index)) }
    }

    private mutating func readHandshake(_ count: Int, at time: CaptureTime, into output: inout TLSOutput) {
        var isUpdated = false
        var earlyDataIsTaken = false
        readMessages(
            output.plaintext.span.extracting(output.used..<output.used &+ count), &isUpdated, &earlyDataIsTaken)
        if isUpdated {
            // RFC 8446 §4.6.3: it is the last message under its keys.
            keys = keys?.next
            sequence = 0
        }
        // RFC 8446 §4.5: sent only if the server accepted the early data.
        if earlyDataIsTaken {
            start(at: time, into: &output)
            reportGap(earlyDataMissing, isExact: false, at: time, into: &output)
            output.append(copying: earlyData.span, direction, at: time)
            earlyDataMissing = 0
            earlyData = []
        }
    }

    private mutating func readMessages(
        _ bytes: Span<UInt8>, _ isUpdated: inout Bool, _ earlyDataIsTaken: inout Bool
    ) {
        var offset = 0
        while let type = handshake.next(bytes, from: &offset) {
            if type == HandshakeReader.MessageType.keyUpdate, epoch == .traffic { isUpdated = true }
            if type == HandshakeReader.MessageType.endOfEarlyData, epoch == .early { earlyDataIsTaken = true }
        }
    }
}
