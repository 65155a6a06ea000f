import Etcd
import Replay
import Wire

/// Plans made by hand.
struct HandmadePlan {
    var plan = ReplayPlan()
    var edges: [(before: UInt32, after: UInt32)] = []
    /// Nodes behind the calls.
    var joints = 0

    init() { plan.connectionCount = 1 }

    /// Calls so many nanoseconds apart, each a Range of a key of its own, answered in the recording.
    static func ranges(_ count: Int, apart gap: Int64) -> HandmadePlan {
        var made = HandmadePlan()
        for number in 0..<count { made.range("key-\(number)", at: Int64(number) * gap) }
        return made
    }

    var whole: ReplayPlan {
        var whole = plan
        whole.order = OrderGraph(nodeCount: plan.calls.count + joints, edges: edges)
        return whole
    }

    mutating func key(_ text: String) -> KeyNumber { plan.keys.number(of: text) }

    static func method(_ path: String) -> MethodNumber { MethodCatalogue.number(ofPath: Array(path.utf8).span) }

    /// Adds a call that was answered with status 0; its number.
    @discardableResult
    mutating func add(
        _ kind: OperationKind, _ path: String, at time: Int64, _ change: (inout PlannedCall) -> Void = { _ in }
    ) -> UInt32 {
        var call = PlannedCall(kind: kind, method: Self.method(path), time: time, connection: 0)
        call.status = 0
        change(&call)
        plan.calls.append(call)
        return UInt32(plan.calls.count - 1)
    }

    @discardableResult
    mutating func range(_ text: String, at time: Int64, count: Int64 = 1) -> UInt32 {
        let key = key(text)
        return add(.range, "/etcdserverpb.KV/Range", at: time) {
            $0.body.kind = .range
            $0.body.key = key
            $0.body.flags = .answered
            $0.body.count = count
        }
    }

    @discardableResult
    mutating func put(_ text: String, at time: Int64, lease: Int64 = 0, revision: Int64 = 0) -> UInt32 {
        let key = key(text)
        return add(.put, "/etcdserverpb.KV/Put", at: time) {
            $0.body.kind = .put
            $0.body.key = key
            $0.body.lease = lease
            $0.body.flags = .answered
            $0.headerRevision = revision
        }
    }

    /// Adds a transaction; `parts` and `compares` become its own.
    @discardableResult
    mutating func transaction(
        compares: [Compare], parts: [RequestOp], succeeded: Bool, at time: Int64, revision: Int64 = 0
    ) -> UInt32 {
        let first = (part: UInt32(plan.parts.count), compare: UInt32(plan.compares.count))
        plan.parts += parts
        plan.compares += compares
        return add(.txn, "/etcdserverpb.KV/Txn", at: time) {
            $0.body.kind = .txn
            $0.body.flags = succeeded ? .answered.union(.succeeded) : .answered
            $0.body.compares = Slice(start: first.compare, count: UInt32(compares.count))
            $0.compares = $0.body.compares
            $0.parts = Slice(start: first.part, count: UInt32(parts.count))
            $0.headerRevision = revision
        }
    }

    func engine(
        _ schedule: Schedule = Schedule(.recorded(speed: .init(1))), connections: Int = 1, batch: Int = 1 << 20,
        preload: PreloadOutcome = PreloadOutcome(), limits: EngineLimits = EngineLimits()
    ) -> ReplayEngine {
        ReplayEngine(
            whole, schedule: schedule, preload: preload,
            connections: (0..<connections).map { ConnectionNames(client: "client:\($0)", server: "store") },
            batchCapacity: batch, limits: limits)
    }
}

extension ReplayEngine {
    /// What was written down.
    mutating func written() -> OperationBatch {
        var batch = OperationBatch()
        takeBatch(&batch)
        return batch
    }
}
