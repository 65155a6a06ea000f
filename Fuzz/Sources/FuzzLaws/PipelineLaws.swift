import Analysis
import CaptureFiles
import Etcd
import Recording
import Trace
import Wire

/// The whole line: the input is a capture file, which is decoded to batches, written, read back and analysed.
enum PipelineLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        var batch = PacketBatch()
        batch.storage = bytes.copied()
        var parser = CaptureParser()
        parser.finish(0..<bytes.count, of: &batch)
        var dice = InputDice(bytes)
        var codec = BatchLaws.Codec()
        let whole = try decode(batch, limits: RecordingLimits(), &codec, isShown: dice.oneIn(16))
        guard dice.oneIn(4) else { return }
        // Batches of a few operations: what is in them must not depend on when they are taken.
        var limits = RecordingLimits()
        limits.batchOperations = 3
        let pieces = try decode(batch, limits: limits, &codec, isShown: false)
        try BrokenLaw.unlessEqual(pieces.requests, whole.requests, "requests do not depend on when batches are taken")
        try BrokenLaw.unlessEqual(
            pieces.operations, whole.operations, "operations do not depend on when batches are taken")
        try BrokenLaw.unlessEqual(pieces.health, whole.health, "health does not depend on when batches are taken")
    }

    private struct Outcome {
        var operations = 0
        var requests = 0
        var health = RecordingHealth()
    }

    private static func decode(
        _ packets: borrowing PacketBatch, limits: RecordingLimits, _ codec: inout BatchLaws.Codec, isShown: Bool
    ) throws(BrokenLaw) -> Outcome {
        var pipeline = RecordingPipeline(ports: [2379], limits: limits)
        var analysis = WorkloadAnalysis()
        var outcome = Outcome()

        func take() throws(BrokenLaw) {
            try pipeline.takeBatch { (batch) throws(BrokenLaw) in
                outcome.operations += batch.operations.count
                outcome.requests += BatchLaws.requests(batch)
                outcome.health = batch.health
                try BatchLaws.checkReferences(batch)
                try BatchLaws.checkRoundTrip(batch, &codec)
                analysis.add(batch)
            }
        }

        var index = 0
        while index < packets.packets.count {
            index = pipeline.receive(packets, from: index)
            if pipeline.isBatchFull { try take() }
        }
        while !pipeline.finish() { try take() }
        try take()
        let health = outcome.health
        try BrokenLaw.unlessEqual(health[.packets], Int64(packets.packets.count), "every packet is counted")
        try BrokenLaw.unless(
            Int64(outcome.requests) <= health[.frames], "a request has a frame at least",
            "\(outcome.requests) of \(health[.frames])")
        for field in RecordingHealth.Field.allCases {
            try BrokenLaw.unless(health[field] >= 0, "counts are no less than nothing", "\(field) \(health[field])")
        }
        try BatchLaws.checkAnalysis(analysis, requests: outcome.requests, isShown: isShown)
        return outcome
    }
}
