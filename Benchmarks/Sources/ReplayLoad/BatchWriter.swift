import CLinux
package import Etcd
import Foundation
import Synchronization
import Trace

/// Writes batches to a trace that goes nowhere, on a thread of its own, as `kvreel replay` does.
package final class BatchWriter: Sendable {
    private struct State: Sendable {
        var full: [OperationBatch] = []
        var spare: [OperationBatch] = []
        var isClosed = false
        var hasEnded = false
        var written: Int64 = 0
        var bytes: Int64 = 0
        var processorTime: UInt64 = 0
    }

    private let state = Mutex(State())
    private let condition = NSCondition()
    /// As many as may wait in `kvreel replay`.
    private static let batches = 64

    package init() {
        let thread = Thread { [self] in work() }
        thread.name = "trace writer"
        thread.start()
    }

    /// Takes a batch, and gives an empty one for it.
    package func hand(over batch: inout OperationBatch) {
        condition.lock()
        while state.withLock({ $0.full.count >= Self.batches }) { condition.wait() }
        var spare = state.withLock { $0.spare.popLast() } ?? OperationBatch()
        swap(&spare, &batch)
        state.withLock { [spare] in $0.full.append(spare) }
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until all is written: operations, bytes, and nanoseconds of processor time.
    package func finish() -> (operations: Int64, bytes: Int64, processorTime: UInt64) {
        condition.lock()
        defer { condition.unlock() }
        state.withLock { $0.isClosed = true }
        condition.broadcast()
        while !state.withLock({ $0.hasEnded }) { condition.wait() }
        return state.withLock { ($0.written, $0.bytes, $0.processorTime) }
    }

    private func work() {
        do throws(TraceError) {
            let writer = try TraceWriter(path: "/dev/null", force: true, meta: TraceMeta())
            while var batch = next() {
                try writer.write(batch)
                batch.removeAll()
                state.withLock { [batch] in $0.spare.append(batch) }
            }
            try writer.finish()
            state.withLock {
                $0.written = writer.operationsWritten
                $0.bytes = writer.bytesWritten
            }
        } catch { print("the trace could not be written") }
        condition.lock()
        state.withLock {
            $0.processorTime = clinux_thread_time()
            $0.hasEnded = true
        }
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> OperationBatch? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let (batch, isClosed) = state.withLock { state in
                (state.full.isEmpty ? nil : state.full.removeFirst(), state.isClosed)
            }
            if let batch {
                condition.broadcast()
                return batch
            }
            if isClosed { return nil }
            condition.wait()
        }
    }
}
