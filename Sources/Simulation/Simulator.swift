import Chains
import Wire

/// Runs of a series: each is its options and its seed, and nothing else.
package enum Simulator {
    /// One seed's run.
    package static func run(_ options: SimulationOptions, seed: UInt64) -> SimulationResult {
        var numbers = SplitMix64(seed: seed)
        var plan = FaultPlan(
            options.faults, nodes: options.nodes, switches: options.nodes + 1, operations: options.operations,
            numbers: &numbers)
        if let position = options.failurePosition, position < options.nodes { plan.position = position }
        switch (options.variant, options.store) {
        case (.paper, .netchain): return paperNetChain(options, plan, seed: seed)
        case (.paper, .netcraq): return paperNetCRAQ(options, plan, seed: seed)
        case (.default, .netchain):
            var run = ReplicaRun<NetChainSwitch>(options, plan: plan, seed: seed)
            return run.run()
        case (.default, .netcraq):
            var run = ReplicaRun<NetCRAQSwitch>(options, plan: plan, seed: seed)
            return run.run()
        }
    }

    private static func paperNetChain(
        _ options: SimulationOptions, _ plan: FaultPlan, seed: UInt64
    ) -> SimulationResult {
        var machines = PaperChain.netChain(options.netChain, chain: options.nodes, spares: 1, keys: options.keys)
        var control = NetChainPaperControl(chain: PaperChain.addresses(options.nodes))
        control.start(&machines)
        for key in 1...UInt128(options.keys) { _ = control.insert(key, into: &machines) }
        let codec = PaperCodec(.netChain(options.netChain.width), chain: PaperChain.addresses(options.nodes))
        var run = PaperRun(options, plan: plan, machines: machines, control: control, codec: codec, seed: seed)
        return run.run()
    }

    private static func paperNetCRAQ(
        _ options: SimulationOptions, _ plan: FaultPlan, seed: UInt64
    ) -> SimulationResult {
        var machines = PaperChain.netCRAQ(options.netCRAQ, chain: options.nodes, spares: 1, keys: options.keys)
        var control = NetCRAQPaperControl(chain: PaperChain.addresses(options.nodes))
        control.start(&machines)
        for key in 1...UInt32(options.keys) { _ = control.insert(key, into: &machines) }
        let codec = PaperCodec(.netCRAQ, chain: PaperChain.addresses(options.nodes))
        var run = PaperRun(options, plan: plan, machines: machines, control: control, codec: codec, seed: seed)
        return run.run()
    }
}
