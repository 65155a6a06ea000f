import Etcd
import Replay
import Wire

/// Replays a plan on the model, in any order that its graph allows, and counts what comes out otherwise than recorded.
struct ModelRun {
    private let plan: ReplayPlan
    private var store = ModelStore()
    private var preloadRevisions: [Int64] = []
    private var preloadLeases: [Int64] = []
    /// Of each call what it was answered.
    private var revisions: [Int64]
    private var leases: [UInt32: Int64] = [:]
    private(set) var compared = 0
    /// Calls that came out otherwise, and how.
    private(set) var differing: [Int] = []
    private(set) var differences: [String] = []
    /// Of each node of the graph, what it still waits for; and those that are free to go.
    private var open: [UInt32]
    private var ready: [Int]

    init(_ plan: ReplayPlan) {
        self.init(plan, at: ModelStore(), [], [])
        preload()
    }

    /// A run on a store that the other has preloaded.
    init(_ plan: ReplayPlan, preloadedBy other: ModelRun) {
        self.init(plan, at: other.store, other.preloadRevisions, other.preloadLeases)
    }

    private init(_ plan: ReplayPlan, at store: ModelStore, _ revisions: [Int64], _ leases: [Int64]) {
        self.plan = plan
        self.store = store
        preloadRevisions = revisions
        preloadLeases = leases
        self.revisions = Array(repeating: 0, count: plan.calls.count)
        open = plan.order.waits
        ready = plan.order.waits.indices.filter { plan.order.waits[$0] == 0 }
    }

    private mutating func preload() {
        preloadLeases = plan.preload.leases.map { _ in store.grant() }
        for put in plan.preload.puts {
            let revision = store.advance()
            store.put(plan.keys.string(put.key), lease: put.lease.map { preloadLeases[Int($0)] } ?? 0, at: revision)
            preloadRevisions.append(revision)
        }
    }

    /// Does a call that is free to go, one after the other, whichever the seed picks; false if some never are.
    mutating func run(seed: UInt64) -> Bool {
        var random = SplitMix64(seed: seed)
        while step(&random) {}
        return isDone
    }

    /// The same of several runs on the store of the first, all preloaded by that; each goes on at a pace of its own.
    static func run(_ runs: inout [ModelRun], seed: UInt64) -> Bool {
        var random = SplitMix64(seed: seed)
        var turns = runs.indices.flatMap { Array(repeating: $0, count: 1 + random.below(8)) }
        var store = runs[0].store
        while !turns.isEmpty {
            let run = turns[random.below(turns.count)]
            swap(&runs[run].store, &store)
            if !runs[run].step(&random) { turns.removeAll { $0 == run } }
            swap(&runs[run].store, &store)
        }
        return runs.allSatisfy { $0.isDone }
    }

    private var isDone: Bool { open.allSatisfy { $0 == 0 } && ready.isEmpty }

    /// False if nothing is free to go.
    private mutating func step(_ random: inout SplitMix64) -> Bool {
        if ready.isEmpty { return false }
        ready.swapAt(random.below(ready.count), ready.count - 1)
        let node = ready.removeLast()
        if node < plan.calls.count { perform(node) }
        for place in plan.order.starts[node]..<plan.order.starts[node + 1] {
            let next = Int(plan.order.successors[Int(place)])
            open[next] -= 1
            if open[next] == 0 { ready.append(next) }
        }
        return true
    }

    // MARK: Calls

    private struct Result: Equatable {
        var status: UInt32 = 0
        var succeeded = false
        var counts: [Int64] = []
    }

    private mutating func perform(_ number: Int) {
        let call = plan.calls[number]
        let patches = Array(plan.patches[call.patches.range])
        let (revisions, leases, preloadRevisions, preloadLeases) =
            (self.revisions, self.leases, self.preloadRevisions, self.preloadLeases)
        let current = store.revision
        func learned(_ field: Patch.Field, _ index: Int, _ recorded: Int64) -> Int64 {
            guard let patch = patches.first(where: { $0.field == field && Int($0.index) == index }) else {
                return recorded
            }
            return switch patch.source {
            case .nowhere, .watchOfCall: recorded
            case .constant: recorded + patch.offset
            case .revisionOfCall: revisions[Int(patch.number)] + patch.offset
            case .revisionOfPreload: preloadRevisions[Int(patch.number)] + patch.offset
            case .currentRevision: max(1, current + patch.offset)
            case .leaseOfCall: leases[patch.number] ?? -1
            case .leaseOfPreload: preloadLeases[Int(patch.number)]
            }
        }
        var result = Result()
        switch call.kind {
        case .range, .rangeStream:
            let at = learned(.revision, 0, call.revision)
            if at > 0, at < store.compacted || at > store.revision {
                result.status = 11
            } else {
                result.counts = [range(call.body, at: at)]
            }
        case .compact: result.status = store.compact(learned(.revision, 0, call.revision)) ? 0 : 11
        case .put:
            result = put(call.body, lease: learned(.putLease, 0, call.body.lease))
        case .delete: result.counts = [delete(call.body)]
        case .txn: result = transact(call, learned)
        case .leaseGrant: self.leases[UInt32(number)] = store.grant()
        case .leaseRevoke: result.status = store.revoke(learned(.lease, 0, call.lease)) ? 0 : 5
        default: return
        }
        self.revisions[number] = store.revision
        guard call.status != PlannedCall.noStatus else { return }
        compare(number, result)
    }

