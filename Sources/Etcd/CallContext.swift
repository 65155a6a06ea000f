import Wire

/// What all connections of a recording share while their calls are read: the batch that is being filled, the pool of
/// open calls, counters and limits.
///
/// The caller takes `output.batch` when it likes, empties it and goes on; open calls do not refer to it.
package struct CallContext {
    package var output: CallOutput
    var limits: CallLimits { output.limits }

    var calls: [PendingCall] = []
    private var freeSlots: [Int32] = []
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// Calls that are open, and the bytes that they hold.
    package private(set) var openCalls = 0
    package private(set) var heldBytes = 0
    /// Bytes of memory of slots that no call has.
    private var idleBytes = 0

    /// Calls that wait for the name of their method, and those of them that were evicted.
    private(set) var waitingCalls = 0
    /// Memory for the streams of a connection that is over.
    private var streams: [(stream: UInt32, slot: Int)] = []

    package init(limits: CallLimits = CallLimits()) {
        output = CallOutput(limits: limits)
    }

    // MARK: - Memory to work in

    /// An array for the streams of a connection, to be given back.
    mutating func takeStreams() -> [(stream: UInt32, slot: Int)] {
        var taken: [(stream: UInt32, slot: Int)] = []
        swap(&taken, &streams)
        return taken
    }

    mutating func giveBack(_ array: inout [(stream: UInt32, slot: Int)]) {
        if array.capacity <= 4096 { swap(&array, &streams) }
    }

    // MARK: - The pool

    /// Bytes of memory that most calls have: not worth counting as long as the call holds no more.
    private static let uncountedBytes = 2048

    /// A slot for a new call, the newest of all.
    mutating func open(connection: UInt32, stream: UInt32) -> Int {
        if openCalls >= limits.openCalls { evictCalls() }
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = Int(free)
        } else {
            slot = calls.count
            calls.append(PendingCall())
        }
        var kept = calls[slot].accountedBytes
        idleBytes -= kept
        if kept > Self.uncountedBytes, heldBytes + kept > limits.heldBytes {
            // What an ended call left is no reason to give up one that is open.
            calls[slot] = PendingCall()
            kept = 0
        }
        calls[slot].reset(connection: connection, stream: stream)
        if kept > Self.uncountedBytes {
            heldBytes += kept
            calls[slot].accountedBytes = kept
        }
        calls[slot].older = newest
        if newest >= 0 { calls[Int(newest)].newer = Int32(slot) } else { oldest = Int32(slot) }
        newest = Int32(slot)
        openCalls += 1
        return slot
    }

    /// Whether the slot still holds that call: it may have been evicted.
    func holds(_ slot: Int, connection: UInt32, stream: UInt32) -> Bool {
        calls[slot].connection == connection && calls[slot].stream == stream
    }

    /// Frees the slot of a call that was emitted.
    private mutating func close(_ slot: Int) {
        let (older, newer) = (calls[slot].older, calls[slot].newer)
        if older >= 0 { calls[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { calls[Int(newer)].older = older } else { newest = older }
        heldBytes -= calls[slot].accountedBytes
        calls[slot].stream = 0
        if calls[slot].heldRequest.capacity > 0 { output.memory.takeBack(&calls[slot].heldRequest) }
        if calls[slot].heldResponse.capacity > 0 { output.memory.takeBack(&calls[slot].heldResponse) }
        // The memory is kept for the next call, as long as it is little in all.
        let capacity = calls[slot].capacityBytes()
        if idleBytes + capacity <= limits.idleBytes {
            idleBytes += capacity
            calls[slot].accountedBytes = capacity
        } else {
            calls[slot] = PendingCall()
        }
        openCalls -= 1
        freeSlots.append(Int32(slot))
    }

    /// Counts what the call holds by now. May evict it, or others.
    mutating func account(_ slot: Int) {
        recount(slot)
        if heldBytes > limits.heldBytes { evictBytes() }
    }

    private mutating func recount(_ slot: Int) {
        let count = calls[slot].capacityBytes()
        heldBytes += count - calls[slot].accountedBytes
        calls[slot].accountedBytes = count
    }

    /// Makes room for an eighth of the calls: the oldest of which nothing more is sent, then the oldest of all.
    private mutating func evictCalls() {
        var wanted = max(1, limits.openCalls / 8)
        for mayBeSending in [false, true] where wanted > 0 {
            var slot = Int(oldest)
            while slot >= 0, wanted > 0 {
                let newer = Int(calls[slot].newer)
                if mayBeSending || calls[slot].marks.contains(.requestEnded)
                    || calls[slot].marks.contains(.responseEnded)
                {
                    evict(slot)
                    wanted -= 1
                }
                slot = newer
            }
        }
    }

    /// Brings the held bytes to three quarters of the limit, the oldest calls that hold more than their share first.
    private mutating func evictBytes() {
        let aim = limits.heldBytes / 4 * 3
        let share = heldBytes / (2 * max(1, openCalls))
        var slot = Int(oldest)
        while slot >= 0, heldBytes > aim {
            let newer = Int(calls[slot].newer)
            if calls[slot].accountedBytes >= share {
                // Better to count the messages than to lose the call, and better to lose memory than either.
                if calls[slot].marks.contains(.deferring) { calls[slot].stopDeferring(&output) }
                let before = calls[slot].accountedBytes
                calls[slot].trim()
                recount(slot)
                if calls[slot].accountedBytes > before / 2 { evict(slot) }
            }
            slot = newer
        }
    }

    private mutating func evict(_ slot: Int) {
        // One that has ended and only waits for late bytes loses nothing that was seen.
        if calls[slot].endedAt == Operation.absent { output.health.streamsEvicted += 1 }
        emit(slot, begunInside: calls[slot].marks.contains(.begunInside))
    }

    /// Keeps a call that is over until its method is known. False, and the call is the caller's to emit, if too many
    /// are kept.
    mutating func park(_ slot: Int, begunInside: Bool, at time: Int64) -> Bool {
        guard waitingCalls < limits.waitingCalls else { return false }
        waitingCalls += 1
        calls[slot].marks.insert(.awaitingName)
        if begunInside { calls[slot].marks.insert(.begunInside) }
        if calls[slot].endedAt == Operation.absent { calls[slot].endedAt = time }
        account(slot)
        return true
    }

    /// So many calls do not wait any longer.
    mutating func unpark(_ count: Int) { waitingCalls -= count }

    // MARK: - Emitting

    /// Writes the call's operations into the batch, and frees its slot.
    mutating func emit(_ slot: Int, begunInside: Bool) {
        calls[slot].emit(begunInside: begunInside, &output)
        close(slot)
    }
}
