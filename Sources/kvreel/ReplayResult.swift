import Analysis
import Etcd
import Replay
import Report
import Trace

/// What a replay says of itself beside its operations: goes into its trace, from where reports take it.
struct ReplayResult {
    let verdict: Verdict
    let meta: TraceMeta
    private let score: Fidelity.Score
    private let check: CheckResult?
    /// Where nobody else writes: revisions found that nothing in the run can have written.
    private let strangeRevisions: Int

    init(
        _ options: ReplaySession.Options, _ input: PlanInput, _ driver: EngineDriver, backend: any Backend,
        connections: Int, preload: PreloadOutcome, isInterrupted: Bool,
        faults: [String], check: CheckResult?
    ) {
        let plan = input.plan
        self.check = check
        verdict = driver.engine.verdict(busy: driver.busyShare)
        score = driver.engine.fidelity.score(driver.engine.counts)
        let latencies = driver.engine.latencies
        var meta = TraceMeta()
        meta.tool = "kvreel \(Kvreel.version)"
        meta[.traces] = options.trace
        meta[.backend] = backend.name
        meta[.schedule] = options.schedule.words
        meta[.order] = options.order.rawValue
        meta[.connections] = Terminal.grouped(connections)
        meta[.preload] = Self.words(preload, plan, isPreloaded: options.isPreloaded)
        meta[.coverage] = input.coverage.line
        meta[.verdict] = verdict.word
        meta[.rule] = Self.rule(verdict, driver.engine, busy: driver.busyShare)
        meta[.engine] =
            "\(Terminal.decimal(driver.busyShare * 100, places: 1)) % busy"
            + (driver.hasRealTimePriority ? ", real-time priority" : "")
        meta[.fidelity] = Self.words(score)
        meta[.chain] = input.chain?.text
        meta[.expression] = plan.expression?.text
        let fidelity = driver.engine.fidelity
        if fidelity.approximated > 0 {
            meta[.approximated] =
                "\(Terminal.grouped(fidelity.approximatedSame)) of "
                + "\(Terminal.grouped(fidelity.approximated)) as recorded"
        }
        if latencies.delivery.count > 0 {
            let (median, high) = (latencies.delivery.percentile(50), latencies.delivery.percentile(99))
            meta[.delivery] =
                "p50 \(Figures.latency(nanoseconds: Int64(median))), "
                + "p99 \(Figures.latency(nanoseconds: Int64(high)))"
        }
        strangeRevisions = options.allowsWrites ? 0 : check?.strangeRevisions ?? 0
        meta[.consistency] = check?.brief
        if strangeRevisions > 0 {
            let count = Terminal.counted(strangeRevisions, "revision")
            meta[.consistency]? += "; but \(count) that no call of the run wrote"
        }
        meta[.faults] = faults.isEmpty ? nil : faults.joined(separator: "\n")
        meta[.excluded] = Self.lines(plan.omissions)
        meta[.remarks] = Self.remarks(driver.engine, plan, backend.counters, isInterrupted: isInterrupted)
        self.meta = meta
    }

    /// Whether the answers are explained by some order of the run's calls, where that was asked.
    var isVerified: Bool { check.map { $0.isLinearizable && strangeRevisions == 0 } ?? true }

    // MARK: Words

    /// What shows that no order explains the answers; empty where nothing does.
    func counterexample(width: Int) -> String {
        guard let check, check.showsViolation else { return "" }
        return "\n" + check.text(isQuiet: false, width: min(max(width, 80), 100))
    }

    private static func words(_ preload: PreloadOutcome, _ plan: ReplayPlan, isPreloaded: Bool) -> String {
        if !isPreloaded { return "none" }
        let written = preload.revisions.count { $0 > 0 }
        var words = Terminal.counted(written, "key")
        if written < preload.revisions.count {
            words += " (\(Terminal.grouped(preload.revisions.count - written)) too large)"
        }
        if plan.notes.fillers > 0 { words += ", \(Terminal.grouped(plan.notes.fillers)) of them made up" }
        return words + ", \(Terminal.counted(preload.leases.count, "lease"))"
    }

    private static func words(_ score: Fidelity.Score) -> String {
        func share(_ value: Double) -> String { Terminal.decimal(value, places: 5) }
        return "\(share(score.total)) = outcomes \(share(score.outcomes)) x order \(share(score.order)) x answered "
            + share(score.completeness)
    }

