import Analysis
import Etcd
import Testing
import Wire

@Suite("Workload analysis: what counts as what")
struct WorkloadAnalysisTests {
    @Test("a call that was open before the recording is no request, but its messages count")
    func openedBefore() throws {
        var load = Workload()
        load.call("/etcdserverpb.Watch/Watch") {
            $0.completeness = [.openedBefore, .completed]
            $0.requestMessages = 2
            $0.responseMessages = 30
        }
        load.call("/etcdserverpb.Lease/LeaseKeepAlive") {
            $0.completeness = [.openedBefore]
            $0.requestMessages = 4
        }
        let report = load.report
        #expect(report.coverage.requests == 0)
        let watch = try #require(report.methods.first { $0.path == "/etcdserverpb.Watch/Watch" })
        #expect(watch.requests == 0 && watch.completed == 0 && watch.statuses.isEmpty)
        #expect(watch.requestMessages == 2 && watch.responseMessages == 30)
        #expect(report.watch.responses == 30)
        #expect(report.lease.keepAlives == 4)
    }

    @Test("methods hold known names only, and status only of calls whose end was seen")
    func methods() {
        var load = Workload()
        load.range("a")
        load.range("a") { $0.evidence = .inferred }
        load.range("a") { $0.status = 11 }
        load.range("a") {
            $0.completeness = [.resetByClient]
            $0.status = 1
        }
        load.call("/etcdserverpb.KV/Compact") {
            $0.evidence = .ambiguous
            $0.method = .unknown
            $0.kind = .other
        }
        let text = load.batch.texts.number(of: "/example.Other/Call")
        load.call("/etcdserverpb.KV/Compact") {
            $0.method = .uncatalogued
            $0.methodText = text
            $0.kind = .other
            $0.status = 12
        }
        let report = load.report
        #expect(report.methods.map(\.path) == ["/etcdserverpb.KV/Range", "/example.Other/Call"])
        #expect(report.methods[0].requests == 4 && report.methods[0].completed == 3)
        #expect(report.methods[0].statuses.map { [Int($0.code), $0.count] } == [[0, 2], [11, 1]])
        #expect(report.methods[1].statuses.map { [Int($0.code), $0.count] } == [[12, 1]])
        #expect(report.coverage.seen == 4 && report.coverage.inferred == 1 && report.coverage.ambiguous == 1)
        #expect(report.coverage.requests == 6)
    }

    @Test("ranges are counted by their request, whatever the outcome")
    func ranges() {
        var load = Workload()
        load.range("a", flags: [.serializable, .keysOnly]) { $0.body.limit = 1 }
        load.range("a", flags: .countOnly)
        load.range("a") { $0.status = 11 }
        load.range("a", end: "b", found: 7) { $0.body.revision = 5 }
        load.range("a", end: "\0", found: 2)
        load.call("/etcdserverpb.KV/RangeStream") {
            $0.body.kind = .range
            $0.body.flags = .hasRangeEnd
            $0.responseMessages = 9
        }
        let range = load.report.range
        #expect(range.requests == 6 && range.singleKey == 3 && range.prefix == 3)
        #expect(range.serializable == 1 && range.keysOnly == 1 && range.countOnly == 1)
        #expect(range.limited == 1 && range.atRevision == 1)
        #expect(range.keysReturned == 1 + 1 + 1 + 7 + 2)
    }

    @Test("a range whose message was lost is a request, but neither single-key nor prefix, and reads no key")
    func lostRange() {
        var load = Workload()
        load.range("a") { $0.completeness.formUnion([.requestDamaged, .keyLost]) }
        load.range("", found: 0) { $0.completeness.insert(.keyLost) }
        load.range("a", end: "b") { $0.completeness.insert(.requestDamaged) }
        load.call("/etcdserverpb.KV/Range") { $0.completeness.insert(.requestUndecoded) }
        let report = load.report
        #expect(report.range.requests == 4 && report.range.singleKey == 0 && report.range.prefix == 1)
        #expect(report.chain.singleKeyReads == 0 && report.distinctKeys == 0 && report.topReads.isEmpty)
        #expect(report.coverage.lost == 3 && report.coverage.undecoded == 1 && report.coverage.decoded == 0)
    }

