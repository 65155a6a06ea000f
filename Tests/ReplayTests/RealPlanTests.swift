import CaptureFiles
import Etcd
import Foundation
import Recording
import Replay
import TestSupport
import Testing

@Suite("Plans of real recordings")
struct RealPlanTests {
    /// The plan of a capture, decoded anew.
    static func plan(of capture: URL, order: PlanBuilder.Order = .causal) throws -> ReplayPlan {
        try plan(of: batches(of: capture.path), order: order)
    }

    static func plan(of batches: [OperationBatch], order: PlanBuilder.Order = .causal) throws -> ReplayPlan {
        var survey = UnansweredSurvey()
        for batch in batches { survey.add(batch) }
        var builder = PlanBuilder(order: order, survey: survey)
        for batch in batches { try builder.add(batch) }
        return builder.finish()
    }

    static func batches(of path: String) throws -> [OperationBatch] {
        var reader = try CaptureReader(paths: [path])
        var packets = PacketBatch()
        var pipeline = RecordingPipeline(ports: [2379], limits: RecordingLimits())
        var batches: [OperationBatch] = []
        while try reader.next(into: &packets) {
            var next = 0
            while next < packets.packets.count {
                next = pipeline.receive(packets, from: next)
                if pipeline.isBatchFull { pipeline.takeBatch { batches.append(copy $0) } }
            }
        }
        while !pipeline.finish() { pipeline.takeBatch { batches.append(copy $0) } }
        pipeline.takeBatch { batches.append(copy $0) }
        return batches
    }

    private static let known = [
        "edgesys-table1": 0, "netcraq-scale": 0, "netcraq-uncached": 0, "etcdctl-mix": 0, "ccore-mix": 0,
        // Recorded from 25 s after its connections were opened: two lists count events of which nothing tells whether
        // they were there at the start.
        "midstream": 2,
    ]

    @Test(
        "in whatever order the graph allows, the model store answers what was recorded",
        arguments: known.keys.sorted())
    func outcomes(name: String) throws {
        let plan = try Self.plan(of: Repository.traces.appending(path: "\(name).pcap.zst"))
        for seed in isSoak ? seeds(1...400) : seeds(1, 2, 3) {
            var run = ModelRun(plan)
            let isWhole = run.run(seed: seed)
            #expect(isWhole, "some calls wait for ever")
            #expect(run.compared > 300)
            let differences = run.differences.prefix(10).joined(separator: "\n")
            #expect(run.differences.count == Self.known[name], "seed \(seed): \(differences)")
        }
        #expect(plan.notes.unmappedCompares == 0)
        #expect(plan.notes.unmappedRevisions == 0)
        #expect(plan.notes.unmappedLeases == 0)
        #expect(plan.notes.cyclesBroken == 0)
    }

    @Test("the same of the large recording", .enabled(if: Repository.hasCaptures))
    func large() throws {
        let plan = try Self.plan(of: Repository.capture("large").appending(path: "capture.pcap.zst"))
        var run = ModelRun(plan)
        let isWhole = run.run(seed: 1)
        #expect(isWhole, "some calls wait for ever")
        #expect(run.compared > 24_000)
        #expect(run.differences.isEmpty, "\(run.differences.prefix(10).joined(separator: "\n"))")
    }

    @Test("without an order, outcomes are others: the test can fail")
    func withoutOrder() throws {
        let plan = try Self.plan(of: Repository.traces.appending(path: "netcraq-scale.pcap.zst"), order: .none)
        var run = ModelRun(plan)
        let isWhole = run.run(seed: 1)
        #expect(isWhole)
        #expect(run.differences.count > 100)
    }
}
