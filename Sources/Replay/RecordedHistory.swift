import Etcd
import Wire

/// The history that a recording shows: its calls in the order in which the store did them.
struct RecordedHistory {
    /// Calls that read or change keys, by place, and by time where places are equal.
    private(set) var order: [UInt32] = []
    /// Calls that changed something, with their revisions, ascending.
    private(set) var writes: [(revision: Int64, call: UInt32)] = []
    private(set) var staleReads = 0
    let shown: ShownRevisions

    /// Gives each call its place. Precondition: calls stand in the order of their times.
    init(_ plan: ReplayPlan, facts: inout [CallFacts]) {
        shown = ShownRevisions(plan.calls, facts)
        for place in plan.calls.indices where plan.calls[place].isOfKeys {
            let call = plan.calls[place]
            if facts[place].place == 0 {
                // An error shows no revision: the call saw the store as late as when it was answered.
                let revision = call.headerRevision > 0 ? call.headerRevision : shown.revision(at: facts[place].end)
                facts[place].place = CallFacts.place(revision, hasChanged: facts[place].hasChanged)
            }
            if facts[place].hasChanged, call.headerRevision > 0 {
                writes.append((call.headerRevision, UInt32(place)))
            }
            order.append(UInt32(place))
        }
        writes.sort { ($0.revision, $0.call) < ($1.revision, $1.call) }
        markPast(plan, &facts)
        placeRevocations(plan, &facts)
        order.sort { left, right in
            (facts[Int(left)].place, left) < (facts[Int(right)].place, right)
        }
    }

    /// Reads at a revision, and those that saw a state which had been replaced before they began, are of the past.
    private mutating func markPast(_ plan: ReplayPlan, _ facts: inout [CallFacts]) {
        // Of the writes from each one on, the earliest end.
        var earliest = Array(repeating: Int64.max, count: writes.count + 1)
        for place in writes.indices.reversed() {
            earliest[place] = min(earliest[place + 1], facts[Int(writes[place].call)].end)
        }
        for place in plan.calls.indices where plan.calls[place].isOfKeys && !facts[place].hasChanged {
            let call = plan.calls[place]
            if call.kind == .range || call.kind == .rangeStream, call.revision > 0 {
                facts[place].isOfThePast = true
                facts[place].place = CallFacts.place(call.revision, hasChanged: false)
            } else if earliest[firstWrite(after: facts[place].place / 2)] < facts[place].time {
                facts[place].isOfThePast = true
                staleReads += 1
            }
        }
    }

    /// The place in `writes` of the first one above that revision.
    private func firstWrite(after revision: Int64) -> Int {
        writes.partitioningIndex { $0.revision > revision }
    }

    /// The last write at or before the revision that has an earlier place than the call's; nil if there is none.
    func write(upTo revision: Int64) -> (revision: Int64, call: UInt32)? {
        let place = firstWrite(after: revision)
        return place == 0 ? nil : writes[place - 1]
    }

    /// The write at exactly that revision.
    func write(at revision: Int64) -> UInt32? {
        guard let write = write(upTo: revision), write.revision == revision else { return nil }
        return write.call
    }

    /// The call that put the key at exactly that revision; nil if none did.
    func put(of key: KeyNumber, at revision: Int64, in plan: ReplayPlan) -> UInt32? {
        if revision <= 0 { return nil }
        var place = firstWrite(after: revision - 1)
        while place < writes.count, writes[place].revision == revision {
            let call = writes[place].call
            if plan.changes(of: plan.calls[Int(call)]).contains(where: { $0.key == key && $0.isPut }) { return call }
            place += 1
        }
        return nil
    }

    /// A revocation deletes its lease's keys at its header's revision, unless another call changed something at it.
    private func placeRevocations(_ plan: ReplayPlan, _ facts: inout [CallFacts]) {
        for place in plan.calls.indices where plan.calls[place].kind == .leaseRevoke {
            let revision = facts[place].place / 2
            facts[place].place = CallFacts.place(revision, hasChanged: write(at: revision) == nil)
        }
    }

    /// Adds who waits for whom over keys and ranges, of a plan that has its patches.
    func addOrder(of plan: ReplayPlan, _ facts: [CallFacts], into edges: inout OrderEdges) {
        let leases = LeaseKeys(plan)
        let lent = LentRanges(plan)
        var accesses: [KeyOrder.Access] = []
        func collect(_ call: UInt32) {
            accesses.removeAll(keepingCapacity: true)
            plan.appendAccesses(of: Int(call), facts[Int(call)], leases, to: &accesses)
            accesses += lent.ranges(of: call)
        }
        var ranges: [KeyOrder.Access] = []
        for call in order {
            collect(call)
            for access in accesses where access.end != 0 { ranges.append(access) }
        }
        var keyOrder = KeyOrder(ranges: ranges, keys: plan.keys)
        for call in order {
            collect(call)
            keyOrder.take(
                call, accesses, isWaitedFor: !facts[Int(call)].isOfThePast, keys: plan.keys, into: &edges)
        }
    }
}

