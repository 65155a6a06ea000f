/// When the calls of a replay are due, as its user asks for it.
///
/// All but `closed` and `max` are open loops: when a call is due depends on its place alone, never on what was answered
/// before it (wrk2, vegeta).
package struct Schedule: Sendable, Equatable {
    package enum Pace: Sendable, Equatable {
        /// At the recorded times, so many times as fast.
        case recorded(speed: Ratio)
        /// So many calls a second, at equal gaps.
        case constant(rate: Ratio)
        /// So many calls a second on average, at exponentially distributed gaps.
        case poisson(rate: Ratio, seed: UInt64)
        /// So many calls outstanding, at least 1: the next one is due when one has ended.
        case closed(outstanding: Int)
        /// All calls are due at once. `EngineLimits.outstandingPerConnection` bounds how many are outstanding.
        case max
    }

    /// What of a run is not measured: it is sent, answered, compared and written down as the rest is.
    package enum WarmUp: Sendable, Equatable {
        /// So many calls of the plan, the first ones behind the schedule's offset.
        case calls(Int)
        /// Calls that are due within so many nanoseconds after the start.
        case nanoseconds(Int64)
    }

    package var pace: Pace
    /// Nanoseconds into the recording: earlier calls are left out.
    package var offset: Int64 = 0
    /// Nanoseconds after the start from which on nothing more is due; nil for none.
    package var duration: Int64?
    /// How often the plan is played, at least 1: the timetable goes on, the plan's calls begin again.
    package var loops: UInt32 = 1
    /// Nanoseconds in which the rate rises linearly from 0 to what is asked for; open loops only.
    package var ramp: Int64 = 0
    /// Nil for none.
    package var warmUp: WarmUp?

    package init(_ pace: Pace) { self.pace = pace }

    /// Whether calls are due without regard to answers.
    package var isOpen: Bool {
        switch pace {
        case .recorded, .constant, .poisson: true
        case .closed, .max: false
        }
    }

    /// A positive number as it was given: 2.5 is 25 / 10. Times computed with it are exact to the nanosecond.
    package struct Ratio: Sendable, Equatable {
        package let numerator: UInt64
        package let denominator: UInt64

        /// Precondition: both are from 1 to 10^9.
        package init(_ numerator: UInt64, _ denominator: UInt64 = 1) {
            precondition(Self.range.contains(numerator), "a ratio's numerator must be from 1 to 10^9")
            precondition(Self.range.contains(denominator), "a ratio's denominator must be from 1 to 10^9")
            self.numerator = numerator
            self.denominator = denominator
        }

        package static let range: ClosedRange<UInt64> = 1...1_000_000_000
    }
}
