package import Etcd
import Wire

/// Writes a plan's preload: leases first, all at once, then keys in the order of their mod revisions, as many in a
/// transaction as etcd takes, one transaction after the other. Behind many keys, the store is left to settle
/// (`PreloadSettling`).
package final class PreloadDriver: StoreDriver {
    /// What the target answered so far.
    package private(set) var outcome = PreloadOutcome()
    /// Puts that were written, and those that the target found too large.
    package private(set) var written = 0
    package private(set) var tooLarge = 0
    /// The first other error, which ends the preload: gRPC status and etcd's text.
    package private(set) var failure: Failure?

    package struct Failure: Equatable, Sendable {
        package var status: UInt32
        package var text: String
    }

    private let preload: PreloadPlan
    private let keys: ByteTable
    private let connections: UInt32
    private let limits: PreloadLimits
    private var grantsSent = 0
    private var grantsAnswered = 0
    /// Puts before this one were sent; those of the transaction that is outstanding end there.
    private var next = 0
    private var outstanding: Range<Int>?
    private var settling: PreloadSettling
    private var time = Int64.min
    private var leaseKey = LeaseKey()

    /// - Parameter connections: of the target.
    package init(_ plan: ReplayPlan, connections: Int, limits: PreloadLimits = PreloadLimits()) {
        preload = plan.preload
        keys = plan.keys
        self.connections = UInt32(max(1, connections))
        self.limits = limits
        outcome.leases = Array(repeating: 0, count: preload.leases.count)
        outcome.revisions = Array(repeating: 0, count: preload.puts.count)
        settling = PreloadSettling(isNeeded: preload.puts.count > limits.unsettledPuts)
    }

    package func turn(at now: Int64) { time = max(time, now) }
    package var nextDue: Int64 { failure == nil && isWritten ? settling.due : .max }

    package var isDone: Bool {
        if failure != nil { return isIdle && !settling.isWaitingForAnswer }
        return isWritten && settling.isOver
    }

    private var isIdle: Bool { grantsSent == grantsAnswered && outstanding == nil }
    /// All leases and keys are there.
    private var isWritten: Bool { isIdle && grantsSent == preload.leases.count && next == preload.puts.count }

    /// Stops after what is outstanding.
    package func stop() {
        if failure == nil { failure = Failure(status: 1, text: "interrupted") }
    }

    package func next(into request: inout StoreRequest) -> Bool {
        if failure != nil { return false }
        if grantsSent < preload.leases.count {
            guard grantsSent - grantsAnswered < limits.outstandingGrants else { return false }
            request.removeAll()
            request.number = UInt32(grantsSent)
            request.connection = UInt32(grantsSent) % connections
            request.set(.leaseGrant)
            request.ttl = preload.leases[grantsSent].ttl
            grantsSent += 1
            return true
        }
        if isWritten { return settling.next(into: &request, at: time) }
        guard isIdle else { return false }
        let end = endOfTransaction(from: next)
        request.removeAll()
        request.number = UInt32(next)
        request.connection = 0
        request.valueID = Self.valueIDs | UInt64(next)
        if end == next + 1 {
            request.set(.put)
            request.body = body(of: next, &request.keys)
        } else {
            request.set(.txn)
            request.body.kind = .txn
            for put in next..<end {
                var part = body(of: put, &request.keys)
                part.branch = .success
                request.parts.append(part)
            }
        }
        outstanding = next..<end
        next = end
        return true
    }

    package func receive(_ answer: borrowing StoreAnswer) {
        guard case .answer = answer.role else { return }
        time = max(time, answer.done)
        if settling.isWaitingForAnswer { return settling.receive(answer) }
        guard let puts = outstanding else { return receive(grant: answer) }
        outstanding = nil
        if answer.status == 0, answer.note.rawValue == StoreAnswer.Note.none.rawValue {
            for put in puts { outcome.revisions[put] = answer.details.headerRevision }
            written += puts.count
        } else if answer.isTooLarge, puts.count == 1 {
            tooLarge += 1
        } else if answer.isTooLarge {
            // One by one, then.
            next = puts.lowerBound
            singleUntil = puts.upperBound
        } else {
            fail(answer)
        }
    }

    private func receive(grant answer: borrowing StoreAnswer) {
        grantsAnswered += 1
        if answer.status == 0, answer.note.rawValue == StoreAnswer.Note.none.rawValue,
            outcome.leases.indices.contains(Int(answer.number))
        {
            outcome.leases[Int(answer.number)] = answer.details.answeredLease
        } else {
            fail(answer)
        }
    }

    private func fail(_ answer: borrowing StoreAnswer) {
        if failure != nil { return }
        failure = Failure(status: answer.status, text: String(decoding: answer.errorText, as: UTF8.self))
    }

    // MARK: Transactions

    /// Values of a preload begin with numbers that no call of a plan gives its values.
    private static let valueIDs: UInt64 = 1 << 63

    /// Puts before this one go alone: together they were too large.
    private var singleUntil = 0

    private func endOfTransaction(from first: Int) -> Int {
        if first < singleUntil { return first + 1 }
        var bytes: Int64 = 0
        var end = first
        while end < preload.puts.count, end - first < limits.putsPerTransaction {
            let put = preload.puts[end]
            bytes += put.valueSize + Int64(keys.range(of: put.key).count)
            // Its lease's digits may be fewer than the target's.
            if put.nameLease != nil { bytes += LeaseKey.digitsMax }
            if end > first, bytes > limits.bytesPerTransaction { break }
            // A key may be put once in a transaction.
            end += 1
        }
        return end
    }

    private func body(of number: Int, _ list: inout KeyList) -> RequestOp {
        let put = preload.puts[number]
        var body = RequestOp()
        body.kind = .put
        let nameLease = put.nameLease.map { outcome.leases[Int($0)] } ?? 0
        if nameLease != 0 {
            leaseKey.make(put.key, of: keys, lease: nameLease)
            body.key = list.number(of: leaseKey.bytes.span, at: leaseKey.bytes.indices)
        } else {
            // A lease without an ID is none: calls name the key as recorded, too.
            let bytes = keys.bytes
            body.key = list.number(of: bytes.span, at: keys.range(of: put.key))
        }
        body.valueSize = put.valueSize
        if let lease = put.lease { body.lease = outcome.leases[Int(lease)] }
        return body
    }
}

/// What a preload asks for.
package struct PreloadLimits: Sendable {
    /// Operations in a transaction: etcd's default (`--max-txn-ops`).
    package var putsPerTransaction = 128
    /// Bytes of keys and values in a transaction: below etcd's default of 1.5 MiB (`--max-request-bytes`).
    package var bytesPerTransaction: Int64 = 1 << 20
    /// LeaseGrants without an answer.
    package var outstandingGrants = 64
    /// Puts behind which there is nothing to settle.
    package var unsettledPuts = 1000

    package init() {}
}

extension StoreRequest {
    /// Makes it a unary call of that kind, which has one method.
    package mutating func set(_ kind: OperationKind) {
        self.kind = kind
        method = MethodCatalogue.methods.first { $0.kind == kind }?.number ?? .unknown
    }
}

extension StoreAnswer {
    /// etcd refuses a request beyond `--max-request-bytes` with INVALID_ARGUMENT (rpctypes ErrGRPCRequestTooLarge), and
    /// gRPC one beyond what a server receives with RESOURCE_EXHAUSTED.
    var isTooLarge: Bool {
        (status == 3 && errorText.span.isEqual(to: Array("etcdserver: request is too large".utf8).span))
            || (status == 8 && errorText.starts(with: Array("grpc: received message larger than max".utf8)))
    }
}
