import Chains
import TestSupport
import Testing

@Suite("Random schedules: the default variants are linearizable, and mutants are found out")
struct RandomScheduleTests {
    static func explain<Machine>(_ world: ChainWorld<Machine>, _ key: Int) -> String {
        var again = ChainWorld<Machine>(world.plan)
        again.keepsLog = true
        _ = again.run()
        return "key \(key)\n" + (again.log).joined(separator: "\n")
    }

    @Test("no run of NetCRAQ shows what no register does", arguments: seeds(1))
    func netCRAQ(_ start: UInt64) {
        for seed in start..<start + 250 {
            var world = ChainWorld<NetCRAQSwitch>(WorldPlan(drawnFrom: seed))
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }

    @Test("no run of NetChain shows what no register does", arguments: seeds(1))
    func netChain(_ start: UInt64) {
        for seed in start..<start + 250 {
            var world = ChainWorld<NetChainSwitch>(WorldPlan(drawnFrom: seed))
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }

    @Test("no run of NetCRAQ with version queries shows what no register does", arguments: seeds(1001))
    func versionQueries(_ start: UInt64) {
        for seed in start..<start + 120 {
            var plan = WorldPlan(drawnFrom: seed)
            plan.asksForVersions = true
            var world = ChainWorld<NetCRAQSwitch>(plan)
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }

    /// Mutants that every other run to one in fifty shows; the rarer ones have scripts of their own.
    @Test(
        "a mutant of NetCRAQ is found out",
        arguments: [
            .forgetsRequests, .commitResets, .commitLowers, .readsDirtyKeys, .skipsCopies, .comparesUncommitted,
            .tailKeepsDirty,
        ] as [Mutations])
    func mutantsOfNetCRAQ(_ mutation: Mutations) {
        #expect(Self.finds(NetCRAQSwitch.self, mutation))
    }

    @Test(
        "a mutant of NetChain is found out",
        arguments: [.storesOlder, .forgetsRequests, .skipsCopies, .comparesUncommitted] as [Mutations])
    func mutantsOfNetChain(_ mutation: Mutations) {
        #expect(Self.finds(NetChainSwitch.self, mutation))
    }

    private static func finds<Machine: ReplicaMachine>(_: Machine.Type, _ mutation: Mutations) -> Bool {
        for seed in UInt64(1)...400 {
            var world = ChainWorld<Machine>(WorldPlan(drawnFrom: seed, mutations: mutation))
            _ = world.run()
            if world.violation != nil { return true }
        }
        return false
    }
}
