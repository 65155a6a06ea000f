import Etcd
import Replay
import TestSupport
import Testing
import Wire

/// Traces with writes whose answers were lost: what the plan makes of them, and what comes of that on the model store.
@Suite("Writes without an answer")
struct UnansweredWriteTests {
    /// A trace that begins with a write of another key at revision 10, so that it shows where it begins.
    private static func trace() -> HandmadeTrace {
        var trace = HandmadeTrace()
        trace.put("/first", revision: 10)
        return trace
    }

    /// Plans it, and replays the plan in several orders without a difference. Executed, at those header revisions, in
    /// the order of the plan: 0 where the revision is not certain.
    @discardableResult
    private static func check(
        _ trace: HandmadeTrace, executed: [Int64], omitted: Int = 0,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> ReplayPlan {
        let plan = try trace.plan()
        let sent = plan.calls.filter { $0.status == PlannedCall.noStatus }
        #expect(sent.map(\.headerRevision) == executed, sourceLocation: location)
        #expect(plan.notes.unansweredExecuted == executed.count, sourceLocation: location)
        #expect(plan.omissions.total(of: .unanswered) == omitted, sourceLocation: location)
        #expect(plan.notes.unmappedCompares == 0, sourceLocation: location)
        for seed in seeds(1...10) {
            var run = ModelRun(plan)
            let isWhole = run.run(seed: seed)
            #expect(isWhole && run.compared > 0, sourceLocation: location)
            #expect(run.differences.isEmpty, "\(run.differences)", sourceLocation: location)
        }
        return plan
    }

    // MARK: Puts

    @Test("a range shows a put by its revision; one that nothing shows is not sent, and counted")
    func shownByRange() throws {
        var trace = Self.trace()
        trace.lose(.put, "/a")  // executed at 11
        trace.lose(.put, "/b")  // lost on its way
        trace.read("/a", revision: 11, [.init("/a", 11)])
        trace.read("/b", revision: 11, [])
        try Self.check(trace, executed: [11], omitted: 1)
        // Nothing is claimed without the reads.
        trace.batch.operations.removeLast(2)
        try Self.check(trace, executed: [], omitted: 2)
    }

    @Test("a key's create revision shows the put that made it")
    func shownByCreation() throws {
        var trace = Self.trace()
        trace.lose(.put, "/a")  // 11
        trace.put("/a", revision: 12)
        trace.read("/a", revision: 12, [.init("/a", 12, created: 11, version: 2)])
        trace.transaction(
            [trace.compare("/a", .version, .equal, 2)], success: [trace.body(.put, "/a")], revision: 13)
        try Self.check(trace, executed: [11])
    }

    @Test(
        "a compare that held shows a put by the revision that it names",
        arguments: [Compare.Target.modRevision, .createRevision])
    func shownByCompare(target: Compare.Target) throws {
        var trace = Self.trace()
        trace.lose(.put, "/a")  // 11
        trace.transaction(
            [trace.compare("/a", target, .equal, 11)], success: [trace.body(.put, "/a")], revision: 12)
        let plan = try Self.check(trace, executed: [11])
        #expect(plan.patches.map(\.source) == [.revisionOfCall] && plan.patches[0].number == 1)
        // One that did not hold shows nothing.
        trace.batch.operations[2].body.flags.remove(.succeeded)
        trace.batch.parts[0].flags = []
        #expect(try trace.plan().notes.unansweredExecuted == 0)
    }

    @Test("an event shows a put, and what an event says was before shows another")
    func shownByEvent() throws {
        var trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.lose(.put, "/a")  // 12
        trace.put("/a", revision: 14)
        trace.event([
            .init("/a", 14, created: 11, version: 3), .init("/a", 12, created: 11, version: 2, kind: .previous),
        ])
        trace.lose(.put, "/b")  // 15
        trace.event([.init("/b", 15)])
        trace.read("/b", revision: 15, [], count: 1)
        try Self.check(trace, executed: [12, 15])
    }

    @Test("what a put or a deletion says was before shows a put", arguments: [RequestOp.Kind.put, .delete])
    func shownByPrevious(kind: RequestOp.Kind) throws {
        var trace = Self.trace()
        trace.lose(.put, "/a")  // 11
        let before = trace.records([.init("/a", 11, kind: .previous)])
        let body = trace.body(kind, "/a") { $0.keyValues = before }
        trace.call(kind == .put ? .put : .delete, body, revision: 12)
        try Self.check(trace, executed: [11])
    }

    @Test("a revision that an answered write had shows nothing, whoever names it")
    func explained() throws {
        var trace = Self.trace()
        trace.lose(.put, "/a")
        trace.put("/a", revision: 11)
        trace.read("/a", revision: 11, [.init("/a", 11)])
        try Self.check(trace, executed: [], omitted: 1)
        // Nor do a write that is not replayed, and one of before.
        var other = trace
        other.batch.operations[2].body.valueSize = .max
        #expect(try other.plan().notes.unansweredExecuted == 0)
        other = trace
        other.batch.operations[2].completeness = .openedBefore
        #expect(try other.plan().notes.unansweredExecuted == 0)
    }

    @Test("a change of before the request began is not its doing")
    func tooEarly() throws {
        var trace = Self.trace()
        trace.read("/other", revision: 12, [])
        trace.lose(.put, "/a")
        trace.read("/a", revision: 12, [.init("/a", 11)])
        #expect(try trace.plan().notes.unansweredExecuted == 0)
        // Nor is one that must have been by then.
        trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.read("/a", revision: 12, [])
        trace.lose(.delete, "/a")
        trace.read("/a", revision: 13, [])
        #expect(try trace.plan().notes.unansweredExecuted == 0)
        // And a put deletes nothing.
        trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.lose(.put, "/a")
        trace.event([.init("/a", 12, kind: .deleteEvent)])
        #expect(try trace.plan().notes.unansweredExecuted == 0)
    }

    @Test("a version that known puts do not explain shows one between them, where its revision is free")
    func versionJump() throws {
        var trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.read("/a", revision: 11, [.init("/a", 11)])
        trace.lose(.put, "/a")  // 13
        trace.put("/b", revision: 12)
        trace.put("/a", revision: 14)
        trace.read("/a", revision: 14, [.init("/a", 14, created: 11, version: 3)])
        trace.transaction(
            [trace.compare("/a", .version, .equal, 3)], success: [trace.body(.put, "/a")], revision: 15)
        try Self.check(trace, executed: [13])
    }

    @Test("where several revisions are free, the put gets the last one at which its key may have changed")
    func versionJumpAnywhere() throws {
        var trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.read("/a", revision: 11, [.init("/a", 11)])
        trace.lose(.put, "/a")  // 12 or 13
        trace.put("/a", revision: 14)
        trace.compareAndSet("/a", 14)  // 15: from 14 on it was as it was
        trace.batch.operations[trace.batch.operations.count - 1].headerRevision = 17
        trace.read("/a", revision: 17, [.init("/a", 17, created: 11, version: 4)])
        try Self.check(trace, executed: [0])
    }

    @Test("a version proves nothing where several writes without an answer may explain it, or none in that time")
    func versionJumpOfSeveral() throws {
        for (places, version) in [([3, 3], Int64(4)), ([3, 3], 3), ([3], 4), ([5], 3), ([], 3)] {
            var trace = Self.trace()
            trace.put("/a", revision: 11)
            trace.read("/a", revision: 11, [.init("/a", 11)])
            for place in 3..<6 {
                if place == 4 { trace.put("/a", revision: 13) }
                if place == 5 { trace.read("/a", revision: 13, [.init("/a", 13, created: 11, version: version)]) }
                for _ in places where places.contains(place) { trace.lose(.put, "/a") }
            }
            #expect(try trace.plan().notes.unansweredExecuted == 0, "\(places), \(version)")
        }
    }

    // MARK: Deletions

    @Test("a key that is gone shows a deletion", arguments: [0, 1, 2, 3])
    func deletion(way: Int) throws {
        var trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.lose(.delete, "/a")  // 12
        switch way {
        case 0: trace.read("/a", revision: 12, [])
        case 1:
            trace.transaction(
                [trace.compare("/a", .createRevision, .equal, 0)], success: [trace.body(.put, "/a")], revision: 13)
        case 2:
            trace.put("/a", revision: 13)
            trace.read("/a", revision: 13, [.init("/a", 13)])
        default:
            trace.list("/", end: "0", ["/first"])
            trace.batch.operations[3].headerRevision = 12
        }
        try Self.check(trace, executed: [12])
        // One that was asked for when it was gone is not in doubt.
        trace.lose(.delete, "/a")
        try Self.check(trace, executed: [12], omitted: 1)
    }

    @Test("a list that shows the key, or not all of its keys, shows no deletion", arguments: [["/a", "/first"], []])
    func listed(names: [String]) throws {
        var trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.lose(.delete, "/a")
        trace.list("/", end: "0", names)
        trace.batch.operations[3].headerRevision = 12
        trace.batch.operations[3].body.count = 2
        trace.read("/other", revision: 12, [])
        try Self.check(trace, executed: [], omitted: 1)
    }

    @Test("a deletion is claimed for one write only, and not where a lease may have ended or a range was deleted")
    func uncertainDeletions() throws {
        func made(_ change: (inout HandmadeTrace) -> Void, lease: Int64 = 0) throws -> Int {
            var trace = Self.trace()
            trace.put("/a", revision: 11) { $0.lease = lease }
            change(&trace)
            trace.lose(.delete, "/a")
            trace.read("/a", revision: 13, [])
            return try trace.plan().notes.unansweredExecuted
        }
        #expect(try made { _ in } == 1)
        #expect(try made({ _ in }, lease: 7) == 0)
        #expect(try made { $0.lose(.delete, "/a") } == 0)
        #expect(try made { $0.lose(.delete, "/", end: "0") } == 0)
        #expect(
            try made {
                $0.delete("/", end: "0", deleted: 2)
                $0.batch.operations[2].headerRevision = 12
            } == 0)
        #expect(try made { $0.lose(.put, "/a") { $0.body.lease = 7 } } == 0)
        #expect(
            try made {
                $0.call(.other, revision: 12) {
                    $0.evidence = .ambiguous
                    $0.method = .unknown
                }
            } == 0)
        // A write of nobody knows what.
        #expect(try made { $0.lose(.put, "/b") { $0.completeness = .keyLost } } == 0)
        #expect(
            try made {
                $0.put("/b", revision: 12)
                $0.batch.operations[2].completeness = .requestDamaged
            } == 0)
    }

    @Test("an event shows a deletion, but not of a key that had a lease, or by a lease that was revoked")
    func deletionEvent() throws {
        func made(lease: Int64, revoked: Int64? = nil) -> HandmadeTrace {
            var trace = Self.trace()
            trace.put("/a", revision: 11) { $0.lease = lease }
            trace.lose(.delete, "/a")
            if let revoked { trace.call(.leaseRevoke, revision: revoked) { $0.lease = 9 } }
            trace.event([.init("/a", 12, kind: .deleteEvent)])
            trace.read("/a", revision: 12, [])
            return trace
        }
        try Self.check(made(lease: 0), executed: [12])
        #expect(try made(lease: 7).plan().notes.unansweredExecuted == 0)
        #expect(try made(lease: 0, revoked: 12).plan().notes.unansweredExecuted == 0)
    }

    @Test("a key that is there, though it was gone, shows a put", arguments: [0, 1, 2])
    func presence(way: Int) throws {
        var trace = Self.trace()
        trace.read("/a", revision: 10, [])
        trace.lose(.put, "/a")  // 11
        switch way {
        case 0: trace.read("/a", revision: 11, [], count: 1)
        case 1: trace.call(.delete, trace.body(.delete, "/a"), revision: 12)
        default:
            trace.transaction(
                [trace.compare("/a", .version, .greater, 0)], success: [trace.body(.put, "/a")], revision: 12)
        }
        try Self.check(trace, executed: [11])
    }

    // MARK: Transactions

    @Test("a transaction is shown by any of its keys, whichever branch it took")
    func transaction() throws {
        var trace = Self.trace()
        trace.put("/a", revision: 11)
        trace.loseTransaction(
            [trace.compare("/a", .modRevision, .equal, 11)], success: [trace.body(.put, "/a"), trace.body(.put, "/b")],
            failure: [trace.body(.put, "/c")])  // 12
        trace.loseTransaction(
            [trace.compare("/a", .modRevision, .equal, 11)], success: [trace.body(.put, "/a")],
            failure: [trace.body(.put, "/d")])  // 13: it failed
        trace.read("/b", revision: 13, [.init("/b", 12)])
        trace.read("/d", revision: 13, [.init("/d", 13)])
        trace.read("/c", revision: 13, [])
        trace.compareAndSet("/a", 12)
        trace.batch.operations[7].headerRevision = 14
        try Self.check(trace, executed: [12, 13])
    }

    @Test("a transaction that deletes is shown by what it deleted, and keeps versions of the preload right")
    func deletingTransaction() throws {
        var trace = Self.trace()
        trace.observe("/a", revision: 5)
        trace.batch.observed[0].version = 4
        trace.read("/a", revision: 10, [.init("/a", 5, created: 2, version: 4)])
        trace.loseTransaction(
            [trace.compare("/a", .modRevision, .equal, 5)], success: [trace.body(.delete, "/a")])  // 11
        trace.put("/a", revision: 12)
        trace.transaction(
            [trace.compare("/a", .version, .equal, 1), trace.compare("/a", .createRevision, .equal, 12)],
            success: [trace.body(.put, "/a")], revision: 13)
        try Self.check(trace, executed: [11])
    }
}

