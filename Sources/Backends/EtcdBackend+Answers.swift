import Etcd
import HTTP2
import Replay
import Wire

// What is answered, and how the driver is told: one answer a request, whatever becomes of it.

extension EtcdBackend {
    /// Reads what a call is answered.
    func read(_ connection: EtcdConnection, _ slot: Int, _ bytes: Span<UInt8>, _ now: Int64) {
        if connection.calls[slot].kind == .auth { return tokenBytes.append(copying: bytes) }
        var offset = 0
        while true {
            switch connection.calls[slot].read(bytes, at: &offset, limits: callLimits) {
            case .needMore: return
            case .malformed:
                connection.calls[slot].isMalformed = true
                return
            case .message(let byteCount):
                connection.calls[slot].responseBytes += Int64(byteCount)
                if connection.calls[slot].isStream { takeMessage(connection, slot, Int64(byteCount), now) }
            }
        }
    }

    /// A message on a stream: the answer to the request that it fits, or an event.
    private func takeMessage(_ connection: EtcdConnection, _ slot: Int, _ byteCount: Int64, _ now: Int64) {
        let match = connection.calls[slot].requestAnswered
        answer.removeAll()
        if let match {
            let pending = connection.calls[slot].pending.remove(at: match)
            answer.number = pending.number
            answer.sent = pending.sent
            answer.requestBytes = pending.requestBytes
        } else {
            answer.role = .event
        }
        answer.stream = connection.calls[slot].planStream
        answer.firstByte = connection.calls[slot].firstByte == 0 ? now : connection.calls[slot].firstByte
        answer.done = now
        answer.responseBytes = byteCount
        swap(&answer.details, &connection.calls[slot].details)
        driver?.receive(answer)
        swap(&answer.details, &connection.calls[slot].details)
        connection.calls[slot].details.reset()
        connection.calls[slot].firstByte = 0
        hasAnswered = true
    }

    /// A call is over, with that status and `grpc-message`.
    func end(_ connection: EtcdConnection, _ slot: Int, _ status: UInt32, _ text: ArraySlice<UInt8>, _ now: Int64) {
        if connection.calls[slot].isStream {
            var decoded: [UInt8] = []
            GRPCStatus.appendDecoded(text, to: &decoded)
            return endStream(connection, slot, status, .none, String(decoding: decoded, as: UTF8.self), now)
        }
        let pending = connection.calls[slot].request
        answer.removeAll()
        answer.number = pending.number
        answer.note = connection.calls[slot].note
        answer.status = status
        if !text.isEmpty { GRPCStatus.appendDecoded(text, to: &answer.errorText) }
        if connection.calls[slot].isMalformed {
            answer.status = GRPCStatus.internalError
            answer.errorText = Array("the answer cannot be read".utf8)
        }
        answer.sent = pending.sent
        answer.firstByte = connection.calls[slot].firstByte
        answer.done = now
        answer.requestBytes = pending.requestBytes
        answer.responseBytes = connection.calls[slot].responseBytes
        swap(&answer.details, &connection.calls[slot].details)
        if status == GRPCStatus.ok { answer.details.answer.flags.insert(.answered) }
        connection.free(slot)
        if pending.isOwn {
            takeOwn(connection, pending.kind, nil)
        } else {
            driver?.receive(answer)
        }
        swap(&answer.details, &connection.calls[slot].details)
        hasAnswered = true
        if isTokenStale(status), !pending.isOwn { authenticate() }
    }

    /// Whether the latest answer asks for another token: this one is not valid any more (16, UNAUTHENTICATED), or users
    /// were changed since (3, "revision of auth store is old").
    private func isTokenStale(_ status: UInt32) -> Bool {
        guard options.user != nil, status != GRPCStatus.ok else { return false }
        return status == GRPCStatus.unauthenticated
            || answer.errorText == Array("etcdserver: revision of auth store is old".utf8)
    }

    private func endStream(
        _ connection: EtcdConnection, _ slot: Int, _ status: UInt32, _ note: StoreAnswer.Note, _ text: String,
        _ now: Int64
    ) {
        let pending = connection.calls[slot].pending
        let stream = connection.calls[slot].planStream
        connection.free(slot)
        var wasAsked = false
        for item in pending {
            if item.isEnd { wasAsked = true }
            deliver(UnsentAnswer(pending: item, status: status, note: note, text: text), stream: stream, at: now)
        }
        guard !wasAsked else { return }
        answer.removeAll()
        answer.role = .streamEnd
        answer.note = note
        answer.stream = stream
        answer.status = status
        answer.errorText = Array(text.utf8)
        answer.done = now
        driver?.receive(answer)
        hasAnswered = true
    }

    /// Ends a call without the server.
    func fail(
        _ connection: EtcdConnection, _ slot: Int, _ status: UInt32, _ note: StoreAnswer.Note, _ text: String
    ) {
        if connection.calls[slot].isStream { return endStream(connection, slot, status, note, text, now) }
        let pending = connection.calls[slot].request
        connection.free(slot)
        if pending.isOwn { return takeOwn(connection, pending.kind, text) }
        answer(pending, status, note, text)
    }

    /// Answers a request without the server, once the driver can take it.
    func answer(_ pending: EtcdCall.Pending, _ status: UInt32, _ note: StoreAnswer.Note, _ text: String) {
        unsentAnswers.append(UnsentAnswer(pending: pending, status: status, note: note, text: text))
        hasAnswered = true
    }

    func deliver(_ item: UnsentAnswer, stream: UInt32 = 0, at time: Int64? = nil) {
        answer.removeAll()
        answer.number = item.pending.number
        answer.stream = stream
        answer.note = item.note
        answer.status = item.status
        answer.errorText = Array(item.text.utf8)
        answer.sent = item.pending.sent
        answer.done = time ?? now
        answer.requestBytes = item.pending.requestBytes
        driver?.receive(answer)
        hasAnswered = true
    }
}
