package import Analysis
import Etcd
import Replay
import Trace

extension RunSummary {
    private static let members: [(TraceMeta.ReplayEntry, String)] = [
        (.rule, "rule"), (.traces, "of"), (.backend, "backend"), (.schedule, "schedule"), (.order, "order"),
        (.connections, "connections"), (.preload, "preload"), (.engine, "engine"), (.delivery, "delivery"),
        (.consistency, "consistency"), (.excluded, "excluded"), (.chain, "chain"), (.remarks, "remarks"),
        (.coverage, "coverage"), (.shard, "shard"),
    ]

    /// The distributions that a run has, by name.
    static let times: [(name: String, times: @Sendable (RunSummary) -> TimeHistogram)] = [
        ("response_time", \.response), ("service_time", \.service), ("send_lag", \.sendLag),
        ("dependency_wait", \.dependencyWait),
    ]

    /// The members of the run's object, in `kvreel.replay/1` and `kvreel.report/1`.
    ///
    /// - Parameter fidelity: the score, where it is known more exactly than the trace has it.
    package func writeMembers(fidelity: Double? = nil, to json: inout JSONWriter) {
        json.name("verdict")
        if let verdict = meta[.verdict] { json.value(verdict) } else { json.null() }
        for (entry, name) in Self.members { if let value = meta[entry] { json.member(name, value) } }
        json.member("interrupted", end == .interrupted)
        json.member("answered", total)
        json.member("lost", lost)
        if warmUp > 0 { json.member("warm_up", warmUp) }
        if let throughput { json.member("per_second", decimal: throughput) }
        json.member("errors", errors)
        json.name("status")
        json.beginCompactObject()
        for (status, count) in statuses.sorted(by: { $0.key < $1.key }) { json.member("\(status)", count) }
        json.endObject()
        json.member("compared", compared)
        json.member("different", different)
        json.name("differences")
        json.beginCompactObject()
        for (reason, count) in differences.sorted(by: { $0.key < $1.key }) {
            json.member(Difference(rawValue: reason)?.word ?? "\(reason)", count)
        }
        json.endObject()
        writeMix(to: &json)
        json.member("duration_ns", nanoseconds)
        json.member("events", events)
        if recordedEvents > 0 { json.member("recorded_events", recordedEvents) }
        writeNotReplayed(to: &json)
        if approximated > 0 {
            json.member("approximated_compared", approximated)
            json.member("approximated_different", approximatedDifferent)
        }
        expression?.write(to: &json)
        if let faults = meta[.faults] {
            json.name("faults")
            json.beginArray()
            for line in faults.split(separator: "\n") { json.value(String(line)) }
            json.endArray()
        }
        conditions?.write(to: &json)
        if let fidelity = fidelity ?? self.fidelity { json.member("fidelity", share: fidelity) }
        if let counts {
            let score = counts.score
            json.name("fidelity_parts")
            json.beginCompactObject()
            json.member("outcomes", share: score.outcomes)
            json.member("order", share: score.order)
            json.member("answered", share: score.completeness)
            json.endObject()
            json.member("order_violations", counts[.orderViolations])
            json.name("asked_beside")
            json.beginCompactObject()
            for kind in OperationKind.allCases where counts[own: kind] > 0 {
                json.member("\(kind)", counts[own: kind])
            }
            json.endObject()
        }
        if let engine { json.member("busy_percent", decimal: engine.busy) }
        for label in ["p50", "p99"] {
            if let time = delivery(label) { json.member("delivery_\(label)_ns", Int64(time)) }
        }
        for (name, times) in Self.times {
            json.name(name)
            times(self).write(to: &json)
        }
    }

    /// What a chain does as recorded of the run: calls, outcomes, and the times as clients see them.
    func writePart(to json: inout JSONWriter) {
        json.beginObject()
        json.member("answered", total)
        json.member("compared", compared)
        json.member("different", different)
        for (name, times) in Self.times.prefix(2) {
            json.name(name)
            times(self).write(to: &json)
        }
        json.endObject()
    }

    private func writeMix(to json: inout JSONWriter) {
        guard let mix else { return }
        json.name("mix")
        json.beginArray()
        for part in mix {
            json.beginCompactObject()
            json.member("kind", "\(part.kind)")
            json.member("recorded", part.recorded)
            json.member("answered", part.outcomes.answered)
            json.member("compared", part.outcomes.compared)
            json.member("different", part.outcomes.different)
            json.endObject()
        }
        json.endArray()
    }

    private func writeNotReplayed(to json: inout JSONWriter) {
        guard let notReplayed else { return }
        json.member("not_replayed", notReplayed.reduce(0) { $0 + $1.count })
        json.name("not_replayed_by")
        json.beginArray()
        for part in notReplayed {
            json.beginCompactObject()
            json.member("reason", part.reason)
            json.member("kind", part.kind)
            json.member("calls", part.count)
            json.endObject()
        }
        json.endArray()
    }
}

extension TimeHistogram {
    /// What is told of a distribution, by name.
    static let members: [(name: String, value: @Sendable (TimeHistogram) -> UInt64)] =
        ([("p10", 10)] + RunComparison.percentiles).map { label, percent in
            (label.filter { $0 != "." } + "_ns", { @Sendable times in times.percentile(percent) })
        } + [("max_ns", \.max), ("mean_ns", { @Sendable times in UInt64(times.mean.rounded()) })]

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("count", Int64(clamping: count))
        for (name, value) in Self.members { json.member(name, Int64(clamping: value(self))) }
        json.endObject()
    }
}
