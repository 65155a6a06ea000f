import Chains

/// What the runs of default and of published variants have in common: how the faults end, what is written down of them,
/// and what is counted at the end.
protocol SeedRun {
    associatedtype Switch: SwitchMachine

    var network: Network<Switch> { get set }
    var plan: FaultPlan { get }
    var recorder: RunRecorder { get }
    var result: SimulationResult { get set }
    /// The plan's first pause that has not begun.
    var nextPause: Int { get set }
    /// When the faults ended; nil while they last.
    var healedAt: UInt64? { get set }
}

extension SeedRun {
    var isLogging: Bool { network.log != nil }

    mutating func note(_ words: String) {
        let now = network.now
        network.log?.note(words, at: now)
    }

    /// Nothing is wrong any more from here on.
    mutating func heal() {
        network.faults = .none
        nextPause = plan.pauses.count
        healedAt = network.now
        if isLogging { note("faults end") }
    }

    /// Takes over what the network and the recorder counted. What is left is for the run to judge.
    mutating func takeCounts(stalledClients: Int) {
        result.recorder = recorder
        result.stalledClients = stalledClients
        result.duration = network.now
        result.events = network.eventsHandled
        result.traffic = network.traffic
        result.digest = network.digest
        result.counters = network.switches.map(\.counters)
        result.log = network.log?.text ?? []
    }
}
