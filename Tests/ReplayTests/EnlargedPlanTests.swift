import Etcd
import Foundation
import Generation
import Replay
import TestSupport
import Testing

@Suite("Plans of enlarged recordings")
struct EnlargedPlanTests {
    static func enlarged(_ name: String, copies: Int, seed: UInt64) throws -> [OperationBatch] {
        var recorded = RecordedTrace(copies: copies)
        for batch in try RealPlanTests.batches(of: Repository.traces.appending(path: "\(name).pcap.zst").path) {
            try recorded.add(batch)
        }
        var enlargement = try Enlargement(recorded, copies: copies, seed: seed)
        var batches: [OperationBatch] = []
        var batch = OperationBatch()
        while enlargement.next(into: &batch) { batches.append(batch) }
        return batches
    }

    /// Outcomes that the recording alone does not explain, of one copy (`RealPlanTests`).
    private static let known = [
        "edgesys-table1": 0, "netcraq-scale": 0, "netcraq-uncached": 0, "ccore-mix": 0, "midstream": 2,
    ]

    @Test(
        "in whatever order the graph allows, the model store answers what every copy was answered",
        arguments: known.keys.sorted(), seeds(1, 2))
    func outcomes(name: String, seed: UInt64) throws {
        let plan = try RealPlanTests.plan(of: Self.enlarged(name, copies: 10, seed: seed))
        var run = ModelRun(plan)
        let isWhole = run.run(seed: seed)
        #expect(isWhole, "some calls wait for ever")
        #expect(run.compared > 3_000)
        let differences = run.differences.prefix(10).joined(separator: "\n")
        #expect(run.differences.count == 10 * (Self.known[name] ?? 0), "\(differences)")
        #expect(plan.notes.unmappedCompares == 0)
        #expect(plan.notes.unmappedRevisions == 0)
        #expect(plan.notes.unmappedLeases == 0)
        #expect(plan.notes.cyclesBroken == 0)
    }
}
