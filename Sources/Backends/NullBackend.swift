import Etcd
package import Replay

/// A store without a key that answers at once and forgets what it is told: `null`. Measures the engine itself.
package final class NullBackend: Backend {
    package let name = "null"
    private var revision: Int64 = 1
    private var request = StoreRequest()
    private var answer = StoreAnswer()

    package init() {}

    package var now: Int64 { Int64(clamping: MonotonicClock.now) }

    package func open(connections: Int) throws(BackendError) {}

    package func run(_ driver: any StoreDriver) throws(BackendError) {
        MonotonicClock.wakePrecisely()
        while !driver.isDone {
            let time = now
            driver.turn(at: time)
            var isIdle = true
            while driver.next(into: &request) {
                isIdle = false
                reply()
                driver.receive(answer)
            }
            if driver.isDone { return }
            let due = driver.nextDue
            if due > time { MonotonicClock.sleep(until: UInt64(clamping: due)) }
            if isIdle, due == .max {
                throw BackendError(
                    .system, what: "cannot go on", location: name,
                    why: "nothing is due and nothing is to be answered, but the replay is not done")
            }
        }
    }

    package func close() {}

    /// Answers the request, as it was sent and done in one moment.
    private func reply() {
        answer.removeAll()
        answer.number = request.number
        answer.sent = now
        answer.firstByte = answer.sent
        answer.done = answer.sent
        answer.details.answer.flags.insert(.answered)
        switch request.kind {
        case .put: revision += 1
        case .txn: transact()
        case .leaseGrant:
            revision += 1
            answer.details.answeredLease = revision
        case .leaseKeepAlive: answer.details.answeredTTL = max(1, request.ttl)
        default: break
        }
        answer.details.headerRevision = revision
    }

    /// Of a key that is not there, every revision is 0.
    private func transact() {
        var place = 0
        let succeeded = holds(request.body.compares)
        if succeeded { answer.details.answer.flags.insert(.succeeded) }
        var hasChanged = false
        answerBranch(succeeded ? .success : .failure, upTo: request.parts.count, from: &place, &hasChanged)
        if hasChanged { revision += 1 }
    }

    private func holds(_ compares: Slice) -> Bool {
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
    private func answerBranch(
        _ branch: RequestOp.Branch, upTo end: Int, from place: inout Int, _ hasChanged: inout Bool
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
                    let succeeded = holds(part.compares)
                    if succeeded { answer.details.answers[own].flags.insert(.succeeded) }
                    answerBranch(succeeded ? .success : .failure, upTo: following, from: &place, &hasChanged)
                    answer.details.answers[own].nested = UInt32(answer.details.answers.count - own - 1)
                }
            }
            place = following
        }
    }
}
