import Etcd

/// By how much versions of keys on the target lie below the recorded ones: the preload writes a key once, however
/// often it had been written. From its deletion on, a key's versions are the recorded ones again.
struct VersionOffsets {
    /// Of version compares whose operands have to be changed: call, place among its compares, offset.
    private var found: [UInt32: [(index: UInt32, offset: Int64)]] = [:]

    init(_ plan: ReplayPlan, _ facts: [CallFacts], _ history: RecordedHistory) {
        var offsets: [KeyNumber: Int64] = [:]
        for put in plan.preload.puts where put.version > 1 { offsets[put.key] = put.version - 1 }
        if offsets.isEmpty { return }
        let leases = LeaseKeys(plan)
        var accesses: [KeyOrder.Access] = []
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
            accesses.removeAll(keepingCapacity: true)
            plan.appendDeletions(of: Int(call), facts[Int(call)], leases, to: &accesses)
            for access in accesses {
                if access.end == 0 {
                    offsets[access.key] = nil
                } else {
                    for key in offsets.keys where plan.keys.holds(key, from: access.key, to: access.end) {
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
    /// Appends the keys and ranges that a call deleted.
    fileprivate func appendDeletions(
        of place: Int, _ facts: CallFacts, _ leases: LeaseKeys, to accesses: inout [KeyOrder.Access]
    ) {
        func append(_ body: RequestOp) {
            guard body.kind == .delete, body.count > 0, body.key != 0 else { return }
            let end = body.flags.contains(.hasRangeEnd) ? body.rangeEnd : 0
            accesses.append(KeyOrder.Access(key: body.key, end: end, isWrite: true))
        }
        let call = calls[place]
        switch call.kind {
        case .delete: append(call.body)
        case .txn: for part in parts[call.parts.range] where part.hasChanged { append(part) }
        case .leaseRevoke: appendAccesses(of: place, facts, leases, to: &accesses)
        default: break
        }
    }
}
