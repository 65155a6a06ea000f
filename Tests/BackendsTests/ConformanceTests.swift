import BackendConformance
import Backends
import Replay
import TestSupport
import Testing

@Suite("Backends do what they owe their driver", .timeLimit(.minutes(2)))
struct ConformanceTests {
    @Test("null: the loop, without state")
    func null() {
        #expect(BackendConformance(features: [], prefix: "/").run(on: NullBackend()) == [])
    }

    @Test("etcd, all of it", .enabled(if: Repository.hasEtcd), arguments: [1, 3])
    func etcd(_ members: Int) throws {
        let cluster = try LocalCluster(LocalClusterOptions(members: members))
        defer { cluster.close() }
        let found = BackendConformance(features: .all, prefix: "/c/").run(on: try client(cluster))
        #expect(found.isEmpty, "\(found)")
    }

    private func client(_ cluster: LocalCluster) throws -> EtcdBackend {
        try EtcdBackend(EtcdOptions(name: cluster.name, addresses: cluster.endpoints, isSecure: false))
    }

    // MARK: A rule that is broken is found

    /// Rules that need no store to be broken; one that answers at once never makes anybody wait.
    private static let loopRules: [Violation.Rule] = [
        .thread, .turn, .clock, .sleep, .wake, .end, .answered, .once, .number, .times, .order, .unsupported,
    ]

    @Test("a loop that breaks one rule is told of it", arguments: loopRules)
    func brokenLoop(_ rule: Violation.Rule) {
        // What this waits for in vain, it waits for that long.
        let suite = BackendConformance(features: [], prefix: "/", patience: 200_000_000)
        let found = suite.run(on: BrokenBackend(NullBackend(), breaking: rule))
        #expect(found.contains { $0.rule == rule }, "\(found)")
    }

    @Test("a store that breaks one rule is told of it", .enabled(if: Repository.hasEtcd))
    func brokenStore() throws {
        let cluster = try LocalCluster(LocalClusterOptions(members: 1))
        defer { cluster.close() }
        for rule in Violation.Rule.allCases where !Self.loopRules.contains(rule) {
            let suite = BackendConformance(features: .all, prefix: "/\(rule.rawValue)/")
            let found = suite.run(on: BrokenBackend(try client(cluster), breaking: rule))
            #expect(found.contains { $0.rule == rule }, "\(rule): \(found)")
        }
        // What stands between breaks nothing by itself.
        let suite = BackendConformance(features: .all, prefix: "/whole/")
        #expect(suite.run(on: BrokenBackend(try client(cluster), breaking: nil)) == [])
    }

    @Test("a store that cannot be opened is a violation, not a crash")
    func unreachable() throws {
        let options = try EtcdOptions(name: "etcd://127.0.0.1:1", addresses: ["127.0.0.1:1"], isSecure: false)
        let found = BackendConformance(features: .all, prefix: "/").run(on: try EtcdBackend(options))
        #expect(found.map(\.rule) == [.end] && found[0].seen.contains("Connection refused"))
    }
}
