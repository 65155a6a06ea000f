import Analysis
import Etcd
import Generation
import TestSupport
import Testing
import Wire

@Suite("Synthetic workloads")
struct SyntheticWorkloadTests {
    private static func batches(_ options: SyntheticOptions) throws -> [OperationBatch] {
        var workload = try SyntheticWorkload(options)
        var batches: [OperationBatch] = []
        var batch = OperationBatch()
        while workload.next(into: &batch) { batches.append(batch) }
        return batches
    }

    private static func report(_ batches: [OperationBatch]) -> WorkloadReport {
        var analysis = WorkloadAnalysis()
        for batch in batches { analysis.add(batch) }
        return analysis.result()
    }

    @Test("shares, sizes, length and clients are those asked for", arguments: seeds(1, 2))
    func asked(seed: UInt64) throws {
        var options = SyntheticOptions()
        options.length = .operations(50_000)
        options.rate = 5_000
        options.valueBytes = 100...300
        options.clients = 7
        options.seed = seed
        let report = Self.report(try Self.batches(options))
        #expect(report.coverage.requests == 50_000 && report.coverage.unanswered == 0)
        #expect(report.coverage.connections == 7)
        let shares = [
            (report.range.singleKey, 0.60), (report.put.requests, 0.10), (report.txn.requests, 0.20),
            (report.methods.first { $0.kind == .delete }?.requests ?? 0, 0.05), (report.range.prefix, 0.05),
        ]
        // Five standard deviations of a binomial distribution.
        for (count, share) in shares {
            #expect(abs(Double(count) - 50_000 * share) < 5 * (50_000 * share * (1 - share)).squareRoot(), "\(share)")
        }
        #expect(report.values.smallest == 100 && report.values.largest == 300)
        #expect(abs(report.values.median - 200) < 10)
        let seconds = try #require(report.window).seconds
        #expect(abs(seconds - 10) < 5 * 10 / 50_000.0.squareRoot(), "\(seconds)")
        #expect(report.patterns.map(\.text) == ["mod_revision= | put | range"])
        // Hot keys are written while others want to, too.
        #expect(report.txn.failed > 100 && report.txn.failed < report.txn.succeeded)
    }

    @Test("the fitted exponent is the one asked for", arguments: [0.6, 0.8, 1.0, 1.2])
    func skew(_ exponent: Double) throws {
        var options = SyntheticOptions()
        options.length = .operations(400_000)
        options.weights = [1, 0, 0, 0, 0]
        options.keys = 1_000
        options.skew = exponent
        let skew = try #require(Self.report(try Self.batches(options)).readSkew)
        #expect(abs(skew.exponent / exponent - 1) < 0.05, "\(skew.exponent)")
    }

    @Test("without skew all keys are read alike")
    func uniform() throws {
        var options = SyntheticOptions()
        options.length = .operations(400_000)
        options.weights = [1, 0, 0, 0, 0]
        options.skew = 0
        let report = Self.report(try Self.batches(options))
        // 400 reads a key on average: chance alone spreads them by a twentieth.
        #expect(report.distinctKeys == 1_000)
        #expect(try #require(report.readSkew).exponent < 0.06)
        #expect(try #require(report.topReads.first).count < 500)
    }

    @Test("the same options make the same trace, another seed another one")
    func deterministic() throws {
        var options = SyntheticOptions()
        options.length = .nanoseconds(1_000_000_000)
        let first = try Self.batches(options).flatMap(\.operations)
        #expect(try Self.batches(options).flatMap(\.operations) == first)
        options.seed = 2
        #expect(try Self.batches(options).flatMap(\.operations) != first)
        #expect(first.allSatisfy { $0.time.nanoseconds(since: first[0].time) < 1_000_000_000 })
        options.arrivals = .constant
        let times = try Self.batches(options).flatMap(\.operations).map(\.time.nanoseconds).sorted()
        #expect(times.count == 1_000)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 1_000_000 })
    }

