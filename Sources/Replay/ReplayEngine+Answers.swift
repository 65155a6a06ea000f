import Etcd
import Wire

extension ReplayEngine {
    /// Takes an answer, an event or the end of a stream. Whether the batch is to be taken now: for owners that would
    /// else have to look into the engine once more for each answer, where each look is checked for exclusive access.
    @discardableResult
    package mutating func receive(_ answer: borrowing StoreAnswer) -> Bool {
        now = max(now, answer.done)
        switch answer.role {
        case .answer: self.answer(answer, isStreamLost: false)
        case .event: event(answer)
        case .streamEnd: streamEnd(answer)
        }
        return recording.isFull
    }

    /// Has requests answered at once, from this one on, until none is due or the batch is to be taken. Whether
    /// `request` is one that is not answered yet.
    package mutating func exchange(
        _ request: inout StoreRequest, _ answer: inout StoreAnswer,
        reply: (borrowing StoreRequest, inout StoreAnswer) -> Void
    ) -> Bool {
        while true {
            reply(request, &answer)
            let isBatchFull = receive(answer)
            let hasNext = next(into: &request)
            if isBatchFull || !hasNext { return hasNext }
        }
    }

    @inline(__always)
    mutating func answer(_ answer: borrowing StoreAnswer, isStreamLost: Bool) {
        guard let slot = slots.release(answer.number, at: answer.done) else { return counts.unexpected += 1 }
        if slot.call == SlotTable.noCall {
            endStream(Int(slot.stream), answer)
            return beginLoopIfOver()
        }
        let call = slot.call
        if slot.purpose != .plan { return takeOwn(slot, answer) }
        if case .endStream = plan.calls[Int(call)].action {
            endStream(Int(slot.stream), answer)
        } else {
            let kind = Int(plan.calls[Int(call)].kind.rawValue)
            counts.answered[kind] += 1
            counts.notes[Int(answer.note.rawValue)] += 1
            if answer.isError { counts.errors[kind] += 1 }
            let isWarmUp = slot.intended < warmUpUntil || (slot.call < warmUpEnd && loop == 0)
            if answer.sent != 0, !isWarmUp { sendLag.record(answer.sent &- slot.released) }
            finish(slot, answer, isStreamLost: isStreamLost, isWarmUp: isWarmUp)
        }
        nodes.answer(call, at: answer.done, cursor: cursor, late: &late)
        beginLoopIfOver()
    }

    /// Takes the answer to what the plan does not have.
    private mutating func takeOwn(_ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer) {
        switch slot.purpose {
        case .plan: break
        case .revision: takeRevision(slot, answer)
        case .watch: takeWatch(slot, answer)
        }
    }

    /// Learns from the answer to a call or message, compares it and writes it down.
    @inline(__always)
    private mutating func finish(
        _ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer, isStreamLost: Bool, isWarmUp: Bool
    ) {
        let call = slot.call
        if case .message = plan.calls[Int(call)].action { countMessage(slot, answer) }
        let written = record(slot, answer)
        if !answer.isError {
            learned.learn(call, from: answer, sentLease: written.lease)
            if case .leaseGrant = plan.calls[Int(call)].kind {
                fidelity.grant(ttl: plan.calls[Int(call)].ttl, at: answer.sent)
            }
            if written.hasChanged {
                delivery.write(answer.details.headerRevision, sent: answer.sent)
            }
        }
        var difference: Difference?
        if loop == 0 {
            let outcome = Outcome(
                status: answer.status, note: answer.note, isError: answer.isError,
                saysLeaseNotFound: answer.saysLeaseNotFound, answer: answer.details.answer,
                answeredTTL: answer.details.answeredTTL, headerRevision: answer.details.headerRevision,
                isMalformed: written.isMalformed, isUnmapped: slot.isUnmapped, isStreamLost: isStreamLost,
                hasChanged: written.hasChanged, mayLeaseHaveEnded: answer.done >= fidelity.leaseEnd,
                mayRecordedLeaseHaveEnded: plan.calls[Int(call)].time >= fidelity.recordedLeaseEnd)
            difference = fidelity.compare(
                call, of: plan, with: outcome, parts: recording.batch.parts, from: written.firstPart)
        }
        var replay = ReplayRecord()
        let moment = answer.sent == 0 ? answer.done : answer.sent
        replay.intended = max(0, moment &- slot.intended)
        replay.released = min(replay.intended, max(0, moment &- slot.released))
        replay.call = number(of: call)
        replay.loop = loop
        if let difference { replay.difference = difference.rawValue } else { replay.isUncompared = true }
        replay.isApproximated = plan.calls[Int(call)].approximation != nil
        replay.isWarmUp = isWarmUp
        recording.batch.replays.append(replay)
    }

