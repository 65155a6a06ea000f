import Etcd
import Foundation
import Recording
import TestSupport
import Testing
import Trace
import Wire

@Suite("Real recordings: their traces")
struct TraceOfCaptureLaws {
    private func decode(_ capture: RealCapture) throws -> Decoded {
        var limits = RecordingLimits()
        limits.batchOperations = 300
        return Decoded(try capture.packets(), limits: limits)
    }

    /// Writes the batches; returns the bytes written when each block was whole.
    private func write(_ decoded: Decoded, to path: String) throws -> [Int] {
        let writer = try TraceWriter(path: path, force: false, meta: TraceMeta())
        var ends: [Int] = []
        for batch in decoded.batches {
            try writer.write(batch)
            ends.append(Int(writer.bytesWritten))
        }
        try writer.finish()
        return ends
    }

    private func read(_ path: String) throws -> (batches: [OperationBatch], reader: TraceReader) {
        let reader = try TraceReader(path: path)
        var batches: [OperationBatch] = []
        var batch = OperationBatch()
        while try reader.next(into: &batch) { batches.append(batch) }
        return (batches, reader)
    }

    @Test("reads back as it was written, in every field", arguments: RealCapture.allCases)
    func lossless(_ capture: RealCapture) throws {
        let folder = try TemporaryFolder()
        let decoded = try decode(capture)
        #expect(decoded.batches.count > 1)
        _ = try write(decoded, to: folder.path("trace"))
        let (batches, reader) = try read(folder.path("trace"))
        #expect(reader.damage.isNone)
        #expect(batches.count == decoded.batches.count)
        for (found, expected) in zip(batches, decoded.batches) { #expect(unequal(found, expected) == nil) }
    }

    @Test("cut anywhere, it gives every block before the cut", arguments: [RealCapture.etcdctl, .netcraq], seeds(1))
    func cutting(_ capture: RealCapture, seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let decoded = try decode(capture)
        let ends = try write(decoded, to: folder.path("trace"))
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder.path("trace"))))
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let length = random.below(bytes.count)
            let path = try folder.write("cut", Array(bytes[..<length]))
            let whole = ends.filter { $0 <= length }.count
            guard let (batches, reader) = try? read(path) else {
                // Less than the first block, which says who recorded it, is no trace.
                #expect(length < 100, "cut at \(length)")
                continue
            }
            #expect(batches.count == whole, "cut at \(length)")
            #expect(reader.damage.isCutShort, "cut at \(length)")
            #expect(reader.damage.unreadableBytes + reader.summary.bytes == Int64(length), "cut at \(length)")
            for (found, expected) in zip(batches, decoded.batches) {
                let difference = unequal(found, expected)
                #expect(difference == nil, "cut at \(length)")
            }
        }
    }
}

/// The name of the first array in which the two differ; nil if they are equal in every field.
private func unequal(_ found: OperationBatch, _ expected: OperationBatch) -> String? {
    let parts: [(String, Bool)] = [
        ("operations", found.operations == expected.operations),
        ("parts", found.parts == expected.parts),
        ("compares", found.compares == expected.compares),
        ("key-values", found.keyValues == expected.keyValues),
        ("bytes of keys", found.keys.bytes == expected.keys.bytes),
        ("ends of keys", found.keys.ends == expected.keys.ends),
        ("bytes of texts", found.texts.bytes == expected.texts.bytes),
        ("ends of texts", found.texts.ends == expected.texts.ends),
        ("connections", found.connections == expected.connections),
        ("observed records", found.observed == expected.observed),
        ("health", found.health == expected.health),
    ]
    return parts.first { !$0.1 }?.0
}
