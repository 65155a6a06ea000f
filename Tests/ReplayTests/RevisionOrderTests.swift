import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Order of compactions and of what names revisions")
struct RevisionOrderTests {
    /// Two writes, each with a read of another key that returned its revision: the reads are what is learned from.
    private static func reads() -> HandmadeTrace {
        var trace = HandmadeTrace()
        for (place, revision) in [(0, 2), (1, 3)] {
            trace.put("/written/\(place)", revision: Int64(revision))
            trace.range("/read/\(place)")
            trace.batch.operations[2 * place + 1].headerRevision = Int64(revision)
        }
        return trace
    }

    @Test("what a later compaction learns its revision from comes behind a write since the earlier one's")
    func compactions() throws {
        var trace = Self.reads()
        trace.call(.compact, revision: 0) { $0.revision = 2 }  // 4
        trace.call(.compact, revision: 0) { $0.revision = 3 }  // 5
        let plan = try trace.plan()
        #expect(plan.patches[plan.calls[4].patches.range].map(\.number) == [1])
        #expect(plan.patches[plan.calls[5].patches.range].map(\.number) == [3])
        let waits = plan.waits
        #expect(waits[1] == [0] && waits[2] == [0, 1] && waits[3] == [0, 1, 2])
        #expect(waits[4] == [0, 1] && waits[5] == [0, 1, 2, 3, 4])
    }

    @Test("what is asked for behind a compaction is learned behind what that was learned from, or is the same")
    func askers() throws {
        var trace = Self.reads()
        trace.range("/other")  // 4: returned what the compaction names, too
        trace.batch.operations[4].headerRevision = 2
        trace.call(.compact, revision: 0) { $0.revision = 2 }  // 5
        trace.range("/written/1") { $0.revision = 3 }  // 6
        trace.batch.operations[2].connection = 2
        trace.batch.operations[3].connection = 2
        trace.range("/written/0") { $0.revision = 2 }  // 7
        trace.batch.operations[4].connection = 3
        trace.batch.operations[7].connection = 3
        for place in [6, 7] { trace.batch.operations[place].headerRevision = 0 }
        let plan = try trace.plan()
        #expect(plan.patches[plan.calls[5].patches.range].map(\.number) == [1])
        #expect(plan.patches[plan.calls[6].patches.range].map(\.number) == [3])
        #expect(plan.patches[plan.calls[7].patches.range].map(\.number) == [1], "not its own connection's, 4")
        #expect(plan.waits[3].contains(1))
    }

    @Test("a revision is learned from a call that has a place among the writes, and keeps it for the range")
    func lent() throws {
        var trace = HandmadeTrace()
        trace.put("/a", revision: 2)  // 0
        trace.range("/other")  // 1: returned 2
        trace.call(.status, revision: 2)  // 2: too, but may come at any time
        trace.put("/a", revision: 3)  // 3
        trace.range("/a") { $0.revision = 2 }  // 4: returned 3, and may come at any time as well
        trace.range("/other") { $0.revision = 3 }  // 5
        trace.batch.operations[1].headerRevision = 2
        for place in [4, 5] { trace.batch.operations[place].headerRevision = 3 }
        let plan = try trace.plan()
        #expect(plan.patches[plan.calls[4].patches.range].map(\.number) == [1])
        #expect(plan.patches[plan.calls[5].patches.range].map(\.number) == [3])
        let waits = plan.waits
        #expect(waits[1] == [0] && waits[3] == [0, 1], "as if call 1 had read /a")
    }

    @Test("what was asked for while a compaction was on its way came before it or behind it, as it was answered")
    func meanwhile() throws {
        var trace = Self.reads()
        trace.call(.compact, revision: 0) {  // 4
            $0.revision = 3
            $0.responseEnd = 90_000
        }
        trace.range("/written/0") { $0.revision = 2 }  // 5: it was there
        trace.range("/written/1") { $0.revision = 2 }  // 6: it was gone
        trace.batch.operations[6].status = 11
        trace.batch.operations[6].body.flags = []
        let waits = try trace.plan().waits
        #expect(waits[4].contains(5) && !waits[5].contains(4))
        #expect(waits[6].contains(4))
    }

    @Test("what was asked for while a compaction was on its way keeps its order to those before")
    func meanwhileBehindOthers() throws {
        var trace = Self.reads()
        trace.range("/other")  // 4: returned what the first compaction names, too
        trace.put("/written/2", revision: 4)  // 5
        trace.range("/read/2")  // 6
        trace.call(.compact, revision: 4) { $0.revision = 2 }  // 7
        trace.call(.compact, revision: 4) {  // 8
            $0.revision = 4
            $0.responseEnd = 90_000
        }
        trace.range("/written/1") { $0.revision = 3 }  // 9: it was there
        trace.range("/written/0") { $0.revision = 2 }  // 10: so was that
        for (place, revision) in [(4, 2), (6, 4), (9, 4), (10, 4)] {
            trace.batch.operations[place].headerRevision = Int64(revision)
        }
        for place in [4, 10] { trace.batch.operations[place].connection = 2 }
        let plan = try trace.plan()
        let waits = plan.waits
        #expect(plan.patches[plan.calls[7].patches.range].map(\.number) == [1])
        #expect(waits[8].isSuperset(of: [7, 9, 10]))
        #expect(plan.patches[plan.calls[9].patches.range].map(\.number) == [3] && waits[3].contains(1))
        #expect(plan.patches[plan.calls[10].patches.range].map(\.number) == [1], "not its own connection's, 4")
    }

    /// What a store answered to calls one after the other; compactions and ranges name revisions that calls returned.
    private static func history(_ random: inout SplitMix64) -> HandmadeTrace {
        var trace = HandmadeTrace()
        var store = ModelStore()
        var returned: [Int64] = []
        for _ in 0..<(20 + random.below(150)) {
            let name = "/\(random.below(8))"
            let connection = UInt32(random.below(4))
            let revision = random.oneIn(3) || returned.isEmpty ? 0 : returned[random.below(returned.count)]
            var status: UInt32 = 0
            switch random.below(10) {
            case 0..<4:
                store.put(Array(name.utf8), lease: 0, at: store.advance())
                trace.put(name, revision: store.revision)
            case 4..<9:
                let isRefused = revision > 0 && revision < store.compacted
                status = isRefused ? 11 : 0
                let at = revision > 0 ? revision : store.revision
                let count = Int64(store.keys(Array("/".utf8), Array("0".utf8), at: at).count)
                trace.range("/", end: "0") {
                    $0.revision = revision
                    $0.count = isRefused ? 0 : count
                    if isRefused { $0.flags.remove(.answered) }
                }
            default:
                if revision == 0 { continue }
                status = store.compact(revision) ? 0 : 11
                trace.call(.compact) { $0.revision = revision }
            }
            let last = trace.batch.operations.count - 1
            trace.batch.operations[last].status = status
            trace.batch.operations[last].connection = connection
            trace.batch.operations[last].headerRevision = status == 0 ? store.revision : 0
            if status == 0 { returned.append(store.revision) }
        }
        return trace
    }

    @Test("whatever the order allows, what was compacted is, and what was there is", arguments: seeds())
    func histories(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<20 {
            let plan = try Self.history(&random).plan()
            #expect(plan.notes.cyclesBroken == 0)
            for order in UInt64(0)..<5 {
                var run = ModelRun(plan)
                let isWhole = run.run(seed: seed &+ order)
                #expect(isWhole, "some calls wait for ever")
                #expect(run.differences.isEmpty, "\(run.differences.prefix(3).joined(separator: "\n"))")
            }
        }
    }
}
