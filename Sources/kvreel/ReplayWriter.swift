import Analysis
import ChainRuntime
import Etcd
import Foundation
import Replay
import Report
import Synchronization
import Trace

/// Writes the batches of a replay to its trace and adds them up, on a thread of its own: the engine's thread has
/// sending to do.
final class ReplayWriter: Sendable {
    private struct Queue: Sendable {
        var full: [OperationBatch] = []
        var spare: [OperationBatch] = []
        var isClosed = false
    }

    /// What only the writing thread touches, until it has ended.
    private struct Output {
        var writer: TraceWriter?
        var summary: RunSummary
        /// For verification; nil where none was asked for.
        var history: TraceHistory?
        var failure: TraceError?
    }

    private let queue = Mutex(Queue())
    private let output: Mutex<Output>
    /// Of a replay in shards: which calls are not this one's alone.
    private let shard: PlannedShard?
    private let condition = NSCondition()
    private let hasFailed = Atomic<Bool>(false)
    private let thread = Mutex<RunningThread?>(nil)
    /// Batches that may wait: some seconds of a busy replay. When the disk is slower than that, the engine waits, and
    /// its send lag shows it.
    private static let batches = 64

    /// - Parameters:
    ///   - writer: nil to add up only.
    ///   - history: takes what clients were told; nil where nobody will ask for it.
    init(_ writer: sending TraceWriter?, summary: RunSummary, history: TraceHistory?, shard: PlannedShard?) {
        self.shard = shard
        output = Mutex(Output(writer: writer, summary: summary, history: history))
        let thread = RunningThread("trace writer") { [self] in work() }
        self.thread.withLock { $0 = thread }
    }

    /// Whether the trace could not be written: nothing more will be.
    var isFailed: Bool { hasFailed.load(ordering: .acquiring) }

    /// Takes a batch, and gives an empty one for it.
    func hand(over batch: inout OperationBatch) {
        condition.lock()
        while queue.withLock({ $0.full.count >= Self.batches }) { condition.wait() }
        var spare = queue.withLock { $0.spare.popLast() } ?? OperationBatch()
        swap(&spare, &batch)
        queue.withLock { [spare] in $0.full.append(spare) }
        condition.broadcast()
        condition.unlock()
    }

    /// What clients were told, of all batches that were handed over; nil where it was not collected. To be called once,
    /// after the last batch.
    func takeHistory() -> TraceHistory? {
        close()
        return output.withLock { output in
            defer { output.history = nil }
            return output.history
        }
    }

    /// Writes what is left, sets the trace's description and ends it; what all batches add up to, and why the trace
    /// does not hold that.
    func finish(_ meta: TraceMeta) -> (summary: RunSummary, failure: TraceError?) {
        close()
        return output.withLock { output in
            output.summary.meta = meta
            output.writer?.meta = meta
            if output.failure == nil {
                do throws(TraceError) { try output.writer?.finish() } catch { output.failure = error }
            }
            return (output.summary, output.failure)
        }
    }

    /// Gives the trace up: nothing was replayed.
    func abandon() {
        close()
        output.withLock { $0.writer?.discard() }
    }

    private func close() {
        condition.lock()
        queue.withLock { $0.isClosed = true }
        condition.broadcast()
        condition.unlock()
        thread.withLock { $0 }?.join()
    }

    private func work() {
        while var batch = next() {
            output.withLock { output in
                output.summary.add(batch)
                output.history?.add(batch) { shard?.isCrossing(number: $0) ?? false }
                guard output.failure == nil else { return }
                do throws(TraceError) {
                    try output.writer?.write(batch)
                } catch {
                    output.failure = error
                    hasFailed.store(true, ordering: .releasing)
                }
            }
            batch.removeAll()
            queue.withLock { [batch] in $0.spare.append(batch) }
        }
    }

    private func next() -> OperationBatch? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let (batch, isClosed) = queue.withLock { queue in
                (queue.full.isEmpty ? nil : queue.full.removeFirst(), queue.isClosed)
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
