import Etcd
import Foundation
import Trace

/// A folder for a test's files, removed with it.
final class TraceFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/kvreel-trace-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and names its path.
    func write(_ bytes: [UInt8], to name: String = "trace.kvr") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func bytes(of name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }
}

/// What a reader makes of a file.
struct ReadTrace {
    var batches: [OperationBatch] = []
    var meta: TraceMeta
    var damage: TraceDamage
    var summary: TraceSummary

    init(path: String) throws(TraceError) {
        let reader = try TraceReader(path: path)
        var batch = OperationBatch()
        while try reader.next(into: &batch) { batches.append(batch) }
        meta = reader.meta
        damage = reader.damage
        summary = reader.summary
    }
}

/// A trace of several blocks, with the bytes of its parts.
struct SampleTrace {
    let batches: [OperationBatch]
    let bytes: [UInt8]
    /// Where blocks begin: meta, one for each batch, index; and where the last ends.
    let offsets: [Int]

    init(in folder: TraceFolder, batches: [OperationBatch]) throws {
        self.batches = batches
        var meta = TraceMeta()
        meta.tool = "kvreel test"
        meta.captures = ["monday.pcap", "tuesday.pcap"]
        let writer = try TraceWriter(path: folder.file("sample.kvr"), force: true, meta: meta)
        var offsets = [16]
        for (index, batch) in batches.enumerated() {
            try writer.write(batch)
            if index == 0 { offsets.append(Self.end(of: 16, in: try folder.bytes(of: "sample.kvr"))) }
            offsets.append(Int(writer.bytesWritten))
        }
        try writer.finish()
        bytes = try folder.bytes(of: "sample.kvr")
        offsets.append(bytes.count - 24)
        self.offsets = offsets
    }

    private static func end(of offset: Int, in bytes: [UInt8]) -> Int {
        let length = bytes[(offset + 16)..<(offset + 20)].reversed().reduce(0) { $0 << 8 | Int($1) }
        return offset + 56 + length
    }
}