    @Test("single-key reads of netcraq leave out count-only, reads of a key do not")
    func reads() {
        var load = Workload()
        load.range("a")
        load.range("a", flags: .countOnly)
        load.range("b", found: 0)
        load.range("b", end: "c")
        load.txn([], success: [.range("a"), .range("a", end: "b")], failure: [.range("b")], succeeded: true)
        load.txn([], success: [.range("b")], succeeded: nil)
        let report = load.report
        #expect(report.chain.singleKeyReads == 2 && report.chain.emptyReads == 1)
        #expect(report.topReads.map(\.count) == [3, 1])
        #expect(report.topReads.map(\.key) == [Array("a".utf8), Array("b".utf8)])
        #expect(report.distinctKeys == 2)
    }

    @Test("writes of a key: puts asked for, puts executed, deletes that deleted it")
    func writes() {
        var load = Workload()
        load.put("a", size: 1)
        load.put("a", size: 1) { $0.status = 7 }
        load.delete("a", deleted: 1)
        load.delete("a", deleted: 0)
        load.delete("a", end: "b", deleted: 5)
        load.txn(
            [], success: [.put("a", size: 2), .delete("b"), .delete("c", deleted: 0)], failure: [.put("d", size: 3)],
            succeeded: true)
        load.txn([], success: [.put("e", size: 4)], succeeded: nil)
        load.txn([], success: [.range("a")], succeeded: true)
        let report = load.report
        #expect(report.topWrites.map { String(decoding: $0.key, as: UTF8.self) } == ["a", "b"])
        #expect(report.topWrites.map(\.count) == [4, 1])
        // Put, Put, three DeleteRange, two transactions that can write.
        #expect(report.chain.writes == 7)
        // Less the put that was refused and the transaction without an answer.
        #expect(report.chain.proposals == 5)
        let values = report.values
        #expect([values.count, values.bytes, values.smallest, values.largest, values.median] == [5, 11, 1, 4, 2])
        #expect([report.put.requests, report.put.withLease, report.put.valueBytes] == [2, 0, 2])
    }

    @Test("requested counts both branches and nested transactions, executed what ran")
    func transactions() {
        var load = Workload()
        load.txn(
            [(.value, .notEqual, "a", 3), (.createRevision, .greater, "a", 1), (.createRevision, .greater, "b", 1)],
            success: [
                .txn(success: [.put("a", size: 1), .range("a")], failure: [.delete("a")], succeeded: false),
                .put("b", size: 1), .put("c", size: 1),
            ],
            failure: [.range("a"), .txn(success: [.put("z", size: 1)], failure: [], succeeded: nil)], succeeded: true)
        let report = load.report
        let (requested, executed) = (report.requested, report.executed)
        #expect([requested.ranges, requested.puts, requested.deletes, requested.empty] == [2, 4, 1, 0])
        #expect([executed.ranges, executed.puts, executed.deletes, executed.empty] == [0, 2, 1, 0])
        #expect(report.patterns.map(\.text) == ["value!=,create_revision>*2 | txn,put*2 | range,txn"])
        #expect(report.chain.writes == 1)
    }

    @Test(
        "each comparison has its words",
        arguments: [
            (Compare.Target.version, Compare.Relation.equal, "version= | - | -"),
            (.createRevision, .greater, "create_revision> | - | -"), (.modRevision, .less, "mod_revision< | - | -"),
            (.value, .notEqual, "value!= | - | -"), (.lease, .equal, "lease= | - | -"),
        ])
    func comparison(_ target: Compare.Target, _ relation: Compare.Relation, _ pattern: String) {
        var load = Workload()
        load.txn([(target, relation, "a", 1)], succeeded: true)
        #expect(load.report.patterns.map(\.text) == [pattern])
    }

