import Wire

/// What is come back to after some packets or some time: beginnings, ends and holes that waited.
extension ConnectionTracker {
    mutating func queueHeld(_ index: Int, _ slot: Int) {
        guard !reassemblers[index].isQueued, !reassemblers[index].held.isEmpty else { return }
        reassemblers[index].isQueued = true
        holding.append(ticket(index, slot, elapsed: elapsed))
    }

    func isCurrent(_ entry: TicketQueue.Entry, slot: Int) -> Bool {
        connections[slot].isOpen && connections[slot].number == entry.connection
    }

    /// Gives up the holes that were met first until no more is held than allowed.
    mutating func releaseOldestHeld(at time: CaptureTime) {
        while output.heldBytes > limits.heldBytesTotal, !holding.isEmpty {
            let entry = holding.removeFirst()
            let slot = entry.index / 2
            guard isCurrent(entry, slot: slot) else { continue }
            reassemblers[entry.index].isQueued = false
            guard !reassemblers[entry.index].held.isEmpty else { continue }
            output.health.heldBytesExceeded += 1
            flush(entry.index, at: time)
        }
    }

    mutating func flush(_ index: Int, at time: CaptureTime) {
        let slot = index / 2
        reassemblers[index].flush(context(slot, direction(ofReassembler: index), at: time), &output)
        count(slot)
    }

    /// Settles what waited for its beginning, closes what waited for late packets, looks for holes that are overdue.
    mutating func lookAfter(at time: CaptureTime) {
        while let entry = settling.first, packetCount - entry.packets >= limits.settlingPackets {
            _ = settling.removeFirst()
            let slot = entry.index / 2
            guard isCurrent(entry, slot: slot) else { continue }
            reassemblers[entry.index].settle(
                context(slot, direction(ofReassembler: entry.index), at: time), &output)
            queueHeld(entry.index, slot)
            count(slot)
        }
        guard packetCount & 63 == 0 else { return }
        closeOver(at: time)
        fragments.expire(packets: packetCount, elapsed: elapsed, limits, &output.health)
        if packetCount & 1023 == 0 { checkHeld(at: time) }
    }

    mutating func closeOver(at time: CaptureTime) {
        while let entry = lingering.first,
            lingering.count > limits.lingering || elapsed - entry.elapsed > limits.lingerTime
        {
            _ = lingering.removeFirst()
            let slot = entry.index
            guard isCurrent(entry, slot: slot) else { continue }
            if connections[slot].overElapsed > entry.elapsed, lingering.count < limits.lingering {
                // It brought data since, and waits on from there.
                lingering.append(ticket(slot, slot, elapsed: connections[slot].overElapsed))
            } else {
                close(slot, at: time)
            }
        }
    }

    mutating func checkHeld(at time: CaptureTime) {
        for _ in 0..<holding.count {
            let entry = holding.removeFirst()
            let slot = entry.index / 2
            guard isCurrent(entry, slot: slot) else { continue }
            reassemblers[entry.index].check(
                context(slot, direction(ofReassembler: entry.index), at: time), limits, &output)
            count(slot)
            if reassemblers[entry.index].held.isEmpty {
                reassemblers[entry.index].isQueued = false
            } else {
                holding.append(entry)
            }
        }
    }

    func direction(ofReassembler index: Int) -> Direction { index & 1 == 0 ? .request : .response }

    func ticket(_ index: Int, _ slot: Int, elapsed: Int64) -> TicketQueue.Entry {
        TicketQueue.Entry(index: index, connection: connections[slot].number, packets: packetCount, elapsed: elapsed)
    }
}
