import Etcd

// Streams outlive their connections, as those of etcd's own clients do (clientv3, watch.go and lease.go): the next
// keep-alive opens its stream anew, and watches are created again behind what they have heard.
extension ReplayEngine {
    // MARK: - What is sent

    /// Whether a message or the end of a stream has to wait: the end for the answers to the messages before it, a
    /// cancel for the number under which its watch is just being created again.
    mutating func hold(_ call: UInt32, _ intended: Int64) -> Bool {
        let place = Int(plan.calls[Int(call)].stream)
        if case .endStream = plan.calls[Int(call)].action {
            if streams[place].unanswered == 0 { return false }
            streams[place].heldEnd = (call, intended)
        } else {
            guard let watch = watch(cancelledBy: call), streams[place].watches[watch].state == .askedAnew else {
                return false
            }
            streams[place].heldCancels.append((call, intended))
        }
        waitingCount += 1
        return true
    }

    /// Whether a message, or the end of its stream, can be sent. A stream whose connection was lost is opened anew by
    /// keep-alives and new watches; there is nothing on it to be cancelled, asked for its progress or ended.
    mutating func canSend(_ call: UInt32, on place: Int) -> Bool {
        if streams[place].isOver { return false }
        if let watch = watch(cancelledBy: call), streams[place].watches[watch].state == .gone {
            // It need not be created again for that.
            streams[place].watches[watch].state = .over
            return false
        }
        guard streams[place].isLost else { return true }
        // Nothing is opened whose end is due.
        guard case .message = plan.calls[Int(call)].action, streams[place].heldEnd == nil else { return false }
        switch plan.calls[Int(call)].kind {
        case .watchCreate, .leaseKeepAlive: return true
        default: return false
        }
    }

    /// Something is sent on a stream.
    mutating func reopen(_ place: Int) {
        if !streams[place].isLost { return }
        streams[place].isLost = false
        streams[place].isOpenedAnew = true
    }

    /// A message of the plan goes, with these numbers of the target.
    mutating func takeNote(ofMessage request: borrowing StoreRequest, _ call: UInt32) {
        let place = Int(plan.calls[Int(call)].stream)
        switch request.kind {
        case .watchCreate: streams[place].watches.append(PlayedWatch(call: call, start: request.body.revision))
        case .watchCancel:
            if let watch = streams[place].place(ofWatch: request.watchID) {
                streams[place].watches[watch].state = .over
            }
        default: break
        }
    }

    /// The place of the watch that the call cancels, where the plan knows its creation.
    private mutating func watch(cancelledBy call: UInt32) -> Int? {
        guard case .watchCancel = plan.calls[Int(call)].kind else { return nil }
        for place in plan.calls[Int(call)].patches.range {
            guard case .watchOfCall = plan.patches[place].source else { continue }
            return streams[Int(plan.calls[Int(call)].stream)].place(ofWatchOf: plan.patches[place].number)
        }
        return nil
    }

    // MARK: - What is heard

    /// Takes what the answer to a message says of its stream and the watches on it.
    mutating func hear(_ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer) {
        let place = Int(slot.stream)
        hear(place)
        switch plan.calls[Int(slot.call)].kind {
        case .watchCreate:
            guard let watch = streams[place].place(ofWatchOf: slot.call),
                streams[place].watches[watch].state == .asked
            else { return }
            if answer.isError || answer.details.watch.isCanceled {
                streams[place].watches[watch].state = .over
            } else {
                streams[place].watches[watch].stand(
                    as: answer.details.watch.watchID, at: answer.details.headerRevision)
            }
        case .watchProgress: if !answer.isError { hearProgress(place, answer) }
        default: break
        }
    }

    /// Takes what a message that answers no request says of its stream and the watches on it.
    ///
    /// - Parameter revision: the last one that it says all of.
    mutating func hear(event answer: borrowing StoreAnswer, stream place: Int, through revision: Int64) {
        hear(place)
        if streams[place].watches.isEmpty { return }
        let reply = answer.details.watch
        if reply.isCreated {
            // It was given up, but not forgotten by the store. Creations are answered in their order.
            guard let watch = streams[place].watches.firstIndex(where: { $0.state == .asked || $0.state == .askedAnew })
            else { return }
            return stand(watch, of: place, answer)
        }
        if let watch = streams[place].place(ofWatch: reply.watchID) {
            if reply.isCanceled {
                streams[place].watches[watch].state = .over
            } else {
                streams[place].watches[watch].hear(through: revision)
            }
        } else if reply.watchID == -1 {
            hearProgress(place, answer)
        }
    }

