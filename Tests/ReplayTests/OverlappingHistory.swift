import Etcd
import Replay
import TestSupport
import Wire

/// A made-up recording of several clients at one store: calls are under way at the same time, and the store does each
/// at a moment between its sending and its answer. Few keys, so that most calls meet.
struct OverlappingHistory {
    private(set) var trace = HandmadeTrace()

    private enum Request {
        case range(String, end: String?, revision: Int64, isStale: Bool)
        case put(String, lease: Int64)
        case delete(String, end: String?)
        case transaction([Compare], success: [RequestOp], failure: [RequestOp])
        case grant
        case revoke(Int64)
        case compact(Int64)
    }

    private enum Step: Int { case end, send, execute }

    private var store = ModelStore()
    private var random: SplitMix64
    /// By call.
    private var requests: [Request] = []
    private var operations: [Operation] = []
    private var times: [(sent: Int64, done: Int64, answered: Int64)] = []
    /// What answers had shown so far: revisions; leases that nobody revokes.
    private var shown: [Int64] = []
    /// Revisions of puts, deletes and transactions that changed something.
    private var written: Set<Int64> = []
    private var leases: [Int64] = []
    private let compacts: Bool
    private var isCompacting = false
    /// Ranges at a revision that were sent, and are not done.
    private var askingForThePast = 0

    private static let keys = ["a", "a/b", "a/c", "a/c/d", "b", "b/x", "c", "m"]
    private static let ends = ["a/c", "a/d", "b", "b0", "n", "\u{0}"]
    /// What the recording calls a lease that the model calls otherwise: numbers are to be translated.
    private static let leaseOffset: Int64 = 0x2000_0000_0000

    /// - Parameter compacts: whether some calls are compactions, one at a time, so that ranges may ask for what is
    ///   gone; no key has a lease then.
    init(seed: UInt64, count: Int, compacts: Bool = false) {
        random = SplitMix64(seed: seed)
        self.compacts = compacts
        var clock: Int64 = 0
        var steps: [(time: Int64, step: Step, call: Int)] = []
        for call in 0..<count {
            clock += Int64(1 + random.below(1000))
            let done = clock + Int64(1 + random.below(2500))
            let answered = done + Int64(1 + random.below(2500))
            times.append((clock, done, answered))
            steps += [(clock, .send, call), (done, .execute, call), (answered, .end, call)]
        }
        operations = Array(repeating: Operation(0), count: count)
        for step in steps.sorted(by: { ($0.time, $0.step.rawValue, $0.call) < ($1.time, $1.step.rawValue, $1.call) }) {
            switch step.step {
            case .send: requests.append(request())
            case .execute: execute(step.call)
            case .end: see(step.call)
            }
        }
        trace.batch.operations = operations
    }

    // MARK: What a client asks, by what it has seen

    private mutating func request() -> Request {
        if compacts, !isCompacting, askingForThePast == 0, random.oneIn(12), let revision = pick(shown),
            revision > store.compacted
        {
            isCompacting = true
            return .compact(revision)
        }
        switch random.below(14) {
        case 0..<4:
            let revision = random.oneIn(3) ? pick(shown) ?? 0 : 0
            if revision > 0 { askingForThePast += 1 }
            return .range(
                key(), end: end(), revision: revision, isStale: !compacts && revision == 0 && random.oneIn(10))
        case 4..<7: return .put(key(), lease: !compacts && random.oneIn(3) ? pick(leases) ?? 0 : 0)
        case 7: return .delete(key(), end: end())
        case 8..<12: return transaction()
        case 12: return .grant
        default:
            guard !leases.isEmpty else { return .grant }
            return .revoke(leases.remove(at: random.below(leases.count)))
        }
    }

    private mutating func pick(_ numbers: [Int64]) -> Int64? {
        numbers.isEmpty ? nil : numbers[random.below(numbers.count)]
    }
    private mutating func key() -> String { Self.keys[random.below(Self.keys.count)] }
    private mutating func end() -> String? { random.oneIn(3) ? Self.ends[random.below(Self.ends.count)] : nil }

    private mutating func transaction() -> Request {
        var compares: [Compare] = []
        for _ in 0..<random.below(3) {
            let name = key()
            let state = store.state(Array(name.utf8), at: store.revision)
            let absent = random.oneIn(4)
            let compare =
                switch random.below(5) {
                case 0: trace.compare(name, .createRevision, .equal, absent ? 0 : state?.created ?? 0)
                case 1: trace.compare(name, .modRevision, .notEqual, absent ? 0 : state?.modified ?? 0)
                case 2: trace.compare(name, .modRevision, .greater, state?.modified ?? 0)
                case 3: trace.compare(name, .version, .equal, state?.version ?? 0)
                default: trace.compare(name, .modRevision, .equal, absent ? 0 : state?.modified ?? 0)
                }
            compares.append(compare)
        }
        return .transaction(compares, success: parts(), failure: parts())
    }

