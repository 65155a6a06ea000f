import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Preload")
struct PreloadTests {
    /// A batch that shows what existed before a recording.
    private static func batch(_ fill: (inout OperationBatch) -> Void) -> OperationBatch {
        var batch = OperationBatch()
        fill(&batch)
        return batch
    }

    private static func plan(_ batch: OperationBatch, limits: PlanLimits = PlanLimits()) throws -> ReplayPlan {
        var survey = UnansweredSurvey()
        survey.add(batch)
        var builder = PlanBuilder(order: .causal, survey: survey, limits: limits)
        try builder.add(batch)
        return builder.finish()
    }

    private static func present(
        _ key: String, mod: Int64, size: Int64, lease: Int64 = 0, version: Int64 = 1, in batch: inout OperationBatch
    ) {
        var record = ObservedRecord(kind: .present, source: .rangeReply, key: batch.keys.number(of: key))
        record.modRevision = mod
        record.createRevision = mod - version + 1
        record.version = version
        record.lease = lease
        record.valueSize = size
        batch.observed.append(record)
    }

    private static func counted(_ key: String, _ end: String, count: Int64, in batch: inout OperationBatch) {
        var record = ObservedRecord(kind: .counted, source: .rangeReply, key: batch.keys.number(of: key))
        record.rangeEnd = batch.keys.number(of: end)
        record.count = count
        batch.observed.append(record)
    }

    private static func names(_ plan: ReplayPlan) -> [String] {
        plan.preload.puts.map { String(decoding: plan.keys.string($0.key), as: UTF8.self) }
    }

    @Test("keys are written in the order of their mod revisions, with the median size where none was seen")
    func order() throws {
        let plan = try Self.plan(
            Self.batch {
                Self.present("/c", mod: 30, size: 7, in: &$0)
                Self.present("/a", mod: 10, size: -1, in: &$0)
                Self.present("/b", mod: 20, size: 100, lease: 5, in: &$0)
                Self.present("/d", mod: 40, size: 50, in: &$0)
            })
        #expect(Self.names(plan) == ["/a", "/b", "/c", "/d"])
        #expect(plan.preload.puts.map(\.valueSize) == [50, 100, 7, 50])
        #expect(plan.preload.puts.map(\.lease) == [nil, 0, nil, nil])
        #expect(plan.preload.leases.map { [$0.recorded, $0.ttl] } == [[5, 3_600]])
    }

