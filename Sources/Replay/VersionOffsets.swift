import Etcd

/// By how much versions of keys on the target lie below the recorded ones: the preload writes a key once, however
/// often it had been written. From its deletion on, a key's versions are the recorded ones again.
struct VersionOffsets {
    /// Of version compares whose operands have to be changed: call, place among its compares, offset.
    private var found: [UInt32: [(index: UInt32, offset: Int64)]] = [:]

    init(_ plan: ReplayPlan, _ facts: [CallFacts], _ history: RecordedHistory) {
        var offsets: [KeyNumber: Int64] = [:]
        /// Of those keys, the leases that they have, which delete them when they are revoked.
        var leases: [KeyNumber: Int64] = [:]
        for put in plan.preload.puts where put.version > 1 {
            offsets[put.key] = put.version - 1
            leases[put.key] = put.lease.map { plan.preload.leases[Int($0)].recorded }
        }
        if offsets.isEmpty { return }
        let leased = LeaseKeys(plan)
        for call in history.order {
            let planned = plan.calls[Int(call)]
            for (index, place) in planned.compares.range.enumerated() {
                let compare = plan.compares[place]
                guard let offset = offsets[compare.key], compare.rangeEnd == 0 else { continue }
                if compare.operand > 0 {
                    if compare.target == .version { found[call, default: []].append((UInt32(index), offset)) }
                } else if compare.target != .value, compare.target != .lease, compare.relation == .equal,
                    planned.status == 0, planned.body.flags.contains(.succeeded),
                    planned.body.compares.range.contains(place)
                {
                    // It was gone, with a lease perhaps.
                    offsets[compare.key] = nil
                }
            }
            if planned.kind == .leaseRevoke, planned.status == 0 {
                for key in leased.keys(of: planned.lease) where leases[key] == planned.lease { offsets[key] = nil }
            }
            plan.withChanges(of: planned, facts[Int(call)]) { change in
                let end = change.flags.contains(.hasRangeEnd) ? change.rangeEnd : 0
                if change.kind == .put {
                    if offsets[change.key] != nil, !change.flags.contains(.ignoreLease) {
                        leases[change.key] = change.lease
                    }
                } else if end == 0 {
                    offsets[change.key] = nil
                } else {
                    for key in offsets.keys where plan.keys.holds(key, from: change.key, to: end) {
                        offsets[key] = nil
                    }
                }
            }
            if offsets.isEmpty { return }
        }
    }

    func offsets(of call: UInt32) -> [(index: UInt32, offset: Int64)] { found[call] ?? [] }
}

extension ReplayPlan {
    /// Hands over the puts and deletions that a call executed. Of a transaction without an answer, which was executed
    /// all the same, those of its success branch.
    fileprivate func withChanges(of call: PlannedCall, _ facts: CallFacts, _ take: (RequestOp) -> Void) {
        guard facts.hasChanged else { return }
        switch call.kind {
        case .put, .delete: take(call.body)
        case .txn:
            for part in parts[call.parts.range] where part.kind == .put || part.kind == .delete {
                if facts.isAnswered ? part.hasChanged : part.branch == .success { take(part) }
            }
        default: break
        }
    }
}
