/// Things to come back to, in the order in which they were put in. An entry may have become pointless meanwhile; its
/// ticket tells.
struct TicketQueue {
    struct Entry {
        /// A slot, or the index of a reassembler.
        var index: Int
        /// The number of the connection it was put in for.
        var connection: Int
        /// The tracker's count of packets and its clock when it was put in.
        var packets: Int
        var elapsed: Int64
    }

    private var entries: [Entry] = []
    private var head = 0

    var isEmpty: Bool { head == entries.count }
    var count: Int { entries.count - head }
    var first: Entry? { isEmpty ? nil : entries[head] }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    mutating func removeFirst() -> Entry {
        precondition(!isEmpty, "there must be an entry to take")
        let entry = entries[head]
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 256, head * 2 >= entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return entry
    }
}
