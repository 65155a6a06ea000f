import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Leases and locks from before a recording")
struct PreloadedLeaseTests {
    /// A lock that was held before: its key, and the lease that the key is named by and attached to.
    private static let lease: Int64 = 0x694d_7abc
    private static let lock = "/locks/l/694d7abc"

    private static func observe(
        _ trace: inout HandmadeTrace, _ key: String, revision: Int64, version: Int64 = 1, lease: Int64 = 0
    ) {
        trace.observe(key, lease: lease, revision: revision)
        trace.batch.observed[trace.batch.observed.count - 1].createRevision = revision - version + 1
        trace.batch.observed[trace.batch.observed.count - 1].version = version
    }

    /// Revokes a lease, which deletes keys: the answer shows their revision.
    private static func revoke(_ trace: inout HandmadeTrace, _ lease: Int64, revision: Int64, status: UInt32 = 0) {
        trace.call(.leaseRevoke, revision: revision) {
            $0.lease = lease
            $0.status = status
        }
    }

    private static func range(_ trace: inout HandmadeTrace, _ key: String, count: Int64, revision: Int64) {
        trace.call(.range, trace.body(.range, key) { $0.count = count }, revision: revision)
    }

    @Test("a key that is named by a lease is written with the target's, one of another lease as it is")
    func names() throws {
        var trace = HandmadeTrace()
        let names = [Self.lock, "/locks/l/51", "/locks/l/0694d7abc", "/locks/l", "/locks/l/"]
        for (place, name) in names.enumerated() {
            Self.observe(&trace, name, revision: Int64(place) + 2, lease: place == 0 ? Self.lease : 0)
        }
        let plan = try trace.plan()
        #expect(plan.preload.puts.map(\.nameLease) == [0, nil, nil, nil, nil])
        var model = ModelAnswers()
        let outcome = model.preload(plan)
        let granted = String(try #require(outcome.leases.first), radix: 16)
        #expect(
            model.keys
                == ["/locks/l", "/locks/l/", "/locks/l/0694d7abc", "/locks/l/51", "/locks/l/\(granted)"].sorted())
    }

    @Test("a store that grants leases without an ID keeps the names")
    func withoutID() throws {
        var trace = HandmadeTrace()
        Self.observe(&trace, Self.lock, revision: 2, lease: Self.lease)
        let driver = PreloadDriver(try trace.plan(), connections: 1)
        var request = StoreRequest()
        var names: [String] = []
        while driver.next(into: &request) {
            let key = request.body.key
            let name = key == 0 ? [] : request.keys.bytes[request.keys.range(of: key)]
            if !name.isEmpty { names.append(String(decoding: name, as: UTF8.self)) }
            var answer = StoreAnswer()
            answer.number = request.number
            driver.receive(answer)
        }
        #expect(driver.isDone && names == [Self.lock])
    }

    @Test("a transaction of a preload has room for longer names")
    func longerNames() throws {
        var trace = HandmadeTrace()
        for name in ["/a/1", "/b/1"] { Self.observe(&trace, name, revision: 2, lease: 1) }
        var limits = PreloadLimits()
        limits.bytesPerTransaction = 10 + 4 + 16 + 10 + 4 + 16
        for (bytes, kinds) in [(limits.bytesPerTransaction, 2), (limits.bytesPerTransaction - 1, 3)] {
            limits.bytesPerTransaction = bytes
            var model = ModelAnswers()
            let requests = model.write(PreloadDriver(try trace.plan(), connections: 1, limits: limits))
            #expect(requests.count == kinds)
        }
    }

    @Test("a lock that was held before the recording is found, kept and given back", arguments: seeds(1, 2, 3))
    func lock(seed: UInt64) throws {
        var trace = HandmadeTrace()
        Self.observe(&trace, Self.lock, revision: 7, lease: Self.lease)
        Self.range(&trace, Self.lock, count: 1, revision: 7)  // 0
        trace.transaction(
            [trace.compare(Self.lock, .createRevision, .equal, 7)], success: [trace.body(.range, Self.lock)],
            revision: 7)  // 1
        trace.transaction(
            [trace.compare(Self.lock, .modRevision, .equal, 7)],
            success: [trace.body(.put, Self.lock) { $0.lease = Self.lease }], revision: 8)  // 2
        Self.revoke(&trace, Self.lease, revision: 9)  // 3
        Self.range(&trace, Self.lock, count: 0, revision: 9)  // 4
        trace.transaction(
            [trace.compare(Self.lock, .createRevision, .equal, 0)],
            success: [trace.body(.range, "/other") { $0.count = 0 }], revision: 9)  // 5
        let plan = try trace.plan()
        #expect(plan.notes.unmappedLeases == 0)

        var model = ModelAnswers()
        let preload = model.preload(plan)
        var engine = ReplayEngine(
            plan, schedule: Schedule(.max), preload: preload,
            connections: (0..<4).map { ConnectionNames(client: "client:\($0)", server: "model") },
            batchCapacity: 1 << 20)
        var numbers = SplitMix64(seed: seed)
        let latencies = plan.calls.indices.map { _ in Int64(numbers.below(5_000_000)) }
        var store = ScriptedStore()
        store.latency = { latencies[$0.call] }
        store.respond = { sent, answer in model.execute(sent.request, into: &answer) }
        store.run(&engine)
        #expect(engine.fidelity.compared == 6 && engine.fidelity.same == 6)
    }

