package import Etcd
import Wire

/// The keys of a trace's writes without an answer: what is seen of them tells whether they were executed.
package struct UnansweredSurvey: Sendable {
    var keys = ByteTable()

    package init() {}

    package mutating func add(_ batch: borrowing OperationBatch) {
        for operation in batch.operations where operation.role == .call && operation.isOutcomeOpen {
            switch operation.kind {
            case .put, .delete: add(operation.body, of: batch)
            case .txn: for place in operation.parts.range { add(batch.parts[place], of: batch) }
            default: break
            }
        }
    }

    private mutating func add(_ body: RequestOp, of batch: borrowing OperationBatch) {
        guard body.kind == .put || body.kind == .delete, !body.flags.contains(.hasRangeEnd), body.key != 0 else {
            return
        }
        _ = keys.number(of: batch.keys.bytes.span.extracting(batch.keys.range(of: body.key)))
    }
}

/// Which of the writes without an answer were executed, and at which revision: a later answer or event shows one of
/// their keys changed at a revision that no answered write had.
struct UnansweredWrites: Sendable {
    struct Candidate: Sendable {
        var call: PlannedCall
        /// `place` is 0 where nothing shows that it was executed.
        var facts: CallFacts
    }

    /// A key was seen to have been changed last, or deleted, at a revision.
    private struct Sighting {
        var key: UInt32
        var revision: Int64
        var isDeletion: Bool
        var time: Int64
    }

    private let keys: ByteTable
    private let limit: Int
    private var sightings: [Sighting] = []
    /// Revisions of answered writes.
    private var explained: Set<Int64> = []
    var candidates: [Candidate] = []

    init(_ survey: UnansweredSurvey, limits: PlanLimits) {
        keys = survey.keys
        limit = limits.sightings
    }

    func isCandidate(_ call: Operation) -> Bool { call.kind == .put || call.kind == .delete || call.kind == .txn }

    mutating func explain(_ revision: Int64) {
        if keys.count > 0 { explained.insert(revision) }
    }

    /// Takes what a batch shows of the keys.
    mutating func see(_ batch: borrowing OperationBatch) {
        if keys.count == 0 || sightings.count >= limit { return }
        for operation in batch.operations {
            let (end, overflow) = operation.time.nanoseconds.addingReportingOverflow(max(0, operation.responseEnd))
            let time = overflow ? Int64.max : end
            see(operation.body.keyValues, at: time, of: batch)
            see(operation.events, at: time, of: batch)
            for place in operation.parts.range { see(batch.parts[place].keyValues, at: time, of: batch) }
        }
    }

    private mutating func see(_ keyValues: Slice, at time: Int64, of batch: borrowing OperationBatch) {
        for place in keyValues.range where sightings.count < limit {
            let seen = batch.keyValues[place]
            let key = keys.existingNumber(of: batch.keys.bytes.span.extracting(batch.keys.range(of: seen.key)))
            if key == 0 || seen.modRevision <= 0 { continue }
            sightings.append(
                Sighting(key: key, revision: seen.modRevision, isDeletion: seen.kind == .deleteEvent, time: time))
        }
    }

    /// The candidates, those that were executed with their places. Each revision is given to one of them, the first
    /// to have begun.
    func resolved(shown: ShownRevisions, plan: ReplayPlan) -> [Candidate] {
        var open: [UInt32: [Sighting]] = [:]
        for sighting in sightings.sorted(by: { ($0.revision, $0.time) < ($1.revision, $1.time) })
        where !explained.contains(sighting.revision) {
            open[sighting.key, default: []].append(sighting)
        }
        var taken: Set<Int64> = []
        var resolved = candidates
        let order = resolved.indices.sorted { (resolved[$0].facts.time, $0) < (resolved[$1].facts.time, $1) }
        for place in order {
            let begun = resolved[place].facts.time
            let after = shown.revision(at: begun)
            let found = plan.changes(of: resolved[place].call).compactMap { change -> Int64? in
                let key = keys.existingNumber(of: plan.keys.bytes.span.extracting(plan.keys.range(of: change.key)))
                return open[key]?.first {
                    $0.revision > after && $0.time >= begun && !taken.contains($0.revision)
                        && $0.isDeletion == !change.isPut
                }?.revision
            }.min()
            guard let found else { continue }
            taken.insert(found)
            resolved[place].facts.place = CallFacts.place(found, hasChanged: true)
            resolved[place].call.headerRevision = found
        }
        return resolved
    }
}

extension ReplayPlan {
    /// The single keys that a write changes: of a transaction, those of the branch that its compares lead to.
    func changes(of call: PlannedCall) -> [(key: KeyNumber, isPut: Bool)] {
        var changes: [(key: KeyNumber, isPut: Bool)] = []
        func take(_ body: RequestOp) {
            guard body.key != 0, !body.flags.contains(.hasRangeEnd) else { return }
            if body.kind == .put { changes.append((body.key, true)) }
            if body.kind == .delete { changes.append((body.key, false)) }
        }
        if call.kind != .txn { take(call.body) }
        for place in call.parts.range where parts[place].branch == .success { take(parts[place]) }
        return changes
    }

    /// Whether an answered call changed something, as its answer tells. Precondition: its status is 0.
    func hasChanged(_ call: PlannedCall) -> Bool {
        switch call.kind {
        case .put: return true
        case .delete: return call.body.count > 0
        case .txn: return call.parts.range.contains { parts[$0].hasChanged }
        default: return false
        }
    }
}

extension RequestOp {
    /// Of an operation in a transaction: whether it was executed and changed something.
    var hasChanged: Bool { flags.contains(.answered) && (kind == .put || kind == .delete && count > 0) }
}
