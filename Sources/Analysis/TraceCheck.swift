package import Consistency

/// A trace's history, judged, as far as the recorder's clock can be trusted.
package struct TraceCheck: Sendable {
    package let check: HistoryCheck
    /// The check's verdict, but unknown where a violation rests on times that the recorder's clock got wrong.
    package let verdict: Verdict

    package init(_ trace: TraceHistory, limits: ConsistencyLimits = ConsistencyLimits()) {
        let first = HistoryCheck(trace.history, limits: limits)
        guard first.verdict == .violation, trace.clockError > 0 else {
            (check, verdict) = (first, first.verdict)
            return
        }
        // Only what lies further apart than the clock was wrong was one after the other.
        var wide = trace.history
        for index in wide.operations.indices {
            let (end, overflow) = wide.operations[index].return.addingReportingOverflow(trace.clockError)
            wide.operations[index].return = overflow ? HistoryOperation.noReturn : end
        }
        let second = HistoryCheck(wide, limits: limits)
        if second.verdict == .violation {
            (check, verdict) = (second, .violation)
        } else {
            (check, verdict) = (first, .unknown)
        }
    }
}
