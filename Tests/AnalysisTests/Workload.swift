import Analysis
import Etcd
import Wire

/// Builds a batch of operations in the words of the API, for tests.
struct Workload {
    var batch = OperationBatch()
    private var clock: Int64 = 1_700_000_000_000_000_000

    /// One operation of a transaction's branch.
    indirect enum Step {
        case range(String, end: String? = nil)
        case put(String, size: Int64)
        /// `deleted`: how many keys the server said it deleted, if the branch ran.
        case delete(String, end: String? = nil, deleted: Int64 = 1)
        case txn(success: [Step], failure: [Step], succeeded: Bool?)
    }

    typealias Comparison = (target: Compare.Target, relation: Compare.Relation, key: String, operand: Int64)

    mutating func key(_ key: String) -> KeyNumber { batch.keys.number(of: key) }

    /// A call of a catalogued method, complete and with status 0 unless changed.
    mutating func call(_ path: String, _ change: (inout Operation) -> Void = { _ in }) {
        guard let method = MethodCatalogue.methods.first(where: { $0.path == path }) else {
            preconditionFailure("\(path) is in the catalogue")
        }
        var call = Operation(
            time: tick(), connection: 1, stream: 1, role: .call, kind: method.kind, evidence: .seen,
            method: method.number)
        call.completeness = [.completed]
        call.status = 0
        call.requestEnd = 1_000
        call.responseEnd = 1_000_000
        call.requestMessages = 1
        call.responseMessages = 1
        change(&call)
        batch.operations.append(call)
    }

    private mutating func tick() -> CaptureTime {
        clock += 1_000_000_000
        return CaptureTime(nanoseconds: clock)
    }

    mutating func range(
        _ key: String, end: String? = nil, flags: RequestOp.Flags = [], found: Int64 = 1,
        _ change: (inout Operation) -> Void = { _ in }
    ) {
        var body = RequestOp()
        body.kind = .range
        body.key = self.key(key)
        body.flags = flags.union(.answered)
        if let end {
            body.rangeEnd = self.key(end)
            body.flags.insert(.hasRangeEnd)
        }
        body.count = found
        body.keyValues = keyValues(found)
        call("/etcdserverpb.KV/Range") {
            $0.body = body
            change(&$0)
        }
    }

    private mutating func keyValues(_ count: Int64) -> Slice {
        let start = batch.keyValues.count
        for _ in 0..<count { batch.keyValues.append(KeyValueRecord()) }
        return Slice(start: UInt32(start), count: UInt32(count))
    }

    mutating func put(_ key: String, size: Int64, lease: Int64 = 0, _ change: (inout Operation) -> Void = { _ in }) {
        var body = RequestOp()
        body.kind = .put
        body.key = self.key(key)
        body.valueSize = size
        body.lease = lease
        body.flags = .answered
        call("/etcdserverpb.KV/Put") {
            $0.body = body
            change(&$0)
        }
    }

    mutating func delete(_ key: String, end: String? = nil, deleted: Int64) {
        var body = RequestOp()
        body.kind = .delete
        body.key = self.key(key)
        body.flags = .answered
        if let end {
            body.rangeEnd = self.key(end)
            body.flags.insert(.hasRangeEnd)
        }
        body.count = deleted
        call("/etcdserverpb.KV/DeleteRange") { $0.body = body }
    }

    /// `succeeded`: nil for a transaction without an answer.
    mutating func txn(
        _ compares: [Comparison], success: [Step] = [], failure: [Step] = [], succeeded: Bool?,
        _ change: (inout Operation) -> Void = { _ in }
    ) {
        var body = RequestOp()
        body.kind = .txn
        body.compares = Slice(start: UInt32(batch.compares.count), count: UInt32(compares.count))
        for comparison in compares {
            var compare = Compare()
            compare.target = comparison.target
            compare.relation = comparison.relation
            compare.key = key(comparison.key)
            compare.operand = comparison.operand
            batch.compares.append(compare)
        }
        if let succeeded { body.flags = succeeded ? [.answered, .succeeded] : .answered }
        let start = batch.parts.count
        add(success, branch: .success, depth: 0, ran: succeeded == true)
        add(failure, branch: .failure, depth: 0, ran: succeeded == false)
        let parts = Slice(start: UInt32(start), count: UInt32(batch.parts.count - start))
        call("/etcdserverpb.KV/Txn") {
            $0.body = body
            $0.parts = parts
            if succeeded == nil {
                $0.status = nil
                $0.completeness = [.resetByClient]
                $0.responseMessages = 0
            }
            change(&$0)
        }
    }

