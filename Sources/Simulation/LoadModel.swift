/// What clients ask, and how fast.
package struct LoadModel: Sendable {
    package enum Arrivals: Equatable, Sendable {
        /// Each client has this many requests outstanding at all times.
        case closed(window: Int)
        /// Each client sends so many requests a second, whatever comes back; times between them are exponential.
        case poisson(perSecond: Double)
        /// The same at equal times.
        case constant(perSecond: Double)
    }

    /// For each client the position in the chain of the switch that it hangs on.
    package var clients: [Int]
    package var arrivals: Arrivals
    /// Share of requests that are writes, 0 to 1.
    package var writeShare: Double
    package var keys: Int
    /// Whether a write is outstanding until it is acknowledged, or over once it is sent.
    package var waitsForWrites = true
    /// Nanoseconds after which a request is given up and counted as lost.
    package var timeout: UInt64 = 50_000_000
    /// Nanoseconds that are not counted, and that are.
    package var warmUp: UInt64
    package var duration: UInt64

    package init(
        clients: [Int], arrivals: Arrivals, writeShare: Double = 0, keys: Int = 64, warmUp: UInt64, duration: UInt64
    ) {
        self.clients = clients
        self.arrivals = arrivals
        self.writeShare = writeShare
        self.keys = keys
        self.warmUp = warmUp
        self.duration = duration
    }

    /// Requests of one client that may be outstanding: its window, or as many as its sockets can tell apart.
    var slots: Int {
        if case .closed(let window) = arrivals { return window }
        return 1024
    }
}

/// What a load made of it.
package struct LoadResult: Sendable {
    /// Answers and times of one class of operation.
    package struct Class: Sendable {
        package var sent = 0
        package var done = 0
        package var timedOut = 0
        package var latency = LatencyHistogram()
    }

    /// By entry position, then reads and writes.
    package var reads: [Class]
    package var writes: [Class]
    /// Requests of open arrivals that found no free socket.
    package var unsent = 0
    package var traffic = TrafficCounts()
    /// Nanoseconds counted.
    package var duration: UInt64
    package var events: UInt64 = 0
    package var digest = RunDigest()

    init(positions: Int, duration: UInt64) {
        reads = Array(repeating: Class(), count: positions)
        writes = reads
        self.duration = duration
    }

    /// Operations a second.
    package var readRate: Double { rate(reads) }
    package var writeRate: Double { rate(writes) }

    private func rate(_ classes: [Class]) -> Double {
        Double(classes.map(\.done).reduce(0, +)) * 1e9 / Double(duration)
    }
}