    @Test("patterns count results; a transaction without an answer has neither, a damaged one no pattern")
    func patternResults() {
        var load = Workload()
        let compare: [Workload.Comparison] = [(.modRevision, .equal, "a", 0)]
        for succeeded in [true, true, false, nil] as [Bool?] {
            load.txn(compare, success: Array(repeating: .put("a", size: 1), count: 125), succeeded: succeeded)
        }
        load.txn(compare, success: [.put("a", size: 1)], succeeded: true) { $0.completeness.insert(.requestDamaged) }
        load.txn([], succeeded: true)
        let report = load.report
        #expect(report.txn.requests == 6 && report.txn.succeeded == 4 && report.txn.failed == 1)
        #expect(report.patterns.map(\.text) == ["mod_revision= | put*125 | -", "- | - | -"])
        #expect(report.patterns.map { [$0.requests, $0.succeeded, $0.failed] } == [[4, 2, 1], [1, 1, 0]])
        #expect(report.requested.empty == 1 && report.executed.empty == 2)
    }

    @Test("watches are counted in messages, events and answers")
    func watches() {
        var load = Workload()
        load.message(.watchCreate, parts: [.hasRequest, .hasResponse])
        load.message(.watchCreate, parts: [.hasRequest])
        load.message(.watchCreate, parts: [.hasResponse])
        load.message(.watchCancel, parts: [.hasRequest, .hasResponse])
        load.message(.watchCancel, parts: [.hasRequest])
        load.message(.watchCanceled, role: .event, parts: [.hasResponse])
        load.message(.watchProgress, parts: [.hasRequest])
        load.message(.watchNotify, role: .event, parts: [.hasResponse])
        load.message(.watchEvents, role: .event, parts: [.hasResponse], events: [.putEvent, .previous, .deleteEvent])
        let watch = load.report.watch
        #expect(watch.creates == 2 && watch.created == 2 && watch.cancels == 2 && watch.canceled == 2)
        #expect(watch.progress == 1 && watch.putEvents == 1 && watch.deleteEvents == 1)
    }

    @Test("proposals are the accepted calls that etcd puts to consensus")
    func proposals() {
        var load = Workload()
        let counted = [
            "/etcdserverpb.KV/Compact", "/etcdserverpb.Lease/LeaseGrant", "/etcdserverpb.Lease/LeaseRevoke",
            "/etcdserverpb.Maintenance/Alarm", "/etcdserverpb.Auth/UserList", "/etcdserverpb.Auth/Authenticate",
        ]
        for path in counted { load.call(path) }
        for path in ["/etcdserverpb.Maintenance/Status", "/etcdserverpb.Cluster/MemberAdd", "/v3lockpb.Lock/Lock"] {
            load.call(path)
        }
        load.call("/etcdserverpb.Lease/LeaseGrant") { $0.status = 14 }
        load.call("/etcdserverpb.Lease/LeaseGrant") { $0.completeness.insert(.openedBefore) }
        #expect(load.report.chain.proposals == counted.count)
        #expect(load.report.lease.grants == 3)
    }

    @Test("keys are listed by count, then by bytes, and shares are of the 25 most read")
    func order() {
        var load = Workload()
        for index in (0..<30).reversed() { load.range("k\(index < 10 ? "0" : "")\(index)") }
        load.range("k29")
        let report = load.report
        #expect(report.topReads.first.map { String(decoding: $0.key, as: UTF8.self) } == "k29")
        #expect(report.topReads[1].key == Array("k00".utf8) && report.topReads[29].key == Array("k28".utf8))
        #expect(report.chain.hottestReads == 26 && report.chain.hottestShare == 26.0 / 31.0)
        #expect(load.analysis.result(top: 3).topReads.count == 3)
    }

    @Test("health checks and revision probes are left out of the objects' share")
    func objects() {
        var load = Workload()
        for _ in 0..<10 { load.range("/registry/health", found: 0) }
        for _ in 0..<5 { load.range("/registry/pods", found: 0) }
        load.range("/registry/pods/default/a")
        for index in 0..<26 { load.range("/registry/pods/default/b\(index)") }
        let chain = load.report.chain
        #expect(chain.singleKeyReads == 42 && chain.readsOfObjects == 27 && chain.hottestReadsOfObjects == 25)
    }

    @Test("the median is the value of rank ⌈n/2⌉, exact for small and large sizes")
    func median() {
        for (sizes, median) in [([5, 1], 1), ([5, 1, 9], 5), ([70_000, 65_536, 3, 90_000], 65_536), ([0], 0)] {
            var load = Workload()
            for size in sizes { load.put("a", size: Int64(size)) }
            #expect(load.report.values.median == median, "of \(sizes)")
        }
    }

