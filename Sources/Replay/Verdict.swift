/// Whether a run's times are the store's, or the replayer's own.
///
/// An open loop is invalid when it was not kept: when calls were sent late, or the engine's thread had no time to
/// spare. Closed loops and `max` have no timetable to keep: they are capacity runs, of which errors and a busy engine
/// say that what was reached is not the store's capacity.
package struct Verdict: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case valid, invalid, capacity }

    package enum Reason: Sendable, Equatable {
        /// Nanoseconds: the send lag that 99 % of the calls do not exceed, and what it may be.
        case sendLag(p99: UInt64, bound: UInt64)
        /// Processor time of the engine's thread over wall time.
        case busy(share: Double)
        /// Calls that failed though they did not in the recording, of so many answered ones (capacity runs).
        case errors(count: Int64, of: Int64)
    }

    package var kind: Kind
    /// Why it is invalid; of a capacity run, what speaks against it.
    package var reasons: [Reason]

    /// The largest share of the wall time that the engine's thread may be busy.
    package static let busyShare = 0.9
    /// The send lag that is allowed whatever the gaps are: 1 ms.
    package static let sendLagFloor: UInt64 = 1_000_000

    /// The send lag's bound: a tenth of the mean gap between calls, 1 ms at least.
    package static func sendLagBound(meanGap: UInt64) -> UInt64 { max(meanGap / 10, sendLagFloor) }

    /// - Parameters:
    ///   - sendLag: that 99 % of the calls do not exceed, in nanoseconds.
    ///   - meanGap: between calls by the timetable, in nanoseconds.
    ///   - busy: processor time of the engine's thread over wall time, 0 to 1.
    ///   - errors: calls with an error that the recording does not show.
    ///   - answered: calls that were answered.
    package init(isOpen: Bool, sendLag: UInt64, meanGap: UInt64, busy: Double, errors: Int64, answered: Int64) {
        reasons = []
        let bound = Self.sendLagBound(meanGap: meanGap)
        if isOpen, sendLag > bound { reasons.append(.sendLag(p99: sendLag, bound: bound)) }
        if busy > Self.busyShare { reasons.append(.busy(share: busy)) }
        if !isOpen, errors > 0 { reasons.append(.errors(count: errors, of: answered)) }
        kind = isOpen ? (reasons.isEmpty ? .valid : .invalid) : .capacity
    }
}

extension ReplayEngine {
    /// Nanoseconds between calls by the timetable, on average; 0 where fewer than two were sent.
    package var meanGap: UInt64 {
        guard let firstIntended else { return 0 }
        let gaps = UInt64(max(0, counts.total(\.sent) - 1))
        return gaps == 0 ? 0 : UInt64(max(0, lastIntended &- firstIntended)) / gaps
    }

    /// - Parameters:
    ///   - busy: processor time of the engine's thread over wall time, 0 to 1.
    package func verdict(busy: Double) -> Verdict {
        Verdict(
            isOpen: schedule.isOpen, sendLag: sendLag.percentile(99), meanGap: meanGap, busy: busy,
            errors: fidelity.newErrors, answered: counts.total(\.answered))
    }
}
