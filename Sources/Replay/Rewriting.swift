import Etcd
import Wire

/// Where the revisions, leases and watches in a plan's calls come from: finds their patches.
struct Rewriting {
    private let history: RecordedHistory
    /// Grants by the lease they were answered, in the order of the plan.
    private var grants: [Int64: [UInt32]] = [:]
    private var preloadLeases: [Int64: UInt32] = [:]
    /// The preload's put of a key; `none` if there is none.
    private var preloadPuts: [UInt32]
    /// Calls whose answers returned a revision that others ask for, in the order of the plan.
    private var returned: [Int64: [UInt32]] = [:]
    /// Watch creates of a stream by the watch they were answered.
    private var watches: [WatchName: UInt32] = [:]
    /// Of the calls looked at: the compaction that went furthest, and where its revision is learned.
    private var compaction: (revision: Int64, patch: Patch)?
    /// And where each learns its revision.
    private var compactionSources: [Int64: UInt32] = [:]

    private struct WatchName: Hashable {
        var stream: UInt32
        var watch: Int64
    }

    private static let none = UInt32.max
    /// Calls that returned a revision are looked at for one that asks for it, the last ones first: so many, where a
    /// trace of millions of reads shows no other revision.
    private static let candidates = 1024

    /// Fills in the plan's patches.
    static func addPatches(to plan: inout ReplayPlan, _ facts: [CallFacts], _ history: RecordedHistory) {
        var rewriting = Rewriting(plan, history)
        let versions = VersionOffsets(plan, facts, history)
        for place in plan.calls.indices {
            let first = plan.patches.count
            rewriting.addPatches(of: place, &plan, facts)
            for (index, offset) in versions.offsets(of: UInt32(place)) {
                plan.patches.append(Patch(.version, from: .constant, index: index, offset: -offset))
            }
            if plan.patches.count > first {
                plan.calls[place].patches = Slice(
                    start: UInt32(first), count: UInt32(plan.patches.count - first))
            }
        }
    }

    private init(_ plan: ReplayPlan, _ history: RecordedHistory) {
        self.history = history
        preloadPuts = Array(repeating: Self.none, count: plan.keys.count + 1)
        for place in plan.preload.puts.indices { preloadPuts[Int(plan.preload.puts[place].key)] = UInt32(place) }
        for place in plan.preload.leases.indices {
            preloadLeases[plan.preload.leases[place].recorded] = UInt32(place)
        }
        indexAnswers(of: plan)
    }

    private mutating func indexAnswers(of plan: ReplayPlan) {
        var wanted: Set<Int64> = []
        for call in plan.calls {
            switch call.kind {
            case .range, .rangeStream, .compact, .hashKV: if call.revision > 0 { wanted.insert(call.revision) }
            case .watchCreate:
                if call.revision > 0 { wanted.formUnion([call.revision, call.revision - 1]) }
            default: break
            }
        }
        for part in plan.parts where part.kind == .range && part.revision > 0 { wanted.insert(part.revision) }
        for place in plan.calls.indices {
            let call = plan.calls[place]
            if call.kind == .leaseGrant, call.status == 0, call.lease != 0 {
                grants[call.lease, default: []].append(UInt32(place))
            }
            if call.headerRevision > 0, wanted.contains(call.headerRevision) {
                returned[call.headerRevision, default: []].append(UInt32(place))
            }
        }
    }

    // MARK: Patches

    private mutating func addPatches(of place: Int, _ plan: inout ReplayPlan, _ facts: [CallFacts]) {
        let call = plan.calls[place]
        switch call.kind {
        case .range, .rangeStream, .compact, .hashKV:
            guard call.revision > 0 else { break }
            let patch = compacted(call) ?? revision(call.revision, .revision, 0, place, &plan, facts)
            plan.patches.append(patch)
            if call.kind == .compact, call.status == 0, call.revision > compaction?.revision ?? 0 {
                compaction = (call.revision, patch)
                if case .revisionOfCall = patch.source { compactionSources[call.revision] = patch.number }
            }
        case .watchCreate:
            if call.revision > 0 { plan.patches.append(start(call.revision, place, &plan, facts)) }
            watches[WatchName(stream: call.stream, watch: call.watchID)] = UInt32(place)
        case .watchCancel:
            let name = WatchName(stream: call.stream, watch: call.watchID)
            plan.patches.append(
                watches[name].map { Patch(.watch, from: .watchOfCall, number: $0) } ?? Patch(.watch, from: .nowhere))
        case .put: if call.lease != 0 { plan.patches.append(lease(call.lease, .putLease, 0, place, &plan)) }
        case .leaseRevoke, .leaseTimeToLive, .leaseKeepAlive:
            plan.patches.append(lease(call.lease, .lease, 0, place, &plan))
        case .txn: addTransactionPatches(of: place, call, &plan, facts)
        default: break
        }
        addKeyPatches(of: place, call, &plan)
    }

