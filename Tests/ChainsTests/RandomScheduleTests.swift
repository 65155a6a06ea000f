import Chains
import TestSupport
import Testing

@Suite("Random schedules: the default variants are linearizable, and mutants are found out")
struct RandomScheduleTests {
    static func plan(_ seed: UInt64, mutations: Mutations = []) -> WorldPlan {
        var plan = WorldPlan(seed: seed)
        plan.chainLength = [3, 3, 2, 4, 1][Int(seed % 5)]
        plan.versions = [4, 2, 3][Int(seed / 5 % 3)]
        plan.clients = 3 + Int(seed / 15 % 2)
        plan.mutations = mutations
        return plan
    }

    static func explain<Machine>(_ world: ChainWorld<Machine>, _ key: Int) -> String {
        var again = ChainWorld<Machine>(world.plan)
        again.keepsLog = true
        _ = again.run()
        return "key \(key)\n" + (again.log).joined(separator: "\n")
    }

    @Test("no run of NetCRAQ shows what no register does", arguments: seeds(1))
    func netCRAQ(_ start: UInt64) {
        for seed in start..<start + 400 {
            var world = ChainWorld<NetCRAQSwitch>(Self.plan(seed))
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }

    @Test("no run of NetChain shows what no register does", arguments: seeds(1))
    func netChain(_ start: UInt64) {
        for seed in start..<start + 400 {
            var world = ChainWorld<NetChainSwitch>(Self.plan(seed))
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }
}
