import Etcd
import Foundation
import Replay
import TestSupport
import Testing
import Wire

@Suite("Real recordings on a model of a chain")
struct RealExpressionTests {
    static let names = [
        "edgesys-table1", "netcraq-scale", "netcraq-uncached", "etcdctl-mix", "ccore-mix", "midstream",
    ]
    private static func batches(_ name: String) throws -> [OperationBatch] {
        try RealPlanTests.batches(of: Repository.traces.appending(path: "\(name).pcap.zst").path)
    }

    static let chains = [
        ChainAbilities(valueBytes: 1024), ChainAbilities(valueBytes: 128),
        ChainAbilities(valueBytes: 16, hasCompare: false),
    ]

    @Test(
        "every call and message is done, stood for or left out, once, and no other than the server's",
        arguments: names, chains)
    func sums(_ name: String, _ chain: ChainAbilities) throws {
        let batches = try Self.batches(name)
        for policy in [UnsupportedPolicy.skip, .approximate] {
            let plan = try chain.plan(of: batches, policy)
            let table = try #require(plan.expression)
            var calls = 0
            for kind in OperationKind.allCases {
                var counted = table.executed(kind)
                for reason in Omission.allCases { counted += plan.omissions[kind, reason] }
                for obstacle in ChainObstacle.allCases {
                    counted += table.approximated(kind, obstacle) + table.leftOut(kind, obstacle)
                }
                var recorded = 0
                for batch in batches {
                    for operation in batch.operations where operation.kind == kind && operation.isAsked {
                        recorded += 1
                        if operation.role == .call { calls += 1 }
                    }
                }
                #expect(counted == recorded, "\(kind)")
            }
            #expect(table.omitted == plan.omissions.total)
            #expect(plan.calls.count { $0.approximation == nil } == table.executed)
            #expect(plan.calls.count { $0.approximation != nil } >= table.approximated)
            #expect(policy == .approximate || table.approximated == 0)

            let truth = try Truth(Repository.traces.appending(path: "\(name).truth.json")).json
            let methods = try #require(truth["methods"] as? [String: [String: Any]])
            let served = methods.values.reduce(0) { $0 + ($1["requests"] as? Int ?? 0) }
            let unread = (truth["unread"] as? [String: Int] ?? [:]).values.reduce(0, +)
            #expect((served...served + unread).contains(calls), "\(served) and \(calls)")
        }
    }

    @Test(
        "in whatever order calls are answered, a chain answers what was recorded",
        arguments: names, chains)
    func outcomes(_ name: String, _ chain: ChainAbilities) throws {
        let batches = try Self.batches(name)
        for (seed, pace) in [Schedule.Pace.recorded(speed: .init(100)), .max, .closed(outstanding: 16)].enumerated() {
            for policy in [UnsupportedPolicy.skip, .approximate] {
                let (fidelity, model) = try chain.replay(batches, policy, pace, seed: UInt64(seed))
                #expect(model.unsupported.isEmpty, "\(model.unsupported.first.map { "\($0)" } ?? "")")
                let examples = Difference.allCases.map { "\($0) \(fidelity.examples[Int($0.rawValue)])" }
                #expect(fidelity.compared == fidelity.same, "\(policy): \(examples.joined(separator: ", "))")
                #expect(fidelity.orderViolations == 0)
                #expect(fidelity.compared + fidelity.approximated > 30 || chain.valueBytes < 1024)
                // What stands for other calls finds keys whose lease had ended, and a paper's chain deletes nothing.
                if chain.hasCompare { #expect(fidelity.approximatedSame == fidelity.approximated) }
            }
        }
    }

    @Test(
        "the same of the larger recordings", .enabled(if: Repository.hasCaptures), arguments: ["large", "api-mix"])
    func larger(_ name: String) throws {
        let path = try Repository.capture(name).appending(path: "capture.pcap.zst").path
        let batches = try RealPlanTests.batches(of: path)
        var asked = 0
        for batch in batches {
            for operation in batch.operations where operation.isAsked { asked += 1 }
        }
        for policy in [UnsupportedPolicy.skip, .approximate] {
            let table = try #require(try Self.chains[0].plan(of: batches, policy).expression)
            #expect(table.total == asked)
            let (fidelity, model) = try Self.chains[0].replay(batches, policy, .max, seed: 1)
            #expect(model.unsupported.isEmpty)
            #expect(fidelity.compared > 100)
            #expect(fidelity.compared == fidelity.same)
            // A key whose lease had ended in the recording is still there.
            #expect((fidelity.approximated - fidelity.approximatedSame) * 1000 <= fidelity.approximated)
            #expect(fidelity.orderViolations == 0)
        }
    }

    @Test(
        "no key that a chain changes or compares as recorded has a change or compare that is left out", arguments: names
    )
    func eligibility(_ name: String) throws {
        let batches = try Self.batches(name)
        for chain in Self.chains {
            let plan = try chain.plan(of: batches, .skip)
            let exact = Set(plan.calls.flatMap { plan.changedKeys(of: $0) })
            #expect(!exact.isEmpty || chain.valueBytes < 1024)
            var all: [[UInt8]: Int] = [:]
            for batch in batches {
                for operation in batch.operations where operation.role == .call && operation.isPlanned {
                    for key in batch.changedKeys(of: operation) { all[key, default: 0] += 1 }
                }
            }
            var done: [[UInt8]: Int] = [:]
            for call in plan.calls { for key in plan.changedKeys(of: call) { done[key, default: 0] += 1 } }
            for key in exact {
                #expect(all[key] == done[key], "\(String(decoding: key, as: UTF8.self))")
            }
        }
    }
}

extension ChainAbilities: CustomTestStringConvertible {
    public var testDescription: String { "\(valueBytes) bytes\(hasCompare ? "" : ", no compare")" }

