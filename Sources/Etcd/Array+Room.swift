extension Array {
    /// Makes room for `added` more elements, generously while the array is small: calls take over each other's arrays,
    /// and each step of growth is an allocation.
    @inline(__always)
    mutating func makeRoom(for added: Int, atLeast least: Int) {
        let needed = count + added
        if needed > capacity { grow(to: needed, atLeast: least) }
    }

    @inline(never)
    private mutating func grow(to needed: Int, atLeast least: Int) {
        let factor = capacity * MemoryLayout<Element>.stride < 1 << 14 ? 4 : 2
        reserveCapacity(Swift.max(needed, least, capacity * factor))
    }
}
