package import Etcd
import Wire

/// Counts a workload in one pass. Sums only: batches may come in any order, and two analyses of parts of a recording
/// add up to the analysis of the whole.
///
/// Memory depends on distinct keys, methods, patterns and value sizes, never on the number of operations.
package struct WorkloadAnalysis: Sendable {
    private let limits: AnalysisLimits
    private var coverage = Coverage()
    private var health = RecordingHealth()
    private var window: WorkloadReport.Window?
    private var methods = MethodTable()
    private var range = WorkloadReport.RangeCounts()
    private var put = WorkloadReport.PutCounts()
    private var txn = WorkloadReport.TxnCounts()
    private var watch = WorkloadReport.WatchCounts()
    private var lease = WorkloadReport.LeaseCounts()
    private var requested = WorkloadReport.BranchCounts()
    private var executed = WorkloadReport.BranchCounts()
    private var singleKeyReads = 0
    private var writes = 0
    private var proposals = 0
    private var unknownOutcomes = 0
    private var keys: KeyTable
    private var values: ValueSizes
    private var patterns = PatternTable()
    private var shape = TransactionShape()

    package init(limits: AnalysisLimits = AnalysisLimits()) {
        self.limits = limits
        keys = KeyTable(limits: limits)
        values = ValueSizes(largeLimit: limits.largeValueSizes)
    }

    /// Counts a batch. The health of the batch added last holds.
    package mutating func add(_ batch: borrowing OperationBatch) {
        health = batch.health
        keys.beginBatch(keyCount: batch.keys.count)
        methods.beginBatch()
        for index in batch.operations.indices {
            if batch.operations[index].role == .call {
                add(call: batch.operations[index], of: batch)
            } else {
                add(message: batch.operations[index], of: batch)
            }
        }
    }

    // MARK: Calls

    private mutating func add(call: Operation, of batch: borrowing OperationBatch) {
        extendWindow(to: call)
        let isRequest = !call.completeness.has(.openedBefore)
        if isRequest { coverage.count(call) }
        methods.count(call, isRequest: isRequest, texts: batch.texts, limit: limits.uncataloguedMethods)
        countMessages(of: call)
        // Withdrawn before the server could read it: a request of its method, but nothing was asked of the store.
        guard isRequest, !call.completeness.has(.withdrawn) else { return }

        switch call.kind {
        case .range, .rangeStream: add(range: call, of: batch)
        case .put: add(put: call, of: batch)
        case .delete: add(delete: call, of: batch)
        case .txn: add(txn: call, of: batch)
        default: if methods.isProposal(call.method) { countProposal(call) }
        }
    }

    private mutating func extendWindow(to operation: Operation) {
        let (first, last) = (operation.time, operation.end)
        guard var window else {
            self.window = WorkloadReport.Window(first: first, last: max(first, last))
            return
        }
        if first < window.first { window.first = first }
        if last > window.last { window.last = last }
        self.window = window
    }

    /// Messages count wherever they are seen, on streams that were open before the recording too.
    private mutating func countMessages(of call: Operation) {
        switch call.kind {
        case .watch: watch.responses += Int(call.responseMessages)
        case .leaseGrant: lease.grants += Int(call.requestMessages)
        case .leaseRevoke: lease.revokes += Int(call.requestMessages)
        case .leaseKeepAlive: lease.keepAlives += Int(call.requestMessages)
        case .leaseTimeToLive: lease.timeToLives += Int(call.requestMessages)
        case .leaseLeases: lease.lists += Int(call.requestMessages)
        default: break
        }
    }

    private mutating func add(range call: Operation, of batch: borrowing OperationBatch) {
        range.requests += 1
        let body = call.body
        guard body.kind == .range else { return }
        range.keysReturned += Int(body.keyValues.count)
        if body.flags.has(.serializable) { range.serializable += 1 }
        if body.flags.has(.countOnly) { range.countOnly += 1 }
        if body.flags.has(.keysOnly) { range.keysOnly += 1 }
        if body.limit > 0 { range.limited += 1 }
        if body.revision > 0 { range.atRevision += 1 }
        if body.flags.has(.hasRangeEnd) {
            range.prefix += 1
        } else if call.hasWholeRequest {
            range.singleKey += 1
            if !body.flags.has(.countOnly) { singleKeyReads += 1 }
            guard body.key != 0 else { return }
            let place = keys.place(of: body.key, in: batch.keys)
            keys.counts[place].reads += 1
            guard !body.flags.has(.countOnly) else { return }
            keys.counts[place].singleKeyReads += 1
            if body.flags.has(.answered), body.count == 0 { keys.counts[place].emptyReads += 1 }
        }
    }

    private mutating func add(put call: Operation, of batch: borrowing OperationBatch) {
        put.requests += 1
        countWrite(call)
        guard call.body.kind == .put, call.hasWholeRequest else { return }
        if call.body.lease != 0 { put.withLease += 1 }
        let size = ValueSizes.clamped(call.body.valueSize)
        put.valueBytes += size
        values.add(size)
        countKeyWrite(call.body, of: batch)
    }

    private mutating func add(delete call: Operation, of batch: borrowing OperationBatch) {
        countWrite(call)
        guard call.body.kind == .delete, call.hasWholeRequest else { return }
        if call.body.deletedExactlyItsKey { countKeyWrite(call.body, of: batch) }
    }

    private mutating func countWrite(_ call: Operation) {
        writes += 1
        countProposal(call)
    }

    private mutating func countProposal(_ call: Operation) {
        if call.status == 0 { proposals += 1 } else if call.status == nil { unknownOutcomes += 1 }
    }

    private mutating func countKeyWrite(_ body: RequestOp, of batch: borrowing OperationBatch) {
        guard body.key != 0 else { return }
        keys.counts[keys.place(of: body.key, in: batch.keys)].writes += 1
    }

    // MARK: Transactions

    private mutating func add(txn call: Operation, of batch: borrowing OperationBatch) {
        txn.requests += 1
        let answer: Bool? = call.body.flags.has(.answered) ? call.body.flags.has(.succeeded) : nil
        if let answer { if answer { txn.succeeded += 1 } else { txn.failed += 1 } }

        let (listed, ran) = countParts(of: call, in: batch)
        requested += listed
        executed += ran
        if listed.puts + listed.deletes > 0 { countWrite(call) }
        guard call.body.kind == .txn, call.hasWholeRequest else { return }
        if listed == WorkloadReport.BranchCounts() { requested.empty += 1 }
        if answer != nil, ran == WorkloadReport.BranchCounts() { executed.empty += 1 }
        shape.pack(call, in: batch)
        patterns.count(shape.bytes, succeeded: answer, limits: limits)
    }

    /// What the transaction lists in all its branches, and what of it ran.
    private mutating func countParts(
        of call: Operation, in batch: borrowing OperationBatch
    ) -> (listed: WorkloadReport.BranchCounts, ran: WorkloadReport.BranchCounts) {
        var listed = WorkloadReport.BranchCounts()
        var ran = WorkloadReport.BranchCounts()
        for index in call.parts.range {
            let part = batch.parts[index]
            let didRun = part.flags.has(.answered)
            switch part.kind {
            case .range:
                listed.ranges += 1
                guard didRun else { continue }
                ran.ranges += 1
                guard !part.flags.has(.hasRangeEnd), part.key != 0 else { continue }
                keys.counts[keys.place(of: part.key, in: batch.keys)].reads += 1
            case .put:
                listed.puts += 1
                values.add(ValueSizes.clamped(part.valueSize))
                guard didRun else { continue }
                ran.puts += 1
                countKeyWrite(part, of: batch)
            case .delete:
                listed.deletes += 1
                guard didRun else { continue }
                ran.deletes += 1
                if part.deletedExactlyItsKey { countKeyWrite(part, of: batch) }
            case .txn, .watchCreate, .none:
                continue
            }
        }
        return (listed, ran)
    }

    // MARK: Streams

    private mutating func add(message: Operation, of batch: borrowing OperationBatch) {
        extendWindow(to: message)
        let asked = message.completeness.has(.hasRequest)
        let answered = message.completeness.has(.hasResponse) || message.role == .event
        switch message.kind {
        case .watchCreate:
            if asked { watch.creates += 1 }
            if answered { watch.created += 1 }
        case .watchCancel:
            if asked { watch.cancels += 1 }
            if answered { watch.canceled += 1 }
        case .watchProgress: if asked { watch.progress += 1 }
        case .watchCanceled: watch.canceled += 1
        default: break
        }
        for index in message.events.range {
            switch batch.keyValues[index].kind {
            case .putEvent: watch.putEvents += 1
            case .deleteEvent: watch.deleteEvents += 1
            case .reply, .previous: break
            }
        }
    }

    // MARK: Results

    /// Adds what another analysis counted: of another part of the same recording, or of another recording.
    package mutating func merge(_ other: borrowing WorkloadAnalysis) {
        coverage = coverage + other.coverage
        health = health + other.health
        if let theirs = other.window {
            window = WorkloadReport.Window(
                first: min(window?.first ?? theirs.first, theirs.first),
                last: max(window?.last ?? theirs.last, theirs.last))
        }
        methods.merge(other.methods, limit: limits.uncataloguedMethods)
        range += other.range
        put += other.put
        txn += other.txn
        watch += other.watch
        lease += other.lease
        requested += other.requested
        executed += other.executed
        singleKeyReads += other.singleKeyReads
        writes += other.writes
        proposals += other.proposals
        unknownOutcomes += other.unknownOutcomes
        keys.merge(other.keys)
        values.merge(other.values)
        patterns.merge(other.patterns, limits: limits)
    }

    /// The figures so far. `top`: how many of the keys most read and most written are named.
    package func result(top: Int = 100, classifier: KeyClassifier = KeyClassifier()) -> WorkloadReport {
        var report = WorkloadReport()
        report.coverage = coverage
        report.coverage.take(health)
        report.window = window
        report.methods = methods.reports()
        report.range = range
        report.put = put
        report.txn = txn
        report.patterns = patterns.reports()
        report.watch = watch
        report.lease = lease
        report.requested = requested
        report.executed = executed
        report.values = WorkloadReport.ValueReport(
            count: values.count, bytes: values.bytes, smallest: values.smallest, largest: values.largest,
            median: values.median)
        report.dropped.keyUses = keys.counts[0].reads + keys.counts[0].writes
        report.dropped.patterns = patterns.dropped
        report.dropped.methodCalls = methods.dropped
        // Key 0 gathers what the limit on keys kept out.
        report.distinctKeys = keys.counts.count - 1
        report.topReads = named(keys.top(top, by: \.reads), \.reads, classifier)
        report.topWrites = named(keys.top(top, by: \.writes), \.writes, classifier)
        report.readSkew = ZipfFit(keys.counts.dropFirst().map(\.reads))
        report.writeSkew = ZipfFit(keys.counts.dropFirst().map(\.writes))
        report.chain = chainCounts(classifier)
        return report
    }

    private func named(
        _ places: [Int], _ count: (KeyTable.Counts) -> Int, _ classifier: KeyClassifier
    ) -> [WorkloadReport.KeyCount] {
        places.map { place in
            WorkloadReport.KeyCount(
                key: keys.key(place), count: count(keys.counts[place]), identity: identity(of: place, classifier))
        }
    }

    private func identity(of place: Int, _ classifier: KeyClassifier) -> KeyIdentity {
        let counts = keys.counts[place]
        let foundNothing = counts.singleKeyReads > 0 && counts.emptyReads == counts.singleKeyReads
        return classifier.identify(keys.key(place), foundNothing: foundNothing)
    }

    private func chainCounts(_ classifier: KeyClassifier) -> WorkloadReport.ChainCounts {
        var chain = WorkloadReport.ChainCounts()
        chain.singleKeyReads = singleKeyReads
        chain.writes = writes
        chain.proposals = proposals
        chain.unknownOutcomes = unknownOutcomes
        let places = keys.top(.max, by: \.singleKeyReads)
        var namedObjects = 0
        chain.readsOfObjects = singleKeyReads
        for (rank, place) in places.enumerated() {
            let reads = keys.counts[place].singleKeyReads
            chain.emptyReads += keys.counts[place].emptyReads
            if rank < 25 { chain.hottestReads += reads }
            switch identity(of: place, classifier).keyClass {
            case .health, .revisionProbe:
                chain.readsOfObjects -= reads
            default:
                if namedObjects < 25 { chain.hottestReadsOfObjects += reads }
                namedObjects += 1
            }
        }
        return chain
    }
}

extension Operation {
    /// The last moment at which something of it was seen.
    fileprivate var end: CaptureTime {
        let offset = max(requestEnd, responseEnd, responseStart, 0)
        let (nanoseconds, overflow) = time.nanoseconds.addingReportingOverflow(offset)
        return CaptureTime(nanoseconds: overflow ? .max : nanoseconds)
    }

    /// Whether its request message is known to be whole, so that what it does not say was not said.
    fileprivate var hasWholeRequest: Bool {
        !completeness.has(.requestDamaged) && !completeness.has(.requestUndecoded) && !completeness.has(.keyLost)
    }
}

extension RequestOp {
    /// A delete counts as a write of its key where it deleted something.
    fileprivate var deletedExactlyItsKey: Bool {
        flags.has(.answered) && !flags.has(.hasRangeEnd) && count > 0
    }
}
