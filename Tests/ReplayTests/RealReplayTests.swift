import Etcd
import Foundation
import Replay
import TestSupport
import Testing
import Wire

@Suite("Real recordings on the model store")
struct RealReplayTests {
    static let paces: [Schedule.Pace] = [
        .recorded(speed: .init(1)), .recorded(speed: .init(100)), .poisson(rate: .init(50_000), seed: 3),
        .closed(outstanding: 16), .max,
    ]

    @Test(
        "at any pace, whatever each call takes, all outcomes are the recorded ones, and no write comes out of order",
        arguments: paces, ["edgesys-table1", "netcraq-scale", "etcdctl-mix"])
    func outcomes(_ pace: Schedule.Pace, _ name: String) throws {
        let plan = try RealPlanTests.plan(of: Repository.traces.appending(path: "\(name).pcap.zst"))
        var model = ModelAnswers()
        let preload = model.preload(plan)
        let names = (0..<4).map { ConnectionNames(client: "client:\($0)", server: "model") }
        var engine = ReplayEngine(
            plan, schedule: Schedule(pace), preload: preload, connections: names, batchCapacity: 1 << 20)
        var numbers = SplitMix64(seed: 11)
        let latencies = plan.calls.indices.map { _ in Int64(numbers.below(5_000_000)) }
        var store = ScriptedStore()
        store.latency = { latencies[$0.call] }
        store.respond = { sent, answer in model.execute(sent.request, into: &answer) }
        store.run(&engine)

        let fidelity = engine.fidelity
        let examples = Difference.allCases.map { "\($0) \(fidelity.examples[Int($0.rawValue)])" }
        #expect(fidelity.compared == fidelity.same, "\(examples.joined(separator: ", "))")
        #expect(fidelity.compared > 300)
        #expect(fidelity.orderViolations == 0)
        #expect(engine.counts.unsent == 0 && engine.counts.outstanding == 0)
        let batch = engine.written()
        let calls = batch.operations.count { $0.role != .event && $0.kind != .watch && $0.kind != .leaseKeepAlive }
        #expect(calls > 300)
        #expect(batch.replays.allSatisfy { $0.difference == 0 && $0.released <= $0.intended })
    }
}
