extension ReplayEngine {
    /// How much of the run is over, from 0 to 1: of the time until its last call is due, or where answers decide when
    /// that is, of the calls and messages.
    package func progress(at now: Int64) -> Double {
        if let lastDue { return lastDue <= 0 ? 1 : min(1, max(0, Double(now - start) / Double(lastDue))) }
        let all = Double(counts.total(\.planned)) * Double(schedule.loops)
        return all == 0 ? 1 : min(1, Double(counts.total(\.answered)) / all)
    }

    /// Nanoseconds until the last call is due; where answers decide that, as long as the rest takes at the pace so far.
    /// Nil where that is not known, or past.
    package func timeLeft(at now: Int64) -> Int64? {
        if let lastDue { return lastDue > now - start ? lastDue - (now - start) : nil }
        let share = progress(at: now)
        guard share > 0.01, share < 1 else { return nil }
        let left = Double(now - start) * (1 - share) / share
        return left < Double(Timetable.never) ? Int64(left) : nil
    }

    /// Nanoseconds from the start to when the last call of the last loop is due.
    private var lastDue: Int64? {
        guard let recorded = plan.shard?.times.last ?? plan.calls.last?.time, wholeFirst < wholeCount else {
            return schedule.isOpen ? 0 : nil
        }
        let (count, isTooMany) = (wholeCount - wholeFirst).multipliedReportingOverflow(by: UInt64(schedule.loops))
        let last = timetable.last(of: isTooMany ? .max : count, recorded: recorded, loop: max(1, schedule.loops) - 1)
        return last.map { min($0, schedule.duration ?? .max) }
    }
}
