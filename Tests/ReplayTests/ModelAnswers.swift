import Etcd
import Replay

/// The model store behind the requests and answers that a real one takes and gives.
struct ModelAnswers {
    private var store = ModelStore()

    /// Executes the request, and fills in what the store says.
    mutating func execute(_ request: StoreRequest, into answer: inout StoreAnswer) {
        answer.details.answer.flags = .answered
        switch request.kind {
        case .range, .rangeStream: range(request, &answer)
        case .put: put(request, &answer)
        case .delete: answer.details.answer.count = delete(request.body, request, at: nil)
        case .txn: transact(request, &answer)
        case .compact: if !store.compact(request.revision) { answer.status = 11 }
        case .leaseGrant: answer.details.answeredLease = store.grant()
        case .leaseRevoke: if !store.revoke(request.lease) { refuse(&answer) }
        case .leaseKeepAlive: answer.details.answeredTTL = store.hasLease(request.lease) ? 60 : 0
        default: break
        }
        answer.details.headerRevision = store.revision
    }

    /// The keys that are there.
    var keys: [String] { store.keys([], [0], at: store.revision).map { String(decoding: $0, as: UTF8.self) }.sorted() }

    /// Writes a plan's preload.
    mutating func preload(_ plan: ReplayPlan) -> PreloadOutcome {
        let driver = PreloadDriver(plan, connections: 1)
        write(driver)
        return driver.outcome
    }

    /// Answers a preload; what it asked for.
    @discardableResult
    mutating func write(_ driver: PreloadDriver) -> [StoreRequest] {
        var requests: [StoreRequest] = []
        var request = StoreRequest()
        while !driver.isDone {
            guard driver.next(into: &request) else {
                driver.turn(at: driver.nextDue)
                continue
            }
            requests.append(request)
            var answer = StoreAnswer()
            answer.number = request.number
            execute(request, into: &answer)
            driver.receive(answer)
        }
        return requests
    }

    private func refuse(_ answer: inout StoreAnswer) {
        answer.status = 5
        answer.errorText = Array("etcdserver: requested lease not found".utf8)
    }

    private func text(_ key: KeyNumber, _ request: StoreRequest) -> [UInt8] {
        key == 0 ? [] : Array(request.keys.bytes[request.keys.range(of: key)])
    }

    private func keys(_ body: RequestOp, _ request: StoreRequest, at revision: Int64) -> [[UInt8]] {
        let end = body.flags.contains(.hasRangeEnd) ? text(body.rangeEnd, request) : nil
        return store.keys(text(body.key, request), end, at: revision)
    }

    private func count(_ body: RequestOp, _ request: StoreRequest) -> Int64 {
        Int64(keys(body, request, at: body.revision > 0 ? body.revision : store.revision).count)
    }

    private func range(_ request: StoreRequest, _ answer: inout StoreAnswer) {
        let revision = request.body.revision
        if revision > 0, revision < store.compacted || revision > store.revision {
            answer.status = 11
        } else {
            answer.details.answer.count = count(request.body, request)
        }
    }

    private mutating func put(_ request: StoreRequest, _ answer: inout StoreAnswer) {
        guard store.hasLease(request.body.lease) else { return refuse(&answer) }
        store.put(text(request.body.key, request), lease: request.body.lease, at: store.advance())
    }

    /// - Parameter revision: of the transaction that it belongs to; nil for a call of its own.
    private mutating func delete(_ body: RequestOp, _ request: StoreRequest, at revision: Int64?) -> Int64 {
        let deleted = keys(body, request, at: store.revision)
        if !deleted.isEmpty, revision == nil { _ = store.advance() }
        for key in deleted { store.delete(key, at: store.revision) }
        return Int64(deleted.count)
    }

    private mutating func transact(_ request: StoreRequest, _ answer: inout StoreAnswer) {
        let succeeded = request.compares[request.body.compares.range].allSatisfy {
            store.holds($0, of: text($0.key, request), operand: $0.operand)
        }
        let executed = request.parts.filter { $0.branch == (succeeded ? .success : .failure) }
        if executed.contains(where: { $0.kind == .put && !store.hasLease($0.lease) }) { return refuse(&answer) }
        if succeeded { answer.details.answer.flags.insert(.succeeded) }
        var revision: Int64?
        for part in executed {
            var result = CallDetails.Answer()
            result.kind = part.kind
            result.flags = .answered
            switch part.kind {
            case .range: result.count = count(part, request)
            case .put:
                if revision == nil { revision = store.advance() }
                store.put(text(part.key, request), lease: part.lease, at: store.revision)
            case .delete:
                result.count = delete(part, request, at: revision)
                if result.count > 0 { revision = store.revision }
            case .none, .txn, .watchCreate: break
            }
            answer.details.answers.append(result)
        }
    }
}
