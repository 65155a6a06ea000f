import Etcd
import Replay
import TestSupport
import Testing
import Wire

/// What each call waits for, itself or through others, written down by hand from the rule: a call that changed
/// something at its header revision r has place r, one that changed nothing lies between r and r + 1; a call waits for
/// those with an earlier place whose keys meet its own, if one of the two changed what they meet in.
@Suite("Order of calls by their places in the history")
struct PlaceOrderTests {
    /// A trace in which calls need not be answered before the next one is sent.
    private struct Trace {
        var made = HandmadeTrace()

        /// The call that was added last was under way in these microseconds, and answered at that revision.
        mutating func last(_ time: Range<Int64>, at revision: Int64, on connection: UInt32 = 1) {
            let last = made.batch.operations.count - 1
            made.batch.operations[last].time = CaptureTime(nanoseconds: time.lowerBound * 1000)
            made.batch.operations[last].responseEnd = Int64(time.count) * 1000
            made.batch.operations[last].headerRevision = revision
            made.batch.operations[last].connection = connection
        }

        /// The call that was added last was answered at that revision.
        mutating func last(at revision: Int64) {
            made.batch.operations[made.batch.operations.count - 1].headerRevision = revision
        }
    }

    @Test("transactions: what they compared, what the branch that ran read, and what it changed")
    func transactions() throws {
        var trace = Trace()
        func read(_ key: String, end: String? = nil) -> RequestOp { trace.made.body(.range, key, end: end) }
        func put(_ key: String) -> RequestOp { trace.made.body(.put, key) }
        func delete(_ key: String, end: String? = nil, count: Int64) -> RequestOp {
            trace.made.body(.delete, key, end: end) { $0.count = count }
        }
        func modified(_ key: String, at revision: Int64) -> Compare {
            trace.made.compare(key, .modRevision, .equal, revision)
        }
        trace.made.put("a", revision: 2)  // 0
        trace.made.put("b", revision: 3)  // 1
        // Reads only.
        trace.made.transaction([modified("a", at: 2)], success: [read("b")], revision: 3)  // 2
        // Writes in the branch that ran; the other one's write does not count.
        trace.made.transaction([modified("a", at: 2)], success: [put("c")], failure: [put("d")], revision: 4)  // 3
        trace.made.range("c")  // 4
        trace.last(at: 4)
        trace.made.range("d")  // 5
        trace.last(at: 4)
        trace.made.put("d", revision: 5)  // 6
        // Would have written, but read: it changed nothing.
        trace.made.transaction(
            [modified("a", at: 1)], success: [put("a"), put("b")], failure: [read("b")], succeeded: false, revision: 5)
        trace.made.range("a")  // 8
        trace.last(at: 5)
        trace.made.put("a", revision: 6)  // 9
        trace.made.range("b")  // 10
        trace.last(at: 6)
        // A deletion that found nothing is a read, one that did is a write.
        trace.made.transaction([], success: [delete("e", end: "f", count: 0)], revision: 6)  // 11
        trace.made.put("e/1", revision: 7)  // 12
        trace.made.range("f")  // 13
        trace.last(at: 7)
        trace.made.transaction([], success: [delete("e", end: "f", count: 1)], revision: 8)  // 14
        trace.made.range("e/2")  // 15
        trace.last(at: 8)
        // What it changed, and what it compared, meet in the same call.
        trace.made.transaction([modified("c", at: 4)], success: [put("g"), read("e/2")], revision: 9)  // 16
        trace.made.put("c", revision: 10)  // 17
        let expected: [Set<Int>] = [
            [], [], [0, 1], [0], [0, 3], [], [5], [0, 1], [0], [0, 1, 2, 3, 7, 8], [1], [], [11], [], [11, 12],
            [11, 12, 14], [0, 3, 11, 12, 14], [0, 3, 4, 11, 12, 14, 16],
        ]
        #expect(try trace.made.plan().waits == expected)
    }

