/// Times counted in buckets that grow with the time: 64 to every doubling, so that a bucket is 1.6 % wide at most.
package struct LatencyHistogram: Equatable, Sendable {
    private static let bits: UInt64 = 6
    /// Counts by bucket; grows to the largest time seen.
    private var counts: [UInt32] = []
    package private(set) var count = 0
    package private(set) var sum: UInt64 = 0
    package private(set) var min = UInt64.max
    package private(set) var max: UInt64 = 0

    package init() {}

    private static func bucket(of time: UInt64) -> Int {
        let width = UInt64(64 - time.leadingZeroBitCount)
        if width <= bits + 1 { return Int(time) }
        let shift = width - bits - 1
        return Int(shift << bits + time >> shift)
    }

    /// The largest time that a bucket counts.
    private static func last(of bucket: Int) -> UInt64 {
        let number = UInt64(bucket)
        if number < 1 << (bits + 1) { return number }
        let shift = number >> bits - 1
        return (number - shift << bits + 1) << shift - 1
    }

    /// Counts a time in nanoseconds.
    package mutating func add(_ time: UInt64) {
        let bucket = Self.bucket(of: time)
        if bucket >= counts.count { counts += [UInt32](repeating: 0, count: bucket + 1 - counts.count) }
        counts[bucket] &+= 1
        count += 1
        sum &+= time
        min = Swift.min(min, time)
        max = Swift.max(max, time)
    }

    /// Counts all that `other` has counted.
    package mutating func add(_ other: LatencyHistogram) {
        if other.counts.count > counts.count {
            counts += [UInt32](repeating: 0, count: other.counts.count - counts.count)
        }
        for (bucket, number) in other.counts.enumerated() { counts[bucket] &+= number }
        count += other.count
        sum &+= other.sum
        min = Swift.min(min, other.min)
        max = Swift.max(max, other.max)
    }

    /// The time that `share` (0 to 1) of all do not exceed, 1.6 % too large at most; 0 where nothing was counted.
    package func percentile(_ share: Double) -> UInt64 {
        let exact = Double(count) * share
        let rank = Swift.max(1, Double(Int(exact)) < exact ? Int(exact) + 1 : Int(exact))
        var seen = 0
        for (bucket, number) in counts.enumerated() {
            seen += Int(number)
            if seen >= rank { return Swift.min(Self.last(of: bucket), max) }
        }
        return max
    }

    /// 0 where nothing was counted.
    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
}
