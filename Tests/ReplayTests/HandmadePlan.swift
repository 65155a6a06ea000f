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
        var range = RangeRequest(key: key(text), flags: .answered)
        range.count = count
        return add(.range, "/etcdserverpb.KV/Range", at: time) { $0.request = .range(range) }
    }

    /// Asks a Range for more.
    mutating func change(range call: UInt32, _ change: (inout RangeRequest) -> Void) {
        guard case .range(var range) = plan.calls[Int(call)].request else { return }
        change(&range)
        plan.calls[Int(call)].request = .range(range)
    }

    @discardableResult
    mutating func put(_ text: String, at time: Int64, lease: Int64 = 0, revision: Int64 = 0) -> UInt32 {
        var put = PutRequest(key: key(text), flags: .answered)
        put.lease = lease
        return add(.put, "/etcdserverpb.KV/Put", at: time) {
            $0.request = .put(put)
            $0.headerRevision = revision
        }
    }

    /// Adds a transaction; `parts` and `compares` become its own, `nested` are compares of transactions in it.
    @discardableResult
    mutating func transaction(
        compares: [Compare], nested: [Compare] = [], parts: [RequestOp], succeeded: Bool, at time: Int64,
        revision: Int64 = 0
    ) -> UInt32 {
        let txn = TxnRequest(
            parts: Slice(start: UInt32(plan.parts.count), count: UInt32(parts.count)),
            compares: Slice(start: UInt32(plan.compares.count), count: UInt32(compares.count + nested.count)),
            ownCompareCount: UInt32(compares.count), flags: succeeded ? .answered.union(.succeeded) : .answered)
        plan.parts += parts
        plan.compares += compares + nested
        return add(.txn, "/etcdserverpb.KV/Txn", at: time) {
            $0.request = .txn(txn)
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

extension PlannedRequest {
    /// Of calls without a body.
    static func asking(_ change: (inout OtherRequest) -> Void) -> PlannedRequest {
        var other = OtherRequest()
        change(&other)
        return .other(other)
    }

    /// A watch of a key, from that revision on.
    static func watching(_ key: KeyNumber, from revision: Int64 = 0, watchID: Int64 = 0) -> PlannedRequest {
        var create = WatchCreateRequest(key: key, flags: [])
        create.revision = revision
        create.watchID = watchID
        return .watchCreate(create)
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
