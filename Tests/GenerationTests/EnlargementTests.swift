import Analysis
import CaptureFiles
import Etcd
import Foundation
import Generation
import Recording
import TestSupport
import Testing
import Wire

@Suite("Enlarged recordings")
struct EnlargementTests {
    /// A capture of the repository, decoded anew.
    private static func recording(_ name: String) throws -> [OperationBatch] {
        var reader = try CaptureReader(paths: [Repository.traces.appending(path: "\(name).pcap.zst").path])
        var packets = PacketBatch()
        var pipeline = RecordingPipeline(ports: [2379], limits: RecordingLimits())
        var batches: [OperationBatch] = []
        while try reader.next(into: &packets) {
            var next = 0
            while next < packets.packets.count {
                next = pipeline.receive(packets, from: next)
                if pipeline.isBatchFull { pipeline.takeBatch { batches.append(copy $0) } }
            }
        }
        while !pipeline.finish() { pipeline.takeBatch { batches.append(copy $0) } }
        pipeline.takeBatch { batches.append(copy $0) }
        return batches
    }

    private static func enlarged(_ recording: [OperationBatch], copies: Int, seed: UInt64) throws -> [OperationBatch] {
        var recorded = RecordedTrace(copies: copies)
        for batch in recording { try recorded.add(batch) }
        var enlargement = try Enlargement(recorded, copies: copies, seed: seed)
        var batches: [OperationBatch] = []
        var batch = OperationBatch()
        while enlargement.next(into: &batch) { batches.append(batch) }
        return batches
    }

    private static func report(_ batches: [OperationBatch]) -> WorkloadReport {
        var analysis = WorkloadAnalysis()
        for batch in batches { analysis.add(batch) }
        return analysis.result()
    }

    private static let names = ["edgesys-table1", "netcraq-scale", "netcraq-uncached", "midstream"]

