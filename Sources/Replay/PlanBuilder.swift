package import Etcd
import Wire

/// Makes a plan of a trace's batches: first which calls are to be replayed, then, when all are known, in what order,
/// and where the numbers in them come from.
///
/// Batches come in the order of the trace, after an `UnansweredSurvey` has seen them all.
package struct PlanBuilder: Sendable {
    /// What a call waits for.
    package enum Order: String, Sendable, CaseIterable {
        /// For what came before it in the recorded history, where their keys meet and one changed something.
        case causal
        /// For what had been answered on its connection before it began.
        case connection
        case none
    }

    private let order: Order
    let limits: PlanLimits
    var plan = ReplayPlan()
    /// Of each of the plan's calls, while they stand in the order of the trace.
    var facts: [CallFacts] = []
    var unanswered: UnansweredWrites
    private var preload = PreloadBuilder()
    private var connections: [UInt32: UInt32] = [:]
    private var streams: [StreamName: UInt32] = [:]
    /// Streams of which nothing shows what they were opened for.
    private var unknownStreams: Set<UInt32> = []
    /// What became of the operation that is being taken.
    private var fate = Expressed.asRecorded
    /// Of each key of the current batch its number in the plan; 0 where not looked up.
    private var keyNumbers: [KeyNumber] = []

    /// A stream of the recording.
    private struct StreamName: Hashable {
        var connection: UInt32
        var stream: UInt32
    }

    package init(order: Order, survey: UnansweredSurvey, limits: PlanLimits = PlanLimits()) {
        self.order = order
        self.limits = limits
        unanswered = UnansweredWrites(survey, limits: limits)
    }

    /// Takes the operations of a batch.
    ///
    /// - Parameter expressed: what a `ChainExpression` made of each of them; empty for a store that does them all.
    package mutating func add(
        _ batch: borrowing OperationBatch, expressed: [Expressed] = []
    ) throws(PlanError) {
        precondition(expressed.isEmpty || expressed.count == batch.operations.count, "each operation becomes something")
        if !expressed.isEmpty, plan.expression == nil { plan.expression = ExpressionTable() }
        guard plan.keys.bytes.count <= limits.keyBytes - batch.keys.bytes.count else {
            throw PlanError(why: "its keys take more than \(limits.keyBytes) bytes")
        }
        guard plan.calls.count <= limits.calls - batch.operations.count,
            plan.parts.count <= limits.parts - batch.parts.count,
            plan.compares.count <= limits.parts - batch.compares.count
        else {
            throw PlanError(
                why: "it has more than \(limits.calls) calls, or \(limits.parts) operations or compares in transactions"
            )
        }
        keyNumbers.removeAll(keepingCapacity: true)
        keyNumbers.append(contentsOf: repeatElement(0, count: batch.keys.count + 1))
        for place in batch.operations.indices {
            fate = expressed.isEmpty ? .asRecorded : expressed[place]
            switch fate {
            case .asRecorded, .approximated: break
            case .leftOut, .replaced:
                countLeftOut(batch.operations[place])
                continue
            }
            switch batch.operations[place].role {
            case .call: take(call: batch.operations[place], of: batch)
            case .message: take(message: batch.operations[place], of: batch)
            case .event: take(event: batch.operations[place], of: batch)
            }
        }
        for place in batch.observed.indices {
            var record = batch.observed[place]
            record.key = key(record.key, of: batch)
            record.rangeEnd = key(record.rangeEnd, of: batch)
            preload.take(record)
        }
        unanswered.see(batch)
    }

    /// Orders what was added. To be called once, after the last batch.
    ///
    /// - Parameter shard: whose part of the plan to keep.
    package consuming func finish(shard: Shard? = nil) -> ReplayPlan {
        takeExecuted()
        sortByTime()
        let history = RecordedHistory(plan, facts: &facts)
        plan.notes.staleReads = history.staleReads
        plan.preload = preload.finish(&plan, limits: limits)
        if plan.expression != nil { plan.dropUncalledPuts() }
        Rewriting.addPatches(to: &plan, facts, history)
        var edges = OrderEdges(callCount: plan.calls.count)
        switch order {
        case .causal:
            history.addOrder(of: plan, facts, into: &edges)
            RevisionOrder.add(plan, facts, history, to: &edges)
        case .connection: Self.addConnectionOrder(of: plan, facts, into: &edges)
        case .none: break
        }
        plan.notes.cyclesBroken = edges.breakCycles()
        let omitted = plan.omissions.total
        plan.expression?.omitted = omitted
        plan.order = OrderGraph(nodeCount: edges.nodeCount, edges: edges.edges)
        if let shard {
            let shown = plan.calls.indices.map { plan.calls[$0].shownRevision(history, facts[$0]) }
            plan.cut(to: shard, shown: shown, limits: limits)
        }
        return plan
    }
}

