package import Etcd
import Wire

/// Turns a trace's batches into what a chain does of them: calls as recorded, what comes nearest to them, or nothing,
/// as the policy says. Stands before a `PlanBuilder`, which counts what becomes of each call.
package struct ChainExpression: Sendable {
    private let abilities: ChainAbilities
    private let policy: UnsupportedPolicy
    private let survey: ChainSurvey
    private let limits: PlanLimits
    /// Of each operation of the last batch.
    package private(set) var expressed: [Expressed] = []
    /// Of each key of the batch.
    private var against: [ObstacleSet] = []

    /// - Parameter survey: has seen all batches of the trace, and is finished.
    package init(
        _ abilities: ChainAbilities, _ policy: UnsupportedPolicy, _ survey: ChainSurvey,
        limits: PlanLimits = PlanLimits()
    ) {
        self.abilities = abilities
        self.policy = policy
        self.survey = survey
        self.limits = limits
    }

    /// Changes the batch in place: what stands for other calls is added behind its operations. `expressed` says what
    /// became of each.
    package mutating func express(_ batch: inout OperationBatch) throws(PlanError) {
        against.removeAll(keepingCapacity: true)
        against.append([])
        for key in 0..<batch.keys.count { against.append(survey.obstacles(against: KeyNumber(key + 1), of: batch)) }
        let count = batch.operations.count
        expressed.removeAll(keepingCapacity: true)
        expressed.append(contentsOf: repeatElement(.asRecorded, count: count))
        for place in 0..<count {
            guard let obstacle = obstacle(of: batch.operations[place], in: batch) else { continue }
            switch policy {
            case .skip: expressed[place] = .leftOut(obstacle)
            case .fail: throw error(obstacle, batch.operations[place], of: batch)
            case .approximate: approximate(place, obstacle, in: &batch)
            }
        }
        expressObserved(in: &batch)
    }

    /// Why a chain cannot do an operation as recorded. What no store is asked stays for the plan to leave out.
    private func obstacle(of operation: Operation, in batch: borrowing OperationBatch) -> ChainObstacle? {
        if operation.role != .call {
            return operation.kind == .leaseKeepAlive ? .leaseCall : .watch
        }
        if operation.kind == .watch { return .watch }
        if operation.kind == .leaseKeepAlive { return .leaseCall }
        switch Omission(operation, of: batch, limits: limits) {
        case nil, .notRecorded?, .tooLarge?: break
        default: return nil
        }
        if let obstacle = abilities.obstacle(of: operation, in: batch) { return obstacle }
        let key = operation.kind == .txn ? batch.parts[Int(operation.parts.start)].key : operation.body.key
        return against[Int(key)].first
    }

    private func error(
        _ obstacle: ChainObstacle, _ operation: Operation, of batch: borrowing OperationBatch
    ) -> PlanError {
        let key = String(decoding: batch.keys.bytes[batch.keys.range(of: operation.key)], as: UTF8.self)
        return PlanError(
            why: "a chain cannot do its \(operation.kind)\(key.isEmpty ? "" : " of \(key.debugDescription)") at "
                + "\(operation.time.nanoseconds) ns: \(obstacle.words)",
            remedy: "Leave out what it cannot do with --unsupported skip, or come near it with approximate.")
    }

    // MARK: What existed before

    /// What a chain is given before the run: no leases, and no keys but by name.
    private func expressObserved(in batch: inout OperationBatch) {
        let isNear = policy == .approximate
        batch.observed.removeAll { $0.kind == .counted || !isNear && !against[Int($0.key)].isEmpty }
        for place in batch.observed.indices {
            batch.observed[place].lease = 0
            batch.observed[place].valueSize = fitting(batch.observed[place].valueSize)
        }
    }

    /// The size of a value, or of what is written instead.
    private func fitting(_ size: Int64) -> Int64 { size > abilities.valueBytes ? ChainAbilities.digestBytes : size }

    // MARK: What comes nearest

    private mutating func approximate(_ place: Int, _ obstacle: ChainObstacle, in batch: inout OperationBatch) {
        expressed[place] = .leftOut(obstacle)
        guard obstacle.isApproximable else { return }
        let call = batch.operations[place]
        switch call.kind {
        case .put, .delete, .range:
            guard let body = single(call.body) else { break }
            batch.operations[place].body = body
            expressed[place] = .approximated(obstacle, of: call.kind, counted: true)
            return
        case .txn:
            if let done = comparable(call, in: &batch) {
                batch.operations[place].parts = done
                expressed[place] = .approximated(obstacle, of: .txn, counted: true)
                return
            }
        default: break
        }
        // What stands for a call that was answered: its answer says what was done.
        guard call.status == 0, call.body.flags.contains(.answered),
            call.completeness.isDisjoint(with: [.responseDamaged, .responseUndecoded])
        else { return }
        var bodies: [RequestOp] = []
        if call.kind == .txn {
            appendExecuted(by: call, in: batch, to: &bodies)
        } else {
            append(call.body, in: batch, to: &bodies)
        }
        for (index, body) in bodies.enumerated() {
            batch.operations.append(Operation(call, body))
            expressed.append(.approximated(obstacle, of: call.kind, counted: index == 0))
        }
        if !bodies.isEmpty { expressed[place] = .replaced }
    }

    /// What a chain does for an operation on a key; nil for one on several, and for a deletion where a chain has none.
    private func single(_ body: RequestOp) -> RequestOp? {
        guard body.key != 0, !body.flags.contains(.hasRangeEnd) else { return nil }
        var single = body
        single.branch = .root
        single.depth = 0
        single.compares = Slice()
        single.keyValues = Slice()
        switch body.kind {
        case .put:
            single.lease = 0
            single.valueSize = fitting(body.valueSize)
            single.flags.subtract([.prevKv, .ignoreValue, .ignoreLease])
        case .delete: if !abilities.hasCompare { return nil }
        case .range:
            // The answer was given of another time, or of a part.
            if body.revision > 0 || body.flags.contains(.revisionFilter) { single.flags.remove(.answered) }
            single.revision = 0
            single.flags.remove(.revisionFilter)
        case .none, .txn, .watchCreate: return nil
        }
        return single
    }

    /// The operations of a transaction that a chain does with other values, since all writes of its key are sent and
    /// so its compare finds what it found; nil if it has to be done without its compare.
    private func comparable(_ call: Operation, in batch: inout OperationBatch) -> Slice? {
        switch abilities.obstacle(of: call, in: batch) {
        case nil, .valueTooLarge?, .previousValue?, .keptValue?: break
        default: return nil
        }
        let parts = batch.parts[call.parts.range]
        guard let done = parts.first, done.lease == 0, against[Int(done.key)].isSubset(of: .ofContent) else {
            return nil
        }
        let first = UInt32(batch.parts.count)
        for part in parts {
            guard var changed = single(part) else { return nil }
            changed.branch = part.branch
            batch.parts.append(changed)
        }
        return Slice(start: first, count: UInt32(parts.count))
    }

    /// What was done by a transaction; a read of what it compared, if nothing was done.
    private func appendExecuted(
        by call: Operation, in batch: borrowing OperationBatch, to bodies: inout [RequestOp]
    ) {
        for place in call.parts.range where batch.parts[place].flags.contains(.answered) {
            append(batch.parts[place], in: batch, to: &bodies)
        }
        if call.parts.range.contains(where: { batch.parts[$0].flags.contains(.answered) }) { return }
        for place in call.body.compares.range where batch.compares[place].rangeEnd == 0 {
            if batch.compares[place].key != 0 { bodies.append(.read(batch.compares[place].key)) }
        }
    }

    private func append(_ body: RequestOp, in batch: borrowing OperationBatch, to bodies: inout [RequestOp]) {
        if let single = single(body) { return bodies.append(single) }
        let isNow = body.revision == 0 && !body.flags.contains(.revisionFilter)
        for place in body.keyValues.range {
            let shown = batch.keyValues[place]
            guard shown.key != 0 else { continue }
            var nearest = RequestOp.read(shown.key)
            if body.kind == .delete {
                if !abilities.hasCompare { continue }
                nearest.kind = .delete
            } else if body.kind != .range || shown.kind != .reply {
                continue
            }
            nearest.flags = body.flags.intersection([.serializable, .keysOnly])
            nearest.count = 1
            if isNow { nearest.flags.insert(.answered) }
            bodies.append(nearest)
        }
    }
}

extension RequestOp {
    /// A read of a key of which the answer is not known.
    fileprivate static func read(_ key: KeyNumber) -> RequestOp {
        var body = RequestOp()
        body.kind = .range
        body.key = key
        return body
    }
}

extension Operation {
    /// An operation that stands for one that was answered, or for a part of it: with its times and its answer's
    /// revision.
    fileprivate init(_ call: Operation, _ body: RequestOp) {
        let kind: OperationKind =
            switch body.kind {
            case .put: .put
            case .delete: .delete
            default: .range
            }
        self = call
        self.kind = kind
        self.body = body
        method = MethodCatalogue.methods.first { $0.kind == kind }?.number ?? .unknown
        parts = Slice()
        key = body.key
    }
}
