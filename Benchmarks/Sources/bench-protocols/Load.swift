import ChainRuntime
import Foundation

/// What a load came to.
struct LoadResult {
    var done = 0
    /// Given up, refused, or never begun.
    var failed = 0
    var wallTime: UInt64 = 0
    /// Processor time of each node.
    var processorTime: [UInt64] = []
    /// From the intended send times, ascending.
    var latencies: [UInt64] = []

    var rate: Double { Double(done) * 1e9 / Double(max(wallTime, 1)) }
    /// Microseconds of all nodes' processor time an operation, and of the busiest node's.
    var cost: Double { Double(processorTime.reduce(0, +)) / 1e3 / Double(max(done, 1)) }
    var busiest: Double { Double(processorTime.max() ?? 0) / 1e3 / Double(max(done, 1)) }

    /// Microseconds; the value of rank ⌈share · n⌉.
    func percentile(_ share: Double) -> Double {
        guard !latencies.isEmpty else { return 0 }
        let rank = Int((share * Double(latencies.count)).rounded(.up))
        return Double(latencies[min(max(rank, 1), latencies.count) - 1]) / 1e3
    }
}

/// Operations of one kind from one or several clients, in turns.
struct Load {
    var clients: [any Client]
    var isWrite: Bool
    var statistics: () -> [NodeStatistics]

    /// Keeps `window` of the first client's under way for `duration`, after a sixth of it that is not counted.
    func closed(window: Int, for duration: UInt64) throws -> LoadResult {
        let client = clients[0]
        var next = 0
        for _ in 0..<window { next += client.submit(isWrite: isWrite, key: next) == nil ? 0 : 1 }
        let warm = SystemClock.monotonic + duration / 6
        while SystemClock.monotonic < warm { _ = try turn(until: warm, &next) }
        let before = statistics()
        let start = SystemClock.monotonic
        var result = LoadResult()
        while SystemClock.monotonic < start + duration {
            let (done, failed) = try turn(until: start + duration, &next)
            result.done += done
            result.failed += failed
        }
        result.wallTime = SystemClock.monotonic - start
        result.processorTime = Self.difference(before, statistics())
        try drain()
        return result
    }

    /// Each request that ended is followed by the next one.
    private func turn(until end: UInt64, _ next: inout Int) throws -> (done: Int, failed: Int) {
        var done = 0
        var failed = 0
        try clients[0].collect(until: end) { _, isOK, _ in if isOK { done += 1 } else { failed += 1 } }
        for _ in 0..<done + failed { next += clients[0].submit(isWrite: isWrite, key: next) == nil ? 0 : 1 }
        return (done, failed)
    }

    /// Lets what is under way end.
    private func drain() throws {
        let end = SystemClock.monotonic + 20_000_000
        while SystemClock.monotonic < end { try clients[0].collect(until: end) { _, _, _ in } }
    }

    /// Begins a request every 1/`rate` seconds for `duration`, each client in its turn, whatever comes back; those
    /// intended in the first `warmUp` nanoseconds do not count. A request that is late is late for its own account: its
    /// latency begins when it was to be sent.
    func open(rate: Double, warmUp: UInt64, for duration: UInt64) throws -> LoadResult {
        let interval = 1e9 / max(rate, 1)
        let count = Int(Double(warmUp + duration) / interval)
        let uncounted = Int(Double(warmUp) / interval)
        var result = LoadResult()
        result.latencies.reserveCapacity(count)
        var intended: [[UInt64: Int]] = clients.map { _ in [:] }
        let before = statistics()
        let start = SystemClock.monotonic + 1_000_000
        let time: (Int) -> UInt64 = { start + UInt64(Double($0) * interval) }
        var begun = 0
        let end = time(count) + 300_000_000
        while true {
            let now = SystemClock.monotonic
            while begun < count, time(begun) <= now {
                let client = begun % clients.count
                if let id = clients[client].submit(isWrite: isWrite, key: begun) {
                    intended[client][id] = begun
                } else if begun >= uncounted {
                    result.failed += 1
                }
                begun += 1
            }
            let isOver = begun == count && intended.allSatisfy(\.isEmpty)
            guard !isOver, now < end else { break }
            // While one client is waited for, the others' replies lie: not for long.
            let deadline = min(begun < count ? time(begun) : end, clients.count == 1 ? .max : now + 100_000)
            for (index, client) in clients.enumerated() {
                try client.collect(until: index == 0 ? deadline : 0) { id, isOK, endedAt in
                    guard let number = intended[index].removeValue(forKey: id), number >= uncounted else { return }
                    if isOK {
                        result.done += 1
                        result.latencies.append(endedAt - min(endedAt, time(number)))
                    } else {
                        result.failed += 1
                    }
                }
            }
        }
        result.failed += intended.map { $0.values.count { $0 >= uncounted } }.reduce(0, +)
        result.wallTime = duration
        result.processorTime = Self.difference(before, statistics())
        result.latencies.sort()
        return result
    }

    private static func difference(_ before: [NodeStatistics], _ after: [NodeStatistics]) -> [UInt64] {
        zip(before, after).map { $1.processorTime - $0.processorTime }
    }
}
