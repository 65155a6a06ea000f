import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Order of calls that overlap")
struct PlaceRuleTests {
    /// Of each call those that its numbers come from: grants by the lease, writes by the revision that a compare names,
    /// and, of those that had returned the revision of a range, the one that the plan chose.
    private static func sources(_ batch: OperationBatch, _ plan: ReplayPlan) throws -> [[Int]] {
        var sources: [[Int]] = []
        for (number, call) in batch.operations.enumerated() {
            var found: [Int] = []
            let lease = call.kind == .put ? call.body.lease : call.kind == .leaseRevoke ? call.lease : 0
            if lease != 0 {
                found += batch.operations.indices.filter {
                    batch.operations[$0].kind == .leaseGrant && batch.operations[$0].lease == lease
                }
            }
            if call.kind == .range || call.kind == .compact, call.status == 0 {
                let revision = call.kind == .range ? call.body.revision : call.revision
                if revision > 0 {
                    let patches = plan.patches[plan.calls[number].patches.range].filter { $0.field == .revision }
                    let source = Int(try #require(patches.first).number)
                    let returned = batch.operations[source]
                    #expect(patches.count == 1 && patches[0].source == .revisionOfCall && patches[0].offset == 0)
                    #expect(returned.headerRevision == revision, "call \(number) learns it from call \(source)")
                    let isWrite = [.put, .delete, .txn].contains(returned.kind)
                    let answered = returned.time.nanoseconds + returned.responseEnd
                    #expect((isWrite ? returned.time.nanoseconds : answered) < call.time.nanoseconds)
                    found.append(source)
                }
            }
            for compare in batch.compares[call.body.compares.range] where compare.operand != 0 {
                if let write = write(compare, of: call, batch) { found.append(write) }
            }
            sources.append(found)
        }
        return sources
    }

    /// The write whose revision a compare names; where it asks for more or less, the last one up to it.
    private static func write(_ compare: Compare, of call: Operation, _ batch: OperationBatch) -> Int? {
        guard compare.target == .modRevision || compare.target == .createRevision else { return nil }
        let hasChanged = { (call: Operation) in
            switch call.kind {
            case .put: true
            case .delete: call.body.count > 0
            case .txn:
                batch.parts[call.parts.range].contains {
                    $0.flags.contains(.answered) && ($0.kind == .put || $0.kind == .delete && $0.count > 0)
                }
            default: false
            }
        }
        let upTo = batch.operations.indices.filter {
            hasChanged(batch.operations[$0]) && batch.operations[$0].headerRevision <= compare.operand
        }
        guard let write = upTo.max(by: { batch.operations[$0].headerRevision < batch.operations[$1].headerRevision })
        else { return nil }
        let revision = batch.operations[write].headerRevision
        let isExact = compare.relation == .equal || compare.relation == .notEqual
        if isExact, revision != compare.operand { return nil }
        // A call cannot wait for one that has a later place.
        return 2 * revision < 2 * call.headerRevision + (hasChanged(call) ? 0 : 1) ? write : nil
    }

    @Test(
        "a call waits for just those that the rule names, and for what tells its numbers",
        arguments: seeds(1...12))
    func rule(seed: UInt64) throws {
        var kinds: Set<OperationKind> = []
        for round in UInt64(0)..<8 {
            let batch = OverlappingHistory(seed: seed &* 1000 &+ round, count: 120).trace.batch
            let plan = try HandmadeTrace(batch: batch).plan()
            #expect(
                plan.calls.map(\.time)
                    == batch.operations.map { $0.time.nanoseconds - batch.operations[0].time.nanoseconds })
            #expect(plan.notes.cyclesBroken == 0)
            let rule = PlaceRule(batch, sources: try Self.sources(batch, plan))
            let found = plan.waits
            for call in plan.calls.indices {
                let (more, less) = (
                    found[call].subtracting(rule.waits[call]), rule.waits[call].subtracting(found[call])
                )
                #expect(
                    more.isEmpty && less.isEmpty, "call \(call) waits for \(more.sorted()), not for \(less.sorted())")
            }
            kinds.formUnion(batch.operations.map(\.kind))
        }
        #expect(kinds == [.range, .put, .delete, .txn, .leaseGrant, .leaseRevoke])
    }

    @Test(
        "with compactions, it waits for those, and a compaction for what asked for the removed",
        arguments: seeds(1...12))
    func compactions(seed: UInt64) throws {
        var refused = 0
        var removed = 0
        for round in UInt64(0)..<8 {
            let batch = OverlappingHistory(seed: seed &* 1000 &+ round, count: 120, compacts: true).trace.batch
            let plan = try HandmadeTrace(batch: batch).plan()
            #expect(plan.notes.cyclesBroken == 0)
            let rule = PlaceRule(batch, sources: try Self.sources(batch, plan))
            let found = plan.waits
            for call in plan.calls.indices where batch.operations[call].status == 0 {
                let less = rule.waits[call].subtracting(found[call])
                #expect(less.isEmpty, "call \(call) does not wait for \(less.sorted())")
            }
            let ranges = batch.operations.indices.filter {
                batch.operations[$0].kind == .range && batch.operations[$0].body.revision > 0
            }
            let compactions = batch.operations.indices.filter { batch.operations[$0].kind == .compact }
            for range in ranges {
                let behind = compactions.filter {
                    batch.operations[$0].revision > batch.operations[range].body.revision
                }
                if batch.operations[range].status == 0 {
                    for compaction in behind { #expect(found[compaction].contains(range)) }
                    removed += behind.count
                } else {
                    #expect(!found[range].isDisjoint(with: behind), "it was refused")
                    refused += 1
                }
            }
        }
        #expect(refused > 0 && removed > 0)
    }

    @Test("whatever the order allows, outcomes are the recorded ones", arguments: seeds(1...12), [false, true])
    func outcomes(seed: UInt64, compacts: Bool) throws {
        for round in UInt64(0)..<8 {
            let batch = OverlappingHistory(seed: seed &* 1000 &+ round, count: 120, compacts: compacts).trace.batch
            let plan = try HandmadeTrace(batch: batch).plan()
            for order in UInt64(0)..<4 {
                var run = ModelRun(plan)
                let isWhole = run.run(seed: order &* 77 &+ seed)
                #expect(isWhole, "some calls wait for ever")
                // Members that lag may do so otherwise.
                let differing = run.differing.filter { !plan.calls[$0].body.flags.contains(.serializable) }
                #expect(differing.isEmpty, "\(run.differences.prefix(3).joined(separator: "\n"))")
            }
        }
    }
}
