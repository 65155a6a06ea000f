import Dispatch
import Synchronization

/// Packets on their way from the thread that takes them to the one that decodes them: batches in order, bounded.
///
/// One thread offers, one takes. The lock is held for the exchange of two batches, never while packets are copied or
/// decoded. Nothing is allocated once every batch was in use.
package final class PacketRing: Sendable {
    private let state: Mutex<State>
    private let arrival = DispatchSemaphore(value: 0)
    private let room = DispatchSemaphore(value: 0)

    private struct State {
        /// `waiting[first]`, and the `count - 1` behind it, in a circle.
        var waiting: [PacketBatch]
        var first = 0
        var count = 0
        /// Emptied batches: the last one is used first, since it is still in the processor's cache.
        var spare: [PacketBatch] = []
        var dropped: UInt64 = 0
        var isReaderWaiting = false
        var isWriterWaiting = false
        var isEnded = false
        var isClosed = false
        var failure: CaptureError?
    }

    /// A ring for about `bytes` of packets: whole batches of `PacketBatch.fullBytes`, at least two.
    package init(bytes: Int) {
        let slots = max(2, bytes / PacketBatch.fullBytes)
        state = Mutex(State(waiting: Array(repeating: PacketBatch(), count: slots)))
    }

    /// Packets that came while the ring was full.
    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Whether nobody takes any more.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    // MARK: The thread that offers

    /// Takes the batch over and leaves an empty one, if the batch is full or the reader has nothing to do.
    ///
    /// Otherwise it stays as it is, to be filled further: few large batches use the ring better than many small ones. A
    /// full batch for which there is no room is dropped, and its packets are counted.
    package func offer(_ batch: inout PacketBatch) {
        if batch.packets.isEmpty { return }
        let isFull = batch.isFull
        let wakesReader = state.withLock { state in
            guard isFull || state.count == 0 else { return false }
            if state.count < state.waiting.count { return Self.append(&batch, to: &state) }
            state.dropped += UInt64(batch.packets.count)
            batch.removeAll()
            return false
        }
        if wakesReader { arrival.signal() }
    }

    /// As `offer`, but waits for room, and hands over batches that are not full as well. Drops only when closed.
    package func put(_ batch: inout PacketBatch) {
        while !batch.packets.isEmpty {
            let (isDone, wakesReader) = state.withLock { state in
                if state.isClosed {
                    state.dropped += UInt64(batch.packets.count)
                    batch.removeAll()
                    return (true, false)
                }
                state.isWriterWaiting = state.count == state.waiting.count
                if state.isWriterWaiting { return (false, false) }
                return (true, Self.append(&batch, to: &state))
            }
            if wakesReader { arrival.signal() }
            if !isDone { room.wait() }
        }
    }

    /// No more packets will come, because of `failure` if there was one.
    package func end(_ failure: CaptureError? = nil) {
        let wakesReader = state.withLock { state in
            state.isEnded = true
            state.failure = failure
            return Self.noteReaderWoken(&state)
        }
        if wakesReader { arrival.signal() }
    }

    /// Whether the reader must be woken.
    private static func append(_ batch: inout PacketBatch, to state: inout State) -> Bool {
        let place = (state.first + state.count) % state.waiting.count
        swap(&state.waiting[place], &batch)
        state.count += 1
        if let spare = state.spare.popLast() { batch = spare }
        return noteReaderWoken(&state)
    }

    private static func noteReaderWoken(_ state: inout State) -> Bool {
        defer { state.isReaderWaiting = false }
        return state.isReaderWaiting
    }

    // MARK: The thread that takes

    /// Replaces the batch by the oldest one in the ring; waits for it up to `milliseconds`, and leaves the batch empty
    /// if none comes. False, after the last one, when no more will come; throws then what ended them.
    package func next(into batch: inout PacketBatch, milliseconds: Int) throws(CaptureError) -> Bool {
        batch.removeAll()
        if try take(into: &batch) { return true }
        _ = arrival.wait(timeout: .now() + .milliseconds(milliseconds))
        if try take(into: &batch) { return true }
        return state.withLock { !$0.isEnded || $0.count > 0 || $0.failure != nil }
    }

    /// False if there is nothing, and notes that the reader waits.
    private func take(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        let (isTaken, wakesWriter, failure) = state.withLock { state -> (Bool, Bool, CaptureError?) in
            guard state.count > 0 else {
                state.isReaderWaiting = !state.isEnded
                defer { state.failure = nil }
                return (false, false, state.failure)
            }
            let emptied = batch
            batch = PacketBatch()
            state.spare.append(emptied)
            swap(&state.waiting[state.first], &batch)
            state.first = (state.first + 1) % state.waiting.count
            state.count -= 1
            defer { state.isWriterWaiting = false }
            return (true, state.isWriterWaiting, nil)
        }
        if wakesWriter { room.signal() }
        if let failure { throw failure }
        return isTaken
    }

    /// Nobody will take any more: `put` does not wait from now on.
    package func close() {
        let wakesWriter = state.withLock { state in
            state.isClosed = true
            defer { state.isWriterWaiting = false }
            return state.isWriterWaiting
        }
        if wakesWriter { room.signal() }
    }
}
