import Histogram

/// A distribution of times in nanoseconds, to three significant digits.
package struct RunTimes: Sendable {
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: longest, numberOfSignificantValueDigits: .three)

    /// Longer times count as this one: a day.
    private static let longest: UInt64 = 86_400_000_000_000

    package init() {}

    /// What a clock that stepped back makes negative counts as 0.
    mutating func record(_ time: Int64) { histogram.record(time < 0 ? 0 : Swift.min(UInt64(time), Self.longest)) }

    package var count: Int { Int(histogram.totalCount) }

    /// The time that so many percent do not exceed; 0 where nothing was recorded.
    package func percentile(_ percent: Double) -> Int64 {
        histogram.totalCount == 0 ? 0 : Int64(histogram.valueAtPercentile(percent))
    }

    package var max: Int64 { histogram.totalCount == 0 ? 0 : Int64(histogram.maxRecorded) }
}