    @Test("ten times as large, a recording has its mix, its sizes, its skew and its length", arguments: names, seeds(1))
    func kept(name: String, seed: UInt64) throws {
        let recording = try Self.recording(name)
        let one = Self.report(recording)
        let ten = Self.report(try Self.enlarged(recording, copies: 10, seed: seed))
        // What concerns the whole cluster is done once.
        let single = one.methods.filter { $0.kind == .compact }.reduce(0) { $0 + $1.requests }
        #expect(ten.coverage.requests == 10 * one.coverage.requests - 9 * single)
        for method in one.methods {
            let times = method.kind == .compact ? 1 : 10
            let found = ten.methods.first { $0.path == method.path }
            #expect(found?.requests == times * method.requests, "\(method.path)")
            #expect(found?.completed == times * method.completed, "\(method.path)")
            #expect(found?.errors == method.errors.map { times * $0 }, "\(method.path)")
        }
        #expect(ten.range.keysReturned == 10 * one.range.keysReturned)
        #expect(ten.range.prefix == 10 * one.range.prefix && ten.range.atRevision == 10 * one.range.atRevision)
        #expect(ten.txn.succeeded == 10 * one.txn.succeeded && ten.txn.failed == 10 * one.txn.failed)
        #expect(ten.patterns.map(\.text) == one.patterns.map(\.text))
        #expect(ten.patterns.map(\.requests) == one.patterns.map { 10 * $0.requests })
        #expect(ten.watch.creates == 10 * one.watch.creates && ten.watch.putEvents == 10 * one.watch.putEvents)
        #expect(ten.values.count == 10 * one.values.count && ten.values.bytes == 10 * one.values.bytes)
        #expect(ten.values.median == one.values.median && ten.values.largest == one.values.largest)
        #expect(ten.distinctKeys == 10 * one.distinctKeys)
        #expect(ten.coverage.connections == 10 * one.coverage.connections)
        #expect(abs(ten.chain.writeShare - one.chain.writeShare) < 1e-9)
        let reads = try (#require(one.readSkew).exponent, #require(ten.readSkew).exponent)
        let writes = try (#require(one.writeSkew).exponent, #require(ten.writeSkew).exponent)
        #expect(abs(reads.1 / reads.0 - 1) < 0.05, "reads: \(reads)")
        #expect(abs(writes.1 / writes.0 - 1) < 0.05, "writes: \(writes)")
        let (short, long) = try (#require(one.window), #require(ten.window))
        #expect(long.first == short.first)
        let gap = short.nanoseconds / Int64(one.coverage.requests)
        #expect(long.nanoseconds >= short.nanoseconds && long.nanoseconds < short.nanoseconds + gap)
        // A key of a copy is of the class of the recorded one.
        #expect(ten.topReads.first?.identity == one.topReads.first?.identity)
        #expect(ten.chain.readsOfObjects == 10 * one.chain.readsOfObjects)
    }

    @Test("the same seed makes the same trace, another one another")
    func deterministic() throws {
        let recording = try Self.recording("edgesys-table1")
        func operations(_ seed: UInt64) throws -> [Etcd.Operation] {
            try Self.enlarged(recording, copies: 3, seed: seed).flatMap(\.operations)
        }
        let first = try operations(7)
        #expect(try operations(7) == first)
        #expect(try operations(8) != first)
    }

    @Test("one copy is the recording, but for the numbers of its revisions")
    func single() throws {
        let recording = try Self.recording("netcraq-scale")
        let one = try Self.enlarged(recording, copies: 1, seed: 1)
        let (before, after) = (recording.flatMap(\.operations), one.flatMap(\.operations))
        #expect(after.map(\.time) == before.map(\.time) && after.map(\.kind) == before.map(\.kind))
        let names = { (batches: [OperationBatch]) in
            batches.flatMap { batch in batch.operations.map { batch.keys.string($0.key) } }
        }
        #expect(names(one) == names(recording))
    }

    @Test("one counter: no revision belongs to two copies, and answers show it in the order of time", arguments: names)
    func oneHistory(name: String) throws {
        let ten = try Self.enlarged(try Self.recording(name), copies: 10, seed: 3)
        var writers: [Int64: UInt32] = [:]
        var shown: [(end: Int64, revision: Int64)] = []
        let copy = { (batch: OperationBatch, key: KeyNumber) -> UInt32 in
            // `/registry-3/...`
            let key = String(decoding: batch.keys.string(key), as: UTF8.self)
            return UInt32(key.split(separator: "/").first?.split(separator: "-").last ?? "") ?? .max
        }
        var stale = 0
        for batch in ten {
            for record in batch.keyValues {
                let owner = copy(batch, record.key)
                #expect(writers[record.modRevision] ?? owner == owner, "revision \(record.modRevision)")
                writers[record.modRevision] = owner
            }
            for operation in batch.operations where operation.role == .call && operation.headerRevision > 0 {
                guard operation.responseEnd != Etcd.Operation.absent else { continue }
                let end = operation.time.nanoseconds + operation.responseEnd
                shown.append((end, operation.headerRevision))
            }
        }
        // A call that began after another one's answer sees no older state, unless it asked for that.
        shown.sort { ($0.end, $0.revision) < ($1.end, $1.revision) }
        var highest: [(end: Int64, revision: Int64)] = []
        for answer in shown where answer.revision > highest.last?.revision ?? 0 { highest.append(answer) }
        for batch in ten {
            for operation in batch.operations where operation.role == .call && operation.headerRevision > 0 {
                let before = highest.last { $0.end < operation.time.nanoseconds }?.revision ?? 0
                if operation.headerRevision < before { stale += 1 }
            }
        }
        #expect(stale == 0)
        #expect(writers.count > 100)
    }

    @Test("what a copy cannot be made of is refused, with the reason")
    func refused() throws {
        var batch = try #require(try Self.recording("edgesys-table1").first)
        var limits = GenerationLimits()
        limits.traceBytes = 1_000
        var small = RecordedTrace(copies: 2, limits: limits)
        #expect(throws: GenerationError(why: "it takes more than 1000 bytes of memory")) { try small.add(batch) }
        limits = GenerationLimits()
        limits.revisions = 10
        var recorded = RecordedTrace(copies: 2)
        try recorded.add(batch)
        #expect(throws: GenerationError.self) { try Enlargement(recorded, copies: 2, seed: 1, limits: limits) }
        #expect(throws: GenerationError.self) { try Enlargement(recorded, copies: 10_001, seed: 1) }
        batch.replays = batch.operations.map { _ in ReplayRecord() }
        var replay = RecordedTrace(copies: 2)
        #expect(throws: GenerationError.self) { try replay.add(batch) }
    }
}