    @Test("calls that overlap have the order of their revisions, not that of their sending or their answers")
    func overlap() throws {
        var trace = Trace()
        trace.made.put("a")  // 0: sent first, done last
        trace.last(0..<100, at: 5)
        trace.made.put("a")  // 1
        trace.last(10..<50, at: 4, on: 2)
        trace.made.range("a")  // 2: between the two
        trace.last(20..<90, at: 4, on: 3)
        trace.made.range("a")  // 3: before both
        trace.last(30..<40, at: 3, on: 4)
        trace.made.delete("a", deleted: 0)  // 4: found nothing, before both
        trace.last(35..<60, at: 3, on: 5)
        trace.made.range("a")  // 5: behind both
        trace.last(40..<200, at: 5, on: 6)
        trace.made.transaction([], success: [trace.made.body(.put, "a"), trace.made.body(.put, "b")])  // 6: before all
        trace.last(45..<180, at: 3, on: 7)
        trace.made.range("b")  // 7: before that
        trace.last(46..<170, at: 2, on: 8)
        let plan = try trace.made.plan()
        #expect(
            plan.waits == [
                [1, 2, 3, 4, 6, 7], [3, 4, 6, 7], [1, 3, 4, 6, 7], [6, 7], [6, 7], [0, 1, 2, 3, 4, 6, 7], [7], [],
            ])
        #expect(plan.notes.staleReads == 0)
    }

    @Test("a range at a revision has that place, and nothing waits for it")
    func past() throws {
        var trace = Trace()
        trace.made.put("a", revision: 2)  // 0
        trace.made.put("b", revision: 3)  // 1
        trace.made.put("a", revision: 4)  // 2
        trace.made.put("b", revision: 5)  // 3
        trace.made.range("a", end: "c") { $0.revision = 3 }  // 4: saw 0 and 1, of which 1 tells its revision
        trace.last(at: 5)
        trace.made.put("a", revision: 6)  // 5
        trace.made.put("x", revision: 7)  // 6
        let plan = try trace.made.plan()
        // What tells the revision must not see more, nor less, than the range: 1 comes behind 0, 2 behind 1.
        #expect(plan.waits == [[], [0], [0, 1], [0, 1], [0, 1], [0, 1, 2], []])
    }

    @Test("the pages of a list see the state of the first, whatever is written meanwhile")
    func continuation() throws {
        var trace = Trace()
        trace.made.put("d", revision: 2)  // 0
        trace.made.range("a", end: "z") { $0.limit = 2 }  // 1
        trace.last(at: 2)
        trace.made.put("d", revision: 3)  // 2
        trace.made.put("z", revision: 4)  // 3: not in the list
        trace.made.range("c", end: "z") {  // 4
            $0.limit = 2
            $0.revision = 2
        }
        trace.last(at: 4)
        trace.made.put("e", revision: 5)  // 5
        let plan = try trace.made.plan()
        #expect(plan.patches[plan.calls[4].patches.range].map(\.number) == [1])
        #expect(plan.waits == [[], [0], [0, 1], [], [0, 1], [0, 1]])
    }

    @Test("a revision that only calls without a place returned is that of its write")
    func withoutPlace() throws {
        var trace = Trace()
        trace.made.put("a")  // 0
        trace.last(0..<100, at: 2)
        trace.made.call(.leaseGrant)  // 1: the only one to have returned it in time
        trace.last(10..<20, at: 2, on: 2)
        trace.made.put("b")  // 2
        trace.last(30..<110, at: 3, on: 3)
        trace.made.range("a", end: "c") { $0.revision = 2 }  // 3
        trace.last(40..<90, at: 3, on: 4)
        trace.made.range("b") { $0.revision = 3 }  // 4: only 3 had returned that, which may come at any time
        trace.last(95..<120, at: 3, on: 4)
        let plan = try trace.made.plan()
        #expect(plan.patches[plan.calls[3].patches.range].map(\.number) == [0])
        #expect(plan.patches[plan.calls[4].patches.range].map(\.number) == [2])
        #expect(plan.waits == [[], [], [0], [0], [0, 2]])
    }

    @Test("a read of a state that had been replaced before it was sent keeps nobody waiting")
    func stale() throws {
        var trace = Trace()
        trace.made.put("a")  // 0
        trace.last(0..<10, at: 2)
        trace.made.put("a")  // 1
        trace.last(20..<30, at: 3)
        trace.made.range("a")  // 2: sent behind the answer to 1, and saw what 0 had left
        trace.last(40..<50, at: 2)
        trace.made.put("a")  // 3
        trace.last(60..<70, at: 4)
        trace.made.range("a")  // 4: sent before the answer to 3
        trace.last(65..<80, at: 3)
        trace.made.put("a")  // 5
        trace.last(90..<95, at: 5)
        let plan = try trace.made.plan()
        #expect(plan.notes.staleReads == 1)
        #expect(plan.waits == [[], [0], [0], [0, 1, 4], [0, 1], [0, 1, 3, 4]])
    }

    @Test("a revocation waits for the puts with its lease, and comes before and behind what reads its keys")
    func revocation() throws {
        var trace = Trace()
        trace.made.call(.leaseGrant) { $0.lease = 71 }  // 0
        trace.made.call(.leaseGrant) { $0.lease = 72 }  // 1
        trace.made.put("a", revision: 2) { $0.lease = 71 }  // 2
        trace.made.put("b", revision: 3) { $0.lease = 71 }  // 3
        trace.made.put("m", revision: 4) { $0.lease = 72 }  // 4
        trace.made.range("a", end: "c")  // 5
        trace.last(at: 4)
        trace.made.put("c", revision: 5)  // 6
        let leased = trace.made.body(.put, "d") { $0.lease = 71 }
        trace.made.transaction([], success: [leased], revision: 6)  // 7
        trace.made.range("m")  // 8
        trace.last(at: 6)
        trace.made.call(.leaseRevoke, revision: 7) { $0.lease = 71 }  // 9
        trace.made.range("b")  // 10
        trace.last(at: 7)
        trace.made.range("a", end: "d")  // 11: over c, too
        trace.last(at: 7)
        trace.made.range("c")  // 12
        trace.last(at: 7)
        trace.made.put("a", revision: 8)  // 13
        let revoked: Set<Int> = [0, 2, 3, 5, 7]
        let expected: [Set<Int>] = [
            [], [], [0], [0], [1], [0, 2, 3], [], [0], [1, 4], revoked, revoked.union([9]), revoked.union([6, 9]), [6],
            revoked.union([6, 9, 11]),
        ]
        #expect(try trace.made.plan().waits == expected)
    }

    @Test("a revocation that overlaps others has its place by its revision")
    func overlappingRevocation() throws {
        var trace = Trace()
        trace.made.call(.leaseGrant) { $0.lease = 71 }  // 0
        trace.last(0..<5, at: 1)
        trace.made.put("a") { $0.lease = 71 }  // 1
        trace.last(10..<15, at: 2)
        trace.made.call(.leaseRevoke) { $0.lease = 71 }  // 2
        trace.last(20..<100, at: 4)
        trace.made.put("a")  // 3: sent behind the revocation, done before it
        trace.last(30..<110, at: 3, on: 2)
        trace.made.range("a")  // 4: before it
        trace.last(40..<90, at: 3, on: 3)
        trace.made.range("a")  // 5: behind it
        trace.last(50..<80, at: 4, on: 4)
        #expect(try trace.made.plan().waits == [[], [0], [0, 1, 3, 4], [0, 1], [0, 1, 3], [0, 1, 2, 3, 4]])
    }

    @Test("a compaction waits for earlier calls at the revisions that it removes, and for no others")
    func compaction() throws {
        var trace = Trace()
        trace.made.put("a", revision: 2)  // 0
        trace.made.put("a", revision: 3)  // 1
        trace.made.range("x")  // 2: tells revision 3
        trace.last(at: 3)
        trace.made.range("a") { $0.revision = 2 }  // 3: of what is removed
        trace.last(at: 3)
        trace.made.put("a", revision: 4)  // 4
        trace.made.range("x")  // 5: tells revision 4
        trace.last(at: 4)
        trace.made.range("a") { $0.revision = 4 }  // 6: of what is not
        trace.last(at: 4)
        trace.made.range("a")  // 7: of no revision
        trace.last(at: 4)
        trace.made.call(.compact, revision: 4) { $0.revision = 3 }  // 8
        trace.made.range("a") { $0.revision = 4 }  // 9
        trace.last(at: 4)
        trace.made.call(.compact, revision: 4) { $0.revision = 4 }  // 10
        let plan = try trace.made.plan()
        let waits = plan.waits
        #expect(plan.patches[plan.calls[8].patches.range].map(\.number) == [2])
        #expect(waits[3] == [0])
        #expect(waits[8] == [0, 1, 2, 3])
        #expect(waits[8].isDisjoint(with: [4, 5, 6, 7]), "nothing of it is removed")
        #expect(plan.patches[plan.calls[10].patches.range].map(\.number) == [7])
        #expect(waits[10] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }
}