    /// Operations that change no key twice, which etcd refuses.
    private mutating func parts() -> [RequestOp] {
        var parts: [RequestOp] = []
        var changed: Set<String> = []
        for _ in 0..<random.below(4) {
            let name = key()
            switch random.below(3) {
            case 0: parts.append(trace.body(.range, name, end: end()))
            case 1: if changed.insert(name).inserted { parts.append(trace.body(.put, name)) }
            default: if changed.insert(name).inserted { parts.append(trace.body(.delete, name)) }
            }
        }
        return parts
    }

    // MARK: What the store does

    private mutating func execute(_ call: Int) {
        let before = store.revision
        switch requests[call] {
        case .range(let key, let end, let revision, let isStale): range(key, end, revision, isStale)
        case .put(let key, let asked):
            // One that is revoked meanwhile would be an error.
            let lease = leases.contains(asked) ? asked : 0
            store.put(Array(key.utf8), lease: lease, at: store.advance())
            trace.put(key) { $0.lease = lease == 0 ? 0 : lease + Self.leaseOffset }
        case .delete(let key, let end): trace.delete(key, end: end, deleted: delete(key, end, at: nil))
        case .transaction(let compares, var success, var failure):
            let table = trace.batch.keys
            let succeeded = compares.allSatisfy { store.holds($0, of: table.string($0.key), operand: $0.operand) }
            if succeeded { execute(&success) } else { execute(&failure) }
            trace.transaction(compares, success: success, failure: failure, succeeded: succeeded)
        case .grant:
            let lease = store.grant()
            trace.call(.leaseGrant) { $0.lease = lease + Self.leaseOffset }
        case .revoke(let lease):
            _ = store.revoke(lease)
            trace.call(.leaseRevoke) { $0.lease = lease + Self.leaseOffset }
        case .compact(let revision):
            _ = store.compact(revision)
            trace.call(.compact) { $0.revision = revision }
        }
        if store.revision > before, trace.batch.operations.last?.kind != .leaseRevoke { written.insert(store.revision) }
        var done = trace.batch.operations.removeLast()
        let times = times[call]
        done.time = CaptureTime(nanoseconds: times.sent)
        done.responseEnd = times.answered - times.sent
        done.connection = UInt32(call % 5)
        if done.status == 0, !done.body.flags.contains(.serializable) { done.headerRevision = store.revision }
        operations[call] = done
    }

    private mutating func range(_ key: String, _ end: String?, _ revision: Int64, _ isStale: Bool) {
        // A member that lags, but not behind the first write.
        let isStale = isStale && store.revision > 2
        let seen = isStale ? 2 + Int64(random.below(Int(store.revision) - 1)) : revision > 0 ? revision : store.revision
        if revision > 0 { askingForThePast -= 1 }
        let isGone = seen < store.compacted
        let count = Int64(store.keys(Array(key.utf8), end.map { Array($0.utf8) }, at: seen).count)
        trace.range(key, end: end) {
            $0.revision = revision
            $0.count = isGone ? 0 : count
            if isStale { $0.flags.insert(.serializable) }
            if isGone { $0.flags.remove(.answered) }
        }
        let last = trace.batch.operations.count - 1
        trace.batch.operations[last].headerRevision = isGone ? 0 : seen
        if isGone { trace.batch.operations[last].status = 11 }
    }

    private mutating func delete(_ key: String, _ end: String?, at revision: Int64?) -> Int64 {
        let held = store.keys(Array(key.utf8), end.map { Array($0.utf8) }, at: store.revision)
        if held.isEmpty { return 0 }
        let revision = revision ?? store.advance()
        for key in held { store.delete(key, at: revision) }
        return Int64(held.count)
    }

    private mutating func execute(_ parts: inout [RequestOp]) {
        var revision: Int64?
        for place in parts.indices {
            let key = String(decoding: trace.batch.keys.string(parts[place].key), as: UTF8.self)
            let hasEnd = parts[place].flags.contains(.hasRangeEnd)
            let end = hasEnd ? trace.batch.keys.string(parts[place].rangeEnd) : nil
            switch parts[place].kind {
            case .range: parts[place].count = Int64(store.keys(Array(key.utf8), end, at: store.revision).count)
            case .put:
                if revision == nil { revision = store.advance() }
                store.put(Array(key.utf8), lease: 0, at: store.revision)
            default:
                parts[place].count = delete(key, nil, at: revision)
                if parts[place].count > 0 { revision = store.revision }
            }
        }
    }

    private mutating func see(_ call: Int) {
        let operation = operations[call]
        if operation.kind == .compact { isCompacting = false }
        // Of a revision that only a revocation had, one without a place tells nothing that would hold on another store.
        let hasPlace = operation.kind != .leaseGrant && operation.kind != .compact && operation.body.revision == 0
        if operation.status == 0, hasPlace || written.contains(operation.headerRevision) {
            shown.append(operation.headerRevision)
        }
        if operation.kind == .leaseGrant { leases.append(operation.lease - Self.leaseOffset) }
    }
}

extension Operation {
    /// One that another is put in the place of.
    fileprivate init(_ time: Int64) {
        self.init(
            time: CaptureTime(nanoseconds: time), connection: 0, stream: 0, role: .call, kind: .other, evidence: .seen,
            method: .unknown)
    }
}
