import Dispatch
import Foundation
import Synchronization
package import Wire

/// Reads capture files on a thread of its own, a few batches ahead of who decodes them.
///
/// Batches come in the order and with the content that `CaptureReader` gives them, and so do its counts: `state` is
/// that of the batch that was handed out last, whatever the thread has read since. For regular files; a pipe is better
/// read by who wants to know that it brings nothing.
package final class ReadAhead: Sendable {
    /// What is known of the input when a batch was read.
    package struct State: Sendable {
        package var health = CaptureHealth()
        package var finishedFiles: [CaptureReader.FileHealth] = []
        package var openFile: CaptureReader.FileHealth?
        package var bytesRead = 0

        /// The health of each file.
        package var fileHealth: [CaptureReader.FileHealth] { finishedFiles + (openFile.map { [$0] } ?? []) }
    }

    /// Batches that are read, wait or are decoded: one each, and one in reserve.
    private static let batches = 4

    /// The regular files that are read, and their bytes, as `CaptureReader` names them.
    package let regularFiles: [FileIdentity]
    package let totalBytes: Int?
    private let exchange: Exchange
    private let latest = Mutex(State())

    /// Begins to read the files as a `CaptureReader` would, which also says what is thrown. Nil, and nothing is read,
    /// if one of them is a pipe.
    package init?(paths: [String], limits: CaptureLimits = CaptureLimits()) throws(CaptureError) {
        // The thread has a reader of its own: one that was made here could not be handed to it.
        let examined = try CaptureReader(paths: paths, limits: limits)
        if examined.hasStreams { return nil }
        regularFiles = examined.regularFiles
        totalBytes = examined.totalBytes
        let exchange = Exchange()
        self.exchange = exchange
        for _ in 1..<Self.batches {
            var batch = PacketBatch()
            exchange.giveBack(&batch)
        }
        Thread.detachNewThread { exchange.read(paths, limits) }
    }

    deinit { exchange.close() }

    /// What is known of the input up to the batch that `next` gave last.
    package var state: State { latest.withLock { $0 } }

    /// The next packets, in place of those in the batch. False at the end.
    package func next(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        exchange.giveBack(&batch)
        let filled = exchange.take(&batch)
        latest.withLock { $0 = filled.state }
        if let failure = filled.failure { throw failure }
        return !filled.isEnd
    }

    /// What the two threads hand each other.
    private final class Exchange: Sendable {
        struct Filled {
            var batch = PacketBatch()
            var state = State()
            var isEnd = false
            var failure: CaptureError?
        }

        private struct Content {
            var filled: [Filled] = []
            var empty: [PacketBatch] = []
            var isClosed = false
        }

        private let content = Mutex(Content())
        private let filledCount = DispatchSemaphore(value: 0)
        private let emptyCount = DispatchSemaphore(value: 0)

        // Batches are swapped in and out, so that nobody is left with a second reference, which would make whoever
        // fills the batch next do so in memory of its own.

        func giveBack(_ batch: inout PacketBatch) {
            content.withLock { content in
                content.empty.append(PacketBatch())
                swap(&content.empty[content.empty.count - 1], &batch)
            }
            emptyCount.signal()
        }

        /// What is next, with its packets in `batch`, which is empty.
        func take(_ batch: inout PacketBatch) -> Filled {
            filledCount.wait()
            return content.withLock { content in
                swap(&content.filled[0].batch, &batch)
                // The end stays: whoever asks again gets it again.
                if content.filled[0].isEnd {
                    filledCount.signal()
                    return content.filled[0]
                }
                return content.filled.removeFirst()
            }
        }

        func close() {
            content.withLock { $0.isClosed = true }
            emptyCount.signal()
        }

        // MARK: The thread

        func read(_ paths: [String], _ limits: CaptureLimits) {
            var filled = Filled()
            do throws(CaptureError) {
                try read(CaptureReader(paths: paths, limits: limits), &filled)
            } catch {
                filled.failure = error
                put(&filled)
            }
            // Behind a failure comes the end.
            filled.failure = nil
            filled.isEnd = true
            put(&filled)
        }

        /// Until the end, a failure, or nobody wants more.
        private func read(_ reader: consuming CaptureReader, _ filled: inout Filled) throws(CaptureError) {
            while takeEmpty(&filled.batch) {
                var isMore = false
                defer {
                    filled.state = State(
                        health: reader.health, finishedFiles: reader.finishedFiles, openFile: reader.openFile,
                        bytesRead: reader.bytesRead)
                    if isMore { put(&filled) }
                }
                isMore = try reader.next(into: &filled.batch)
                if !isMore { return }
            }
        }

        /// Waits for a batch that may be filled; false when none is wanted.
        private func takeEmpty(_ batch: inout PacketBatch) -> Bool {
            emptyCount.wait()
            return content.withLock { content in
                guard !content.isClosed, !content.empty.isEmpty else { return false }
                swap(&content.empty[content.empty.count - 1], &batch)
                content.empty.removeLast()
                return true
            }
        }

        private func put(_ filled: inout Filled) {
            content.withLock { content in
                content.filled.append(Filled(state: filled.state, isEnd: filled.isEnd, failure: filled.failure))
                swap(&content.filled[content.filled.count - 1].batch, &filled.batch)
            }
            filledCount.signal()
        }
    }
}