    @Test("every answer is what a dictionary of keys would have said", arguments: [nil, 4, 64], [0, 0.4])
    func answers(keyBytes: Int?, missing: Double) throws {
        var options = SyntheticOptions()
        options.length = .operations(20_000)
        options.weights = [30, 20, 20, 20, 10]
        options.keys = 250
        options.keyBytes = keyBytes
        options.missing = missing
        options.rate = 20_000
        var store: [[UInt8]: (created: Int64, modified: Int64, version: Int64, size: Int64)] = [:]
        var revision: Int64 = 1
        for batch in try Self.batches(options) {
            for record in batch.observed {
                revision = max(revision, record.modRevision)
                store[batch.keys.string(record.key)] = (
                    record.createRevision, record.modRevision, record.version, record.valueSize
                )
            }
            func put(_ body: RequestOp) {
                revision += 1
                let key = batch.keys.string(body.key)
                let old = store[key]
                store[key] = (old?.created ?? revision, revision, (old?.version ?? 0) + 1, body.valueSize)
            }
            func check(_ body: RequestOp) {
                let (key, end) = (batch.keys.string(body.key), batch.keys.string(body.rangeEnd))
                let wanted =
                    end.isEmpty
                    ? store[key] == nil ? [] : [key]
                    : store.keys.filter { !$0.lexicographicallyPrecedes(key) && $0.lexicographicallyPrecedes(end) }
                        .sorted { $0.lexicographicallyPrecedes($1) }
                #expect(body.count == Int64(wanted.count))
                #expect(batch.keyValues[body.keyValues.range].map { batch.keys.string($0.key) } == wanted)
                for record in batch.keyValues[body.keyValues.range] {
                    let state = store[batch.keys.string(record.key)]
                    #expect(record.createRevision == state?.created && record.modRevision == state?.modified)
                    #expect(record.version == state?.version && record.valueSize == state?.size)
                }
            }
            for operation in batch.operations {
                switch operation.kind {
                case .range: check(operation.body)
                case .put: put(operation.body)
                case .delete:
                    let existed = store.removeValue(forKey: batch.keys.string(operation.body.key)) != nil
                    if existed { revision += 1 }
                    #expect(operation.body.count == (existed ? 1 : 0))
                default:
                    let compare = batch.compares[operation.body.compares.range][
                        operation.body.compares.range.lowerBound]
                    let holds = (store[batch.keys.string(compare.key)]?.modified ?? 0) == compare.operand
                    #expect(operation.body.flags.contains(.succeeded) == holds)
                    let parts = Array(batch.parts[operation.parts.range])
                    #expect(parts.map { $0.flags.contains(.answered) } == [holds, !holds])
                    if holds { put(parts[0]) } else { check(parts[1]) }
                }
                #expect(operation.headerRevision == revision)
            }
        }
        #expect(revision > 8_000)
    }

    @Test("keys have the length asked for, and no two are alike", arguments: [(1, 2), (99, 3), (100, 4), (300, 8)])
    func keyBytes(keys: Int, bytes: Int) throws {
        var options = SyntheticOptions()
        (options.keys, options.keyBytes) = (keys, bytes)
        (options.weights, options.missing, options.skew) = ([9, 0, 0, 0, 1], 0.5, 0)
        options.length = .operations(20_000)
        var present: Set<[UInt8]> = []
        var asked: Set<[UInt8]> = []
        for batch in try Self.batches(options) {
            present.formUnion(batch.observed.map { batch.keys.string($0.key) })
            for operation in batch.operations {
                asked.insert(batch.keys.string(operation.body.key))
                if operation.body.rangeEnd != 0 {
                    #expect(batch.keys.string(operation.body.rangeEnd).count == bytes)
                }
            }
        }
        #expect(present.count == keys && present.union(asked).allSatisfy { $0.count == bytes })
        #expect(asked.isSuperset(of: present) && asked.subtracting(present).count == keys)
    }

    @Test("the share of reads that find nothing is the one asked for", arguments: [0, 0.25, 1])
    func missing(share: Double) throws {
        var options = SyntheticOptions()
        options.length = .operations(20_000)
        (options.weights, options.keys, options.missing) = ([1, 0, 0, 0, 0], 1, share)
        let operations = try Self.batches(options).flatMap(\.operations)
        let found = operations.count { $0.body.count == 1 }
        // Five standard deviations of a binomial distribution.
        #expect(abs(Double(found) - 20_000 * (1 - share)) <= 5 * (20_000 * share * (1 - share)).squareRoot())
        #expect(operations.allSatisfy { $0.body.flags.contains(.answered) })
    }

    @Test(
        "what makes no workload is refused",
        arguments: [
            { (options: inout SyntheticOptions) in options.keys = 0 }, { $0.skew = .nan }, { $0.skew = 11 },
            { $0.rate = 0 }, { $0.weights = [0, 0, 0, 0, 0] }, { $0.weights = [1] }, { $0.valueBytes = -1...5 },
            { $0.keyBytes = 4 }, { $0.keyBytes = 1_025 }, { $0.missing = 1.1 }, { $0.missing = .nan },
            { $0.length = .operations(0) }, { $0.length = .nanoseconds(-1) }, { $0.clients = 0 },
        ] as [@Sendable (inout SyntheticOptions) -> Void])
    func refused(_ change: @Sendable (inout SyntheticOptions) -> Void) {
        var options = SyntheticOptions()
        change(&options)
        #expect(throws: GenerationError.self) { try SyntheticWorkload(options) }
    }
}