    private func end(_ body: RequestOp) -> [UInt8]? {
        body.flags.contains(.hasRangeEnd) ? plan.keys.string(body.rangeEnd) : nil
    }

    private func range(_ body: RequestOp, at revision: Int64) -> Int64 {
        let at = revision > 0 ? revision : store.revision
        return Int64(store.keys(plan.keys.string(body.key), end(body), at: at).count)
    }

    private mutating func put(_ body: RequestOp, lease: Int64) -> Result {
        guard store.hasLease(lease) else { return Result(status: 5) }
        store.put(plan.keys.string(body.key), lease: lease, at: store.advance())
        return Result()
    }

    private mutating func delete(_ body: RequestOp) -> Int64 {
        let keys = store.keys(plan.keys.string(body.key), end(body), at: store.revision)
        if !keys.isEmpty { _ = store.advance() }
        for key in keys { store.delete(key, at: store.revision) }
        return Int64(keys.count)
    }

    private mutating func transact(
        _ call: PlannedCall, _ learned: (Patch.Field, Int, Int64) -> Int64
    ) -> Result {
        var result = Result()
        result.succeeded = call.body.compares.range.allSatisfy { place in
            let index = place - call.compares.range.lowerBound
            let compare = plan.compares[place]
            let field: Patch.Field =
                switch compare.target {
                case .version: .version
                case .lease: .operandLease
                case .createRevision, .modRevision, .value: .operand
                }
            return store.holds(
                compare, of: plan.keys.string(compare.key), operand: learned(field, index, compare.operand))
        }
        let before = store.revision
        let branch: RequestOp.Branch = result.succeeded ? .success : .failure
        for (index, place) in call.parts.range.enumerated() where plan.parts[place].branch == branch {
            let part = plan.parts[place]
            // All changes of a transaction have one revision: done as a whole here, one by one in the counts.
            switch part.kind {
            case .range: result.counts.append(range(part, at: learned(.partRevision, index, part.revision)))
            case .put:
                let lease = learned(.partLease, index, part.lease)
                guard store.hasLease(lease) else { return Result(status: 5) }
                store.put(
                    plan.keys.string(part.key), lease: lease,
                    at: store.revision == before ? store.advance() : store.revision)
            case .delete:
                let keys = store.keys(plan.keys.string(part.key), end(part), at: store.revision)
                if !keys.isEmpty, store.revision == before { _ = store.advance() }
                for key in keys { store.delete(key, at: store.revision) }
                result.counts.append(Int64(keys.count))
            case .none, .txn, .watchCreate: break
            }
        }
        return result
    }

    // MARK: Comparison

    private mutating func compare(_ number: Int, _ result: Result) {
        let call = plan.calls[number]
        var recorded = Result(status: call.status, succeeded: call.body.flags.contains(.succeeded))
        guard call.status != 0 || !call.isOfKeyValues || call.body.flags.contains(.answered) else { return }
        compared += 1
        if call.status == 0 {
            switch call.kind {
            case .range, .rangeStream, .delete: recorded.counts = [call.body.count]
            case .txn:
                for part in plan.parts[call.parts.range] where part.flags.contains(.answered) {
                    if part.kind == .range || part.kind == .delete { recorded.counts.append(part.count) }
                }
            default: break
            }
        }
        if recorded != result {
            differing.append(number)
            let key = call.body.key != 0 ? call.body.key : plan.parts[call.parts.range].first?.key ?? 0
            differences.append(
                "call \(number) \(call.kind) \(String(decoding: plan.keys.string(key), as: UTF8.self)): recorded "
                    + "\(recorded) at \(call.headerRevision), found \(result)")
        }
    }
}

extension PlannedCall {
    fileprivate var isOfKeyValues: Bool {
        kind == .range || kind == .rangeStream || kind == .put || kind == .delete || kind == .txn
    }
}
