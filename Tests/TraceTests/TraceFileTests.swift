import Etcd
import Foundation
import Testing
import Trace
import Wire

@Suite("Files: writing and opening traces")
struct TraceFileTests {
    private let batch = KubernetesBatch.make(seed: 9, operations: 50)

    private func writing(_ path: String, force: Bool = false) throws {
        let writer = try TraceWriter(path: path, force: force, meta: TraceMeta())
        try writer.write(batch)
        try writer.finish()
    }

    @Test("description, batches and totals come back")
    func roundTrip() throws {
        let folder = try TraceFolder()
        var meta = TraceMeta()
        meta.tool = "kvreel 0.1.0"
        meta["options"] = "--port 2379"
        let writer = try TraceWriter(path: folder.file("a.kvr"), force: false, meta: meta)
        try writer.write(batch)
        meta.captures = ["a.pcap"]
        writer.meta = meta
        try writer.write(batch)
        try writer.finish()
        let found = try ReadTrace(path: folder.file("a.kvr"))
        #expect(found.meta == meta)
        #expect(found.batches.count == 2)
        #expect(found.summary.operations == Int64(2 * batch.operations.count))
        #expect(found.summary.operations == writer.operationsWritten)
        #expect(found.summary.bytes == writer.bytesWritten)
        #expect(found.summary.times?.lowerBound == batch.operations.map(\.time).min())
        #expect(found.summary.times?.upperBound == batch.operations.map(\.time).max())
        #expect(found.damage.isNone)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("a.kvr"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("a batch that is beyond a block becomes several: no record is lost, changed or twice in them")
    func largeBatch() throws {
        let folder = try TraceFolder()
        var large = KubernetesBatch.make(seed: 4, operations: 200)
        var plain = large.operations[0]
        plain.parts = Slice()
        plain.events = Slice()
        plain.body = RequestOp()
        // More operations than a block may have, and 80 MB of keys.
        for number in 0..<TraceLimits.operations {
            plain.stream = UInt32(number)
            large.operations.append(plain)
        }
        for number in 0..<80 {
            let key = [UInt8(number)] + Array(repeating: UInt8(ascii: "k"), count: 1_000_000)
            plain.key = large.keys.number(of: key.span)
            large.operations.append(plain)
        }
        var observed = ObservedRecord(kind: .present, source: .event, key: plain.key)
        observed.version = 7
        large.observed.append(observed)
        large.replays = large.operations.indices.map { place in
            var record = ReplayRecord()
            record.call = UInt32(place)
            return record
        }
        let writer = try TraceWriter(path: folder.file("a.kvr"), force: false, meta: TraceMeta(), level: 1)
        try writer.write(large)
        try writer.finish()
        #expect(writer.operationsWritten == Int64(large.operations.count))
        let found = try ReadTrace(path: folder.file("a.kvr"))
        #expect(found.damage.isNone && found.batches.count > 4)
        #expect(found.batches.allSatisfy { $0.health == large.health })
        var next = 0
        for batch in found.batches {
            for operation in batch.operations {
                let expected = Resolved(large.operations[next], of: large)
                try #require(Resolved(operation, of: batch) == expected, "operation \(next)")
                next += 1
            }
        }
        #expect(next == large.operations.count)
        #expect(found.batches.allSatisfy { $0.replays.count == $0.operations.count })
        #expect(found.batches.flatMap { $0.replays.map(\.call) } == Array(0..<UInt32(large.operations.count)))
        let clients = found.batches.flatMap { batch in batch.connections.map { batch.texts.string($0.client) } }
        #expect(clients == large.connections.map { large.texts.string($0.client) })
        let keys = found.batches.flatMap { batch in batch.observed.map { batch.keys.string($0.key) } }
        #expect(keys == [large.keys.string(observed.key)])
    }

    /// An operation without the numbers by which its batch names things.
    private struct Resolved: Equatable {
        var stream: UInt32
        var time: CaptureTime
        var keys: [Int]
        var names: [[UInt8]]
        var keyValues: [KeyValueRecord]
        var compares: [Compare]

        init(_ operation: Etcd.Operation, of batch: OperationBatch) {
            stream = operation.stream
            time = operation.time
            names = []
            keyValues = []
            compares = []
            let bodies = [operation.body] + operation.parts.range.map { batch.parts[$0] }
            var used = [operation.key]
            for body in bodies {
                used += [body.key, body.rangeEnd]
                compares += body.compares.range.map { batch.compares[$0] }
                keyValues += body.keyValues.range.map { batch.keyValues[$0] }
            }
            keyValues += operation.events.range.map { batch.keyValues[$0] }
            used += compares.flatMap { [$0.key, $0.rangeEnd] } + keyValues.map(\.key)
            for place in compares.indices { (compares[place].key, compares[place].rangeEnd) = (0, 0) }
            for place in keyValues.indices { keyValues[place].key = 0 }
            // Large keys differ in their first byte.
            keys = used.map { batch.keys.range(of: $0).count }
            names = used.map { Array(batch.keys.bytes[batch.keys.range(of: $0)].prefix(200)) }
            names.append(batch.texts.string(operation.methodText))
        }
    }

    @Test("a trace without operations is a trace")
    func empty() throws {
        let folder = try TraceFolder()
        try TraceWriter(path: folder.file("a.kvr"), force: false, meta: TraceMeta()).finish()
        let found = try ReadTrace(path: folder.file("a.kvr"))
        #expect(found.batches.isEmpty && found.damage.isNone)
        #expect(found.summary.times == nil)
    }

    @Test("an existing file needs force, and stays as it is until something is written")
    func existing() throws {
        let folder = try TraceFolder()
        let path = try folder.write(Array("kept".utf8))
        let error = #expect(throws: TraceError.self) { try writing(path) }
        #expect(error?.kind == .output)
        #expect(error?.remedy?.contains("--force") == true)
        try TraceWriter(path: path, force: true, meta: TraceMeta()).discard()
        #expect(try folder.bytes(of: "trace.kvr") == Array("kept".utf8))
        try writing(path, force: true)
        #expect(try ReadTrace(path: path).batches.count == 1)
    }

    @Test("a trace that is given up leaves no file")
    func discarded() throws {
        let folder = try TraceFolder()
        let path = folder.file("a.kvr")
        let untouched = try TraceWriter(path: path, force: false, meta: TraceMeta())
        #expect(FileManager.default.fileExists(atPath: path))
        untouched.discard()
        #expect(!FileManager.default.fileExists(atPath: path))
        let begun = try TraceWriter(path: path, force: false, meta: TraceMeta())
        try begun.write(batch)
        begun.discard()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("what was written before a failure is a trace")
    func unfinished() throws {
        let folder = try TraceFolder()
        let writer = try TraceWriter(path: folder.file("a.kvr"), force: false, meta: TraceMeta())
        try writer.write(batch)
        let found = try ReadTrace(path: folder.file("a.kvr"))
        #expect(found.batches.count == 1)
        #expect(found.damage.isCutShort && found.damage.unreadableBytes == 0)
        try writer.finish()
    }

    @Test("output that cannot be written is an error of the output", arguments: ["/dev/full", "/", "/nowhere/a.kvr"])
    func unwritable(path: String) throws {
        let error = #expect(throws: TraceError.self) { try writing(path) }
        #expect(error?.kind == .output)
        #expect(error?.location == path)
        #expect(error?.why.isEmpty == false)
    }

    @Test("a device is written as it is, and is still there when the trace is given up")
    func device() throws {
        try writing("/dev/null")
        let writer = try TraceWriter(path: "/dev/null", force: false, meta: TraceMeta())
        try writer.write(batch)
        writer.discard()
        #expect(FileManager.default.fileExists(atPath: "/dev/null"))
    }

    @Test("a trace goes through a pipe")
    func pipe() throws {
        let pipe = Pipe()
        try writing("/dev/fd/\(pipe.fileHandleForWriting.fileDescriptor)")
        try pipe.fileHandleForWriting.close()
        let found = try ReadTrace(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        #expect(found.batches.count == 1 && found.damage.isNone)
    }

    @Test(
        "what is no trace is refused with the reason",
        arguments: [
            ([], "the file is empty"),
            ([0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], "it is a packet capture, not a trace"),
            ([0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0], "it is a packet capture, not a trace"),
            ([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0], "it is a file compressed by zstd, not a trace"),
            ([0x1f, 0x8b, 8, 0], "it is a file compressed by gzip, not a trace"),
            (Array("hello, world: this is a text".utf8), "it is not a trace: it does not begin with KVREEL"),
        ] as [([UInt8], String)])
    func noTrace(bytes: [UInt8], why: String) throws {
        let folder = try TraceFolder()
        let path = try folder.write(bytes)
        let error = #expect(throws: TraceError.self) { try ReadTrace(path: path) }
        #expect(error?.kind == .input)
        #expect(error?.location == path)
        #expect(error?.why == why)
    }

    @Test("what cannot be opened is an error of the input", arguments: ["/nowhere/a.kvr", "/", "/dev/null/a.kvr"])
    func unreadable(path: String) throws {
        let error = #expect(throws: TraceError.self) { try ReadTrace(path: path) }
        #expect(error?.kind == .input)
        #expect(error?.location == path)
    }
}