    private mutating func add(_ steps: [Step], branch: RequestOp.Branch, depth: UInt8, ran: Bool) {
        for step in steps {
            var part = RequestOp()
            part.branch = branch
            part.depth = depth
            if ran { part.flags.insert(.answered) }
            switch step {
            case .range(let key, let end):
                part.kind = .range
                name(&part, key, end)
                batch.parts.append(part)
            case .put(let key, let size):
                part.kind = .put
                part.key = self.key(key)
                part.valueSize = size
                batch.parts.append(part)
            case .delete(let key, let end, let deleted):
                part.kind = .delete
                name(&part, key, end)
                part.count = ran ? deleted : 0
                batch.parts.append(part)
            case .txn(let success, let failure, let succeeded):
                part.kind = .txn
                let place = batch.parts.count
                batch.parts.append(part)
                add(success, branch: .success, depth: depth + 1, ran: ran && succeeded == true)
                add(failure, branch: .failure, depth: depth + 1, ran: ran && succeeded == false)
                batch.parts[place].nestedParts = UInt32(batch.parts.count - place - 1)
            }
        }
    }

    private mutating func name(_ part: inout RequestOp, _ key: String, _ end: String?) {
        part.key = self.key(key)
        guard let end else { return }
        part.rangeEnd = self.key(end)
        part.flags.insert(.hasRangeEnd)
    }

    /// A message or an event on a stream of a catalogued method.
    mutating func message(
        _ kind: OperationKind, role: Operation.Role = .message, parts: Operation.Completeness,
        events: [KeyValueRecord.Kind] = []
    ) {
        guard let watch = MethodCatalogue.methods.first(where: { $0.kind == .watch }) else {
            preconditionFailure("Watch is in the catalogue")
        }
        var message = Operation(
            time: tick(), connection: 1, stream: 1, role: role, kind: kind, evidence: .seen, method: watch.number)
        message.completeness = parts
        message.events = Slice(start: UInt32(batch.keyValues.count), count: UInt32(events.count))
        for kind in events {
            var record = KeyValueRecord()
            record.kind = kind
            batch.keyValues.append(record)
        }
        batch.operations.append(message)
    }

    var analysis: WorkloadAnalysis {
        var analysis = WorkloadAnalysis()
        analysis.add(batch)
        return analysis
    }

    var report: WorkloadReport { analysis.result() }

    /// Some of everything, as an API server and etcdctl would send it, for golden files.
    static var mixed: Workload {
        var load = Workload()
        load.batch.health[.connections] = 3
        load.batch.health[.connectionsEncrypted] = 1
        for pod in 0..<6 {
            let key = "/registry/pods/default/web-\(pod)"
            load.txn([(.modRevision, .equal, key, 0)], success: [.put(key, size: 900)], succeeded: true)
            load.range(key)
            load.txn(
                [(.modRevision, .equal, key, 7)], success: [.put(key, size: 1_100)], failure: [.range(key)],
                succeeded: pod != 2)
        }
        for _ in 0..<9 { load.range("/registry/health", found: 0) }
        for _ in 0..<4 { load.range("/registry/pods", found: 0) }
        for _ in 0..<3 {
            let lease = "/registry/leases/kube-system/kube-scheduler"
            load.range(lease)
            load.txn(
                [(.modRevision, .equal, lease, 9)], success: [.put(lease, size: 400)], failure: [.range(lease)],
                succeeded: true)
        }
        load.txn(
            [(.modRevision, .equal, "/registry/minions/node-0", 3)], success: [.delete("/registry/minions/node-0")],
            failure: [.range("/registry/minions/node-0")], succeeded: true)
        load.range(
            "/registry/apiregistration.k8s.io/apiservices/", end: "/registry/apiregistration.k8s.io/apiservices0")
        load.put("etc\\passwd\u{1b}[2J", size: 16, lease: 5)
        load.call("/etcdserverpb.Lease/LeaseGrant")
        load.call("/etcdserverpb.Maintenance/Status")
        load.call("/etcdserverpb.Watch/Watch") {
            $0.completeness = [.unfinished]
            $0.status = nil
            $0.requestMessages = 2
            $0.responseMessages = 3
        }
        load.message(.watchCreate, parts: [.hasRequest, .hasResponse])
        load.message(.watchProgress, parts: [.hasRequest])
        load.message(.watchEvents, role: .event, parts: [.hasResponse], events: [.putEvent, .previous, .deleteEvent])
        return load
    }
}
