package import CaptureFiles
package import Etcd
package import Trace
import Wire

/// A recording on its way to a trace: packets in, full batches written as they come.
///
/// One recording may fill several traces, its parts, one after the other: see `endPart`.
///
/// Each batch is shown to the caller's `seeing` as it is written, so that a summary needs no second pass.
package struct TraceRecorder: ~Copyable {
    package private(set) var pipeline: RecordingPipeline
    private var writer: TraceWriter
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

    /// Takes the secrets that come with packets, before the first of them is decoded.
    package mutating func receiveSecrets(of packets: borrowing PacketBatch) { pipeline.receiveSecrets(of: packets) }

    /// Decodes packets, from number `first` to the one before `end`, until a batch is full, and then writes that.
    ///
    /// Returns the number of the first packet that was not decoded to its end; `end` when all were.
    package mutating func receive(
        _ packets: borrowing PacketBatch, from first: Int, to end: Int, seeing: (borrowing OperationBatch) -> Void
    ) throws(TraceError) -> Int {
        let index = pipeline.receive(packets, from: first, to: end)
        if pipeline.isBatchFull { try flush(seeing: seeing) }
        return index
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

    /// Writes what is decoded and finishes the trace: the recording goes on in another one, see `beginPart`. Calls that
    /// are open now will be in the trace in which they end.
    package mutating func endPart(seeing: (borrowing OperationBatch) -> Void) throws(TraceError) {
        writtenOperations += pipeline.pendingOperations
        let writer = writer
        try pipeline.takeBatch(endsPart: true) { (batch) throws(TraceError) in
            seeing(batch)
            try writer.write(batch)
        }
        try writer.finish()
    }

    /// What comes from now on goes to `writer`; to be called after `endPart`.
    package mutating func beginPart(_ writer: TraceWriter) { self.writer = writer }

    /// The packets are over: everything that is held is decoded, and written where it fills more than a batch. The
    /// owner then flushes, and ends or discards the trace.
    package mutating func endInput(seeing: (borrowing OperationBatch) -> Void) throws(TraceError) {
        while !pipeline.finish() { try flush(seeing: seeing) }
    }
}
