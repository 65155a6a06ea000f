import Etcd
import Wire

/// Who waits for whom over the numbers that answers give, and over the revisions that compactions remove.
///
/// A compaction removes what lies below its revision. In the recording the others asked for what was there, or was
/// gone; on the target all name what other calls were answered, and those answers keep the recorded order only where
/// something makes them. So the calls that compactions learn their revisions from come one after the other, with a
/// write between, and those that others learn theirs from come behind them, where the recorded revision was higher.
struct RevisionOrder {
    /// A call that names a revision of the store.
    private struct Asker {
        var call: UInt32
        /// The recorded revision of the answer that it learns from; the one that it names where it learns from none.
        var revision: Int64
        /// The call that it learns from.
        var source: UInt32?
    }

    private let history: RecordedHistory
    /// Compactions that the store did, and calls that named what was there, or may have been; in the order of the plan.
    private var compactions: [Asker] = []
    private var askers: [Asker] = []

    /// Adds the order of a plan that has its patches.
    static func add(_ plan: ReplayPlan, _ facts: [CallFacts], _ history: RecordedHistory, to edges: inout OrderEdges) {
        var order = RevisionOrder(history: history)
        order.addSources(of: plan, facts, to: &edges)
        order.addRemovals(to: &edges)
        order.addLearning(of: plan, to: &edges)
    }

    private init(history: RecordedHistory) { self.history = history }

    /// A call waits for the answers that its numbers come from, a compaction for the one before, and what had been
    /// compacted when it was asked for, for the compaction.
    private mutating func addSources(of plan: ReplayPlan, _ facts: [CallFacts], to edges: inout OrderEdges) {
        var latest: UInt32?
        var furthest: Asker?
        for place in plan.calls.indices {
            let call = plan.calls[place]
            if call.kind == .compact {
                if let latest { edges.add(before: latest, after: UInt32(place)) }
                latest = UInt32(place)
            }
            for patch in plan.patches[call.patches.range] {
                switch patch.source {
                case .revisionOfCall, .leaseOfCall, .watchOfCall: edges.add(before: patch.number, after: UInt32(place))
                case .nowhere, .constant, .revisionOfPreload, .leaseOfPreload, .currentRevision: break
                }
                guard let asker = asker(place, patch, of: plan) else { continue }
                if call.kind == .compact {
                    guard call.status == 0 else { continue }
                    compactions.append(asker)
                    if asker.revision > furthest?.revision ?? 0 { furthest = asker }
                    continue
                }
                guard let furthest, asker.revision < furthest.revision else {
                    askers.append(asker)
                    continue
                }
                // What was refused came behind the compaction; what was not, before it, though asked for meanwhile, and
                // behind those before.
                if call.status == PlannedCall.outOfRange || facts[Int(furthest.call)].end < facts[place].time {
                    edges.add(before: furthest.call, after: asker.call)
                } else {
                    edges.add(before: asker.call, after: furthest.call)
                    askers.append(asker)
                }
            }
        }
    }

    private func asker(_ place: Int, _ patch: Patch, of plan: ReplayPlan) -> Asker? {
        let call = plan.calls[place]
        let named: Int64
        switch patch.field {
        case .revision: named = call.revision
        case .partRevision: named = plan.parts[call.parts.range.lowerBound + Int(patch.index)].revision
        default: return nil
        }
        guard case .revisionOfCall = patch.source else { return Asker(call: UInt32(place), revision: named) }
        let answered = plan.calls[Int(patch.number)].headerRevision
        return Asker(call: UInt32(place), revision: min(named, answered), source: patch.number)
    }

    /// A compaction waits for what had named a revision that it removes, or its own.
    private func addRemovals(to edges: inout OrderEdges) {
        /// Those behind the asker, without those behind one that goes as far: revisions fall, the nearest is the last.
        var behind: [Asker] = []
        var next = compactions.endIndex
        for asker in askers.reversed() {
            while next > 0, compactions[next - 1].call > asker.call {
                next -= 1
                while let last = behind.last, last.revision <= compactions[next].revision { behind.removeLast() }
                behind.append(compactions[next])
            }
            let place = behind.partitioningIndex { $0.revision < asker.revision }
            if place > 0 { edges.add(before: asker.call, after: behind[place - 1].call) }
        }
    }

    /// What is learned keeps the recorded order where compactions depend on it.
    private func addLearning(of plan: ReplayPlan, to edges: inout OrderEdges) {
        var removed: [Asker] = []
        for compaction in compactions.sorted(by: { ($0.revision, $0.call) < ($1.revision, $1.call) }) {
            guard let source = compaction.source else { continue }
            let last = removed.last
            if let last, last.revision == compaction.revision { continue }
            var first = source
            if let write = history.write(upTo: compaction.revision), write.revision > last?.revision ?? 0 {
                edges.add(before: write.call, after: source)
                first = write.call
            }
            if let before = last?.source { edges.add(before: before, after: first) }
            removed.append(compaction)
        }
        for asker in askers {
            guard let source = asker.source else { continue }
            let place = removed.partitioningIndex { $0.revision >= asker.revision }
            if place > 0, let before = removed[place - 1].source { edges.add(before: before, after: source) }
        }
    }
}

extension PlannedCall {
    /// Of gRPC: what etcd answers for a revision that was compacted, or of the future.
    static let outOfRange: UInt32 = 11
}
