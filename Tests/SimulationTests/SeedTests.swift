import Chains
import Consistency
import Foundation
import Simulation
import TestSupport
import Testing

@Suite("Seeds of the default variants")
struct SeedTests {
    /// One seed's way to be wrong, in words.
    private static func trouble(_ result: SimulationResult, _ options: SimulationOptions) -> String? {
        var words: [String] = []
        if result.verdict != .linearizable { words.append("\(result.verdict): \(result.counterexample?.reason ?? "")") }
        if result.lostWrites > 0 { words.append("\(result.lostWrites) keys lost an acknowledged write") }
        if result.stalledClients > 0 { words.append("\(result.stalledClients) clients did not go on") }
        if result.operations < options.operations { words.append("only \(result.operations) operations") }
        let traffic = result.traffic
        if traffic.lost == 0 || traffic.duplicated == 0 || traffic.reordered == 0 {
            words.append("a kind of fault did not happen: \(traffic)")
        }
        if result.failure == nil || result.writesInFlight == 0 { words.append("no failure with a write under way") }
        if !result.recovered || result.reconfigurations < 2 { words.append("no recovery") }
        return words.isEmpty ? nil : "seed \(result.seed): " + words.joined(separator: "; ")
    }

    @Test(
        "packets are lost, doubled, overtaken, a switch fails with a write under way: linearizable, and all go on",
        arguments: SimulationOptions.Store.allCases)
    func defaultVariants(_ store: SimulationOptions.Store) {
        var options = SimulationOptions(store, nodes: 4)
        options.faults = [.loss, .duplicate, .reorder, .crash, .suspect, .pause]
        let first: UInt64 = seeds(1).last ?? 1
        let count: UInt64 = isSoak ? 10_000 : 200
        let start = ContinuousClock.now
        var failures = [0, 0]
        var (wrong, operations, events) = (0, 0, UInt64(0))
        for seed in first..<first + count {
            let result = Simulator.run(options, seed: seed)
            let words = Self.trouble(result, options)
            #expect(words == nil, "\(store) \(words ?? "")")
            if words != nil { wrong += 1 }
            if result.failure == .crash { failures[0] += 1 } else { failures[1] += 1 }
            operations += result.operations
            events += result.events
        }
        #expect(failures.allSatisfy { $0 > 50 }, "both kinds of failure happen")
        guard isSoak else { return }
        let time = (ContinuousClock.now - start).components.seconds
        print(
            "soak: \(store.rawValue):\(options.nodes), \(count) seeds from \(first): \(wrong) wrong; "
                + "\(failures[0]) crashes, \(failures[1]) false suspicions, \(operations) operations, "
                + "\(events) events, \(time) s")
    }

    @Test(
        "so do short and long chains, few keys and cells, and windows",
        arguments: SimulationOptions.Store.allCases, [1, 2, 3, 6])
    func shapes(_ store: SimulationOptions.Store, _ nodes: Int) {
        for seed in UInt64(1)...(isSoak ? 1000 : 10) {
            var options = SimulationOptions(store, nodes: nodes)
            options.faults = [.loss, .duplicate, .reorder, .pause]
            // Of one switch nothing is left when it dies.
            if nodes > 1 { options.faults.formUnion([.crash, .suspect]) }
            options.keys = 1 + Int(seed % 3)
            options.window = 1 + Int(seed % 4)
            options.netCRAQ.versions = 2 + Int(seed % 2)
            options.asksForVersions = seed % 2 == 0
            let result = Simulator.run(options, seed: seed)
            #expect(result.isGood, "\(store):\(nodes) seed \(seed): \(result.counterexample?.reason ?? "stalled")")
        }
    }

    @Test(
        "one seed gives one run, byte for byte",
        arguments: SimulationOptions.Store.allCases, SimulationOptions.Variant.allCases)
    func determinism(_ store: SimulationOptions.Store, _ variant: SimulationOptions.Variant) {
        var options = SimulationOptions(store, nodes: 3)
        options.variant = variant
        options.faults = [.loss, .duplicate, .reorder, .crash, .suspect, .pause]
        options.keepsLog = true
        let runs = [7, 7, 8].map { Simulator.run(options, seed: $0) }
        #expect(runs[0].digest == runs[1].digest && runs[0].log == runs[1].log && !runs[0].log.isEmpty)
        #expect(runs[0].recorder.history.operations == runs[1].recorder.history.operations)
        #expect(runs[0].digest != runs[2].digest && runs[0].log != runs[2].log)
        options.keepsLog = false
        #expect(Simulator.run(options, seed: 7).digest == runs[0].digest, "the log changes nothing")
    }
}