    private static func rule(_ verdict: Verdict, _ engine: borrowing ReplayEngine, busy: Double) -> String {
        var parts: [String] = []
        if engine.schedule.isOpen {
            parts.append(
                "send lag p99 \(Figures.latency(nanoseconds: Int64(engine.latencies.sendLag.percentile(99)))), at most "
                    + Figures.latency(nanoseconds: Int64(Verdict.sendLagBound(meanGap: engine.meanGap))))
        }
        parts.append(
            "engine \(Terminal.decimal(busy * 100, places: 1)) % busy, at most "
                + "\(Terminal.decimal(Verdict.busyShare * 100, places: 0)) %")
        if case .capacity = verdict.kind {
            for case .errors(let count, let all) in verdict.reasons {
                parts.append("\(Terminal.grouped(count)) of \(Terminal.grouped(all)) calls failed")
            }
        }
        return parts.joined(separator: "; ")
    }

    private static func lines(_ omissions: OmissionTable) -> String? {
        let lines = Omission.allCases.compactMap { reason -> String? in
            let kinds = OperationKind.allCases.compactMap { kind -> String? in
                let count = omissions[kind, reason]
                return count == 0 ? nil : "\(Terminal.grouped(count)) \(kind)"
            }
            return kinds.isEmpty ? nil : "\(reason.words): \(kinds.joined(separator: ", "))"
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    /// What is to be known of the run, a line each.
    private static func remarks(
        _ engine: borrowing ReplayEngine, _ plan: ReplayPlan, _ counters: [BackendCounter], isInterrupted: Bool
    ) -> String? {
        let counts = engine.counts
        var lines: [String] = []
        func add(_ count: some BinaryInteger, _ words: String) {
            if count > 0 { lines.append("\(Terminal.grouped(count)) \(words)") }
        }
        if isInterrupted { lines.append(RunSummary.interruption) }
        add(counts.unsent, "calls not sent")
        add(counts.outstanding, "calls without an answer at the end")
        add(counts.heldBack, "times that calls had to wait since too many were outstanding")
        add(counts.notes[Int(StoreAnswer.Note.fellBack.rawValue)], "RangeStreams asked as Ranges")
        add(counts.notes[Int(StoreAnswer.Note.unsupported.rawValue)], "calls that the store has nothing like")
        add(counts.notes[Int(StoreAnswer.Note.connectionLost.rawValue)], "calls whose connection was lost")
        add(counts.notes[Int(StoreAnswer.Note.timedOut.rawValue)], "calls that timed out")
        for counter in counters { add(counter.count, counter.words) }
        add(counts.endedStreams, "streams ended by the store")
        add(counts.streamLosses, "messages not sent, since their stream had ended")
        add(counts.cancelledWatches, "watches cancelled by the store")
        add(counts.unmapped.reduce(0, +), "revisions, leases or watches sent as recorded: nothing told their meaning")
        add(engine.fidelity.orderViolations, "writes in another order than others of their key")
        let notes = plan.notes
        add(notes.unansweredExecuted, "writes without a recorded answer sent: later answers show that they were done")
        add(notes.staleReads, "reads that saw an older state in the recording than had been shown")
        add(notes.watchesBegunAnew, "watches that were open before the recording, begun anew on what their events show")
        add(notes.fillersLeftOut, "counted keys for which no name was found")
        add(notes.cyclesBroken, "calls that wait for less, since the recording contradicts itself")
        for difference in Difference.allCases where difference != .none {
            for call in engine.fidelity.examples[Int(difference.rawValue)].prefix(Self.examples) {
                lines.append("for example, \(difference.words): call \(call), \(plan.description(of: call))")
            }
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    /// Calls that a reason for other outcomes is shown by.
    private static let examples = 3

    // MARK: JSON

    func json(_ summary: RunSummary) -> [UInt8] {
        var json = JSONWriter(style: .pretty)
        json.beginObject()
        json.member("schema", "kvreel.replay/1")
        summary.writeMembers(fidelity: score.total, to: &json)
        if let check {
            json.name("check")
            check.write(to: &json)
        }
        json.endObject()
        return json.bytes
    }
}

extension Verdict {
    var word: String {
        switch kind {
        case .valid: "valid"
        case .invalid: "invalid"
        case .capacity: "capacity"
        }
    }
}

extension Omission {
    var words: String {
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

extension ReplayPlan {
    /// `txn /registry/pods/default/a`.
    func description(of call: UInt32) -> String {
        guard calls.indices.contains(Int(call)) else { return "unknown" }
        let planned = calls[Int(call)]
        var key = planned.body.key
        if key == 0, let part = parts[planned.parts.range].first { key = part.key }
        let name = Terminal.printable(String(decoding: keys.string(key), as: UTF8.self))
        return "\(planned.kind)" + (name.isEmpty ? "" : " \(name)")
    }
}