    private mutating func countMessage(_ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer) {
        let place = Int(slot.stream)
        if streams[place].unanswered > 0 { streams[place].unanswered -= 1 }
        if streams[place].unanswered == 0, let end = streams[place].heldEnd {
            streams[place].heldEnd = nil
            late.insert(
                CallHeap.Entry(call: end.call, intended: end.intended, released: max(end.intended, answer.done)))
        }
        streams[place].requests &+= 1
        if !answer.isLost { streams[place].responses &+= 1 }
        streams[place].requestBytes &+= answer.requestBytes
        streams[place].responseBytes &+= answer.responseBytes
        if answer.details.watch.isCanceled, case .watchCreate = plan.calls[Int(slot.call)].kind {
            counts.cancelledWatches += 1
        }
        if !answer.isLost { hear(slot, answer) }
    }

    // MARK: - Streams

    /// The place of a stream of this loop; nil for one of an earlier loop, or none.
    private func place(ofStream stream: UInt32) -> Int? {
        let place = Int(stream &- streamBase)
        return place < streams.count ? place : nil
    }

    private mutating func event(_ answer: borrowing StoreAnswer) {
        let place = place(ofStream: answer.stream)
        var eventCount: Int64 = 0
        var revision: Int64 = 0
        for record in answer.details.keyValues {
            switch record.kind {
            case .putEvent, .deleteEvent:
                eventCount += 1
                revision = max(revision, record.modRevision)
                delivery.event(record.modRevision, done: answer.done)
            case .reply, .previous: break
            }
        }
        counts.events += eventCount
        if answer.details.watch.isCanceled { counts.cancelledWatches += 1 }
        guard let place else { return }
        streams[place].events += eventCount
        streams[place].responses &+= 1
        streams[place].responseBytes &+= answer.responseBytes
        hear(event: answer, stream: place, through: eventCount > 0 ? revision : answer.details.headerRevision)
        record(event: answer, stream: place, eventCount: eventCount)
    }

    private mutating func streamEnd(_ answer: borrowing StoreAnswer) {
        guard let place = place(ofStream: answer.stream), streams[place].isOpen else { return }
        if answer.note == .connectionLost { return lose(place) }
        if !streams[place].isOpenedAnew { counts.endedStreams += 1 }
        streams[place].isEndedByStore = true
        releaseCancels(place)
        record(stream: place, status: answer.note == .none ? answer.status : nil, done: answer.done)
        beginLoopIfOver()
    }

    /// The client's end of a stream was answered.
    private mutating func endStream(_ place: Int, _ answer: borrowing StoreAnswer) {
        record(stream: place, status: answer.isLost ? nil : answer.status, done: answer.done)
    }

    // MARK: - The end

    /// Counts what was not sent or not answered, and writes down the streams that are still open. To be called once,
    /// when the backend does not run any more.
    package mutating func finish() {
        if isFinished { return }
        isFinished = true
        counts.outstanding = Int64(slots.outstanding - recreating)
        counts.unsent += Int64(UInt32(plan.calls.count) - first - begun)
        counts.waiting += Int64(waitingCount)
        if isLoopOver { counts.loops += 1 }
        delivery.finish()
        counts.unattributedEvents = delivery.unattributed
        for place in streams.indices { record(stream: place, status: nil, done: now) }
        fidelity.finish(plan)
    }
}

extension StoreAnswer {
    /// Whether nothing of the store's is known.
    @inline(__always)
    var isLost: Bool {
        switch note {
        case .none, .fellBack: false
        case .unsupported, .connectionLost, .timedOut: true
        }
    }

    @inline(__always)
    var isError: Bool { status != 0 || isLost }
}