    /// A notification for all watches of a stream.
    private mutating func hearProgress(_ place: Int, _ answer: borrowing StoreAnswer) {
        for watch in streams[place].watches.indices where streams[place].watches[watch].state == .stands {
            streams[place].watches[watch].hearProgress(through: answer.details.headerRevision)
        }
    }

    /// The store has spoken on a stream.
    private mutating func hear(_ place: Int) {
        if !streams[place].isOpenedAnew { return }
        streams[place].isOpenedAnew = false
        counts.reopenedStreams += 1
    }

    // MARK: - Lost connections

    /// A stream went with its connection.
    mutating func lose(_ place: Int) {
        if !streams[place].isOpenedAnew { counts.endedStreams += 1 }
        streams[place].lose(at: now, limits)
        if let moment = streams[place].reopening {
            reopenings.insert(ReopeningHeap.Entry(moment: moment, stream: UInt32(place)))
        }
        releaseCancels(place)
        beginLoopIfOver()
    }

    /// Has watches created again for which it is time.
    mutating func recreateWatches() {
        while let entry = reopenings.removeFirst(dueAt: now) {
            let place = Int(entry.stream)
            guard streams[place].reopening == entry.moment else { continue }
            streams[place].reopening = nil
            for watch in streams[place].watches where watch.state == .gone {
                late.insert(CallHeap.Entry(call: watch.call, createsAnew: true, intended: now, released: now))
            }
        }
    }

    /// Fills in a request that creates the call's watch again; false if that is not to be any more.
    mutating func createAnew(_ call: UInt32, _ request: inout StoreRequest) -> Bool {
        let place = Int(plan.calls[Int(call)].stream)
        guard let watch = streams[place].place(ofWatchOf: call), streams[place].watches[watch].state == .gone,
            !streams[place].isOver, streams[place].heldEnd == nil
        else { return false }
        let number = slots.take()
        slots.fill(number, call: call, stream: UInt32(place), intended: now, released: now)
        slots.mark(number, as: .watch)
        recreating += 1
        counts.recreatedWatches += 1
        reopen(place)
        streams[place].watches[watch].state = .askedAnew
        streams[place].watches[watch].number = number
        // What is sent as recorded was counted when the plan sent it.
        let unmapped = counts.unmapped
        fill(&request, call, number)
        counts.unmapped = unmapped
        request.body.revision = streams[place].watches[watch].start
        return true
    }

    /// Takes the answer to a request that creates a watch again.
    mutating func takeWatch(_ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer) {
        recreating -= 1
        let place = Int(slot.stream)
        // The answer to an attempt before the latest says nothing any more.
        if let watch = streams[place].place(ofWatchOf: slot.call), streams[place].watches[watch].state == .askedAnew,
            streams[place].watches[watch].number == answer.number
        {
            switch answer.note {
            case .connectionLost: if streams[place].isOpen { lose(place) }
            // The request is on its way all the same, if the stream is not lost.
            case .timedOut: break
            case .none, .fellBack, .unsupported:
                hear(place)
                stand(watch, of: place, answer)
            }
        }
        beginLoopIfOver()
    }

    /// A watch was created, late or again, or refused.
    private mutating func stand(_ watch: Int, of place: Int, _ answer: borrowing StoreAnswer) {
        if answer.isError || answer.details.watch.isCanceled {
            streams[place].watches[watch].state = .over
            if answer.details.watch.isCanceled, case .answer = answer.role { counts.cancelledWatches += 1 }
        } else {
            let watchID = answer.details.watch.watchID
            streams[place].watches[watch].stand(as: watchID, at: answer.details.headerRevision)
            learned.learn(watch: watchID, of: streams[place].watches[watch].call)
        }
        releaseCancels(place)
    }

    /// Has cancels go that waited for watches of the stream.
    mutating func releaseCancels(_ place: Int) {
        for held in streams[place].heldCancels {
            late.insert(
                CallHeap.Entry(call: held.call, intended: held.intended, released: max(held.intended, now)))
        }
        streams[place].heldCancels.removeAll()
    }
}
