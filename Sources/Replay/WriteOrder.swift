import Etcd

/// In which order the target executed the calls that changed a key, beside the recorded order: both by the header
/// revisions of the answers.
struct WriteOrder: Sendable {
    private struct Write: Sendable {
        var key: KeyNumber
        var call: UInt32
        var recorded: Int64
        var target: Int64
    }

    /// Calls that changed something, there and here.
    private(set) var calls: Int64 = 0
    /// Those that came after one which they came before in the recording, by number.
    private(set) var violations: [UInt32] = []
    private var writes: [Write] = []

    /// - Parameters:
    ///   - revisions: the target's header revision of each call that changed something; 0 for others.
    init(_ plan: borrowing ReplayPlan, revisions: [Int64]) {
        for call in plan.calls.indices where revisions[call] != 0 && plan.calls[call].headerRevision != 0 {
            let count = writes.count
            append(plan, UInt32(call), target: revisions[call])
            if writes.count > count { calls += 1 }
        }
        writes.sort {
            if $0.key != $1.key { return $0.key < $1.key }
            return $0.recorded == $1.recorded ? $0.call < $1.call : $0.recorded < $1.recorded
        }
        var newest: Int64 = 0
        for place in writes.indices {
            if place == 0 || writes[place].key != writes[place - 1].key { newest = 0 }
            if writes[place].target < newest { violations.append(writes[place].call) }
            newest = max(newest, writes[place].target)
        }
        violations.sort()
        // A call may come too late for several of its keys.
        var kept = 0
        for place in violations.indices where kept == 0 || violations[place] != violations[kept - 1] {
            violations[kept] = violations[place]
            kept += 1
        }
        violations.removeLast(violations.count - kept)
        writes = []
    }

    private mutating func append(_ plan: borrowing ReplayPlan, _ call: UInt32, target: Int64) {
        let planned = plan.calls[Int(call)]
        append(planned.body, call, planned.headerRevision, target)
        for place in planned.parts.range where plan.parts[place].flags.contains(.answered) {
            append(plan.parts[place], call, planned.headerRevision, target)
        }
    }

    private mutating func append(_ operation: RequestOp, _ call: UInt32, _ recorded: Int64, _ target: Int64) {
        switch operation.kind {
        case .put: break
        // Of a deleted range, the keys are not named.
        case .delete: if operation.count == 0 || operation.flags.contains(.hasRangeEnd) { return }
        case .none, .range, .txn, .watchCreate: return
        }
        if operation.key == 0 { return }
        writes.append(Write(key: operation.key, call: call, recorded: recorded, target: target))
    }
}
