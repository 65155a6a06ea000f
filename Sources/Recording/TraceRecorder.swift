package import CaptureFiles
package import Etcd
package import Trace
import Wire

/// A recording on its way to a trace: packets in, full batches written as they come.
///
/// Each batch is shown to the caller's `seeing` as it is written, so that a summary needs no second pass.
package struct TraceRecorder: ~Copyable {
    package private(set) var pipeline: RecordingPipeline
    private let writer: TraceWriter
    private var writtenOperations = 0

    package init(pipeline: consuming RecordingPipeline, writer: TraceWriter) {
        self.pipeline = pipeline
        self.writer = writer
    }

    /// Operations of all kinds decoded so far.
    package var operationCount: Int { writtenOperations + pipeline.pendingOperations }

    /// What the source of the packets counted so far; goes into the trace with the next batch.
    package mutating func setCaptureHealth(_ health: RecordingHealth) { pipeline.captureHealth = health }

    /// Takes the next bytes of the key log that is followed.
    package mutating func receiveKeyLog(_ bytes: [UInt8]) { pipeline.receiveKeyLog(bytes.span) }

    /// The key log that is followed will not grow any more.
    package mutating func finishKeyLog() { pipeline.finishKeyLog() }

    /// Decodes the packets and writes what is full.
    package mutating func receive(
        _ packets: borrowing PacketBatch, seeing: (borrowing OperationBatch) -> Void
    ) throws(TraceError) {
        pipeline.receiveSecrets(of: packets)
        var index = 0
        while index < packets.packets.count {
            index = pipeline.receive(packets, from: index)
            if pipeline.isBatchFull { try flush(seeing: seeing) }
        }
    }

    /// Writes what is decoded, full or not: a live recording does so now and then, so that its trace is of use while
    /// it grows.
    package mutating func flush(seeing: (borrowing OperationBatch) -> Void) throws(TraceError) {
        writtenOperations += pipeline.pendingOperations
        let writer = writer
        try pipeline.takeBatch { (batch) throws(TraceError) in
            seeing(batch)
            try writer.write(batch)
        }
    }

    /// The packets are over: everything that is held is decoded, and written where it fills more than a batch. The
    /// owner then flushes, and ends or discards the trace.
    package mutating func endInput(seeing: (borrowing OperationBatch) -> Void) throws(TraceError) {
        while !pipeline.finish() { try flush(seeing: seeing) }
    }
}