    @Test("parts add up to the whole")
    func merging() {
        var whole = Workload.mixed
        let first = whole.batch
        whole.batch.health = RecordingHealth()
        var one = WorkloadAnalysis()
        one.add(first)
        var other = Workload()
        other.range("/registry/new")
        other.put("/registry/health", size: 100_000)
        other.txn([(.version, .equal, "x", 0)], success: [.put("x", size: 1)], succeeded: true)
        other.batch.health[.gaps] = 2
        let merged = one
        var sum = merged
        sum.merge(other.analysis)

        var sequence = WorkloadAnalysis()
        sequence.add(first)
        var health = first.health
        health[.gaps] = 2
        var second = other.batch
        second.health = health
        sequence.add(second)
        #expect(sum.result() == sequence.result())
    }

    @Test("batches number their keys each for themselves")
    func batches() {
        var analysis = WorkloadAnalysis()
        for keys in [["a", "b"], ["b", "a"], ["c", "b"]] {
            var load = Workload()
            for key in keys { load.range(key) }
            analysis.add(load.batch)
        }
        let report = analysis.result()
        #expect(report.topReads.map { String(decoding: $0.key, as: UTF8.self) } == ["b", "a", "c"])
        #expect(report.topReads.map(\.count) == [3, 2, 1])
    }

    @Test("sizes and totals that no recording has are clamped, in one part and in the sum of two")
    func hostileTrace() {
        var load = Workload()
        for size in [Int64.max, .max, .min, -1] {
            load.put("a", size: size)
            load.txn([], success: [.put("b", size: size)], succeeded: true)
        }
        for field in RecordingHealth.Field.allCases { load.batch.health[field] = .max }
        var sum = load.analysis
        sum.merge(load.analysis)
        let report = sum.result()
        #expect(report.put.requests == 8 && report.put.valueBytes == 4 * Int(UInt32.max))
        #expect(report.values.count == 16 && report.values.largest == Int(UInt32.max) && report.values.smallest == 0)
        #expect(report.values.bytes == 8 * Int(UInt32.max))
        #expect(report.coverage.gaps == .max && report.coverage.connections == .max)
        load.batch.health[.gaps] = .min
        #expect(load.report.coverage.gaps == 0)
    }

    @Test("what the limits keep out is counted, and what is in goes on counting", arguments: [true, false])
    func limits(ofBytes: Bool) {
        var limits = AnalysisLimits()
        if ofBytes { limits.keyBytes = 3 } else { limits.keys = 3 }
        limits.patterns = 1
        limits.uncataloguedMethods = 1
        var load = Workload()
        for key in ["a", "b", "c", "d", "e", "a"] { load.range(key) }
        load.txn([], succeeded: true)
        load.txn([], success: [.range("a", end: "b")], succeeded: true)
        load.txn([], succeeded: false)
        for name in ["/x.Y/Z", "/x.Y/W", "/x.Y/Z"] {
            let text = load.batch.texts.number(of: name)
            load.call("/etcdserverpb.KV/Compact") {
                $0.method = .uncatalogued
                $0.methodText = text
                $0.kind = .other
            }
        }
        // As one batch, as two, and as two analyses: each time the tables are full from the first on.
        var once = WorkloadAnalysis(limits: limits)
        once.add(load.batch)
        var twice = once
        twice.add(load.batch)
        var merged = once
        merged.merge(once)
        for (analysis, times) in [(once, 1), (twice, 2), (merged, 2)] {
            let report = analysis.result()
            #expect(report.distinctKeys == 3 && report.chain.singleKeyReads == 6 * times)
            #expect(report.topReads.map(\.count) == [2 * times, times, times])
            #expect(report.patterns.map(\.requests) == [2 * times])
            #expect(report.methods.first { $0.path == "/x.Y/Z" }?.requests == 2 * times)
            let dropped = report.dropped
            #expect([dropped.keyUses, dropped.patterns, dropped.methodCalls] == [2 * times, times, times])
        }
    }
}
