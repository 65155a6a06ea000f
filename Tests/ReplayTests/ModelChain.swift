import Etcd
import Replay

/// The obvious store of single keys with versions, behind requests and answers: what a chain does, and nothing else.
struct ModelChain {
    /// A key's version; `exists` is false where it was deleted at it.
    private struct State {
        var version: Int64
        var exists: Bool
    }

    private let abilities: ChainAbilities
    private var states: [[UInt8]: State] = [:]
    /// Requests that a chain has nothing like, as they stand.
    private(set) var unsupported: [StoreRequest] = []
    private(set) var failedCompares = 0

    init(_ abilities: ChainAbilities) { self.abilities = abilities }

    /// Versions are told from other numbers by their first bits.
    private static let epoch: Int64 = 3 << 40

    mutating func preload(_ plan: ReplayPlan) -> PreloadOutcome {
        var outcome = PreloadOutcome()
        for put in plan.preload.puts {
            precondition(put.lease == nil && put.valueSize <= abilities.valueBytes, "a chain has no place for it")
            outcome.revisions.append(write(plan.keys.string(put.key), exists: true))
        }
        return outcome
    }

    private mutating func write(_ key: [UInt8], exists: Bool) -> Int64 {
        let version = (states[key]?.version ?? Self.epoch) + 1
        states[key] = State(version: version, exists: exists)
        return version
    }

    private func text(_ key: KeyNumber, _ request: StoreRequest) -> [UInt8] {
        key == 0 ? [] : Array(request.keys.bytes[request.keys.range(of: key)])
    }

    private func isSingle(_ body: RequestOp) -> Bool {
        guard body.key != 0, !body.flags.contains(.hasRangeEnd) else { return false }
        return switch body.kind {
        case .range: body.revision == 0 && !body.flags.contains(.revisionFilter)
        case .put:
            body.lease == 0 && body.valueSize <= abilities.valueBytes
                && body.flags.isDisjoint(with: [.prevKv, .ignoreValue, .ignoreLease])
        case .delete: abilities.hasCompare
        case .none, .txn, .watchCreate: false
        }
    }

    mutating func execute(_ request: StoreRequest, into answer: inout StoreAnswer) {
        answer.details.answer.flags = .answered
        var isDone = false
        switch request.kind {
        case .range, .put, .delete:
            var result = CallDetails.Answer()
            isDone = single(request.body, request, &result, &answer)
            answer.details.answer = result
        case .txn: isDone = transact(request, &answer)
        default: break
        }
        if !isDone {
            unsupported.append(request)
            answer.note = .unsupported
            answer.status = 12
        }
    }

    private mutating func single(
        _ body: RequestOp, _ request: StoreRequest, _ result: inout CallDetails.Answer, _ answer: inout StoreAnswer
    ) -> Bool {
        guard isSingle(body) else { return false }
        let key = text(body.key, request)
        let exists = states[key]?.exists ?? false
        result.kind = body.kind
        result.flags = .answered
        switch body.kind {
        case .put: answer.details.headerRevision = write(key, exists: true)
        case .delete where exists: answer.details.headerRevision = write(key, exists: false)
        default: answer.details.headerRevision = states[key]?.version ?? Self.epoch
        }
        if body.kind != .put { result.count = exists ? 1 : 0 }
        return true
    }

    private mutating func transact(_ request: StoreRequest, _ answer: inout StoreAnswer) -> Bool {
        guard abilities.hasCompare, request.compares.count == 1, let done = request.parts.first,
            request.parts.count <= 2, done.branch == .success, done.kind != .range, isSingle(done)
        else { return false }
        let compare = request.compares[0]
        guard compare.key == done.key, compare.relation == .equal, compare.rangeEnd == 0 else { return false }
        if request.parts.count == 2 {
            let otherwise = request.parts[1]
            guard otherwise.branch == .failure, otherwise.kind == .range, otherwise.key == done.key,
                isSingle(otherwise)
            else { return false }
        }
        switch compare.target {
        case .modRevision: break
        case .createRevision, .version: if compare.operand != 0 { return false }
        case .value, .lease: return false
        }
        let state = states[text(done.key, request)]
        let succeeded = compare.operand == (state?.exists ?? false ? state?.version ?? 0 : 0)
        if succeeded { answer.details.answer.flags.insert(.succeeded) } else { failedCompares += 1 }
        answer.details.headerRevision = state?.version ?? Self.epoch
        for part in request.parts where part.branch == (succeeded ? .success : .failure) {
            var result = CallDetails.Answer()
            _ = single(part, request, &result, &answer)
            answer.details.answers.append(result)
        }
        return true
    }
}
