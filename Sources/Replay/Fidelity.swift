package import Etcd
import Wire

/// How far the outcomes of a replay are the recorded ones: status, `succeeded`, found and count of each call, and of
/// each executed operation of a transaction. Of the first loop only: the others begin with what it left.
package struct Fidelity: Sendable {
    /// Calls of which both outcomes are known, and those of them with the same.
    package private(set) var compared: Int64 = 0
    package private(set) var same: Int64 = 0
    /// The same of calls that stand for others, which a chain cannot do: those are not among the ones above, nor in
    /// any other count but `newErrors` and the order of writes.
    package private(set) var approximated: Int64 = 0
    package private(set) var approximatedSame: Int64 = 0
    /// Answered calls of which the recording does not hold an outcome.
    package private(set) var uncompared: Int64 = 0
    /// The first calls of each reason, by their numbers in the plan, in the order of their answers.
    package private(set) var examples: [[UInt32]]
    /// Calls that changed something in both; those of them that came in another order than others of the same key, and
    /// `crossings`.
    package private(set) var writes: Int64 = 0
    package private(set) var orderViolations: Int64 = 0
    package private(set) var orderExamples: [UInt32] = []
    /// Answered calls of a shard that did not wait for other shards' calls (`PlannedShard.crossing`). They are among
    /// `orderViolations`, and not among `writes`.
    package private(set) var crossings: Int64 = 0
    /// Whether a call is one of those; empty where none is.
    private var isCrossing: [Bool] = []

    /// By reason and kind.
    private var differences: [Int64]
    /// Whether a key of that number is put with a lease.
    private var isLeased: [Bool]
    private var leasedKeys: [KeyNumber]
    /// The earliest end of a lease, if nobody kept it alive: of the target by the backend's clock, of the recording in
    /// nanoseconds after the plan's first call.
    private(set) var leaseEnd = Int64.max
    let recordedLeaseEnd: Int64
    /// Of each call that changed something, the target's header revision; 0 for others.
    private var revisions: [Int64]
    private let exampleCount: Int

    private static let kinds = OperationKind.allCases.count

    init(_ plan: borrowing ReplayPlan, examples: Int) {
        exampleCount = examples
        self.examples = Array(repeating: [], count: Difference.allCases.count)
        differences = Array(repeating: 0, count: Difference.allCases.count * Self.kinds)
        revisions = Array(repeating: 0, count: plan.calls.count)
        // Leases from before the recording may end at any time of it.
        var recordedEnd: Int64 = plan.preload.leases.isEmpty ? .max : 0
        for call in plan.calls where call.kind == .leaseGrant && call.status == 0 {
            recordedEnd = min(recordedEnd, Self.end(of: call.ttl, from: call.time))
        }
        recordedLeaseEnd = recordedEnd
        var isLeased = Array(repeating: false, count: plan.keys.count + 1)
        for call in plan.calls {
            if case .put(let put) = call.request, put.lease != 0 { isLeased[Int(put.key)] = true }
        }
        for part in plan.parts where part.lease != 0 { isLeased[Int(part.key)] = true }
        for put in plan.preload.puts where put.lease != nil { isLeased[Int(put.key)] = true }
        self.isLeased = isLeased
        if let crossing = plan.shard?.crossing, !crossing.isEmpty {
            isCrossing = Array(repeating: false, count: plan.calls.count)
            for call in crossing { isCrossing[Int(call)] = true }
        }
        leasedKeys = (0..<KeyNumber(isLeased.count)).filter { isLeased[Int($0)] }
    }

    /// A lease was granted, for so many seconds.
    mutating func grant(ttl: Int64, at time: Int64) { leaseEnd = min(leaseEnd, Self.end(of: ttl, from: time)) }

    private static func end(of ttl: Int64, from time: Int64) -> Int64 {
        let (nanoseconds, overflow) = max(0, ttl).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return .max }
        let (end, isBeyond) = time.addingReportingOverflow(nanoseconds)
        return isBeyond ? .max : end
    }

    /// Calls that differ for that reason.
    package subscript(difference: Difference, kind: OperationKind) -> Int64 {
        differences[Int(difference.rawValue) * Self.kinds + Int(kind.rawValue)]
    }

    package func total(_ difference: Difference) -> Int64 {
        OperationKind.allCases.reduce(0) { $0 + self[difference, $1] }
    }

    /// Calls that have an error, or no answer, where the recording shows success.
    package private(set) var newErrors: Int64 = 0

    /// Compares an answered call; why it differs, nil where the recording does not say enough.
    @inline(__always)
    mutating func compare(
        _ call: UInt32, of plan: borrowing ReplayPlan, with outcome: Outcome, parts: [RequestOp], from firstPart: Int
    ) -> Difference? {
        if !isCrossing.isEmpty, isCrossing[Int(call)] {
            crossings += 1
        } else if outcome.hasChanged {
            revisions[Int(call)] = outcome.headerRevision
        }
        guard let difference = check(call, plan, outcome, parts, firstPart) else {
            uncompared += 1
            return nil
        }
        if plan.calls[Int(call)].approximation != nil {
            approximated += 1
            if case .none = difference { approximatedSame += 1 }
            if outcome.isError, plan.calls[Int(call)].status == 0 { newErrors += 1 }
            return difference
        }
        compared += 1
        if case .none = difference {
            same += 1
        } else {
            count(difference, call, plan.calls[Int(call)].kind)
            if outcome.isError, plan.calls[Int(call)].status == 0 { newErrors += 1 }
        }
        return difference
    }

    private mutating func count(_ difference: Difference, _ call: UInt32, _ kind: OperationKind) {
        let reason = Int(difference.rawValue)
        differences[reason * Self.kinds + Int(kind.rawValue)] += 1
        if examples[reason].count < exampleCount { examples[reason].append(call) }
    }

    /// Nil where the recording does not say enough.
    @inline(__always)
    private func check(
        _ call: UInt32, _ plan: borrowing ReplayPlan, _ outcome: Outcome, _ parts: [RequestOp], _ firstPart: Int
    ) -> Difference? {
        let status = plan.calls[Int(call)].status
        if status == PlannedCall.noStatus { return nil }
        if status == outcome.status, status != 0 { return Difference.none }
        if outcome.isStreamLost { return .streamEnded }
        switch outcome.note {
        case .none, .fellBack: break
        case .unsupported: return .unsupported
        case .connectionLost: return .connectionLost
        case .timedOut: return .timedOut
        }
        if status != outcome.status {
            if outcome.isUnmapped { return .unmapped }
            return outcome.saysLeaseNotFound ? .leaseExpired : .status
        }
        switch plan.calls[Int(call)].request {
        case .range(let range):
            if !range.flags.contains(.answered) { return nil }
            let count = outcome.answer.count
            if range.count == count { return Difference.none }
            let names = Named(range.key, range.rangeEnd, range.flags)
            return difference(range.count, count, names, plan, outcome)
        case .delete(let delete):
            if !delete.flags.contains(.answered) { return nil }
            let count = outcome.answer.count
            if delete.count == count { return Difference.none }
            let names = Named(delete.key, delete.rangeEnd, delete.flags)
            return difference(delete.count, count, names, plan, outcome)
        case .txn(let txn):
            if !txn.flags.contains(.answered) { return nil }
            return difference(txn, plan, outcome, parts, firstPart)
        case .put, .watchCreate: return Difference.none
        case .other(let other):
            guard case .leaseKeepAlive = plan.calls[Int(call)].kind else { return Difference.none }
            // A keep-alive for a lease that is gone is answered with a TTL of 0 (rpc.proto LeaseKeepAliveResponse).
            if (other.ttl > 0) == (outcome.answeredTTL > 0) { return Difference.none }
            return other.ttl > 0 ? .leaseExpired : .found
        }
    }

    /// The key, or the range of keys, that an operation is about.
    private struct Named {
        let key: KeyNumber
        /// Nil for a single key.
        let rangeEnd: KeyNumber?

        init(_ key: KeyNumber, _ rangeEnd: KeyNumber, _ flags: RequestOp.Flags) {
            self.key = key
            self.rangeEnd = flags.contains(.hasRangeEnd) ? rangeEnd : nil
        }

        init(_ part: RequestOp) { self.init(part.key, part.rangeEnd, part.flags) }
    }

    /// Why an operation found, or deleted, another number of keys than in the recording.
    private func difference(
        _ recorded: Int64, _ count: Int64, _ names: Named, _ plan: borrowing ReplayPlan, _ outcome: Outcome
    ) -> Difference {
        let mayBeLease = count < recorded ? outcome.mayLeaseHaveEnded : outcome.mayRecordedLeaseHaveEnded
        if mayBeLease, coversLeased(names, plan) { return .leaseExpired }
        if outcome.isUnmapped { return .unmapped }
        return (recorded > 0) != (count > 0) ? .found : .count
    }

    private func difference(
        _ txn: TxnRequest, _ plan: borrowing ReplayPlan, _ outcome: Outcome, _ parts: [RequestOp], _ firstPart: Int
    ) -> Difference {
        let succeeded = outcome.answer.flags.contains(.succeeded)
        if txn.flags.contains(.succeeded) != succeeded {
            if outcome.mayLeaseHaveEnded, isLeasedKeyMissing(txn, plan, parts, firstPart) { return .leaseExpired }
            return outcome.isUnmapped ? .unmapped : .succeeded
        }
        if outcome.isMalformed { return .malformed }
        for index in 0..<Int(txn.parts.count) {
            // Not as a whole: to copy two of them takes longer than to compare them.
            let (recorded, actual) = (Int(txn.parts.start) + index, firstPart + index)
            let flags = plan.parts[recorded].flags
            if flags.contains(.answered) != parts[actual].flags.contains(.answered) {
                return outcome.isUnmapped ? .unmapped : .succeeded
            }
            guard flags.contains(.answered) else { continue }
            switch plan.parts[recorded].kind {
            case .none, .put, .watchCreate: break
            case .txn:
                if flags.contains(.succeeded) != parts[actual].flags.contains(.succeeded) {
                    return outcome.isUnmapped ? .unmapped : .succeeded
                }
            case .range, .delete:
                let (expected, count) = (plan.parts[recorded].count, parts[actual].count)
                if expected == count { continue }
                return difference(expected, count, Named(plan.parts[recorded]), plan, outcome)
            }
        }
        return .none
    }

    /// Whether an executed read of a transaction shows that a key which is put with a lease is not there.
    private func isLeasedKeyMissing(
        _ txn: TxnRequest, _ plan: borrowing ReplayPlan, _ parts: [RequestOp], _ firstPart: Int
    ) -> Bool {
        for index in 0..<Int(txn.parts.count) {
            let part = parts[firstPart + index]
            guard part.kind == .range, part.flags.contains(.answered), part.count == 0 else { continue }
            if coversLeased(Named(plan.parts[Int(txn.parts.start) + index]), plan) { return true }
        }
        return false
    }

    /// Whether a key that is put with a lease lies in what the operation names.
    private func coversLeased(_ names: Named, _ plan: borrowing ReplayPlan) -> Bool {
        guard let rangeEnd = names.rangeEnd else { return isLeased[Int(names.key)] }
        return leasedKeys.contains { plan.keys.holds($0, from: names.key, to: rangeEnd) }
    }

    /// Finds what came in another order than in the recording.
    mutating func finish(_ plan: borrowing ReplayPlan) {
        let order = WriteOrder(plan, revisions: revisions)
        writes = order.calls
        orderViolations = Int64(order.violations.count) + crossings
        orderExamples = Array(order.violations.prefix(exampleCount))
    }

    // MARK: - The score

    /// Shares from 0 to 1; 1 where there was nothing to judge by.
    package struct Score: Sendable, Equatable {
        /// Compared calls with the recorded outcome.
        package var outcomes: Double
        /// Writes that came in the recorded order, key by key, among all writes and `crossings`.
        package var order: Double
        /// Planned calls that were answered.
        package var completeness: Double
        /// The product of the three.
        package var total: Double { outcomes * order * completeness }

        /// - Parameters:
        ///   - compared: calls of which both outcomes are known; `same` of them with the recorded one.
        ///   - ordered: writes and crossings; `violations` of them in another order.
        ///   - begun: calls that were sent or were to be sent; `missing` of them without an answer.
        package init(
            compared: Int64, same: Int64, ordered: Int64, violations: Int64, begun: Int64, missing: Int64
        ) {
            outcomes = compared == 0 ? 1 : Double(same) / Double(compared)
            order = ordered == 0 ? 1 : (Double(ordered) - Double(violations)) / Double(ordered)
            completeness = begun == 0 ? 1 : 1 - Double(missing) / Double(begun)
        }
    }

    /// - Parameters:
    ///   - counts: of the same run.
    package func score(_ counts: ReplayCounts) -> Score {
        Score(
            compared: compared, same: same, ordered: writes + crossings, violations: orderViolations,
            begun: counts.begun, missing: counts.missing)
    }
}

extension ReplayCounts {
    /// Calls that were sent or were to be sent, and those of them without an answer.
    package var begun: Int64 { total(\.sent) + streamLosses + unsent }
    package var missing: Int64 { unsent + outstanding }
}

/// What came of a call, as far as it is compared. Not the whole answer: to hand that on is to copy 300 bytes of it.
struct Outcome {
    let status: UInt32
    let note: StoreAnswer.Note
    let isError: Bool
    let saysLeaseNotFound: Bool
    let answer: CallDetails.Answer
    let answeredTTL: Int64
    let headerRevision: Int64
    let isMalformed: Bool
    let isUnmapped: Bool
    let isStreamLost: Bool
    let hasChanged: Bool
    /// A lease of the target may have ended before the answer; one of the recording before the recorded call.
    let mayLeaseHaveEnded: Bool
    let mayRecordedLeaseHaveEnded: Bool
}

extension StoreAnswer {
    private static let leaseNotFound = Array("etcdserver: requested lease not found".utf8)

    /// etcd api/v3rpc/rpctypes: ErrGRPCLeaseNotFound.
    var saysLeaseNotFound: Bool { status == 5 && errorText.span.isEqual(to: Self.leaseNotFound.span) }
}