// Which calls are replayed.
extension PlanBuilder {
    private mutating func take(call: Operation, of batch: borrowing OperationBatch) {
        if call.kind == .watch || call.kind == .leaseKeepAlive { return take(stream: call, of: batch) }
        if call.completeness.contains(.openedBefore) { return unanswered.leaveOut(call, nil, of: batch) }
        if let reason = Omission(call, of: batch, limits: limits) {
            unanswered.leaveOut(call, reason, of: batch)
            return plan.omissions.count(call.kind, reason)
        }
        var planned = planned(call)
        planned.request = request(of: call, of: batch)
        planned.headerRevision = max(call.headerRevision, 0)
        var facts = CallFacts(time: call.time.nanoseconds)
        if call.isOutcomeOpen {
            guard unanswered.isCandidate(call) else { return plan.omissions.count(call.kind, .unanswered) }
            planned.headerRevision = 0
            facts.hasChanged = true
            unanswered.candidates.append(UnansweredWrites.Candidate(call: planned, facts: facts))
            return
        }
        planned.status = call.status ?? PlannedCall.noStatus
        facts.end = call.answerEnd
        facts.isAnswered = true
        facts.hasChanged = planned.status == 0 && plan.hasChanged(planned)
        if facts.hasChanged, planned.headerRevision > 0 { unanswered.explain(planned.headerRevision) }
        count(fate, call.kind)
        plan.calls.append(planned)
        self.facts.append(facts)
    }

    /// Counts what a chain does not do, where it was asked for.
    private mutating func countLeftOut(_ operation: Operation) {
        switch operation.role {
        case .call: if operation.completeness.contains(.openedBefore) { return }
        case .message: if !operation.completeness.contains(.hasRequest) { return }
        case .event: return
        }
        count(fate, operation.kind)
    }

    /// Nothing is counted for a store that does everything.
    private mutating func count(_ fate: Expressed, _ kind: OperationKind) { plan.expression?.count(fate, kind) }

    private mutating func planned(_ operation: Operation) -> PlannedCall {
        var planned = PlannedCall(
            kind: operation.kind, method: operation.method, time: operation.time.nanoseconds,
            connection: connection(operation.connection))
        if case .approximated(let obstacle, _, _) = fate { planned.approximation = obstacle }
        return planned
    }

    /// The plan's number of a key of the batch.
    mutating func key(_ number: KeyNumber, of batch: borrowing OperationBatch) -> KeyNumber {
        if number == 0 { return 0 }
        if keyNumbers[Int(number)] == 0 {
            keyNumbers[Int(number)] = plan.keys.number(
                of: batch.keys.bytes.span.extracting(batch.keys.range(of: number)))
        }
        return keyNumbers[Int(number)]
    }

    private mutating func connection(_ recorded: UInt32) -> UInt32 {
        if let known = connections[recorded] { return known }
        let number = UInt32(plan.connectionCount)
        plan.connectionCount += 1
        connections[recorded] = number
        return number
    }
}

// Streams.
extension PlanBuilder {
    private mutating func stream(of operation: Operation) -> UInt32 {
        let name = StreamName(connection: operation.connection, stream: operation.stream)
        if let known = streams[name] { return known }
        let number = UInt32(plan.streams.count)
        plan.streams.append(PlannedStream(method: operation.method, connection: connection(operation.connection)))
        streams[name] = number
        return number
    }

    private mutating func take(stream call: Operation, of batch: borrowing OperationBatch) {
        if call.evidence == .ambiguous { return plan.omissions.count(call.kind, .ambiguous) }
        let number = stream(of: call)
        if call.completeness.contains(.openedBefore), call.kind == .watch {
            guard call.key != 0 else {
                unknownStreams.insert(number)
                return plan.omissions.count(.watch, .openedBefore)
            }
            beginAnew(call, number, key(call.key, of: batch))
        }
        // What ended by the client's doing is ended again; the rest ends with the run.
        guard call.completeness.contains(.resetByClient) || call.completeness.contains(.completed),
            call.requestEnd != Operation.absent
        else { return }
        let (end, overflow) = call.time.nanoseconds.addingReportingOverflow(max(call.requestEnd, 0))
        if overflow { return }
        var planned = planned(call)
        planned.action = .endStream
        planned.stream = number
        append(planned, time: end)
    }

