import Etcd
package import Replay

/// A store without a key that answers at once and forgets what it is told: `null`. Measures the engine itself.
package final class NullBackend: Backend {
    package let name = "null"
    private var revision: Int64 = 1

    package init() {}

    package var now: Int64 { Int64(clamping: MonotonicClock.now) }

    package func open(connections: Int) throws(BackendError) {}

    package func run(_ driver: any StoreDriver) throws(BackendError) {
        MonotonicClock.wakePrecisely()
        // Not properties of the object: those would be copied at each use.
        var request = StoreRequest()
        var answer = StoreAnswer()
        while !driver.isDone {
            let time = now
            driver.turn(at: time)
            var hasNext = driver.next(into: &request)
            let isIdle = !hasNext
            while hasNext {
                hasNext = driver.exchange(&request, &answer) { reply(to: $0, &$1) }
                if hasNext { driver.turn(at: now) }
            }
            if driver.isDone { return }
            let due = driver.nextDue
            if due != .max {
                if due > time { MonotonicClock.sleep(until: UInt64(clamping: due)) }
            } else if isIdle {
                throw BackendError(
                    .system, what: "cannot go on", location: name,
                    why: "nothing is due and nothing is to be answered, but the replay is not done")
            }
        }
    }

    package func close() {}

    /// Answers the request, as it was sent and done in one moment.
    @inline(__always)
    private func reply(to request: borrowing StoreRequest, _ answer: inout StoreAnswer) {
        answer.removeAll()
        answer.number = request.number
        answer.sent = now
        answer.firstByte = answer.sent
        answer.done = answer.sent
        answer.details.answer.flags.insert(.answered)
        switch request.kind {
        case .put: revision += 1
        case .txn: transact(request, &answer)
        case .leaseGrant:
            revision += 1
            answer.details.answeredLease = revision
        case .leaseKeepAlive: answer.details.answeredTTL = max(1, request.ttl)
        default: break
        }
        answer.details.headerRevision = revision
    }

    /// Of a key that is not there, every revision is 0.
    private func transact(_ request: borrowing StoreRequest, _ answer: inout StoreAnswer) {
        var place = 0
        let succeeded = Self.holds(request.body.compares, of: request)
        if succeeded { answer.details.answer.flags.insert(.succeeded) }
        var hasChanged = false
        Self.answer(
            succeeded ? .success : .failure, of: request, upTo: request.parts.count, from: &place, &answer, &hasChanged)
        if hasChanged { revision += 1 }
    }

    private static func holds(_ compares: Slice, of request: borrowing StoreRequest) -> Bool {
        for place in compares.range {
            let compare = request.compares[place]
            let isTrue =
                switch compare.relation {
                case .equal: compare.operand == 0
                case .notEqual: compare.operand != 0
                case .greater: compare.operand < 0
                case .less: compare.operand > 0
                }
            if !isTrue { return false }
        }
        return true
    }

    /// Answers the operations of a branch, nested ones behind their transaction.
    private static func answer(
        _ branch: RequestOp.Branch, of request: borrowing StoreRequest, upTo end: Int, from place: inout Int,
        _ answer: inout StoreAnswer, _ hasChanged: inout Bool
    ) {
        while place < end {
            let part = request.parts[place]
            let following = place + 1 + Int(part.nestedParts)
            place += 1
            if part.branch == branch {
                let own = answer.details.answers.count
                var reply = CallDetails.Answer()
                reply.kind = part.kind
                reply.flags = [.answered]
                answer.details.answers.append(reply)
                if part.kind == .put { hasChanged = true }
                if part.kind == .txn {
                    let succeeded = holds(part.compares, of: request)
                    if succeeded { answer.details.answers[own].flags.insert(.succeeded) }
                    Self.answer(
                        succeeded ? .success : .failure, of: request, upTo: following, from: &place, &answer,
                        &hasChanged)
                    answer.details.answers[own].nested = UInt32(answer.details.answers.count - own - 1)
                }
            }
            place = following
        }
    }
}
