import Wire

/// The messages of a call whose method is not known yet, kept until it is: to judge what it can be, and to be read
/// then. Compressed ones are kept inflated.
struct CollectedMessages: Sendable {
    struct Message: Sendable {
        var direction: Direction
        /// Bytes of the message on the wire.
        var length: Int
        /// Where in `bytes` it is kept.
        var range = 0..<0
        /// The message was too long to be kept, or could not be inflated.
        var isMissing = false
        /// Nanoseconds since the epoch of its first byte, and of its last.
        var start: Int64
        var end: Int64
    }

    private(set) var messages: [Message] = []
    private(set) var bytes: [UInt8] = []

    var count: Int { messages.count }
    var isEmpty: Bool { messages.isEmpty }
    var capacityBytes: Int { bytes.capacity + messages.capacity * MemoryLayout<Message>.stride }
    var hasResponse: Bool { messages.contains { $0.direction == .response } }

    func direction(_ place: Int) -> Direction { messages[place].direction }
    func isThere(_ place: Int) -> Bool { !messages[place].isMissing }

    /// Where in `bytes` it lies.
    func range(_ place: Int) -> Range<Int> { messages[place].range }

    /// Where the first message of that direction lies; nil if there is none, or it was not kept.
    func first(_ direction: Direction) -> Range<Int>? {
        guard let place = messages.firstIndex(where: { $0.direction == direction }), isThere(place) else { return nil }
        return range(place)
    }

    mutating func append(_ message: Message, _ content: Span<UInt8>) {
        var message = message
        message.range = bytes.count..<bytes.count + content.count
        messages.append(message)
        bytes.append(copying: content)
    }

    mutating func removeAll() {
        if !messages.isEmpty { messages = [] }
        if !bytes.isEmpty { bytes = [] }
    }
}