    /// For what was refused since a compaction had removed it: a revision that the compaction removes on the target.
    /// Its own need not be one there, since writes of other keys may stand in another order.
    private func compacted(_ call: PlannedCall) -> Patch? {
        guard call.status == PlannedCall.outOfRange, let compaction, call.revision <= compaction.revision else {
            return nil
        }
        var patch = compaction.patch
        if call.kind != .compact {
            // What a compaction names can still be asked for.
            if call.revision == compaction.revision { return nil }
            patch.offset -= 1
        }
        return patch
    }

    private func addTransactionPatches(
        of place: Int, _ call: PlannedCall, _ plan: inout ReplayPlan, _ facts: [CallFacts]
    ) {
        for (index, part) in call.parts.range.enumerated() {
            let body = plan.parts[part]
            if body.kind == .put, body.lease != 0 {
                plan.patches.append(lease(body.lease, .partLease, UInt32(index), place, &plan))
            }
            if body.kind == .range, body.revision > 0 {
                plan.patches.append(revision(body.revision, .partRevision, UInt32(index), place, &plan, facts))
            }
        }
        for (index, number) in call.compares.range.enumerated() {
            let compare = plan.compares[number]
            guard compare.operand != 0 else { continue }
            switch compare.target {
            case .modRevision, .createRevision:
                plan.patches.append(operand(compare, UInt32(index), place, &plan, facts))
            case .lease: plan.patches.append(lease(compare.operand, .operandLease, UInt32(index), place, &plan))
            case .version, .value: break
            }
        }
    }

    /// A revision of a key: the preload's, or that of the call that wrote it.
    private func operand(
        _ compare: Compare, _ index: UInt32, _ place: Int, _ plan: inout ReplayPlan, _ facts: [CallFacts]
    ) -> Patch {
        let preloaded = preloadPuts[Int(compare.key)]
        if preloaded != Self.none {
            let put = plan.preload.puts[Int(preloaded)]
            let recorded = compare.target == .modRevision ? put.modRevision : put.createRevision
            if recorded == compare.operand {
                return Patch(.operand, from: .revisionOfPreload, index: index, number: preloaded)
            }
        }
        if plan.expression != nil { return version(compare, index, place, &plan, facts) }
        let isExact = compare.relation == .equal || compare.relation == .notEqual
        if let write = history.write(upTo: compare.operand), !isExact || write.revision == compare.operand,
            isBefore(write.call, place, facts)
        {
            return Patch(.operand, from: .revisionOfCall, index: index, number: write.call)
        }
        plan.notes.unmappedCompares += 1
        return Patch(.operand, from: .nowhere, index: index)
    }

    /// The version of a key of a chain. Each key counts its own: that of another key's write says nothing, and what the
    /// key never had in the recording is what it never has.
    private func version(
        _ compare: Compare, _ index: UInt32, _ place: Int, _ plan: inout ReplayPlan, _ facts: [CallFacts]
    ) -> Patch {
        if let put = history.put(of: compare.key, at: compare.operand, in: plan), isBefore(put, place, facts) {
            return Patch(.operand, from: .revisionOfCall, index: index, number: put)
        }
        if history.write(at: compare.operand) == nil {
            plan.notes.unmappedCompares += 1
            return Patch(.operand, from: .nowhere, index: index)
        }
        return Patch(.operand, from: .constant, index: index, offset: .max &- compare.operand)
    }

    /// Whether the call has an earlier place in the history than another, so that this one may wait for it.
    private func isBefore(_ call: UInt32, _ other: Int, _ facts: [CallFacts]) -> Bool {
        facts[Int(call)].place < facts[other].place
    }

    /// A revision of the store: of the call that returned it, else of the last write up to it. A call that keeps no
    /// place among the writes, as a LeaseGrant or a range at a revision, may be answered any: rather the write's.
    private func revision(
        _ asked: Int64, _ field: Patch.Field, _ index: UInt32, _ place: Int, _ plan: inout ReplayPlan,
        _ facts: [CallFacts]
    ) -> Patch {
        // A revision of the future is refused, and stays one.
        if asked > history.shown.revision(at: facts[place].end) { return Patch(field, from: .nowhere, index: index) }
        if var call = call(thatReturned: asked, before: place, plan, facts) {
            let other = plan.calls[Int(call)]
            if !other.isOfKeys || other.revision > 0, let write = history.write(at: asked),
                facts[Int(write)].time < facts[place].time
            {
                call = write
            }
            return Patch(field, from: .revisionOfCall, index: index, number: call)
        }
        return revision(upTo: asked, field, index, step: 0, place, &plan, facts)
    }

    /// A watch's start: one above the revision that a list returned, or the one that a call returned.
    private func start(_ start: Int64, _ place: Int, _ plan: inout ReplayPlan, _ facts: [CallFacts]) -> Patch {
        if let call = call(thatReturned: start - 1, before: place, plan, facts) {
            return Patch(.revision, from: .revisionOfCall, number: call, offset: 1)
        }
        if let call = call(thatReturned: start, before: place, plan, facts) {
            return Patch(.revision, from: .revisionOfCall, number: call)
        }
        return revision(upTo: start, .revision, 0, step: 1, place, &plan, facts)
    }

