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
        for seed in start..<start + 400 {
            var world = ChainWorld<NetCRAQSwitch>(WorldPlan(drawnFrom: seed))
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }

    @Test("no run of NetChain shows what no register does", arguments: seeds(1))
    func netChain(_ start: UInt64) {
        for seed in start..<start + 400 {
            var world = ChainWorld<NetChainSwitch>(WorldPlan(drawnFrom: seed))
            let isDone = world.run()
            #expect(isDone, "seed \(seed) did not end")
            if let key = world.violation { Issue.record("seed \(seed): \(Self.explain(world, key))") }
        }
    }
}