extension HandmadeTrace {
    /// A key-value as answers and events show it.
    struct Shown {
        var key: String
        var revision: Int64
        var created: Int64
        var version: Int64
        var kind: KeyValueRecord.Kind

        init(
            _ key: String, _ revision: Int64, created: Int64? = nil, version: Int64 = 1,
            kind: KeyValueRecord.Kind = .reply
        ) {
            self.key = key
            self.revision = revision
            self.created = kind == .deleteEvent ? 0 : created ?? revision - version + 1
            self.version = kind == .deleteEvent ? 0 : version
            self.kind = kind
        }
    }

    mutating func records(_ shown: [Shown]) -> Slice {
        let first = UInt32(batch.keyValues.count)
        for one in shown {
            var record = KeyValueRecord()
            record.key = key(one.key)
            record.modRevision = one.revision
            record.createRevision = one.created
            record.version = one.version
            record.kind = one.kind
            batch.keyValues.append(record)
        }
        return Slice(start: first, count: UInt32(shown.count))
    }

    /// A range over one key, answered at that revision.
    mutating func read(_ key: String, revision: Int64, _ shown: [Shown], count: Int64? = nil) {
        let keyValues = records(shown)
        let body = body(.range, key) {
            $0.keyValues = keyValues
            $0.count = count ?? Int64(shown.count)
        }
        call(.range, body, revision: revision)
    }

