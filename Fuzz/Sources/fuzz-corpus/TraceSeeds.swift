import CaptureFiles
import Foundation
import Recording
import Trace
import Wire

/// Small traces of a recording, not compressed, so that changes reach what is in the blocks.
enum TraceSeeds {
    /// Hands on at most `most` traces, of a few operations each.
    static func make(
        of packets: [SeedCutter.Packet], most: Int, _ body: ([UInt8]) throws -> Void
    ) throws {
        var batch = PacketBatch()
        for packet in packets {
            let start = batch.storage.count
            batch.storage += packet.bytes
            batch.packets.append(
                CapturedPacket(
                    time: packet.time, bytes: start..<batch.storage.count, originalLength: packet.bytes.count,
                    linkType: packet.linkType, interface: 0))
        }
        var limits = RecordingLimits()
        limits.batchOperations = 6
        var pipeline = RecordingPipeline(ports: [2379], limits: limits)
        var index = 0
        var made = 0
        var isFinished = packets.isEmpty
        while made < most, !isFinished {
            index = pipeline.receive(batch, from: index)
            if index == batch.packets.count { isFinished = pipeline.finish() }
            try body(trace(of: &pipeline))
            made += 1
        }
    }

    private static func trace(of pipeline: inout RecordingPipeline) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appending(path: "kvreel-seed-\(UUID().uuidString).kvr")
        defer { try? FileManager.default.removeItem(at: file) }
        var meta = TraceMeta()
        meta.tool = "fuzz-corpus"
        let writer = try TraceWriter(path: file.path(), force: false, meta: meta, level: 0)
        try pipeline.takeBatch { try writer.write($0) }
        try writer.finish()
        return try [UInt8](Data(contentsOf: file))
    }
}
