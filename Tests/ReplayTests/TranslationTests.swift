import Etcd
import Replay
import TestSupport
import Testing
import Wire

/// From a trace to the requests that a store gets: plan, preload and engine, on a model store whose revisions and
/// leases are others than the recorded ones.
@Suite("Translation from a trace to the store's numbers")
struct TranslationTests {
    /// A run, and what the store was sent and answered.
    private struct Run {
        let plan: ReplayPlan
        let preload: PreloadOutcome
        var counts = ReplayCounts()
        private(set) var requests: [StoreRequest] = []
        /// By call.
        private(set) var revisions: [Int64] = []
        private(set) var leases: [Int64] = []

        init(_ trace: HandmadeTrace) throws {
            plan = try trace.plan()
            var model = ModelAnswers()
            // Keys that were written together have one revision: so each has its own.
            var limits = PreloadLimits()
            limits.putsPerTransaction = 1
            let driver = PreloadDriver(plan, connections: 1, limits: limits)
            model.write(driver)
            preload = driver.outcome
            var answers: [Int: (revision: Int64, lease: Int64)] = [:]
            var store = ScriptedStore()
            store.latency = { _ in 10 }
            store.respond = { sent, answer in
                model.execute(sent.request, into: &answer)
                answers[sent.call] = (answer.details.headerRevision, answer.details.answeredLease)
            }
            var engine = ReplayEngine(
                plan, schedule: Schedule(.recorded(speed: .init(1))), preload: preload,
                connections: [ConnectionNames(client: "client", server: "model")], batchCapacity: 1 << 16)
            store.run(&engine)
            counts = engine.counts
            // In the order of the trace: what nothing delays.
            try #require(store.sent.map(\.call) == Array(plan.calls.indices))
            requests = store.sent.map(\.request)
            revisions = plan.calls.indices.map { answers[$0]?.revision ?? -1 }
            leases = plan.calls.indices.map { answers[$0]?.lease ?? -1 }
        }

        /// The numbers that a transaction's compares were sent with.
        func operands(_ call: Int) -> [Int64] { requests[call].compares.map(\.operand) }

        func text(_ key: KeyNumber, of call: Int) -> String {
            String(decoding: requests[call].keys.bytes[requests[call].keys.range(of: key)], as: UTF8.self)
        }

        /// How many numbers were sent as recorded for want of a meaning.
        func unmapped(_ field: Patch.Field) -> Int64 { counts.unmapped[Int(field.rawValue)] }
    }

    /// What the recording had before it began: a key of that version.
    private static func observe(
        _ key: String, version: Int64, created: Int64 = 0, modified: Int64, lease: Int64 = 0,
        in trace: inout HandmadeTrace
    ) {
        trace.observe(key, lease: lease, revision: modified)
        let last = trace.batch.observed.count - 1
        trace.batch.observed[last].version = version
        trace.batch.observed[last].createRevision = created
    }

    private static func check(_ compares: [Compare], in trace: inout HandmadeTrace, at revision: Int64) {
        let read = trace.body(.range, "other") { $0.count = 0 }
        trace.transaction(compares, success: [read], revision: revision)
    }

    /// Deletes /a by its own call, with others, in a transaction, with its lease.
    enum Deletion: CaseIterable { case call, range, transaction, lease }

    @Test("a version is less by what the preload left out, until the key is deleted", arguments: Deletion.allCases)
    func versions(_ deletion: Deletion) throws {
        var trace = HandmadeTrace()
        let lease: Int64 = deletion == .lease ? 0x71 : 0
        Self.observe("/a", version: 5, modified: 90, lease: lease, in: &trace)
        Self.observe("/b", version: 1, modified: 91, in: &trace)
        Self.observe("/c", version: 9, modified: 92, in: &trace)
        let versions = { (key: String, version: Int64) in trace.compare(key, .version, .equal, version) }
        Self.check([versions("/a", 5), versions("/b", 1), versions("/c", 9)], in: &trace, at: 100)  // 0
        trace.put("/a", revision: 101) { $0.lease = lease }  // 1
        Self.check([versions("/a", 6), trace.compare("/a", .version, .greater, 4)], in: &trace, at: 101)  // 2
        switch deletion {  // 3
        case .call:
            trace.delete("/a")
            trace.batch.operations[3].headerRevision = 102
        case .range:
            trace.delete("/a", end: "/b")
            trace.batch.operations[3].headerRevision = 102
        case .transaction: trace.transaction([], success: [trace.body(.delete, "/a")], revision: 102)
        case .lease: trace.call(.leaseRevoke, revision: 102) { $0.lease = lease }
        }
        Self.check([versions("/a", 0), versions("/c", 9)], in: &trace, at: 102)  // 4
        trace.put("/a", revision: 103)  // 5
        trace.put("/a", revision: 104)  // 6
        Self.check([versions("/a", 2), versions("/b", 1), versions("/c", 9)], in: &trace, at: 104)  // 7
        let run = try Run(trace)
        #expect(run.plan.preload.puts.count == 3)
        #expect(run.operands(0) == [1, 1, 1])
        #expect(run.operands(2) == [2, 0])
        #expect(run.operands(4) == [0, 1])
        #expect(run.operands(7) == [2, 1, 1])
        #expect(run.counts.unmapped.allSatisfy { $0 == 0 })
    }

