import Analysis
import Etcd
import Trace

/// What holds for every batch of operations, whoever made it.
enum BatchLaws {
    /// Everything that a batch names by number is in it.
    static func checkReferences(_ batch: borrowing OperationBatch) throws(BrokenLaw) {
        let keys = UInt32(batch.keys.count)
        for operation in batch.operations {
            try BrokenLaw.unless(
                operation.key <= keys && operation.methodText <= batch.texts.count
                    && operation.errorText <= batch.texts.count, "keys and texts are the batch's", "\(operation)")
            try BrokenLaw.unless(
                operation.parts.range.upperBound <= batch.parts.count
                    && operation.events.range.upperBound <= batch.keyValues.count, "slices lie in the batch",
                "\(operation)")
            try check(operation.body, of: batch)
        }
        try BrokenLaw.unless(
            batch.replays.isEmpty || batch.replays.count == batch.operations.count,
            "a replay has a record for each operation", "\(batch.replays.count) of \(batch.operations.count)")
        for part in batch.parts { try check(part, of: batch) }
        for compare in batch.compares {
            try BrokenLaw.unless(
                compare.key <= keys && compare.rangeEnd <= keys, "keys are the batch's", "\(compare)")
        }
        for record in batch.keyValues {
            try BrokenLaw.unless(record.key <= keys, "keys are the batch's", "\(record)")
        }
        for record in batch.observed {
            try BrokenLaw.unless(record.key <= keys && record.rangeEnd <= keys, "keys are the batch's", "\(record)")
        }
        for record in batch.connections {
            try BrokenLaw.unless(
                max(record.client, record.server, record.userAgent) <= batch.texts.count, "texts are the batch's",
                "\(record)")
        }
    }

    private static func check(_ body: RequestOp, of batch: borrowing OperationBatch) throws(BrokenLaw) {
        try BrokenLaw.unless(
            body.key <= batch.keys.count && body.rangeEnd <= batch.keys.count, "keys are the batch's", "\(body)")
        try BrokenLaw.unless(
            body.keyValues.range.upperBound <= batch.keyValues.count
                && body.compares.range.upperBound <= batch.compares.count, "slices lie in the batch", "\(body)")
    }

    /// Both ways between batches and blocks; one for all batches of an input, as each has memory of zstd's.
    struct Codec: ~Copyable {
        var encoder = BlockEncoder(level: 0)
        var decoder = BlockDecoder()
        var block: [UInt8] = []
        var batch = OperationBatch()
    }

    /// A block of the batch reads as the batch.
    static func checkRoundTrip(_ batch: borrowing OperationBatch, _ codec: inout Codec) throws(BrokenLaw) {
        codec.block.removeAll(keepingCapacity: true)
        let isWritten = codec.encoder.encode(batch, number: 0, into: &codec.block)
        try BrokenLaw.unless(isWritten, "a small batch fits a block", "it does not")
        let isRead = codec.decoder.decode(block: codec.block, into: &codec.batch)
        try BrokenLaw.unless(isRead, "what was written can be read", "it cannot")
        if let difference = difference(codec.batch, batch) {
            throw BrokenLaw(law: "what was written reads the same", found: difference)
        }
    }

    /// Counting the batches neither traps nor contradicts itself. `isShown`: the report is written and rendered too,
    /// which takes longer than all else.
    static func checkAnalysis(
        _ analysis: borrowing WorkloadAnalysis, requests: Int, isShown: Bool
    ) throws(BrokenLaw) {
        let report = analysis.result()
        try BrokenLaw.unlessEqual(report.coverage.requests, requests, "requests are the calls that began inside")
        if !isShown { return }
        var json = JSONWriter(style: .pretty)
        report.write(to: &json)
        try BrokenLaw.unless(!json.bytes.isEmpty, "a report can be written", "nothing was")
        try BrokenLaw.unless(!TextReport(report).render().isEmpty, "a report can be shown", "nothing was")
    }

    /// Calls of the batch that began inside the recording.
    static func requests(_ batch: borrowing OperationBatch) -> Int {
        batch.operations.count { $0.role == .call && !$0.completeness.contains(.openedBefore) }
    }
}
