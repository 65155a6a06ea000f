import Etcd
package import Replay
import Wire

/// A recording such as an API server makes, made up: 60 % Ranges of one key, 40 % transactions that put a key if its
/// mod revision is the one that was seen last, and else read it. Keys are drawn by Zipf's law with exponent 1. Every
/// microsecond a call begins, and each takes 200 of them, so that hundreds overlap.
package struct Workload {
    private let calls: Int
    private let keys: Int
    private let connections: Int
    private static let batch = 4096
    private static let latency: Int64 = 200_000
    private static let start: Int64 = 1_700_000_000_000_000_000

    package init(calls: Int, keys: Int, connections: Int) {
        self.calls = calls
        self.keys = keys
        self.connections = connections
    }

    /// The plan that `kvreel replay --order causal` makes of it.
    package func plan() throws(PlanError) -> ReplayPlan {
        var builder = PlanBuilder(order: .causal, survey: UnansweredSurvey())
        var numbers = SplitMix64(seed: 1)
        let ranks = ZipfRanks(count: keys)
        let names = (0..<keys).map { Array(Self.name($0).utf8) }
        var modRevisions = Array(repeating: Int64(0), count: keys)
        var revision: Int64 = 1
        var batch = OperationBatch()
        for place in 0..<calls {
            let key = ranks.draw(&numbers)
            let name = names[key]
            let number = batch.keys.number(of: name.span)
            let isWrite = numbers.below(10) < 4
            var operation = Operation(
                time: CaptureTime(nanoseconds: Self.start + Int64(place) * 1000),
                connection: UInt32(numbers.below(connections)), stream: UInt32(truncatingIfNeeded: place) * 2 + 1,
                role: .call, kind: isWrite ? .txn : .range, evidence: .seen,
                method: isWrite ? Self.txn : Self.range)
            operation.requestEnd = 0
            operation.responseStart = Self.latency
            operation.responseEnd = Self.latency
            operation.completeness = .completed
            operation.status = 0
            operation.key = number
            operation.body.kind = isWrite ? .txn : .range
            operation.body.flags = .answered
            if isWrite {
                operation.body.flags.insert(.succeeded)
                transact(number, modRevisions[key], &operation, &batch)
                revision += 1
                modRevisions[key] = revision
            } else {
                operation.body.key = number
                operation.body.count = modRevisions[key] == 0 ? 0 : 1
            }
            operation.headerRevision = revision
            batch.operations.append(operation)
            if batch.operations.count == Self.batch || place == calls - 1 {
                try builder.add(batch)
                batch.removeAll()
            }
        }
        return builder.finish()
    }

    private static let range = method("/etcdserverpb.KV/Range")
    private static let txn = method("/etcdserverpb.KV/Txn")

    private static func method(_ path: String) -> MethodNumber {
        let bytes = Array(path.utf8)
        return MethodCatalogue.number(ofPath: bytes.span)
    }

    /// `mod_revision = | put | range`, of which the put was executed.
    private func transact(
        _ key: KeyNumber, _ modRevision: Int64, _ operation: inout Operation, _ batch: inout OperationBatch
    ) {
        var compare = Compare()
        compare.target = .modRevision
        compare.key = key
        compare.operand = modRevision
        operation.body.compares = Slice(start: UInt32(batch.compares.count), count: 1)
        batch.compares.append(compare)
        operation.parts = Slice(start: UInt32(batch.parts.count), count: 2)
        var put = RequestOp()
        put.kind = .put
        put.branch = .success
        put.key = key
        put.valueSize = 1024
        put.flags = .answered
        batch.parts.append(put)
        var range = RequestOp()
        range.kind = .range
        range.branch = .failure
        range.key = key
        batch.parts.append(range)
    }

    private static func name(_ key: Int) -> String {
        let kinds = ["pods", "leases", "configmaps", "events", "endpointslices"]
        return "/registry/\(kinds[key % kinds.count])/namespace-\(key % 100)/\(kinds[key % kinds.count])-\(key)"
    }
}

/// Ranks from 0, of which rank r is drawn with a share of 1 / (r + 1) of the first one's (Zipf's law).
struct ZipfRanks {
    /// Of each rank, the share of all up to it.
    private let shares: [Double]

    init(count: Int) {
        var sum = 0.0
        var sums: [Double] = []
        for rank in 1...count {
            sum += 1 / Double(rank)
            sums.append(sum)
        }
        shares = sums.map { $0 / sum }
    }

    func draw(_ numbers: inout SplitMix64) -> Int {
        let drawn = Double(numbers.next() >> 11) / Double(1 << 53)
        var low = 0
        var high = shares.count - 1
        while low < high {
            let middle = (low + high) / 2
            if shares[middle] <= drawn { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
