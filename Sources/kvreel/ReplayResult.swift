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

    /// - Parameters:
    ///   - description: what was known before the run; the rest is added to it.
    ///   - run: what the shards of one run have in common.
    init(
        _ description: TraceMeta, _ options: ReplaySession.Options, _ input: PlanInput, _ driver: EngineDriver,
        backend: any Backend, own: OwnCalls, connections: Int, preload: PreloadOutcome, run: String?,
        isInterrupted: Bool, faults: [String], check: CheckResult?, conditions: RunConditions?
    ) {
        let plan = input.plan
        self.check = check
        verdict = driver.engine.verdict(busy: driver.busyShare)
        var meta = description
        meta[.backend] = backend.name
        meta[.run] = run
        meta[.preload] = Self.words(preload, plan, isPreloaded: options.isPreloaded)
        meta[.coverage] = input.coverage.line
        meta[.verdict] = verdict.word
        meta[.rule] = Self.rule(verdict, driver.engine, busy: driver.busyShare)
        meta[.engine] =
            RunSummary.engineWords(driver.busyShare * 100)
            + (driver.hasRealTimePriority ? ", real-time priority" : "")
        meta[.chain] = input.chain?.text
        meta[.expression] = plan.expression?.text
        meta[.faults] = faults.isEmpty ? nil : faults.joined(separator: "\n")
        meta.describe(delivery: driver.engine.deliveryLatency)
        var counts = Self.counts(
            driver.engine, plan, backend.counters, own: own + backend.ownCalls + driver.engine.counts.own,
            connections: connections, isInterrupted: isInterrupted)
        let othersWrite = options.allowsWrites || plan.shard?.hasForeignWrites == true
        strangeRevisions = othersWrite ? 0 : check?.strangeRevisions ?? 0
        if let check {
            counts[.checkedOperations] = Int64(check.operationCount)
            counts[.checkedKeys] = Int64(check.keyCount)
            counts[.strangeRevisions] = Int64(strangeRevisions)
            meta[.consistency] = counts.consistency(check.verdictWord)
        }
        counts.describe(&meta, examples: Self.examples(driver.engine, plan))
        score = counts.score
        meta[.conditions] = conditions?.text
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

    private static func rule(_ verdict: Verdict, _ engine: borrowing ReplayEngine, busy: Double) -> String {
        var parts: [String] = []
        if engine.schedule.isOpen {
            parts.append(
                "send lag p99 \(Figures.latency(nanoseconds: Int64(engine.sendLag.percentile(99)))), at most "
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

    /// What is counted of the run, but for its times.
    private static func counts(
        _ engine: borrowing ReplayEngine, _ plan: ReplayPlan, _ counters: [BackendCounter], own: OwnCalls,
        connections: Int, isInterrupted: Bool
    ) -> RunCounts {
        let (fidelity, played, notes) = (engine.fidelity, engine.counts, plan.notes)
        var counts = RunCounts()
        counts[.connections] = Int64(connections)
        counts[.interrupted] = isInterrupted ? 1 : 0
        counts[.unsent] = played.unsent
        counts[.outstanding] = played.outstanding
        counts[.heldBack] = played.heldBack
        counts[.fellBack] = played.notes[Int(StoreAnswer.Note.fellBack.rawValue)]
        counts[.unsupported] = played.notes[Int(StoreAnswer.Note.unsupported.rawValue)]
        counts[.connectionLost] = played.notes[Int(StoreAnswer.Note.connectionLost.rawValue)]
        counts[.timedOut] = played.notes[Int(StoreAnswer.Note.timedOut.rawValue)]
        counts.counters = counters
        counts[.endedStreams] = played.endedStreams
        counts[.reopenedStreams] = played.reopenedStreams
        counts[.streamLosses] = played.streamLosses
        counts[.cancelledWatches] = played.cancelledWatches
        counts[.unmapped] = played.unmapped.reduce(0, +)
        counts[.orderViolations] = fidelity.orderViolations - fidelity.crossings
        counts[.crossings] = fidelity.crossings
        counts[.revisionReads] = played.revisionReads
        counts[.unansweredExecuted] = Int64(notes.unansweredExecuted)
        counts[.staleReads] = Int64(notes.staleReads)
        counts[.watchesBegunAnew] = Int64(notes.watchesBegunAnew)
        counts[.fillersLeftOut] = Int64(notes.fillersLeftOut)
        counts[.cyclesBroken] = Int64(notes.cyclesBroken)
        counts[.compared] = fidelity.compared
        counts[.same] = fidelity.same
        counts[.writes] = fidelity.writes
        counts[.begun] = played.begun
        counts[.approximated] = fidelity.approximated
        counts[.approximatedSame] = fidelity.approximatedSame
        if engine.schedule.loops == 1 { counts[.recordedEvents] = played.recordedEvents }
        for kind in OperationKind.allCases {
            counts[planned: kind] = played.planned[Int(kind.rawValue)]
            counts[own: kind] = Int64(own[kind])
        }
        for reason in Omission.allCases {
            for kind in OperationKind.allCases { counts[kind, reason] = Int64(plan.omissions[kind, reason]) }
        }
        return counts
    }

    /// Calls with other outcomes than the recorded ones, some of each reason.
    private static func examples(_ engine: borrowing ReplayEngine, _ plan: ReplayPlan) -> [String] {
        Difference.allCases.filter { $0 != .none }.flatMap { difference in
            engine.fidelity.examples[Int(difference.rawValue)].prefix(RunCounts.examplesOfEach).map { call in
                RunCounts.example(difference, call: call, plan.description(of: call))
            }
        }
            + engine.fidelity.orderExamples.prefix(RunCounts.examplesOfEach).map { call in
                RunCounts.example(ofOrder: call, plan.description(of: call))
            }
    }

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