    @Test("mod and create revisions of a key are what the store gave it; 0 stays 0")
    func revisions() throws {
        var trace = HandmadeTrace()
        Self.observe("/old", version: 2, created: 80, modified: 90, in: &trace)
        Self.observe("/new", version: 1, created: 95, modified: 95, in: &trace)
        let created = { (key: String, revision: Int64) in trace.compare(key, .createRevision, .equal, revision) }
        let modified = { (key: String, revision: Int64) in trace.compare(key, .modRevision, .equal, revision) }
        Self.check(
            [created("/old", 80), modified("/old", 90), created("/new", 95), modified("/new", 95), created("/a", 0)],
            in: &trace, at: 100)  // 0
        trace.put("/a", revision: 101)  // 1
        trace.put("/old", revision: 105)  // 2
        trace.put("/a", revision: 110)  // 3
        Self.check(
            [
                created("/a", 101), modified("/a", 110), created("/old", 80), modified("/old", 105), modified("/b", 0),
                trace.compare("/a", .modRevision, .greater, 0), trace.compare("/a", .modRevision, .notEqual, 101),
            ], in: &trace, at: 110)  // 4
        // Two keys of one transaction have one revision.
        trace.transaction(
            [modified("/a", 110)], success: [trace.body(.put, "/x"), trace.body(.put, "/y")], revision: 120)  // 5
        Self.check([created("/x", 120), modified("/y", 120)], in: &trace, at: 120)  // 6
        let run = try Run(trace)
        // In the order of their mod revisions.
        let (old, new) = (run.preload.revisions[0], run.preload.revisions[1])
        #expect(old < new && run.revisions[1] > new)
        #expect(run.operands(0) == [old, old, new, new, 0])
        #expect(
            run.operands(4) == [
                run.revisions[1], run.revisions[3], old, run.revisions[2], 0, 0, run.revisions[1],
            ])
        #expect(run.operands(5) == [run.revisions[3]])
        #expect(run.operands(6) == [run.revisions[5], run.revisions[5]])
        let learned = Set([old, new] + [1, 2, 3, 5].map { run.revisions[$0] })
        #expect(learned.isDisjoint(with: [80, 90, 95, 101, 105, 110, 120]))
        #expect(run.counts.unmapped.allSatisfy { $0 == 0 } && run.plan.notes.unmappedCompares == 0)
    }

    @Test("any other revision is that of the call that returned it, else of the last write up to it")
    func otherRevisions() throws {
        var trace = HandmadeTrace()
        Self.observe("/old", version: 1, modified: 90, in: &trace)
        trace.range("/old")  // 0
        trace.batch.operations[0].headerRevision = 100
        trace.put("/a", revision: 101)  // 1
        trace.range("/other") { $0.count = 0 }  // 2: saw what others had written meanwhile
        trace.batch.operations[2].headerRevision = 104
        trace.put("/b", revision: 105)  // 3
        trace.put("/c", revision: 109)  // 4
        for revision: Int64 in [100, 101, 104, 105, 107, 95] {  // 5 to 10
            trace.range("/", end: "0") {
                $0.revision = revision
                $0.count = 0
            }
            trace.batch.operations[trace.batch.operations.count - 1].headerRevision = 109
        }
        let page = trace.body(.range, "/a") { $0.revision = 105 }
        trace.transaction([], success: [page], revision: 109)  // 11
        trace.call(.compact, revision: 109) { $0.revision = 105 }  // 12
        trace.call(.compact, revision: 109) { $0.revision = 108 }  // 13
        let run = try Run(trace)
        let expected = [
            run.revisions[0], run.revisions[1], run.revisions[2], run.revisions[3],
            // Nobody had returned 107: the last write up to it is that of 105. Before all writes is the preload.
            run.revisions[3], run.preload.revisions[0],
        ]
        #expect((5...10).map { run.requests[$0].body.revision } == expected)
        #expect(run.requests[11].parts.map(\.revision) == [run.revisions[3]])
        #expect(run.requests[12].revision == run.revisions[3] && run.requests[13].revision == run.revisions[3])
        #expect(run.counts.unmapped.allSatisfy { $0 == 0 } && run.plan.notes.unmappedRevisions == 0)
    }

    @Test("a watch begins one above what the list before it returned, or where its revision was returned")
    func watches() throws {
        var trace = HandmadeTrace()
        trace.put("/a", revision: 101)  // 0
        trace.range("/", end: "0")  // 1
        trace.batch.operations[1].headerRevision = 101
        trace.put("/b", revision: 105)  // 2
        trace.put("/c", revision: 108)  // 3
        // 4: behind the list. 5: from what put 2 returned. 6: behind it, with nobody's 106. 7: the present.
        for start: Int64 in [102, 105, 107, 0] {
            let body = trace.body(.watchCreate, "/") { $0.revision = start }
            trace.call(.watchCreate, body, revision: 108) {
                $0.role = .message
                $0.completeness = [.hasRequest, .hasResponse]
                $0.stream = 9
            }
        }
        let run = try Run(trace)
        #expect(run.plan.streams.count == 1)
        #expect(
            (4...7).map { run.requests[$0].body.revision } == [
                run.revisions[1] + 1, run.revisions[2], run.revisions[2] + 1, 0,
            ])
        #expect(run.revisions[1] != 101 && run.counts.unmapped.allSatisfy { $0 == 0 })
    }

    @Test("a lease is the one that the store granted, at the end of the keys of locks and elections too")
    func leases() throws {
        var trace = HandmadeTrace()
        Self.observe("locks/old/51", version: 1, modified: 90, lease: 0x51, in: &trace)
        trace.call(.leaseGrant, revision: 100) { $0.lease = 0x694d_0123_4567_89ab }  // 0
        let key = "locks/one/694d0123456789ab"
        let put = trace.body(.put, key) { $0.lease = 0x694d_0123_4567_89ab }
        trace.transaction(
            [trace.compare(key, .createRevision, .equal, 0)], success: [put],
            failure: [trace.body(.range, key)], revision: 101)  // 1
        trace.put(key, revision: 102) { $0.lease = 0x694d_0123_4567_89ab }  // 2
        trace.range(key)  // 3
        trace.put("locks/old/51", revision: 103) { $0.lease = 0x51 }  // 4
        Self.check([trace.compare(key, .lease, .equal, 0x694d_0123_4567_89ab)], in: &trace, at: 103)  // 5
        trace.range("registry/pods/51ff") { $0.count = 0 }  // 6: looks like one, but was never granted
        trace.delete(key)  // 7
        trace.batch.operations[7].headerRevision = 104
        trace.call(.leaseRevoke, revision: 104) { $0.lease = 0x694d_0123_4567_89ab }  // 8
        let run = try Run(trace)
        let (old, new) = (run.preload.leases[0], run.leases[0])
        let translated = "locks/one/" + String(new, radix: 16)
        #expect(new != 0x694d_0123_4567_89ab && old != 0x51)
        #expect(run.requests[0].lease == 0, "the store chooses")
        let txn = run.requests[1]
        #expect(run.text(txn.compares[0].key, of: 1) == translated && run.operands(1) == [0])
        #expect(txn.parts.map { run.text($0.key, of: 1) } == [translated, translated])
        #expect(txn.parts.map(\.lease) == [new, 0])
        #expect(run.text(run.requests[2].body.key, of: 2) == translated && run.requests[2].body.lease == new)
        #expect(run.text(run.requests[3].body.key, of: 3) == translated)
        #expect(run.text(run.requests[4].body.key, of: 4) == "locks/old/" + String(old, radix: 16))
        #expect(run.requests[4].body.lease == old)
        #expect(run.text(run.requests[5].compares[0].key, of: 5) == translated && run.operands(5) == [new])
        #expect(run.text(run.requests[6].body.key, of: 6) == "registry/pods/51ff")
        #expect(run.text(run.requests[7].body.key, of: 7) == translated)
        #expect(run.requests[8].lease == new)
        #expect(run.counts.unmapped.allSatisfy { $0 == 0 })
    }

    @Test("what nothing in the trace explains is sent as recorded, and counted")
    func unmapped() throws {
        var trace = HandmadeTrace()
        trace.put("/a", revision: 101)  // 0
        Self.check(
            [
                trace.compare("/a", .modRevision, .equal, 77), trace.compare("/a", .modRevision, .notEqual, 78),
                trace.compare("/a", .modRevision, .equal, 101),
            ], in: &trace, at: 101)  // 1
        // Before all that the trace knows of, and of the future.
        trace.range("/a") { $0.revision = 50 }  // 2
        trace.range("/a") { $0.revision = 5000 }  // 3
        trace.batch.operations[3].status = 11
        for place in [2, 3] { trace.batch.operations[place].headerRevision = place == 2 ? 101 : 0 }
        let run = try Run(trace)
        #expect(run.operands(1) == [77, 78, run.revisions[0]])
        #expect(run.requests[2].body.revision == 50 && run.requests[3].body.revision == 5000)
        #expect(run.unmapped(.operand) == 2 && run.plan.notes.unmappedCompares == 2)
        // One of the future means the same everywhere.
        #expect(run.plan.notes.unmappedRevisions == 1)
    }
}