    /// Watches what the events of a watch that was open before show it to watch: from their first on, the state before
    /// is not known.
    private mutating func beginAnew(_ call: Operation, _ number: UInt32, _ key: KeyNumber) {
        var planned = planned(call)
        planned.action = .message
        planned.kind = .watchCreate
        planned.stream = number
        var create = WatchCreateRequest(key: key, flags: [])
        if let end = plan.keys.folderEnd(of: key) {
            create.rangeEnd = end
            create.flags.insert(.hasRangeEnd)
        }
        planned.request = .watchCreate(create)
        plan.notes.watchesBegunAnew += 1
        append(planned, time: call.time.nanoseconds)
    }

    private mutating func take(message: Operation, of batch: borrowing OperationBatch) {
        guard message.completeness.contains(.hasRequest) else { return }
        guard message.completeness.isDisjoint(with: [.requestDamaged, .requestUndecoded, .keyLost]) else {
            return plan.omissions.count(message.kind, .requestLost)
        }
        var planned = planned(message)
        planned.action = .message
        planned.stream = stream(of: message)
        planned.request = request(of: message, of: batch)
        planned.headerRevision = max(message.headerRevision, 0)
        let isAnswered = message.completeness.contains(.hasResponse)
        if isAnswered { planned.status = 0 }
        append(planned, time: message.time.nanoseconds, end: isAnswered ? message.answerEnd : .max)
    }

    private mutating func take(event: Operation, of batch: borrowing OperationBatch) {
        guard event.kind == .watchEvents else { return }
        let number = Int(stream(of: event))
        for place in event.events.range where batch.keyValues[place].kind != .previous {
            plan.streams[number].recordedEvents += 1
        }
    }

    private mutating func append(_ call: PlannedCall, time: Int64, end: Int64 = .max) {
        var facts = CallFacts(time: time)
        facts.end = end
        facts.isAnswered = end != .max
        plan.calls.append(call)
        self.facts.append(facts)
    }
}

// Order.
extension PlanBuilder {
    /// Takes in the writes without an answer that were executed all the same.
    private mutating func takeExecuted() {
        for candidate in unanswered.resolved(shown: ShownRevisions(plan.calls, facts), plan: plan) {
            guard candidate.facts.place > 0 else {
                plan.omissions.count(candidate.call.kind, .unanswered)
                continue
            }
            plan.notes.unansweredExecuted += 1
            count(candidate.call.expressed, candidate.call.kind)
            plan.calls.append(candidate.call)
            facts.append(candidate.facts)
        }
    }

    /// By the time of the request; what began at once stays in the order of the trace. Times become nanoseconds after
    /// the first call's.
    private mutating func sortByTime() {
        let isKept = plan.calls.map { $0.action == .call || !unknownStreams.contains($0.stream) }
        var order: [Int] = []
        for place in plan.calls.indices {
            if isKept[place] {
                order.append(place)
            } else if plan.calls[place].action == .message {
                plan.omissions.count(plan.calls[place].kind, .openedBefore)
            }
        }
        order.sort { (facts[$0].time, $0) < (facts[$1].time, $1) }
        plan.calls = order.map { plan.calls[$0] }
        facts = order.map { facts[$0] }
        let first = facts.first?.time ?? 0
        for place in plan.calls.indices { plan.calls[place].time = facts[place].time.distance(since: first) }
    }

    /// Each call waits for what had been answered on its connection before it began.
    private static func addConnectionOrder(
        of plan: ReplayPlan, _ facts: [CallFacts], into edges: inout OrderEdges
    ) {
        var chains = Array(repeating: WaitChain(), count: plan.connectionCount)
        let byEnd = plan.calls.indices.filter { facts[$0].end != .max }
            .sorted { (facts[$0].end, $0) < (facts[$1].end, $1) }
        var ended = 0
        for place in plan.calls.indices {
            while ended < byEnd.count, facts[byEnd[ended]].end < facts[place].time {
                chains[Int(plan.calls[byEnd[ended]].connection)].append(UInt32(byEnd[ended]))
                ended += 1
            }
            if let tail = chains[Int(plan.calls[place].connection)].tail(in: &edges) {
                edges.add(before: tail, after: UInt32(place))
            }
        }
    }
}

extension PlannedCall {
    /// The revision that the answer showed; else what others had shown by then.
    fileprivate func shownRevision(_ history: RecordedHistory, _ facts: CallFacts) -> Int64 {
        if headerRevision > 0 { return headerRevision }
        return history.shown.revision(at: facts.end == .max ? facts.time : facts.end)
    }

    /// Of a write without a recorded answer: it stands for itself.
    fileprivate var expressed: Expressed {
        approximation.map { .approximated($0, of: kind, counted: true) } ?? .asRecorded
    }
}

extension Int64 {
    /// Clamped on overflow.
    func distance(since earlier: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(earlier)
        return overflow ? (self < earlier ? .min : .max) : difference
    }
}
