import Etcd
import Replay
import Testing
import Wire

@Suite("Translation of requests")
struct PatchTests {
    /// The lease that the store grants to the call of that number.
    private static func lease(_ call: Int) -> Int64 { 0x7abc_0000 + Int64(call) }

    /// Answers with revision 1000 and on, and leases and watches of its own.
    private static func store() -> ScriptedStore {
        var store = ScriptedStore()
        store.latency = { _ in 1 }
        store.respond = { sent, answer in
            answer.details.headerRevision = 1000 + Int64(sent.call)
            switch sent.request.kind {
            case .leaseGrant: answer.details.answeredLease = lease(sent.call)
            case .watchCreate:
                answer.details.watch.isCreated = true
                answer.details.watch.watchID = 500 + Int64(sent.call)
            default: break
            }
        }
        return store
    }

    private static func patch(_ made: inout HandmadePlan, _ call: UInt32, _ patches: [Patch]) {
        made.plan.calls[Int(call)].patches = Slice(
            start: UInt32(made.plan.patches.count), count: UInt32(patches.count))
        made.plan.patches += patches
        for patch in patches {
            switch patch.source {
            case .revisionOfCall, .leaseOfCall, .watchOfCall: made.edges.append((patch.number, call))
            case .nowhere, .constant, .leaseOfPreload, .revisionOfPreload, .currentRevision: break
            }
        }
    }

    private static let preload: PreloadOutcome = {
        var outcome = PreloadOutcome()
        outcome.revisions = [31, 32, 33]
        outcome.leases = [0x51, 0x52]
        return outcome
    }()

    private static func compare(_ target: Compare.Target, _ key: KeyNumber, _ operand: Int64) -> Compare {
        var compare = Compare()
        compare.target = target
        compare.key = key
        compare.operand = operand
        return compare
    }

    private static func part(_ kind: RequestOp.Kind, _ key: KeyNumber) -> RequestOp {
        var part = RequestOp()
        part.kind = kind
        part.branch = .success
        part.key = key
        return part
    }

    @Test("a lease of the recording is the one that its grant was answered, wherever it stands")
    func leases() {
        var made = HandmadePlan()
        let grant = made.add(.leaseGrant, "/etcdserverpb.Lease/LeaseGrant", at: 0) {
            $0.request = .asking {
                $0.lease = 77
                $0.ttl = 30
            }
        }
        let put = made.put("registry/a", at: 10, lease: 77)
        Self.patch(&made, put, [Patch(.putLease, from: .leaseOfCall, number: grant)])
        let revoke = made.add(.leaseRevoke, "/etcdserverpb.Lease/LeaseRevoke", at: 20) {
            $0.request = .asking { $0.lease = 77 }
        }
        Self.patch(&made, revoke, [Patch(.lease, from: .leaseOfCall, number: grant)])
        let other = made.add(.leaseTimeToLive, "/etcdserverpb.Lease/LeaseTimeToLive", at: 30) {
            $0.request = .asking { $0.lease = 78 }
        }
        Self.patch(&made, other, [Patch(.lease, from: .leaseOfPreload, number: 1)])

        var engine = made.engine(preload: Self.preload)
        var store = Self.store()
        store.run(&engine)
        let requests = store.sent.map(\.request)
        // The store is not asked for the ID that the recording's gave.
        #expect(requests[0].lease == 0 && requests[0].ttl == 30)
        #expect(requests[1].body.lease == Self.lease(0))
        #expect(requests[2].lease == Self.lease(0))
        #expect(requests[3].lease == 0x52)
        let batch = engine.written()
        #expect(batch.operations[0].lease == Self.lease(0))
        #expect(batch.operations[1].body.lease == Self.lease(0))
        #expect(batch.operations[2].lease == Self.lease(0))
        #expect(engine.counts.unmapped.allSatisfy { $0 == 0 })
    }

