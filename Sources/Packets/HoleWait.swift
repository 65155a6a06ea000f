/// How long a hole has been waited for.
struct HoleWait {
    /// What is missing below this offset is waited for; nil: nothing is.
    private(set) var limit: Int?
    private(set) var packets = 0
    private(set) var bytes = 0
    private(set) var elapsed: Int64 = 0

    mutating func start(below limit: Int, packets: Int, bytes: Int, elapsed: Int64) {
        self.limit = limit
        self.packets = packets
        self.bytes = bytes
        self.elapsed = elapsed
    }

    mutating func stop() { limit = nil }
}
