import Chains
import Etcd
import Replay
import Wire

// What became of a call, and how the driver is told: as etcd would.

extension ChainBackend {
    /// A request to the chain has ended: the call's next one begins, or it is answered.
    func receive(_ end: SingleKeyEnd, _ place: Int) {
        let time = Int64(clamping: end.time)
        if calls[place].firstByte == 0 { calls[place].firstByte = time }
        calls[place].responseBytes += client.headerBytes + end.size
        let isLate = end.time >= calls[place].deadline
        switch end.outcome {
        case .ok, .absent, .mismatch:
            switch calls[place].stage {
            case .first: takeFirst(end, place)
            case .deleting: takeDeletion(end, place)
            case .reading: answer(place, end, succeeded: false, .range)
            }
        case .busy where !isLate:
            busyRetries += 1
            pause(place)
        case .busy: fail(place, .busy, end)
        case .tooLarge: fail(place, .tooLarge, end)
        case .refused: fail(place, .notServed, end)
        case .late: fail(place, .late, end)
        case .unknown: fail(place, .unknown, end)
        }
    }

    private func takeFirst(_ end: SingleKeyEnd, _ place: Int) {
        let isFound = end.outcome == .ok
        switch calls[place].request.kind {
        case .read:
            open(place, end)
            var reply = answer.details.answer
            show(place, end, &reply)
            answer.details.answer = reply
            close(place)
        case .put:
            open(place, end)
            close(place)
        case .delete where isFound:
            twoStepCalls += 1
            calls[place].stage = .deleting
            calls[place].expected = end.revision
            begin(place, client.comparesAndSets ? .compareAndDelete : .delete)
        case .delete:
            open(place, end)
            close(place)
        case .comparePut, .compareDelete:
            if isFound {
                answer(place, end, succeeded: true, calls[place].request.kind == .comparePut ? .put : .delete)
            } else if calls[place].request.readsOnFailure {
                twoStepCalls += 1
                calls[place].stage = .reading
                begin(place, .read)
            } else {
                open(place, end)
                close(place)
            }
        case .countAll:
            if isFound { calls[place].found += 1 }
            calls[place].key += 1
            if calls[place].key < client.countKeys() { return begin(place, .read) }
            open(place, end)
            answer.details.answer.count = calls[place].found
            close(place)
        }
    }

    private func takeDeletion(_ end: SingleKeyEnd, _ place: Int) {
        if end.outcome == .mismatch {
            // Somebody wrote it meanwhile.
            guard end.time < calls[place].deadline else { return fail(place, .busy, end) }
            calls[place].stage = .first
            return begin(place, .read)
        }
        open(place, end)
        answer.details.answer.count = 1
        close(place)
    }

    /// Answers a transaction, of which one operation was executed.
    private func answer(_ place: Int, _ end: SingleKeyEnd, succeeded: Bool, _ kind: RequestOp.Kind) {
        open(place, end)
        if succeeded { answer.details.answer.flags.insert(.succeeded) }
        var part = CallDetails.Answer()
        part.kind = kind
        part.flags = [.answered]
        if case .range = kind { show(place, end, &part) }
        // What had to be absent was not there to be deleted.
        if case .delete = kind { part.count = calls[place].expected == 0 ? 0 : 1 }
        answer.details.answers.append(part)
        close(place)
    }

    // MARK: An answer

    /// Begins the answer to a call: times, bytes, the revision.
    private func open(_ place: Int, _ end: SingleKeyEnd) {
        answer.removeAll()
        answer.number = calls[place].number
        answer.sent = calls[place].sent
        answer.firstByte = calls[place].firstByte
        answer.done = Int64(clamping: end.time)
        answer.requestBytes = calls[place].requestBytes
        answer.responseBytes = calls[place].responseBytes
        answer.details.answer.flags.insert(.answered)
        answer.details.headerRevision = end.revision
    }

    /// Adds what a read found.
    private func show(_ place: Int, _ end: SingleKeyEnd, _ reply: inout CallDetails.Answer) {
        guard case .ok = end.outcome else { return }
        reply.count = 1
        let flags = calls[place].request.flags
        if flags.contains(.countOnly) { return }
        var record = KeyValueRecord()
        record.key = answer.details.keys.number(of: names.bytes.span, at: names.range(of: UInt32(calls[place].key + 1)))
        record.modRevision = end.revision
        record.valueSize = flags.contains(.keysOnly) ? 0 : end.size
        reply.keyValues = Slice(start: UInt32(answer.details.keyValues.count), count: 1)
        answer.details.keyValues.append(record)
    }

    /// Tells the driver; the call is over.
    private func close(_ place: Int) {
        free.append(place)
        driver?.receive(answer)
    }

    private func fail(_ place: Int, _ refusal: Refusal, _ end: SingleKeyEnd) {
        open(place, end)
        if case .late = refusal { answer.firstByte = 0 }
        answer.status = refusal.status
        answer.note = refusal.note
        answer.errorText = refusal.text
        close(place)
    }

    // MARK: Without the chain

    /// Answers the request once the driver can take it; nil: there was nothing to do.
    func refuse(_ number: UInt32, _ refusal: Refusal?) { refusals.append((number, refusal)) }

    /// Answers what was refused.
    func answerRefused() {
        let count = refusals.count
        if count == 0 { return }
        for place in 0..<count {
            let (number, refusal) = refusals[place]
            answer.removeAll()
            answer.number = number
            answer.done = now
            if let refusal {
                answer.status = refusal.status
                answer.note = refusal.note
                answer.errorText = refusal.text
            }
            driver?.receive(answer)
        }
        refusals.removeSubrange(..<count)
    }
}

/// Why a chain did not do what it was asked.
enum Refusal {
    case notOneKey
    case noComparison
    case unknownKey
    case tooLarge
    case notServed
    case busy
    case late
    case unknown

    /// Of gRPC.
    var status: UInt32 {
        switch self {
        case .tooLarge: 3
        case .late: 4
        case .busy: 8
        case .notOneKey, .noComparison, .unknownKey: 12
        case .notServed, .unknown: 14
        }
    }

    var note: StoreAnswer.Note {
        switch self {
        case .notOneKey, .noComparison, .unknownKey: .unsupported
        case .late: .timedOut
        case .unknown: .connectionLost
        case .tooLarge, .notServed, .busy: .none
        }
    }

    var text: [UInt8] {
        switch self {
        case .notOneKey: Self.notOneKeyText
        case .noComparison: Self.noComparisonText
        case .unknownKey: Self.unknownKeyText
        case .tooLarge: Self.tooLargeText
        case .notServed: Self.notServedText
        case .busy: Self.busyText
        case .late: Self.lateText
        case .unknown: Self.unknownText
        }
    }

    private static let notOneKeyText = Array("a chain reads and changes one key at a time".utf8)
    private static let noComparisonText = Array("the published packets have no comparison".utf8)
    private static let unknownKeyText = Array("the chain was not told of this key".utf8)
    /// etcd's own for one beyond its limit (rpctypes, ErrGRPCRequestTooLarge).
    private static let tooLargeText = Array("etcdserver: request is too large".utf8)
    private static let notServedText = Array("the chain does not serve this key any more".utf8)
    private static let busyText = Array("earlier writes of the key were under way all the time".utf8)
    private static let lateText = Array("no node of the chain answered in time".utf8)
    private static let unknownText = Array("the chain changed: whether it was done is not known".utf8)
}