    @Test("reads of a preloaded key stand before or behind the revocation that deletes it", arguments: seeds(1...20))
    func revocation(seed: UInt64) throws {
        var trace = HandmadeTrace()
        for (place, key) in ["/a", "/b", "/c"].enumerated() {
            Self.observe(&trace, key, revision: Int64(place) + 2, lease: key == "/c" ? 0 : Self.lease)
        }
        Self.range(&trace, "/a", count: 1, revision: 4)  // 0
        trace.call(.range, trace.body(.range, "/", end: "0") { $0.count = 3 }, revision: 4)  // 1
        Self.revoke(&trace, Self.lease, revision: 5)  // 2
        Self.range(&trace, "/b", count: 0, revision: 5)  // 3
        trace.call(.range, trace.body(.range, "/", end: "0") { $0.count = 1 }, revision: 5)  // 4
        var run = ModelRun(try trace.plan())
        let isWhole = run.run(seed: seed)
        #expect(isWhole)
        #expect(run.compared == 5 && run.differences.isEmpty, "\(run.differences)")
    }

    @Test("a put that came too late for its lease stays behind the revocation", arguments: seeds(1...20))
    func tooLate(seed: UInt64) throws {
        var trace = HandmadeTrace()
        Self.observe(&trace, "/a", revision: 2, lease: Self.lease)
        Self.range(&trace, "/other", count: 0, revision: 2)
        Self.revoke(&trace, Self.lease, revision: 3)
        trace.call(.put, trace.body(.put, "/b") { $0.lease = Self.lease }, revision: 0) {
            $0.status = 5
            $0.body.flags = []
        }
        var run = ModelRun(try trace.plan())
        let isWhole = run.run(seed: seed)
        #expect(isWhole)
        #expect(run.compared == 3 && run.differences.isEmpty, "\(run.differences)")
    }

    enum Fate: CaseIterable { case revoked, detached, refused, movedAndRevoked }

    @Test("versions begin anew behind a revocation, if the key still had the lease", arguments: Fate.allCases)
    func versions(fate: Fate) throws {
        var trace = HandmadeTrace()
        Self.observe(&trace, "/a", revision: 9, version: 5, lease: Self.lease)
        Self.observe(&trace, "/b", revision: 10, lease: 0x99)
        var version: Int64 = 5
        var revision: Int64 = 10
        if fate == .detached || fate == .movedAndRevoked {
            version += 1
            revision += 1
            trace.put("/a", revision: revision) { $0.lease = fate == .detached ? 0 : 0x99 }
        }
        let isGone = fate == .revoked || fate == .movedAndRevoked
        if isGone {
            revision += 1
            version = 0
        }
        Self.revoke(
            &trace, fate == .movedAndRevoked ? 0x99 : Self.lease, revision: revision, status: fate == .refused ? 5 : 0)
        revision += 1
        version += 1
        trace.put("/a", revision: revision)
        trace.transaction(
            [trace.compare("/a", .version, .equal, version)], success: [trace.body(.range, "/a")], revision: revision)
        let plan = try trace.plan()
        let offsets = plan.patches.filter { $0.field == .version }.map(\.offset)
        #expect(offsets == (isGone ? [] : [-4]))
        // The model does not refuse to revoke what is there.
        if fate == .refused { return }
        var run = ModelRun(plan)
        let isWhole = run.run(seed: 1)
        #expect(isWhole)
        #expect(run.differences.isEmpty, "\(run.differences)")
    }

    @Test("a shard that revokes a lease has the preloaded keys that it deletes")
    func shards() throws {
        var trace = HandmadeTrace()
        for (place, key) in ["/a/1", "/b/1", "/c/1"].enumerated() {
            Self.observe(&trace, key, revision: Int64(place) + 2, lease: key == "/b/1" ? Self.lease : 0)
        }
        for _ in 0..<2 {
            for key in ["/a/1", "/b/1", "/c/1"] { Self.range(&trace, key, count: 1, revision: 4) }
        }
        trace.call(.range, trace.body(.range, "/", end: "0") { $0.count = 3 }, revision: 4)  // 6: over all
        Self.revoke(&trace, Self.lease, revision: 5)  // 7
        let plans = try ShardPlans([trace.batch], count: 4)
        #expect(plans.owners[7] == plans.owners[1])
        #expect(plans.crossing == [6])
    }
}
