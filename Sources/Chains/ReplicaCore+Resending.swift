/// What may have been lost is sent again: the head's uncommitted versions by the clock, everybody's once when a chain
/// is activated, oldest first and with their owners.
extension ReplicaCore {
    /// The key at `place` has something to send at `due`.
    mutating func addPending(_ place: Int, at due: UInt64) {
        if store.places[place].pendingPosition < 0 {
            store.setPendingPosition(pending.count, at: place)
            pending.append(Int32(place))
        }
        resendAt = min(resendAt, due)
        resendAtNextRound = min(resendAtNextRound, due)
    }

    mutating func removePending(_ place: Int) {
        let position = Int(store.places[place].pendingPosition)
        guard position >= 0 else { return }
        store.setPendingPosition(-1, at: place)
        // The last key moves to where the present round may have been already; then another one follows.
        if position < resendCursor { resendAtNextRound = 0 }
        let last = Int(pending.removeLast())
        if last != place {
            pending[position] = Int32(last)
            store.setPendingPosition(position, at: last)
        }
    }

    /// Goes on with its round over the keys that have something to send, as far as the limits of one call allow.
    mutating func advance(to now: UInt64, into outbox: inout Outbox) {
        guard now >= resendAt else { return }
        if resendCursor == 0 { resendAtNextRound = .max }
        var budget = configuration.limits.resendsPerAdvance
        for _ in 0..<configuration.limits.keysPerAdvance {
            guard resendCursor < pending.count else {
                resendCursor = 0
                resendAt = resendAtNextRound
                resendAtNextRound = .max
                return
            }
            let place = Int(pending[resendCursor])
            let due = resend(place, at: now, budget: &budget, into: &outbox)
            if due == .max {
                removePending(place)
            } else {
                resendAtNextRound = min(resendAtNextRound, due)
                resendCursor += 1
            }
            if budget <= 0 { break }
        }
        resendAt = now
    }

    /// Sends what of a key is due; answers when it has something to send next.
    private mutating func resend(
        _ place: Int, at now: UInt64, budget: inout Int, into outbox: inout Outbox
    ) -> UInt64 {
        let group = Int(store.places[place].group)
        let clean = store.cleanCell(place)
        guard groups[group].isActive else { return .max }
        if groups[group].isTail {
            // A new tail owes the others word of what it committed.
            if isNetCRAQ, store.cells[clean].dueAt != .max {
                multicastCommit(at: place, into: &outbox)
                store.cells[clean].dueAt = .max
                budget -= groups[group].position
            }
            return .max
        }
        if !isNetCRAQ, store.places[place].committed == store.cells[clean].version { return .max }
        let first = isNetCRAQ ? clean + 1 : clean
        var next = UInt64.max
        for cell in first..<first + (isNetCRAQ ? store.dirtyCount(place) : 1) {
            if store.cells[cell].dueAt <= now, budget > 0 {
                resend(cell, of: place, into: &outbox)
                budget -= 1
                store.cells[cell].dueAt =
                    groups[group].isHead ? Self.later(now, by: configuration.resendInterval) : .max
            }
            next = min(next, store.cells[cell].dueAt)
        }
        return next
    }

    private mutating func resend(_ cell: Int, of place: Int, into outbox: inout Outbox) {
        counters.resent += 1
        let owner = store.cells[cell]
        if mutations.contains(.resendsWithoutOwner) {
            store.cells[cell].slot = 0
            store.cells[cell].request = 0
            store.cells[cell].client.port = 0
        }
        let successor = groups[Int(store.places[place].group)].position + 1
        send(.chainWrite, cell: cell, at: place, toPosition: successor, into: &outbox)
        store.cells[cell] = owner
    }
}
