import Histogram

/// How often which time was measured, in nanoseconds: exact to three significant digits, from 0 to a day. An HDR
/// histogram; two of them add up.
package struct TimeHistogram: Sendable {
    var histogram = Histogram<UInt64>(
        highestTrackableValue: longest, numberOfSignificantValueDigits: .three)
    /// Of all times, for a mean that is exact.
    private var sum: UInt128 = 0

    /// Longer times count as this one: a day.
    package static let longest: UInt64 = 86_400_000_000_000

    package init() {}

    /// Counts a time. A negative one, of a clock that stepped back, counts as 0.
    @inline(__always)
    package mutating func record(_ time: Int64) {
        let time = time < 0 ? 0 : Swift.min(UInt64(time), Self.longest)
        histogram.record(time)
        sum &+= UInt128(time)
    }

    /// Counts a time, not above `longest`, so many times.
    mutating func record(_ time: UInt64, count: UInt64) {
        histogram.record(time, count: count)
        sum &+= UInt128(time) * UInt128(count)
    }

    /// Counts all that `other` has counted.
    package mutating func add(_ other: TimeHistogram) {
        histogram.add(other.histogram)
        sum &+= other.sum
    }

    package var count: UInt64 { histogram.totalCount }
    /// 0 where nothing was counted.
    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
    package var min: UInt64 { count == 0 ? 0 : histogram.min }
    package var max: UInt64 { count == 0 ? 0 : histogram.maxRecorded }

    /// The time that so many percent of those counted do not exceed; 0 where there are none.
    package func percentile(_ percent: Double) -> UInt64 { histogram.valueAtPercentile(percent) }
}
