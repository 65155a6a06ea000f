import Wire

/// The times of a schedule's calls, one after the other, in nanoseconds after the run's start.
///
/// Each is computed from the call's place, not from the time before it, so that rounding never adds up. Only Poisson's
/// times are a sum: of fractions of a gap in units of 2^-32, of which each is off by half a unit either way.
package struct Timetable: Sendable {
    private let pace: Schedule.Pace
    private let ramp: UInt64
    /// Recorded nanoseconds from the beginning of a loop to that of the next.
    private let period: UInt64
    private let offset: Int64
    /// How many calls were given a time.
    private var place: UInt64 = 0
    private var numbers: SplitMix64
    /// Gaps up to the next call, in units of 2^-32 of the mean gap.
    private var gaps: UInt128 = 0

    /// Later than any run lasts, and far enough from the largest number to be added to the start's time: 146 years.
    package static let never = Int64.max / 2
    private static let second: UInt64 = 1_000_000_000

    /// - Parameters:
    ///   - span: recorded nanoseconds from the first call of a loop to its last.
    ///   - count: calls of a loop.
    package init(_ schedule: Schedule, span: Int64, count: Int) {
        pace = schedule.pace
        ramp = UInt64(clamping: schedule.ramp)
        offset = schedule.offset
        // The loops' joint is a gap like the others.
        let span = UInt64(clamping: span)
        period = span + max(1, span / UInt64(max(1, count - 1)))
        if case .poisson(_, let seed) = schedule.pace {
            numbers = SplitMix64(seed: seed)
        } else {
            numbers = .init(seed: 0)
        }
    }

    /// When the next call is due. `Int64.min` where nothing but an answer decides that.
    ///
    /// - Parameters:
    ///   - recorded: its time in the plan.
    package mutating func next(recorded: Int64, loop: UInt32) -> Int64 {
        let steady: UInt128
        switch pace {
        case .recorded(let speed):
            steady = Self.scale(sinceOffset(recorded, loop), speed.denominator, speed.numerator)
        case .constant(let rate):
            steady = Self.scale(UInt128(place) * UInt128(Self.second), rate.denominator, rate.numerator)
        case .poisson(let rate, _):
            addGap()
            steady = Self.scale(gaps * UInt128(Self.second), rate.denominator, rate.numerator) >> 32
        case .closed, .max:
            return .min
        }
        place += 1
        return Int64(min(ramped(steady), UInt128(Self.never)))
    }

    /// When the last of so many calls is due, on average; nil where nothing but answers decide that.
    ///
    /// - Parameters:
    ///   - recorded: its time in the plan.
    ///   - loop: the last one.
    package func last(of count: UInt64, recorded: Int64, loop: UInt32) -> Int64? {
        let steady: UInt128
        switch pace {
        case .recorded(let speed):
            steady = Self.scale(sinceOffset(recorded, loop), speed.denominator, speed.numerator)
        case .constant(let rate), .poisson(let rate, _):
            let gaps = UInt128(count > 0 ? count - 1 : 0)
            steady = Self.scale(gaps * UInt128(Self.second), rate.denominator, rate.numerator)
        case .closed, .max: return nil
        }
        return Int64(min(ramped(steady), UInt128(Self.never)))
    }

    /// Leaves out so many calls, which are due all the same, elsewhere.
    package mutating func skip(_ count: UInt64) {
        switch pace {
        case .constant: place += count
        case .poisson: for _ in 0..<count { addGap() }
        case .recorded, .closed, .max: break
        }
    }

    /// Recorded nanoseconds from the beginning of the first loop.
    private func sinceOffset(_ recorded: Int64, _ loop: UInt32) -> UInt128 {
        UInt128(period) * UInt128(loop) + UInt128(UInt64(clamping: recorded &- offset))
    }

    private mutating func addGap() { gaps += UInt128((numbers.exponential(mean: 4_294_967_296)).rounded()) }

    /// `time * multiplier / divisor`, rounded down; the largest number where that is too large.
    private static func scale(_ time: UInt128, _ multiplier: UInt64, _ divisor: UInt64) -> UInt128 {
        if multiplier == divisor { return time }
        let (product, isTooLarge) = time.multipliedReportingOverflow(by: UInt128(multiplier))
        return isTooLarge ? .max : product / UInt128(divisor)
    }

    /// The time of a call that is due at `time` without a ramp.
    ///
    /// While the rate rises to r over the time T, n(t) = r t^2 / 2T calls come before t, which at the full rate come
    /// before n / r = t^2 / 2T. So a call of time u is due at sqrt(2 T u); from where that is T on, T / 2 later than u.
    private func ramped(_ time: UInt128) -> UInt128 {
        if ramp == 0 { return time }
        let half = UInt128(ramp / 2)
        if time >= half { return time > UInt128(Self.never) ? time : time + half }
        return UInt128(Self.squareRoot(2 * UInt128(ramp) * time))
    }

    /// The largest number whose square is not above `value`, which is below 2^126.
    private static func squareRoot(_ value: UInt128) -> UInt64 {
        if value == 0 { return 0 }
        var root = UInt128(Double(value).squareRoot())
        // One step of Newton's takes the 53 bits of a double to all there are, but for the last.
        root = (root + value / root) / 2
        while root * root > value { root -= 1 }
        while (root + 1) * (root + 1) <= value { root += 1 }
        return UInt64(root)
    }
}
