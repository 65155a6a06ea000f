import Etcd

// A shard's calls that name a revision which the answer to another shard's call tells: the store's current revision is
// read just before, and theirs lies as far behind it as in the recording.
extension ReplayEngine {
    /// The call's number in the whole plan.
    @inline(__always)
    func number(of call: UInt32) -> UInt32 {
        numbers.isEmpty || call == ReplayRecord.noCall ? call : numbers[Int(call)]
    }

    /// A linearizable read of a key that nobody has: its header tells the revision (rpc.proto ResponseHeader).
    mutating func readRevision(for call: UInt32, _ number: UInt32, _ request: inout StoreRequest) {
        slots.mark(number, as: .revision)
        counts.revisionReads += 1
        request.removeAll()
        request.number = number
        request.set(.range)
        request.connection = plan.calls[Int(call)].connection % connectionCount
        request.body.kind = .range
        request.body.flags = .countOnly
        let nobodys: [UInt8] = [0]
        request.body.key = request.keys.number(of: nobodys.span, at: 0..<1)
    }

    /// The call goes now. What the reading took counts as waiting, not as the engine's delay.
    mutating func takeRevision(_ slot: SlotTable.Slot, _ answer: borrowing StoreAnswer) {
        learned.learn(current: answer.isError ? nil : answer.details.headerRevision, for: slot.call)
        late.insert(
            CallHeap.Entry(call: slot.call, intended: slot.intended, released: max(slot.released, answer.done)))
        waitingCount += 1
    }
}