    /// The plan of a trace for such a chain.
    func plan(of batches: [OperationBatch], _ policy: UnsupportedPolicy) throws -> ReplayPlan {
        var unanswered = UnansweredSurvey()
        var survey = ChainSurvey(self)
        for batch in batches {
            unanswered.add(batch)
            try survey.add(batch)
        }
        survey.finish()
        var limits = PlanLimits()
        limits.valueBytes = valueBytes
        var builder = PlanBuilder(order: .causal, survey: unanswered, limits: limits)
        var expression = ChainExpression(self, policy, survey, limits: limits)
        for batch in batches {
            var expressed = batch
            try expression.express(&expressed)
            try builder.add(expressed, expressed: expression.expressed)
        }
        return builder.finish()
    }

    /// Replays a trace on the model, each call with a latency of its own.
    func replay(
        _ batches: [OperationBatch], _ policy: UnsupportedPolicy, _ pace: Schedule.Pace, seed: UInt64
    ) throws -> (Fidelity, ModelChain) {
        let plan = try plan(of: batches, policy)
        var model = ModelChain(self)
        let preload = model.preload(plan)
        var engine = ReplayEngine(
            plan, schedule: Schedule(pace), preload: preload,
            connections: (0..<4).map { ConnectionNames(client: "client:\($0)", server: "model") },
            batchCapacity: 1 << 20)
        var numbers = SplitMix64(seed: seed)
        let latencies = plan.calls.indices.map { _ in Int64(numbers.below(5_000_000)) }
        var store = ScriptedStore()
        store.latency = { latencies[$0.call] }
        store.respond = { sent, answer in model.execute(sent.request, into: &answer) }
        store.run(&engine)
        #expect(engine.counts.unsent == 0 && engine.counts.outstanding == 0)
        return (engine.fidelity, model)
    }
}

extension Etcd.Operation {
    /// Whether it is a call of the recording, or a client's message.
    fileprivate var isAsked: Bool {
        switch role {
        case .call: !completeness.contains(.openedBefore)
        case .message: completeness.contains(.hasRequest)
        case .event: false
        }
    }

    /// Whether it was answered and done.
    fileprivate var isPlanned: Bool { status == 0 && evidence != .ambiguous && !completeness.contains(.openedBefore) }
}

extension OperationBatch {
    /// Keys that it may change, and those that it compares before.
    fileprivate func changedKeys(of operation: Etcd.Operation) -> [[UInt8]] {
        var keys: [KeyNumber] = []
        switch operation.kind {
        case .put, .delete: keys.append(operation.body.key)
        case .txn:
            let parts = parts[operation.parts.range].filter { $0.kind == .put || $0.kind == .delete }
            if !parts.isEmpty { keys = parts.map(\.key) + compares[operation.body.compares.range].map(\.key) }
        default: break
        }
        return keys.map { self.keys.string($0) }
    }
}

extension ReplayPlan {
    fileprivate func changedKeys(of call: PlannedCall) -> [[UInt8]] {
        var keys: [KeyNumber] = []
        switch call.kind {
        case .put, .delete: keys.append(call.body.key)
        case .txn: keys = parts[call.parts.range].prefix(1).map(\.key) + compares[call.compares.range].map(\.key)
        default: break
        }
        return keys.map { self.keys.string($0) }
    }
}
