import Wire

/// A client's messages on one stream that have no answer yet, oldest first, with the keys that they name.
struct UnansweredMessages: Sendable {
    /// One message, waiting for its answer.
    struct Message: Sendable {
        var kind: OperationKind
        /// Nanoseconds since the epoch of its first byte, and of its last.
        var start: Int64
        var end: Int64
        var byteCount: Int64
        /// The watch id or lease ID that it names.
        var identifier: Int64
        /// Of a watch create: its flags and revision.
        var body = RequestOp()
        /// Where its key and range end lie.
        fileprivate(set) var key = 0..<0
        fileprivate(set) var rangeEnd = 0..<0
    }

    private var messages: [Message] = []
    /// Places before this one are taken: the oldest are answered first, and moving up the rest each time is dear.
    private var first = 0
    private var keys: [UInt8] = []

    var isEmpty: Bool { first == messages.count }
    var count: Int { messages.count - first }
    var capacityBytes: Int { messages.capacity * MemoryLayout<Message>.stride + keys.capacity }

    mutating func append(_ message: Message, key: Span<UInt8>, rangeEnd: Span<UInt8>) {
        makeRoom()
        var message = message
        message.key = keys.count..<keys.count + key.count
        keys.makeRoom(for: key.count + rangeEnd.count, atLeast: 256)
        keys.append(copying: key)
        message.rangeEnd = keys.count..<keys.count + rangeEnd.count
        keys.append(copying: rangeEnd)
        messages.append(message)
    }

    /// The oldest message for which `isWanted` is true.
    func place(where isWanted: (Message) -> Bool) -> Int? {
        messages[first...].firstIndex(where: isWanted)
    }

    /// The place of the oldest. Precondition: there is one.
    var oldest: Int { first }

    subscript(place: Int) -> Message { messages[place] }

    func numberKey(_ place: Int, in table: inout ByteTable) -> KeyNumber {
        table.number(of: keys.span.extracting(messages[place].key))
    }

    func numberRangeEnd(_ place: Int, in table: inout ByteTable) -> KeyNumber {
        table.number(of: keys.span.extracting(messages[place].rangeEnd))
    }

    mutating func remove(at place: Int) {
        if place == first { first += 1 } else { messages.remove(at: place) }
        if first == messages.count { removeAll() }
    }

    /// Forgets all, and the memory too if it is more than most streams need.
    mutating func removeAll() {
        first = 0
        messages.removeAll(keepingCapacity: messages.capacity <= 16)
        keys.removeAll(keepingCapacity: keys.capacity <= 1024)
    }

    /// Gives up the places and keys of messages that were taken, where they are most of all.
    private mutating func makeRoom() {
        guard first > 64, first * 2 > messages.count else { return }
        messages.removeFirst(first)
        first = 0
        var kept: [UInt8] = []
        for place in messages.indices {
            let start = kept.count
            kept.append(copying: keys.span.extracting(messages[place].key))
            kept.append(copying: keys.span.extracting(messages[place].rangeEnd))
            let middle = start + messages[place].key.count
            messages[place].key = start..<middle
            messages[place].rangeEnd = middle..<kept.count
        }
        keys = kept
    }
}