    /// - Parameter step: added where the write's revision is below the one that is asked for.
    private func revision(
        upTo revision: Int64, _ field: Patch.Field, _ index: UInt32, step: Int64, _ place: Int,
        _ plan: inout ReplayPlan, _ facts: [CallFacts]
    ) -> Patch {
        if let write = history.write(upTo: revision) {
            if facts[Int(write.call)].time < facts[place].time {
                return Patch(
                    field, from: .revisionOfCall, index: index, number: write.call,
                    offset: write.revision < revision ? step : 0)
            }
        } else if !plan.preload.puts.isEmpty {
            // Before all that was recorded: what the preload left.
            return Patch(
                field, from: .revisionOfPreload, index: index, number: UInt32(plan.preload.puts.count - 1),
                offset: step)
        }
        plan.notes.unmappedRevisions += 1
        return Patch(field, from: .nowhere, index: index)
    }

    /// The last call that had returned the revision before another began: rather one that has its place in the order
    /// of the plan, where its answer tells as much as in the recording, and of those one of the same connection. What a
    /// compaction named before is learned where that learned it: other calls' answers need not agree on the target.
    private func call(
        thatReturned revision: Int64, before place: Int, _ plan: ReplayPlan, _ facts: [CallFacts]
    ) -> UInt32? {
        if let source = compactionSources[revision] { return source }
        guard let returned = returned[revision] else { return nil }
        let earlier = returned[..<returned.partitioningIndex { Int($0) >= place }]
        var found: (call: UInt32, rank: Int)?
        for call in earlier.suffix(Self.candidates).reversed() where facts[Int(call)].end < facts[place].time {
            let other = plan.calls[Int(call)]
            var rank = other.connection == plan.calls[place].connection ? 1 : 0
            if other.isOfKeys, !facts[Int(call)].isOfThePast { rank += 2 }
            if rank > found?.rank ?? -1 { found = (call, rank) }
            if rank == 3 { break }
        }
        return found?.call
    }

    /// The last grant that was answered with the lease, of those before the call.
    private func grant(of lease: Int64, before place: Int) -> UInt32? {
        guard let grants = grants[lease] else { return nil }
        let later = grants.partitioningIndex { Int($0) >= place }
        return later == 0 ? nil : grants[later - 1]
    }

    private func lease(
        _ lease: Int64, _ field: Patch.Field, _ index: UInt32, _ place: Int, _ plan: inout ReplayPlan
    ) -> Patch {
        if let grant = grant(of: lease, before: place) {
            return Patch(field, from: .leaseOfCall, index: index, number: grant)
        }
        if let preloaded = preloadLeases[lease] {
            return Patch(field, from: .leaseOfPreload, index: index, number: preloaded)
        }
        plan.notes.unmappedLeases += 1
        return Patch(field, from: .nowhere, index: index)
    }

    // MARK: Keys of locks

    /// Keys of locks and elections end with their lease's ID (v3lock, concurrency.Mutex: `prefix/%x`).
    private func addKeyPatches(of place: Int, _ call: PlannedCall, _ plan: inout ReplayPlan) {
        if grants.isEmpty && preloadLeases.isEmpty { return }
        if let patch = keyPatch(call.key, .key, 0, place, plan) { plan.patches.append(patch) }
        for (index, part) in call.parts.range.enumerated() {
            if let patch = keyPatch(plan.parts[part].key, .partKey, UInt32(index), place, plan) {
                plan.patches.append(patch)
            }
        }
        for (index, compare) in call.compares.range.enumerated() {
            if let patch = keyPatch(plan.compares[compare].key, .operandKey, UInt32(index), place, plan) {
                plan.patches.append(patch)
            }
        }
    }

    private func keyPatch(
        _ key: KeyNumber, _ field: Patch.Field, _ index: UInt32, _ place: Int, _ plan: ReplayPlan
    ) -> Patch? {
        guard let lease = plan.keys.nameLease(of: key) else { return nil }
        if let grant = grant(of: lease, before: place) {
            return Patch(field, from: .leaseOfCall, index: index, number: grant)
        }
        return preloadLeases[lease].map { Patch(field, from: .leaseOfPreload, index: index, number: $0) }
    }
}

extension ByteTable {
    /// The lease that a key of a lock or an election is named by; nil if it is none. Their digits begin with no zero:
    /// so that names which differ still do with other leases.
    func nameLease(of key: KeyNumber) -> Int64? {
        guard let lease = leaseSuffix(of: key), let slash = bytes[range(of: key)].lastIndex(of: UInt8(ascii: "/")),
            bytes[slash + 1] != UInt8(ascii: "0")
        else { return nil }
        return lease
    }

    /// The lease that a key ends with in hexadecimal, behind its last slash; nil if it does not look like that.
    func leaseSuffix(of key: KeyNumber) -> Int64? {
        let place = range(of: key)
        var value: UInt64 = 0
        var digits = 0
        for byte in bytes[place].reversed() {
            let digit: UInt64
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = UInt64(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "/"): return digits > 0 ? Int64(bitPattern: value) : nil
            default: return nil
            }
            if digits == 16 { return nil }
            value |= digit << (4 * UInt64(digits))
            digits += 1
        }
        return nil
    }
}