/// Ranges at a revision, by the call whose answer tells it: that call stands on the target among the writes that they
/// meet where it stood in the recording, as if it read them itself.
private struct LentRanges {
    private var ranges: [UInt32: [KeyOrder.Access]] = [:]

    init(_ plan: ReplayPlan) {
        for call in plan.calls where call.status == 0 {
            for patch in plan.patches[call.patches.range] where patch.source == .revisionOfCall {
                switch (patch.field, call.kind) {
                case (.revision, .range), (.revision, .rangeStream): lend(call.body, to: patch.number)
                case (.partRevision, _):
                    lend(plan.parts[call.parts.range.lowerBound + Int(patch.index)], to: patch.number)
                default: break
                }
            }
        }
    }

    private mutating func lend(_ range: RequestOp, to call: UInt32) {
        guard range.key != 0 else { return }
        let end = range.flags.contains(.hasRangeEnd) ? range.rangeEnd : 0
        ranges[call, default: []].append(KeyOrder.Access(key: range.key, end: end, isWrite: false))
    }

    func ranges(of call: UInt32) -> [KeyOrder.Access] { ranges[call] ?? [] }
}

/// The keys that the preload and a plan's puts attach to leases which are revoked.
///
/// At any time: a put that came too late, and found no lease, stays behind the revocation too.
struct LeaseKeys {
    private var keys: [Int64: Set<KeyNumber>] = [:]

    init(_ plan: ReplayPlan) {
        for call in plan.calls where call.kind == .leaseRevoke { keys[call.lease] = [] }
        if keys.isEmpty { return }
        for put in plan.preload.puts {
            if let lease = put.lease { keys[plan.preload.leases[Int(lease)].recorded]?.insert(put.key) }
        }
        for call in plan.calls {
            if call.kind == .put { add(call.body) }
            for part in call.parts.range { add(plan.parts[part]) }
        }
    }

    private mutating func add(_ body: RequestOp) {
        guard body.kind == .put, body.lease != 0, body.key != 0 else { return }
        keys[body.lease]?.insert(body.key)
    }

    /// In the order of their numbers.
    func keys(of lease: Int64) -> [KeyNumber] { keys[lease]?.sorted() ?? [] }
}

extension PlannedCall {
    /// Whether it reads or changes keys, so that it has a place among those that do.
    var isOfKeys: Bool {
        guard action == .call else { return false }
        return switch kind {
        case .range, .rangeStream, .put, .delete, .txn, .leaseRevoke: true
        default: false
        }
    }
}

extension ReplayPlan {
    /// Appends the keys and ranges that a call read or changed.
    func appendAccesses(
        of place: Int, _ facts: CallFacts, _ leases: LeaseKeys, to accesses: inout [KeyOrder.Access]
    ) {
        let call = calls[place]
        switch call.kind {
        case .range, .rangeStream: append(call.body, isWrite: false, to: &accesses)
        case .put, .delete: append(call.body, isWrite: facts.hasChanged, to: &accesses)
        case .leaseRevoke:
            for key in leases.keys(of: call.lease) { accesses.append(KeyOrder.Access(key: key, isWrite: true)) }
        case .txn:
            for compare in compares[call.compares.range] where compare.key != 0 {
                accesses.append(
                    KeyOrder.Access(key: compare.key, end: compare.rangeEnd, isWrite: false))
            }
            // Where the answer does not tell what was executed, everything may have been.
            let isTold = facts.isAnswered && call.body.flags.contains(.answered)
            for part in parts[call.parts.range] where part.kind != .txn {
                if isTold {
                    if part.flags.contains(.answered) { append(part, isWrite: part.hasChanged, to: &accesses) }
                } else {
                    append(part, isWrite: part.kind != .range, to: &accesses)
                }
            }
        default: break
        }
    }

    private func append(_ body: RequestOp, isWrite: Bool, to accesses: inout [KeyOrder.Access]) {
        guard body.key != 0 else { return }
        let end = body.flags.contains(.hasRangeEnd) ? body.rangeEnd : 0
        accesses.append(KeyOrder.Access(key: body.key, end: end, isWrite: isWrite))
    }
}
