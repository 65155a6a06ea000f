import Analysis
import Etcd
package import Replay
package import Trace

// What a replay's trace says in words of its numbers: of a run's as of the sums of its shards'.
extension RunCounts {
    /// Writes the entries that are made of these numbers.
    ///
    /// - Parameter examples: calls with other outcomes, a line each, as `example` makes them.
    package func describe(_ meta: inout TraceMeta, examples: [String]) {
        meta[.connections] = Self.grouped(self[.connections])
        meta[.fidelity] = fidelity
        meta[.approximated] =
            self[.approximated] == 0
            ? nil
            : "\(Self.grouped(self[.approximatedSame])) of \(Self.grouped(self[.approximated])) as recorded"
        let excluded = excluded
        meta[.excluded] = excluded.isEmpty ? nil : excluded.joined(separator: "\n")
        let remarks = remarks + examples
        meta[.remarks] = remarks.isEmpty ? nil : remarks.joined(separator: "\n")
        meta[.counts] = text
    }

    package var score: Fidelity.Score {
        Fidelity.Score(
            compared: self[.compared], same: self[.same], ordered: Self.sum(self[.writes], self[.crossings]),
            violations: Self.sum(self[.orderViolations], self[.crossings]), begun: self[.begun],
            missing: Self.sum(self[.unsent], self[.outstanding]))
    }

    private var fidelity: String {
        func share(_ value: Double) -> String { Figures.decimal(value, places: 5) }
        let score = score
        return "\(share(score.total)) = outcomes \(share(score.outcomes)) x order \(share(score.order)) x answered "
            + share(score.completeness)
    }

    /// `no answer seen: 1 204 put, 3 range`, a line a reason.
    private var excluded: [String] {
        Omission.allCases.compactMap { reason in
            let kinds = OperationKind.allCases.compactMap { kind -> String? in
                let count = self[kind, reason]
                return count == 0 ? nil : "\(Self.grouped(count)) \(kind)"
            }
            return kinds.isEmpty ? nil : "\(reason.words): \(kinds.joined(separator: ", "))"
        }
    }

    /// `linearizable: 2 180 operations on 400 keys`, and what is held against it.
    package func consistency(_ verdict: String) -> String {
        var words =
            "\(verdict): \(Figures.counted(Int(self[.checkedOperations]), "operation")) on "
            + Figures.counted(Int(self[.checkedKeys]), "key")
        if self[.strangeRevisions] > 0 {
            words += "; but \(Figures.counted(Int(self[.strangeRevisions]), "revision")) that no call of the run wrote"
        }
        return words
    }

    /// What is to be known of the run.
    private var remarks: [String] {
        var lines: [String] = []
        for name in Name.allCases {
            if case .interrupted = name {
                if self[name] > 0 { lines.append(RunSummary.interruption) }
            } else if let words = name.remark, self[name] > 0 {
                lines.append("\(Self.grouped(self[name])) \(words)")
            }
            if case .timedOut = name {
                for counter in counters where counter.count > 0 {
                    lines.append("\(Figures.count(counter.count)) \(counter.words)")
                }
            }
        }
        let own = OperationKind.allCases.filter { self[own: $0] > 0 }.map { "\(Self.grouped(self[own: $0])) \($0)" }
        if !own.isEmpty { lines.append("asked beside the replay: \(own.joined(separator: ", "))") }
        return lines
    }

    /// A line of the remarks that names a call with another outcome.
    package static func example(_ difference: Difference, call: UInt32, _ description: String) -> String {
        "\(exampleStart)\(difference.words): call \(call), \(description)"
    }

    /// A line of the remarks that names a write that came in another order than others of its key.
    package static func example(ofOrder call: UInt32, _ description: String) -> String {
        "\(exampleStart)\(otherOrder): call \(call), \(description)"
    }

    private static let exampleStart = "for example, "
    private static let otherOrder = "in another order"

    /// Calls that a reason for other outcomes is shown by.
    package static let examplesOfEach = 3

    /// Of the remarks of several shards the first examples of each reason.
    static func examples(of remarks: [String]) -> [String] {
        let all = remarks.flatMap { $0.split(separator: "\n") }.filter { $0.hasPrefix(exampleStart) }
        let reasons = Difference.allCases.filter { $0 != .none }.map(\.words) + [otherOrder]
        return reasons.flatMap { reason in
            all.filter { $0.hasPrefix("\(exampleStart)\(reason): call ") }.prefix(examplesOfEach).map(String.init)
        }
    }

    private static func grouped(_ number: Int64) -> String { Figures.count(Int(number)) }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}

extension RunCounts.Name {
    /// In the plural, behind the number; nil of what no remark is made of.
    fileprivate var remark: String? {
        switch self {
        case .unsent: "calls not sent"
        case .outstanding: "calls without an answer at the end"
        case .heldBack: "times that calls had to wait since too many were outstanding"
        case .fellBack: "RangeStreams asked as Ranges"
        case .unsupported: "calls that the store has nothing like"
        case .connectionLost: "calls whose connection was lost"
        case .timedOut: "calls that timed out"
        case .endedStreams: "streams ended by the store, or with their connection"
        case .reopenedStreams: "streams opened anew, since their connection was lost"
        case .streamLosses: "messages not sent, since their stream had ended"
        case .cancelledWatches: "watches cancelled by the store"
        case .unmapped: "revisions, leases or watches sent as recorded: nothing told their meaning"
        case .orderViolations: "writes in another order than others of their key"
        case .crossings: "calls that did not wait for those of other shards: counted as in another order"
        case .revisionReads: "revisions that answers to other shards tell, read from the store just before"
        case .unansweredExecuted: "writes without a recorded answer sent: later answers show that they were done"
        case .staleReads: "reads that saw an older state in the recording than had been shown"
        case .watchesBegunAnew:
            "watches that were open before the recording, begun anew on what their events show"
        case .fillersLeftOut: "counted keys for which no name was found"
        case .cyclesBroken: "calls that wait for less, since the recording contradicts itself"
        case .interrupted, .connections, .compared, .same, .writes, .begun, .approximated, .approximatedSame,
            .recordedEvents, .checkedOperations, .checkedKeys, .strangeRevisions:
            nil
        }
    }
}

extension Omission {
    fileprivate var words: String {
        switch self {
        case .ambiguous: "method not known"
        case .uncatalogued: "not a method of etcd"
        case .requestLost: "request not seen whole"
        case .withdrawn: "cancelled before it was read"
        case .unanswered: "no answer seen"
        case .notRecorded: "the trace does not hold all that it asks"
        case .administrative: "it would change the target itself"
        case .tooLarge: "its value is too large"
        case .openedBefore: "open before the recording, for what is not known"
        }
    }
}

extension TraceMeta {
    /// Sets the delivery latency of watch events, in words and as it was measured.
    package mutating func describe(delivery: TimeHistogram) {
        self[.delivery] = nil
        self[.deliveries] = nil
        if delivery.count == 0 { return }
        self[.delivery] = [50, 99].map { percent in
            "p\(percent) \(Figures.latency(nanoseconds: Int64(delivery.percentile(Double(percent)))))"
        }.joined(separator: ", ")
        let text = delivery.text
        if text.utf8.count <= Self.deliveryBytes { self[.deliveries] = text }
    }

    /// Bytes of the delivery latencies as text: ten thousands of different ones.
    private static let deliveryBytes = 256 << 10
}
