import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Order of calls")
struct KeyOrderTests {
    /// Calls of a made-up recording, one at a time: a short life of few keys, so that most calls meet.
    private static func batch(seed: UInt64, count: Int) -> OperationBatch {
        var random = SplitMix64(seed: seed)
        var batch = OperationBatch()
        func key(_ text: String) -> KeyNumber { batch.keys.number(of: text) }
        let keys = ["a", "a/b", "a/c", "a/c/d", "b", "b/x", "c", "m", "z"]
        let ends = ["a/c", "b", "b0", "c", "n", "zz", "\u{0}"]
        var revision: Int64 = 10
        for place in 0..<count {
            let kind: OperationKind = [.range, .range, .put, .delete][Int(random.next() % 4)]
            var operation = Operation(
                time: CaptureTime(nanoseconds: Int64(place) * 1_000), connection: UInt32(random.next() % 3),
                stream: UInt32(2 * place + 1), role: .call, kind: kind, evidence: .seen,
                method: MethodNumber(rawValue: kind == .range ? 2 : kind == .put ? 4 : 5))
            operation.responseEnd = 500
            operation.status = 0
            operation.completeness = [.completed]
            operation.body.kind = kind == .range ? .range : kind == .put ? .put : .delete
            operation.body.flags = [.answered]
            operation.body.key = key(keys[Int(random.next() % UInt64(keys.count))])
            if kind != .put, random.next() % 3 == 0 {
                operation.body.rangeEnd = key(ends[Int(random.next() % UInt64(ends.count))])
                operation.body.flags.insert(.hasRangeEnd)
            }
            // Some deletions find nothing.
            operation.body.count = kind == .delete ? Int64(random.next() % 2) : 1
            if kind == .put || kind == .delete && operation.body.count > 0 { revision += 1 }
            operation.headerRevision = revision
            batch.operations.append(operation)
        }
        return batch
    }

    private static func plan(_ batch: OperationBatch, _ order: PlanBuilder.Order) throws -> ReplayPlan {
        var trace = HandmadeTrace()
        trace.batch = batch
        return try trace.plan(order)
    }

    private static func meets(_ left: RequestOp, _ right: RequestOp, _ keys: ByteTable) -> Bool {
        func holds(_ body: RequestOp, _ key: [UInt8]) -> Bool {
            let start = keys.string(body.key)
            guard body.flags.contains(.hasRangeEnd) else { return key == start }
            let end = keys.string(body.rangeEnd)
            return !key.lexicographicallyPrecedes(start) && (end == [0] || key.lexicographicallyPrecedes(end))
        }
        func isEmpty(_ body: RequestOp) -> Bool {
            let end = keys.string(body.rangeEnd)
            return body.flags.contains(.hasRangeEnd) && end != [0]
                && !keys.string(body.key).lexicographicallyPrecedes(end)
        }
        if isEmpty(left) || isEmpty(right) { return false }
        // Two ranges meet where one of them holds the other's first key.
        return holds(left, keys.string(right.key)) || holds(right, keys.string(left.key))
    }

    @Test(
        "a call waits for just those before it that its keys meet, where one of the two changed something",
        arguments: seeds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    func causal(seed: UInt64) throws {
        let plan = try Self.plan(Self.batch(seed: seed, count: 100), .causal)
        let found = plan.waits
        var expected = Array(repeating: Set<Int>(), count: plan.calls.count)
        for later in plan.calls.indices {
            for earlier in 0..<later {
                let (left, right) = (plan.calls[earlier], plan.calls[later])
                let writes = [left, right].contains { $0.kind == .put || $0.kind == .delete && $0.body.count > 0 }
                guard writes, Self.meets(left.body, right.body, plan.keys) else { continue }
                expected[later].insert(earlier)
                expected[later].formUnion(expected[earlier])
            }
        }
        for call in plan.calls.indices {
            #expect(found[call] == expected[call], "call \(call)")
        }
    }

    @Test("with the order of connections a call waits for what had been answered on its own", arguments: seeds(1, 2, 3))
    func connection(seed: UInt64) throws {
        let plan = try Self.plan(Self.batch(seed: seed, count: 60), .connection)
        let found = plan.waits
        for call in plan.calls.indices {
            let expected = (0..<call).filter { plan.calls[$0].connection == plan.calls[call].connection }
            #expect(found[call] == Set(expected))
        }
    }

    @Test("without an order nothing waits")
    func none() throws {
        let plan = try Self.plan(Self.batch(seed: 7, count: 60), .none)
        #expect(plan.order.successors.isEmpty)
        #expect(plan.order.waits.allSatisfy { $0 == 0 })
    }
}
