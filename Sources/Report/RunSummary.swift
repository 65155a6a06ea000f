package import Etcd
package import Replay
package import Trace
import Wire

/// What one replay came to, added up from the batches of its trace.
package struct RunSummary: Sendable {
    /// The trace's name.
    package var name: String
    package var meta: TraceMeta
    /// Answered calls and messages, by kind; events of watches are not among them.
    package private(set) var answered = Array(repeating: 0, count: OperationKind.allCases.count)
    /// Calls and messages whose connection was lost, or that timed out: in no time, since nobody knows how long an
    /// answer would have taken.
    package private(set) var lost = 0
    /// Of the answered ones, those by gRPC status.
    package private(set) var statuses: [UInt32: Int] = [:]
    /// Calls that ended with another gRPC status than 0, or with none.
    package var errors: Int { statuses.reduce(lost) { $1.key == 0 ? $0 : $0 + $1.value } }
    /// Outcomes other than the recorded ones, of the first loop, by `ReplayRecord.difference`; of calls that were done
    /// as recorded.
    package private(set) var differences: [UInt8: Int] = [:]
    package private(set) var compared = 0
    /// What came of the first loop, by kind.
    private(set) var outcomes = Array(repeating: KindOutcomes(), count: OperationKind.allCases.count)
    /// Compared outcomes that are not the recorded ones.
    package var different: Int { differences.values.reduce(0, +) }
    /// Calls of the first loop that stand for others, or for a part of them, and those with another outcome.
    package private(set) var approximated = 0
    package private(set) var approximatedDifferent = 0
    package private(set) var events = 0
    /// Answered calls and messages of the warm-up: in all counts, in no time.
    package private(set) var warmUp = 0
    /// From when a call was to be sent to when it had ended.
    package private(set) var response = TimeHistogram()
    /// From when it was sent to when it had ended.
    package private(set) var service = TimeHistogram()
    /// From when it could have been sent to when it was: the replayer's own delay.
    package private(set) var sendLag = TimeHistogram()
    /// From when it was to be sent to when all that it waits for was answered.
    package private(set) var dependencyWait = TimeHistogram()
    /// Nanoseconds since the epoch: the first intended time, and the last end.
    private var first = Int64.max
    private var last = Int64.min

    /// Calls and messages of one kind.
    struct KindOutcomes: Equatable, Sendable {
        var answered = 0
        var compared = 0
        var different = 0
    }

    package init(name: String, meta: TraceMeta = TraceMeta()) {
        self.name = name
        self.meta = meta
    }

    /// Takes a batch; operations of traces that are no replays are passed over.
    package mutating func add(_ batch: borrowing OperationBatch) {
        add(batch) { _ in true }
    }

    /// Takes of a batch what a chain does as recorded.
    ///
    /// - Parameter expressed: what a `ChainExpression` made of each operation; empty for a replay on a chain, which
    ///   says so itself.
    package mutating func add(_ batch: borrowing OperationBatch, expressed: [Expressed]) {
        let records = batch.replays
        add(batch) { place in
            expressed.isEmpty ? !records[place].isApproximated : expressed[place] == .asRecorded
        }
    }

    private mutating func add(_ batch: borrowing OperationBatch, where isTaken: (Int) -> Bool) {
        guard batch.replays.count == batch.operations.count else { return }
        for place in batch.operations.indices where isTaken(place) {
            add(batch.operations[place], batch.replays[place], of: batch)
        }
    }

    private mutating func add(_ operation: Operation, _ record: ReplayRecord, of batch: borrowing OperationBatch) {
        if case .event = operation.role {
            for place in operation.events.range where batch.keyValues[place].kind != .previous { events += 1 }
            return
        }
        // A stream as a whole lasts as long as its client keeps it: its messages are what is asked and answered.
        if case .call = operation.role, operation.kind == .watch || operation.kind == .leaseKeepAlive { return }
        let kind = Int(operation.kind.rawValue)
        let isLost = operation.responseEnd == Operation.absent
        if isLost {
            lost += 1
        } else {
            answered[kind] += 1
            if record.loop == 0 { outcomes[kind].answered += 1 }
            // Messages of a stream have no status of their own.
            statuses[operation.status ?? 0, default: 0] += 1
        }
        if record.isUncompared || record.loop > 0 {
            // Nothing is known of what it should have come to. Traces of before say so by the loop alone.
        } else if record.isApproximated {
            approximated += 1
            if record.difference != 0 { approximatedDifferent += 1 }
        } else {
            compared += 1
            outcomes[kind].compared += 1
            if record.difference != 0 {
                differences[record.difference, default: 0] += 1
                outcomes[kind].different += 1
            }
        }
        if isLost { return }
        if record.isWarmUp { return warmUp += 1 }
        response.record(operation.responseEnd.clampedSum(record.intended))
        service.record(operation.responseEnd)
        sendLag.record(record.released)
        dependencyWait.record(record.intended.clampedSum(-record.released))
        first = min(first, operation.time.nanoseconds.clampedSum(-record.intended))
        last = max(last, operation.time.nanoseconds.clampedSum(operation.responseEnd))
    }

    /// Adds what another shard of the same run came to; the description stays.
    package mutating func add(_ other: RunSummary) {
        for kind in answered.indices {
            answered[kind] += other.answered[kind]
            outcomes[kind].answered += other.outcomes[kind].answered
            outcomes[kind].compared += other.outcomes[kind].compared
            outcomes[kind].different += other.outcomes[kind].different
        }
        lost += other.lost
        statuses.merge(other.statuses) { $0 + $1 }
        differences.merge(other.differences) { $0 + $1 }
        compared += other.compared
        approximated += other.approximated
        approximatedDifferent += other.approximatedDifferent
        warmUp += other.warmUp
        events += other.events
        response.add(other.response)
        service.add(other.service)
        sendLag.add(other.sendLag)
        dependencyWait.add(other.dependencyWait)
        first = min(first, other.first)
        last = max(last, other.last)
    }

    package var total: Int { answered.reduce(0, +) }

    /// From the first intended time behind the warm-up to the last end; 0 where nothing was answered.
    package var nanoseconds: Int64 { first < last ? last.clampedSum(-first) : 0 }

    /// Answered calls a second, without the warm-up; nil for a run of no length.
    package var throughput: Double? {
        nanoseconds > 0 ? Double(total - warmUp) / (Double(nanoseconds) / 1e9) : nil
    }

    /// Whether the trace is a replay at all.
    package var isReplay: Bool { meta.isOfReplay }
}

extension Int64 {
    fileprivate func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
