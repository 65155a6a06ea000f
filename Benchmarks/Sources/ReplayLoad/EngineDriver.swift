import CLinux
import Etcd
package import Replay

/// The engine as a backend drives it, with its trace.
package final class EngineDriver: StoreDriver {
    private var engine: ReplayEngine
    private let writer: BatchWriter
    private var batch = OperationBatch()
    private var isStarted = false
    private var begun: UInt64 = 0

    package init(_ engine: consuming ReplayEngine, _ writer: BatchWriter) {
        self.engine = engine
        self.writer = writer
    }

    package func turn(at now: Int64) {
        if !isStarted {
            isStarted = true
            begun = clinux_thread_time()
            engine.start(at: now, epoch: 1_700_000_000_000_000_000)
        }
        engine.advance(to: now)
    }

    package func next(into request: inout StoreRequest) -> Bool { engine.next(into: &request) }

    package func receive(_ answer: borrowing StoreAnswer) {
        if engine.receive(answer) { takeBatch() }
    }

    package func exchange(
        _ request: inout StoreRequest, _ answer: inout StoreAnswer,
        reply: (borrowing StoreRequest, inout StoreAnswer) -> Void
    ) -> Bool {
        let hasNext = engine.exchange(&request, &answer, reply: reply)
        if engine.isBatchFull { takeBatch() }
        return hasNext
    }

    package var nextDue: Int64 { engine.nextDue }
    package var isDone: Bool { engine.isDone }

    private func takeBatch() {
        engine.takeBatch(&batch)
        if !batch.operations.isEmpty { writer.hand(over: &batch) }
    }

    /// Nanoseconds of the calling thread, which ran the engine, since the first turn.
    package var processorTime: UInt64 { clinux_thread_time() - begun }

    /// Ends the run: compared calls, those of them with the recorded outcome, and how late calls were sent.
    package func finish() -> (compared: Int64, same: Int64, sendLag: TimeHistogram) {
        engine.finish()
        takeBatch()
        return (engine.fidelity.compared, engine.fidelity.same, engine.sendLag)
    }
}
