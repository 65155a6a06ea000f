/// Memory in pages of 2 MiB: a replay of millions of calls reads here and there in gigabytes, where pages of 4 KiB are
/// looked up anew for nearly each read.
package enum LargePages {
    /// Pieces of memory that are smaller stay as they are: stacks, and all that a short trace needs.
    private static let least: UInt64 = 16 << 20

    /// Puts what this process has in memory by now into large pages, as far as the kernel does that (Linux 6.1). It
    /// changes nothing but times; it takes about a second a gigabyte. How many bytes it was done for.
    @discardableResult
    package static func collapse() -> UInt64 {
        let unit = MemoryPages.largeBytes
        var bytes: UInt64 = 0
        for memory in SystemText.ownMemory(maps: SystemFile.text("/proc/self/maps"), unit: unit, least: least) {
            for page in stride(from: memory.lowerBound, to: memory.upperBound, by: Int(unit)) {
                do throws(SystemFailure) {
                    try MemoryPages.collapse(at: page)
                    bytes += unit
                } catch {
                    if error.isOutOfMemory { return bytes }
                    // Nothing lies there, or it has gone meanwhile.
                }
            }
        }
        return bytes
    }
}