    /// Events of a watch; those of no other kind are puts.
    mutating func event(_ shown: [Shown]) {
        let events = records(
            shown.map { one in
                var one = one
                if one.kind == .reply { one.kind = .putEvent }
                return one
            })
        call(.watchEvents) {
            $0.role = .event
            $0.events = events
            $0.status = nil
        }
    }

    /// A put or a deletion that was never answered.
    mutating func lose(
        _ kind: RequestOp.Kind, _ key: String, end: String? = nil, _ change: (inout Operation) -> Void = { _ in }
    ) {
        let body = body(kind, key, end: end) {
            $0.flags.remove(.answered)
            $0.count = 0
        }
        call(kind == .put ? .put : .delete, body) {
            $0.lose()
            change(&$0)
        }
    }

    /// A transaction that was never answered.
    mutating func loseTransaction(_ compares: [Compare], success: [RequestOp], failure: [RequestOp] = []) {
        transaction(compares, success: success, failure: failure)
        let last = batch.operations.count - 1
        for place in batch.operations[last].parts.range {
            batch.parts[place].flags.remove(.answered)
            batch.parts[place].count = 0
        }
        batch.operations[last].body.flags = []
        batch.operations[last].lose()
    }
}

extension Operation {
    /// Takes the answer away.
    fileprivate mutating func lose() {
        status = nil
        responseEnd = Operation.absent
        headerRevision = 0
    }
}