    @Test("a transaction's revisions, versions, leases and keys are the target's, and are written down so")
    func transaction() {
        var made = HandmadePlan()
        let write = made.put("registry/a", at: 0)
        let grant = made.add(.leaseGrant, "/etcdserverpb.Lease/LeaseGrant", at: 5) {
            $0.request = .asking { $0.lease = 0x64 }
        }
        let (key, lock) = (made.key("registry/a"), made.key("locks/l/64"))
        var put = Self.part(.put, key)
        put.lease = 0x64
        var read = Self.part(.range, key)
        read.revision = 9
        let txn = made.transaction(
            compares: [
                Self.compare(.modRevision, key, 9), Self.compare(.version, key, 7), Self.compare(.lease, key, 0x64),
                Self.compare(.createRevision, lock, 0),
            ], parts: [put, read, Self.part(.put, lock)], succeeded: true, at: 10)
        Self.patch(
            &made, txn,
            [
                Patch(.operand, from: .revisionOfCall, index: 0, number: write),
                Patch(.version, from: .constant, index: 1, offset: -4),
                Patch(.operandLease, from: .leaseOfCall, index: 2, number: grant),
                Patch(.operandKey, from: .leaseOfCall, index: 3, number: grant),
                Patch(.partLease, from: .leaseOfCall, index: 0, number: grant),
                Patch(.partRevision, from: .revisionOfPreload, index: 1, number: 2, offset: 1),
                Patch(.partKey, from: .leaseOfCall, index: 2, number: grant),
            ])
        var engine = made.engine(preload: Self.preload)
        var store = Self.store()
        store.run(&engine)
        let sent = store.sent[2]
        #expect(sent.request.compares.map(\.operand) == [1000, 3, Self.lease(1), 0])
        #expect(sent.text(sent.request.compares[3].key) == "locks/l/7abc0001")
        #expect(sent.request.parts[0].lease == Self.lease(1))
        #expect(sent.request.parts[1].revision == 34)
        #expect(sent.text(sent.request.parts[2].key) == "locks/l/7abc0001")
        #expect(sent.text(sent.request.parts[0].key) == "registry/a")

        let batch = engine.written()
        let operation = batch.operations[2]
        #expect(batch.compares[operation.body.compares.range].map(\.operand) == [1000, 3, Self.lease(1), 0])
        let parts = Array(batch.parts[operation.parts.range])
        #expect(parts.map(\.lease) == [Self.lease(1), 0, 0])
        #expect(parts[1].revision == 34)
        #expect(batch.keys.string(parts[2].key) == Array("locks/l/7abc0001".utf8))
        #expect(batch.keys.string(operation.key) == Array("registry/a".utf8))
    }

    @Test("compares of nested transactions are counted behind the call's own")
    func nestedCompares() {
        var made = HandmadePlan()
        let write = made.put("a", at: 0)
        let key = made.key("a")
        var nested = Self.part(.txn, 0)
        nested.nestedParts = 1
        nested.compares = Slice(start: 1, count: 1)
        var inner = Self.part(.put, key)
        inner.depth = 1
        let txn = made.transaction(
            compares: [Self.compare(.modRevision, key, 5)], nested: [Self.compare(.modRevision, key, 5)],
            parts: [nested, inner], succeeded: true, at: 10)
        Self.patch(&made, txn, [Patch(.operand, from: .revisionOfCall, index: 1, number: write)])
        var engine = made.engine()
        var store = Self.store()
        store.run(&engine)
        let request = store.sent[1].request
        #expect(request.compares[request.body.compares.range].map(\.operand) == [5])
        #expect(request.compares[request.parts[0].compares.range].map(\.operand) == [1000])
    }

