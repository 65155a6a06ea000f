import Etcd
import Replay
import Testing
import Wire

@Suite("Fidelity and verdict")
struct FidelityTests {
    /// A plan, its call to look at, and what the store answers to that one.
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var expected: Difference?
        var plan: @Sendable (inout HandmadePlan) -> UInt32
        var answer: @Sendable (inout StoreAnswer) -> Void
    }

    private static func part(
        _ kind: RequestOp.Kind, _ branch: RequestOp.Branch, answered: Bool, count: Int64 = 0
    ) -> RequestOp {
        var part = RequestOp()
        part.kind = kind
        part.branch = branch
        part.key = 1
        part.count = count
        if answered { part.flags = .answered }
        return part
    }

    private static func answer(_ kind: RequestOp.Kind, _ count: Int64) -> CallDetails.Answer {
        var answer = CallDetails.Answer()
        answer.kind = kind
        answer.flags = .answered
        answer.count = count
        return answer
    }

    /// A lease that ends so many seconds after it was granted.
    private static func grant(_ made: inout HandmadePlan, ttl: Int64) {
        made.add(.leaseGrant, "/etcdserverpb.Lease/LeaseGrant", at: 0) {
            $0.request = .asking { $0.ttl = ttl }
        }
    }

    /// `mod_revision= | put | range`, as Kubernetes updates a key.
    private static func update(_ made: inout HandmadePlan, lease: Int64 = 0) -> UInt32 {
        _ = made.key("a")
        var put = part(.put, .success, answered: true)
        put.lease = lease
        return made.transaction(
            compares: [Compare()], parts: [put, part(.range, .failure, answered: false)], succeeded: true, at: 10)
    }

    static let cases: [Case] = [
        Case(testDescription: "the same count", expected: Difference.none) {
            $0.range("a", at: 0, count: 3)
        } answer: {
            $0.details.answer.count = 3
        },
        Case(testDescription: "another count", expected: .count) {
            $0.range("a", at: 0, count: 3)
        } answer: {
            $0.details.answer.count = 2
        },
        Case(testDescription: "nothing found", expected: .found) {
            $0.range("a", at: 0, count: 3)
        } answer: { _ in
        },
        Case(testDescription: "something found", expected: .found) {
            $0.range("a", at: 0, count: 0)
        } answer: {
            $0.details.answer.count = 1
        },
        Case(testDescription: "an error", expected: .status) {
            $0.range("a", at: 0)
        } answer: {
            $0.status = 11
        },
        Case(testDescription: "the recorded error", expected: Difference.none) { made in
            let call = made.range("a", at: 0)
            made.plan.calls[Int(call)].status = 11
            return call
        } answer: {
            $0.status = 11
        },
        Case(testDescription: "no recorded outcome", expected: nil) { made in
            let call = made.range("a", at: 0)
            made.plan.calls[Int(call)].status = PlannedCall.noStatus
            return call
        } answer: { _ in
        },
        Case(testDescription: "a lost connection", expected: .connectionLost) {
            $0.put("a", at: 0)
        } answer: {
            $0.note = .connectionLost
            $0.status = 14
        },
        Case(testDescription: "no answer in time", expected: .timedOut) {
            $0.put("a", at: 0)
        } answer: {
            $0.note = .timedOut
            $0.status = 4
        },
        Case(testDescription: "not supported", expected: .unsupported) {
            $0.put("a", at: 0)
        } answer: {
            $0.note = .unsupported
            $0.status = 12
        },
        Case(testDescription: "asked as a Range", expected: Difference.none) {
            $0.range("a", at: 0)
        } answer: {
            $0.note = .fellBack
            $0.details.answer.count = 1
        },
        Case(testDescription: "a lease that has ended", expected: .leaseExpired) {
            $0.put("a", at: 0, lease: 5)
        } answer: {
            $0.status = 5
            $0.errorText = Array("etcdserver: requested lease not found".utf8)
        },
        Case(testDescription: "a key with a lease is missing", expected: .leaseExpired) { made in
            grant(&made, ttl: 0)
            made.put("a", at: 0, lease: 5)
            return made.range("a", at: 5, count: 1)
        } answer: { _ in
        },
        Case(testDescription: "a key is missing whose lease cannot have ended", expected: .found) { made in
            grant(&made, ttl: 3_600)
            made.put("a", at: 0, lease: 5)
            return made.range("a", at: 5, count: 1)
        } answer: { _ in
        },
        Case(testDescription: "a key with a lease is missing in a range", expected: .leaseExpired) { made in
            grant(&made, ttl: 0)
            made.put("b/5", at: 0, lease: 5)
            let call = made.range("b/", at: 5, count: 4)
            let end = made.key("b0")
            made.change(range: call) {
                $0.rangeEnd = end
                $0.flags.insert(.hasRangeEnd)
            }
            return call
        } answer: {
            $0.details.answer.count = 3
        },
        Case(testDescription: "a key with a lease beside a range", expected: .count) { made in
            made.put("b0", at: 0, lease: 5)
            let call = made.range("b/", at: 5, count: 4)
            let end = made.key("b0")
            made.change(range: call) {
                $0.rangeEnd = end
                $0.flags.insert(.hasRangeEnd)
            }
            return call
        } answer: {
            $0.details.answer.count = 3
        },
        Case(testDescription: "a keep-alive too late", expected: .leaseExpired) { made in
            made.add(.leaseKeepAlive, "/etcdserverpb.Lease/LeaseKeepAlive", at: 0) {
                $0.request = .asking { $0.ttl = 30 }
            }
        } answer: { _ in
        },
        Case(testDescription: "the other branch", expected: .succeeded) {
            update(&$0)
        } answer: {
            $0.details.answers = [answer(.range, 1)]
        },
        Case(testDescription: "the other branch, and the key is there no more", expected: .leaseExpired) {
            grant(&$0, ttl: 0)
            return update(&$0, lease: 9)
        } answer: {
            $0.details.answers = [answer(.range, 0)]
        },
        Case(testDescription: "the recorded branch", expected: Difference.none) {
            update(&$0)
        } answer: {
            $0.details.answer.flags = RequestOp.Flags.answered.union(.succeeded)
            $0.details.answers = [answer(.put, 0)]
        },
        Case(testDescription: "answers of another transaction", expected: .malformed) {
            update(&$0)
        } answer: {
            $0.details.answer.flags = RequestOp.Flags.answered.union(.succeeded)
            $0.details.answers = [answer(.delete, 0)]
        },
        Case(testDescription: "an operation of the branch deleted less", expected: .count) { made in
            _ = made.key("a")
            return made.transaction(
                compares: [],
                parts: [part(.delete, .success, answered: true, count: 2), part(.put, .success, answered: true)],
                succeeded: true, at: 0)
        } answer: {
            $0.details.answer.flags = RequestOp.Flags.answered.union(.succeeded)
            $0.details.answers = [answer(.delete, 1), answer(.put, 0)]
        },
    ]

    @Test("an outcome that differs has one reason", arguments: cases)
    func outcome(_ sample: Case) {
        var made = HandmadePlan()
        let call = sample.plan(&made)
        var engine = made.engine()
        var store = ScriptedStore()
        store.respond = { sent, answer in
            if sent.call == call { sample.answer(&answer) }
        }
        store.run(&engine)
        let batch = engine.written()
        let replay = batch.replays.first { $0.call == call }
        #expect(replay?.difference == (sample.expected ?? Difference.none).rawValue)
        let fidelity = engine.fidelity
        let differs = sample.expected != nil && sample.expected != Difference.none
        #expect(fidelity.uncompared == (sample.expected == nil ? 1 : 0))
        #expect(fidelity.compared - fidelity.same == (differs ? 1 : 0))
        for reason in Difference.allCases where reason != .none {
            #expect(fidelity.total(reason) == (reason == sample.expected ? 1 : 0))
            #expect(fidelity.examples[Int(reason.rawValue)] == (reason == sample.expected ? [call] : []))
        }
    }

    @Test("so many examples are kept as the limit says; only the first loop is compared")
    func examples() {
        var schedule = Schedule(.recorded(speed: .init(1)))
        schedule.loops = 2
        var engine = HandmadePlan.ranges(30, apart: 10).engine(schedule)
        var store = ScriptedStore()
        store.run(&engine)
        #expect(engine.fidelity[.found, .range] == 30)
        #expect(engine.fidelity.examples[Int(Difference.found.rawValue)] == Array(0..<10))
        #expect(engine.fidelity.compared == 30)
        let counts = engine.counts
        #expect(counts.total(\.answered) == 60)
        let score = engine.fidelity.score(counts)
        #expect(score.outcomes == 0 && score.order == 1 && score.completeness == 1 && score.total == 0)
    }

    @Test("writes of a key that came in another order than in the recording are violations, each once")
    func writeOrder() {
        var made = HandmadePlan()
        for (place, revision) in [5, 6, 7, 8, 9].enumerated() {
            made.put("a", at: Int64(place) * 10, revision: Int64(revision))
        }
        made.put("b", at: 60, revision: 10)
        made.put("b", at: 70, revision: 0)
        var engine = made.engine()
        var store = ScriptedStore()
        // Calls 2 and 3 came before call 1, call 4 behind all; what another key's writes got is of no interest.
        let revisions: [Int64] = [20, 24, 22, 23, 30, 1, 2]
        store.respond = { sent, answer in answer.details.headerRevision = revisions[sent.call] }
        store.run(&engine)
        #expect(engine.fidelity.writes == 6)
        #expect(engine.fidelity.orderViolations == 2)
        #expect(engine.fidelity.orderExamples == [2, 3])
        let counts = engine.counts
        #expect(engine.fidelity.score(counts).total == 4.0 / 6)
    }

    /// Send lag and mean gap in microseconds, share of processor, new errors, and what comes of it.
    static let verdicts: [(Bool, UInt64, UInt64, Double, Int64, Verdict.Kind, [Verdict.Reason])] = [
        (true, 1_000, 50, 0.9, 7, .valid, []),
        (true, 1_001, 50, 0.1, 0, .invalid, [.sendLag(p99: 1_001_000, bound: 1_000_000)]),
        (true, 2_000, 20_000, 0.1, 0, .valid, []),
        (true, 2_001, 20_000, 0.1, 0, .invalid, [.sendLag(p99: 2_001_000, bound: 2_000_000)]),
        (true, 0, 50, 0.91, 0, .invalid, [.busy(share: 0.91)]),
        (false, 1_000_000, 0, 0.5, 0, .capacity, []),
        (false, 0, 0, 0.95, 3, .capacity, [.busy(share: 0.95), .errors(count: 3, of: 100)]),
    ]

    @Test("an open loop is valid when it was kept; a capacity run has no timetable to keep", arguments: verdicts)
    func verdict(
        _ sample: (Bool, UInt64, UInt64, Double, Int64, Verdict.Kind, [Verdict.Reason])
    ) {
        let verdict = Verdict(
            isOpen: sample.0, sendLag: sample.1 * 1000, meanGap: sample.2 * 1000, busy: sample.3, errors: sample.4,
            answered: 100)
        #expect(verdict.kind == sample.5)
        #expect(verdict.reasons == sample.6)
    }

    @Test("the mean gap is the timetable's, and new errors are those that the recording does not show")
    func verdictOfRun() {
        var made = HandmadePlan.ranges(11, apart: 500)
        made.plan.calls[3].status = 11
        var engine = made.engine()
        var store = ScriptedStore()
        store.respond = { sent, answer in answer.status = sent.call < 5 ? 11 : 0 }
        store.run(&engine)
        #expect(engine.meanGap == 500)
        #expect(engine.fidelity.newErrors == 4)
        #expect(engine.counts.total(\.errors) == 5)
    }
}
