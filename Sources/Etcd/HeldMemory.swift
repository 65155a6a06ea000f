import Wire

/// Memory for messages that come in pieces. A call has some only while it holds a piece; then the next call that holds
/// one gets it, so that there is no more of it than was needed at once.
struct HeldMemory: Sendable {
    /// Bytes of the smallest array; each further size is four times the one before it.
    private static let smallest = 1 << 10
    /// Up to 4 MiB. What is longer is given back to the system.
    private static let sizes = 7

    private var free: [[[UInt8]]] = Array(repeating: [], count: HeldMemory.sizes)
    private var freeBytes = 0
    /// The most bytes that wait for later messages.
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Adds bytes to what is held of a message. `length` is how long it will be as far as that is known; only what came
    /// is believed.
    mutating func append(_ bytes: Span<UInt8>, to held: inout [UInt8], of length: Int = 0) {
        let needed = held.count + bytes.count
        if needed > held.capacity {
            var larger = take(needed, of: length)
            larger.append(copying: held.span)
            swap(&held, &larger)
            takeBack(&larger)
        }
        held.append(copying: bytes)
    }

    /// Takes the memory of a message that was read, or is not wanted. The array is empty then and has none.
    mutating func takeBack(_ held: inout [UInt8]) {
        let capacity = held.capacity
        guard capacity >= Self.smallest else {
            held.removeAll(keepingCapacity: true)
            return
        }
        var taken: [UInt8] = []
        swap(&taken, &held)
        let size = min(Self.sizes - 1, (Int.bitWidth - 1 - (capacity / Self.smallest).leadingZeroBitCount) / 2)
        guard freeBytes + capacity <= limit, capacity < Self.smallest << (2 * Self.sizes) else { return }
        freeBytes += capacity
        taken.removeAll(keepingCapacity: true)
        free[size].append(taken)
    }

    /// An empty array of `needed` bytes at least: the smallest that waits, if the message may fill it, else a new one.
    private mutating func take(_ needed: Int, of length: Int) -> [UInt8] {
        var size = 0
        while size < Self.sizes, Self.smallest << (2 * size) < needed { size += 1 }
        var candidate = size
        while candidate < Self.sizes {
            if let array = free[candidate].popLast() {
                freeBytes -= array.capacity
                return array
            }
            if Self.smallest << (2 * candidate) >= max(needed, length) { break }
            candidate += 1
        }
        var array: [UInt8] = []
        array.reserveCapacity(size < Self.sizes ? Self.smallest << (2 * size) : needed)
        return array
    }
}