    @Test("revisions that are asked for come from answers; a watch that is cancelled, and a lock's key too")
    func otherCalls() {
        var made = HandmadePlan()
        made.plan.streams = [PlannedStream(method: HandmadePlan.method("/etcdserverpb.Watch/Watch"), connection: 0)]
        let read = made.range("a", at: 0)
        let create = made.add(.watchCreate, "/etcdserverpb.Watch/Watch", at: 10) {
            $0.action = .message
            $0.request = .watching(1, from: 8, watchID: 3)
        }
        Self.patch(&made, create, [Patch(.revision, from: .revisionOfCall, number: read, offset: 1)])
        let cancel = made.add(.watchCancel, "/etcdserverpb.Watch/Watch", at: 20) {
            $0.action = .message
            $0.request = .asking { $0.watchID = 3 }
        }
        Self.patch(&made, cancel, [Patch(.watch, from: .watchOfCall, number: create)])
        let compact = made.add(.compact, "/etcdserverpb.KV/Compact", at: 30) {
            $0.request = .asking { $0.revision = 7 }
        }
        Self.patch(&made, compact, [Patch(.revision, from: .revisionOfCall, number: read, offset: -1)])
        let again = made.range("a", at: 40)
        made.change(range: again) { $0.revision = 7 }
        Self.patch(&made, again, [Patch(.revision, from: .revisionOfPreload, number: 0)])
        let lockKey = made.key("locks/x/a1")
        let unlock = made.add(.lock, "/v3lockpb.Lock/Unlock", at: 50) {
            $0.request = .asking { $0.key = lockKey }
        }
        Self.patch(&made, unlock, [Patch(.key, from: .leaseOfPreload, number: 0)])

        var engine = made.engine(preload: Self.preload)
        var store = Self.store()
        store.run(&engine)
        let requests = store.sent.map(\.request)
        #expect(requests[1].body.revision == 1001 && requests[1].watchID == 0)
        #expect(requests[2].watchID == 501)
        #expect(requests[3].revision == 999)
        #expect(requests[4].body.revision == 31)
        #expect(store.sent[5].text(requests[5].key) == "locks/x/51")
        let batch = engine.written()
        #expect(batch.operations[1].revision == 1001 && batch.operations[1].watchID == 501)
        #expect(batch.operations[2].watchID == 501)
        #expect(batch.operations[3].revision == 999)
        #expect(batch.operations[4].body.revision == 31)
        #expect(batch.keys.string(batch.operations[5].key) == Array("locks/x/51".utf8))
    }

    @Test("what is not known on the target is sent as recorded, and counted")
    func unmapped() {
        var made = HandmadePlan()
        let failed = made.put("a", at: 0)
        let key = made.key("a")
        let txn = made.transaction(
            compares: [Self.compare(.modRevision, key, 41), Self.compare(.createRevision, key, 42)], parts: [],
            succeeded: true, at: 10)
        Self.patch(
            &made, txn,
            [
                Patch(.operand, from: .revisionOfCall, index: 0, number: failed),
                Patch(.operand, from: .nowhere, index: 1),
            ])
        let read = made.range("a", at: 20)
        made.change(range: read) { $0.revision = 43 }
        Self.patch(&made, read, [Patch(.revision, from: .revisionOfPreload, number: 9)])
        let lock = made.add(.lock, "/v3lockpb.Lock/Unlock", at: 30) { [key = made.key("locks/x/0a1")] in
            $0.request = .asking { $0.key = key }
        }
        Self.patch(&made, lock, [Patch(.key, from: .nowhere)])

        var engine = made.engine(preload: Self.preload)
        var store = Self.store()
        store.respond = { sent, answer in
            answer.details.headerRevision = 1000
            if sent.call == 0 { answer.status = 14 }
        }
        store.run(&engine)
        #expect(store.sent[1].request.compares.map(\.operand) == [41, 42])
        #expect(store.sent[2].request.body.revision == 43)
        #expect(store.sent[3].text(store.sent[3].request.key) == "locks/x/0a1")
        #expect(engine.counts.unmapped[Int(Patch.Field.operand.rawValue)] == 2)
        #expect(engine.counts.unmapped[Int(Patch.Field.revision.rawValue)] == 1)
        #expect(engine.counts.unmapped[Int(Patch.Field.key.rawValue)] == 1)
        // The transaction failed, for that reason; the read's outcome is as recorded, whatever it was asked.
        let batch = engine.written()
        #expect(batch.replays[1].difference == Difference.unmapped.rawValue)
        #expect(batch.keys.string(batch.operations[3].key) == Array("locks/x/0a1".utf8))
    }

    @Test("each loop learns anew")
    func loops() {
        var made = HandmadePlan()
        let grant = made.add(.leaseGrant, "/etcdserverpb.Lease/LeaseGrant", at: 0)
        let put = made.put("a", at: 10, lease: 5)
        Self.patch(&made, put, [Patch(.putLease, from: .leaseOfCall, number: grant)])
        var schedule = Schedule(.recorded(speed: .init(1)))
        schedule.loops = 3
        var engine = made.engine(schedule)
        var store = Self.store()
        store.run(&engine)
        let leases = store.sent.filter { $0.request.kind == .put }.map(\.request.body.lease)
        #expect(leases == [Self.lease(0), Self.lease(2), Self.lease(4)])
    }
}
