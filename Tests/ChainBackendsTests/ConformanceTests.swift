import BackendConformance
import ChainBackends
import Chains
import Replay
import Testing

@Suite("Chains do what backends owe their driver", .timeLimit(.minutes(2)))
struct ConformanceTests {
    @Test("the loop, single keys and comparisons", arguments: [("netcraq", 1), ("netcraq", 4), ("netchain", 4)])
    func conforms(_ store: String, _ nodes: Int) {
        let prefix = "/c/"
        let backend = ChainBackend(
            .forTests(store, nodes: nodes, keys: BackendConformance.keys(below: prefix)))
        let found = BackendConformance(features: [.keys, .comparisons], prefix: prefix).run(on: backend)
        #expect(found.isEmpty, "\(found)")
    }
}
