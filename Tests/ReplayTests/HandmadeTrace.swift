import Etcd
import Replay
import Wire

/// A batch made by hand: calls a microsecond apart, each answered before the next.
struct HandmadeTrace {
    var batch = OperationBatch()

    mutating func key(_ text: String) -> KeyNumber { batch.keys.number(of: text) }

    /// Adds a call that was answered with status 0 at that revision.
    mutating func call(
        _ kind: OperationKind, _ body: RequestOp = RequestOp(), revision: Int64 = 1,
        _ change: (inout Operation) -> Void = { _ in }
    ) {
        let method = MethodCatalogue.methods.first { $0.kind == kind }?.number ?? .unknown
        var call = Operation(
            time: CaptureTime(nanoseconds: Int64(batch.operations.count) * 1000), connection: 1, stream: 1, role: .call,
            kind: kind, evidence: .seen, method: method)
        call.body = body
        call.key = body.key
        call.status = 0
        call.responseEnd = 500
        call.headerRevision = revision
        change(&call)
        batch.operations.append(call)
    }

    /// A body that was answered.
    mutating func body(
        _ kind: RequestOp.Kind, _ key: String, end: String? = nil, _ change: (inout RequestOp) -> Void = { _ in }
    ) -> RequestOp {
        var body = RequestOp()
        body.kind = kind
        body.key = self.key(key)
        body.flags = .answered
        if let end {
            body.rangeEnd = self.key(end)
            body.flags.insert(.hasRangeEnd)
        }
        if kind == .put { body.valueSize = 100 } else { body.count = 1 }
        change(&body)
        return body
    }

    mutating func put(_ key: String, revision: Int64 = 1, _ change: (inout RequestOp) -> Void = { _ in }) {
        call(.put, body(.put, key, change), revision: revision)
    }

    mutating func range(_ key: String, end: String? = nil, _ change: (inout RequestOp) -> Void = { _ in }) {
        call(.range, body(.range, key, end: end, change))
    }

    /// A range over keys that returned these.
    mutating func list(_ key: String, end: String, _ names: [String], at revision: Int64 = 0) {
        let first = UInt32(batch.keyValues.count)
        for name in names {
            var shown = KeyValueRecord()
            shown.key = self.key(name)
            shown.modRevision = 1
            batch.keyValues.append(shown)
        }
        range(key, end: end) {
            $0.count = Int64(names.count)
            $0.revision = revision
            $0.keyValues = Slice(start: first, count: UInt32(names.count))
        }
    }

    mutating func delete(_ key: String, end: String? = nil, deleted: Int64 = 1) {
        call(.delete, body(.delete, key, end: end) { $0.count = deleted })
    }

    mutating func compare(
        _ key: String, _ target: Compare.Target = .modRevision, _ relation: Compare.Relation = .equal, _ operand: Int64
    ) -> Compare {
        var compare = Compare()
        compare.key = self.key(key)
        compare.target = target
        compare.relation = relation
        compare.operand = operand
        return compare
    }

    /// Adds a transaction; its parts in the branch that ran become answered ones.
    mutating func transaction(
        _ compares: [Compare], success: [RequestOp], failure: [RequestOp] = [], succeeded: Bool = true,
        revision: Int64 = 1
    ) {
        let first = (part: UInt32(batch.parts.count), compare: UInt32(batch.compares.count))
        for (branch, parts) in [(RequestOp.Branch.success, success), (.failure, failure)] {
            for part in parts {
                var part = part
                part.branch = branch
                if (branch == .success) != succeeded { part.flags.remove(.answered) }
                batch.parts.append(part)
            }
        }
        batch.compares += compares
        var body = RequestOp()
        body.kind = .txn
        body.flags = succeeded ? [.answered, .succeeded] : .answered
        body.compares = Slice(start: first.compare, count: UInt32(compares.count))
        let parts = Slice(start: first.part, count: UInt32(success.count + failure.count))
        call(.txn, body, revision: revision) { $0.parts = parts }
    }

    /// `mod_revision = N | put | range`, or `| delete |`.
    mutating func compareAndSet(
        _ key: String, _ revision: Int64, _ kind: RequestOp.Kind = .put, size: Int64 = 100, lease: Int64 = 0,
        reads: Bool = true, succeeded: Bool = true
    ) {
        let done = body(kind, key) {
            $0.lease = lease
            if kind == .put { $0.valueSize = size }
        }
        transaction(
            [compare(key, .modRevision, .equal, revision)], success: [done],
            failure: reads ? [body(.range, key)] : [], succeeded: succeeded)
    }

    mutating func observe(_ key: String, lease: Int64 = 0, valueSize: Int64 = 10, revision: Int64 = 1) {
        var record = ObservedRecord(kind: .present, source: .rangeReply, key: self.key(key))
        record.lease = lease
        record.valueSize = valueSize
        record.modRevision = revision
        batch.observed.append(record)
    }

    func plan() throws -> ReplayPlan {
        var survey = UnansweredSurvey()
        survey.add(batch)
        var builder = PlanBuilder(order: .causal, survey: survey)
        try builder.add(batch)
        return builder.finish()
    }

    /// What a chain makes of it, a line each: `put /a 16: approximated lease`.
    func expressed(
        by chain: ChainAbilities = ChainAbilities(valueBytes: 1024), _ policy: UnsupportedPolicy
    ) throws -> [String] {
        var survey = ChainSurvey(chain)
        try survey.add(batch)
        survey.finish()
        var expression = ChainExpression(chain, policy, survey)
        var changed = batch
        try expression.express(&changed)
        return zip(changed.operations, expression.expressed).map { operation, expressed in
            let fate =
                switch expressed {
                case .asRecorded: "done"
                case .approximated(let obstacle, let kind, let counted):
                    "for \(counted ? "a" : "the") \(kind): \(obstacle)"
                case .leftOut(let obstacle): "left out: \(obstacle)"
                case .replaced: "replaced"
                }
            return "\(changed.words(operation)) \(fate)"
        }
    }
}

extension OperationBatch {
    fileprivate func words(_ operation: Operation) -> String {
        guard operation.kind == .txn else { return words(operation.body, operation.kind) }
        return "txn(" + parts[operation.parts.range].map { words($0, .other) }.joined(separator: ",") + ")"
    }

    private func words(_ body: RequestOp, _ kind: OperationKind) -> String {
        let name = kind == .other && body.kind != .none ? "\(body.kind)" : "\(kind)"
        if body.key == 0 { return name }
        let text = String(decoding: keys.string(body.key), as: UTF8.self)
        let size = body.kind == .put ? " \(body.valueSize)" : body.flags.contains(.answered) ? "" : " ?"
        return "\(name) \(text)\(size)" + (body.lease != 0 ? " leased" : "")
    }
}