    @Test("what two facts say of a key is one")
    func merged() throws {
        let plan = try Self.plan(
            Self.batch {
                var compared = ObservedRecord(kind: .present, source: .compare, key: $0.keys.number(of: "/a"))
                compared.modRevision = 9
                $0.observed.append(compared)
                Self.present("/a", mod: 9, size: 12, version: 3, in: &$0)
            })
        #expect(
            plan.preload.puts.map { [$0.modRevision, $0.createRevision, $0.version, $0.valueSize] } == [[9, 7, 3, 12]])
    }

    @Test("keys that were counted but never named get names inside their range, and in no smaller one")
    func fillers() throws {
        let plan = try Self.plan(
            Self.batch {
                Self.present("/r/pods/x", mod: 4, size: 10, in: &$0)
                Self.counted("/r/", "/r0", count: 6, in: &$0)
                Self.counted("/r/pods/", "/r/pods0", count: 3, in: &$0)
            })
        let names = Self.names(plan)
        #expect(names.count == 6)
        #expect(Set(names).count == 6)
        #expect(names.count { $0.hasPrefix("/r/pods/") } == 3)
        #expect(names.allSatisfy { $0.hasPrefix("/r/") })
        #expect(names.last == "/r/pods/x")
        #expect(plan.notes.fillers == 5)
        #expect(plan.notes.fillersLeftOut == 0)
    }

    @Test("a count beyond all measure is cut at the limit, and said")
    func fillerLimit() throws {
        var limits = PlanLimits()
        limits.fillers = 10
        let plan = try Self.plan(
            Self.batch { Self.counted("/r/", "/r0", count: .max, in: &$0) }, limits: limits)
        #expect(plan.preload.puts.count == 10)
        #expect(plan.notes.fillersLeftOut == Int.max - 10)
    }

    @Test("a range without room for names stays as it is")
    func noRoom() throws {
        let plan = try Self.plan(
            Self.batch { Self.counted("/r", "/r\u{0}", count: 3, in: &$0) })
        #expect(plan.preload.puts.isEmpty)
        #expect(plan.notes.fillersLeftOut == 3)
    }

    // MARK: Writing

    /// Runs a driver on a store that grants leases from 900 on and gives each put the next revision. Time passes where
    /// the driver waits for it.
    private static func run(
        _ driver: PreloadDriver, at now: inout Int64, refusing: (StoreRequest) -> (UInt32, String)? = { _ in nil }
    ) -> [StoreRequest] {
        var requests: [StoreRequest] = []
        var request = StoreRequest()
        var answer = StoreAnswer()
        var revision: Int64 = 100
        while !driver.isDone {
            driver.turn(at: now)
            guard driver.next(into: &request) else {
                guard driver.nextDue > now, driver.nextDue < .max else { break }
                now = driver.nextDue
                continue
            }
            requests.append(request)
            answer.removeAll()
            answer.done = now
            answer.number = request.number
            if let (status, text) = refusing(request) {
                answer.status = status
                answer.errorText = Array(text.utf8)
            } else if request.kind == .leaseGrant {
                answer.details.answeredLease = 900 + Int64(request.number)
            } else {
                revision += 1
                answer.details.headerRevision = revision
            }
            driver.receive(answer)
        }
        return requests
    }

    private static func run(
        _ driver: PreloadDriver, refusing: (StoreRequest) -> (UInt32, String)? = { _ in nil }
    ) -> [StoreRequest] {
        var now: Int64 = 0
        let requests = run(driver, at: &now, refusing: refusing)
        #expect(now == 0)
        return requests
    }

    private static func large(_ count: Int, size: Int64) throws -> ReplayPlan {
        try plan(
            batch {
                for place in 0..<count {
                    present("/k/\(place)", mod: Int64(place) + 5, size: size, lease: place == 3 ? 77 : 0, in: &$0)
                }
            })
    }

    @Test("leases come first, then transactions within etcd's limits, in order; each key learns its revision")
    func writing() throws {
        let plan = try Self.large(300, size: 100)
        let driver = PreloadDriver(plan, connections: 2)
        let requests = Self.run(driver)
        #expect(requests.map(\.kind) == [.leaseGrant, .txn, .txn, .txn])
        #expect(requests[1].parts.count == 128)
        #expect(requests[1].parts[3].lease == 900)
        #expect(driver.isDone)
        #expect(driver.failure == nil)
        #expect(driver.written == 300)
        #expect(driver.outcome.leases == [900])
        let expected: [Int64] = (0..<300).map { 101 + Int64($0) / 128 }
        #expect(driver.outcome.revisions == expected)
    }

    @Test("behind many keys a lease comes and goes, a pause before each", arguments: [true, false])
    func settling(isGranted: Bool) throws {
        var limits = PreloadLimits()
        limits.unsettledPuts = 299
        let driver = PreloadDriver(try Self.large(300, size: 100), connections: 2, limits: limits)
        var now: Int64 = 5
        let requests = Self.run(driver, at: &now) {
            $0.kind == .leaseGrant && $0.ttl == 10 && !isGranted ? (12, "no leases here") : nil
        }
        let kinds: [OperationKind] = [.leaseGrant, .txn, .txn, .txn, .leaseGrant]
        #expect(requests.map(\.kind) == (isGranted ? kinds + [.leaseRevoke] : kinds))
        #expect(now == 5 + (isGranted ? 500_000_000 : 250_000_000))
        if isGranted { #expect(requests.last?.lease == 900) }
        #expect(driver.isDone && driver.failure == nil)
        #expect(driver.written == 300)
        #expect(driver.outcome.leases == [900])
    }

    @Test("a transaction does not grow beyond a MiB, and a value alone is a put")
    func bytes() throws {
        let plan = try Self.large(5, size: 600_000)
        let driver = PreloadDriver(plan, connections: 1)
        #expect(Self.run(driver).map(\.kind) == [.leaseGrant, .put, .put, .put, .put, .put])
    }

    @Test("what is too large together goes alone; what is too large alone is left out and counted")
    func tooLarge() throws {
        let plan = try Self.large(4, size: 10)
        let driver = PreloadDriver(plan, connections: 1)
        let requests = Self.run(driver) { request in
            let isBig = request.kind == .txn || request.kind == .put && request.number == 2
            return isBig ? (3, "etcdserver: request is too large") : nil
        }
        #expect(requests.map(\.kind) == [.leaseGrant, .txn, .put, .put, .put, .put])
        #expect(driver.written == 3)
        #expect(driver.tooLarge == 1)
        #expect(driver.outcome.revisions == [101, 102, 0, 103])
        #expect(driver.failure == nil)
    }

    @Test("another error ends it")
    func failure() throws {
        let plan = try Self.large(4, size: 10)
        let driver = PreloadDriver(plan, connections: 1)
        let requests = Self.run(driver) { $0.kind == .txn ? (8, "etcdserver: mvcc: database space exceeded") : nil }
        #expect(requests.count == 2)
        #expect(driver.isDone)
        #expect(driver.failure?.status == 8)
        #expect(driver.failure?.text == "etcdserver: mvcc: database space exceeded")
    }
}
