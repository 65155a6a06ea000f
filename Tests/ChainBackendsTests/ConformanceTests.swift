import BackendConformance
import ChainBackends
import Chains
import Replay
import Testing

@Suite("Chains do what backends owe their driver", .timeLimit(.minutes(2)))
struct ConformanceTests {
    private static let prefix = "/c/"
    private static let keys = BackendConformance.keys(below: prefix)

    @Test("the loop, single keys and comparisons", arguments: [("netcraq", 1), ("netcraq", 4), ("netchain", 4)])
    func versioned(_ store: String, _ nodes: Int) {
        let backend = ChainBackend(.forTests(store, nodes: nodes, keys: Self.keys))
        let found = BackendConformance(features: [.keys, .comparisons], prefix: Self.prefix).run(on: backend)
        #expect(found.isEmpty, "\(found)")
    }

    @Test("as published: the loop", arguments: ["netcraq", "netchain"])
    func published(_ store: String) {
        var options = ChainBackendOptions.forTests(store, nodes: 4, keys: Self.keys)
        options.variant =
            store == "netcraq" ? .paperNetCRAQ(NetCRAQPaperOptions()) : .paperNetChain(NetChainPaperOptions())
        let found = BackendConformance(features: [], prefix: Self.prefix).run(on: ChainBackend(options))
        #expect(found.isEmpty, "\(found)")
    }
}
