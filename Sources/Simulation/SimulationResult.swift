package import Chains
package import Consistency

/// How one seed's run ended.
package struct SimulationResult: Sendable {
    package var seed: UInt64
    package var verdict = Verdict.linearizable
    /// Clients that did not finish though nothing was wrong any more. Told apart from a violation: both can be.
    package var stalledClients = 0
    /// Operations begun, answered, refused for good, and given up.
    package var operations = 0
    package var answered = 0
    package var refused = 0
    package var givenUp = 0
    /// Requests sent again, since nothing came or the answer asked for it.
    package var retries = 0
    /// What failed, where, and the writes under way then.
    package var failure: FaultPlan.Failure?
    package var failedPosition: Int?
    package var writesInFlight = 0
    package var recovered = false
    /// Chains that a controller activated since, of all virtual groups.
    package var reconfigurations = 0
    /// Keys that at the end had lost an acknowledged write.
    package var lostWrites = 0
    /// Copies of keys, on switches other than the tail, that showed such an older value at the end.
    package var staleCopies = 0
    /// Nanoseconds of the longest time without an answer for any client, from the failure on.
    package var interruption: UInt64 = 0
    package var duration: UInt64 = 0
    package var events: UInt64 = 0
    package var traffic = TrafficCounts()
    package var digest = RunDigest()
    package var counters: [SwitchCounters] = []
    package var recorder: RunRecorder
    package var counterexample: Counterexample?
    package var log: [UInt8] = []

    package init(seed: UInt64, recorder: RunRecorder) {
        self.seed = seed
        self.recorder = recorder
    }

    /// Whether the run shows what it should: no violation, no key that lost a write, nobody stalled.
    package var isGood: Bool { verdict == .linearizable && stalledClients == 0 && lostWrites == 0 }

    /// Judges the history.
    package mutating func judge(limits: ConsistencyLimits = ConsistencyLimits()) {
        let check = HistoryCheck(recorder.history, limits: limits)
        verdict = check.verdict
        counterexample = check.counterexample
        digest.add(UInt64(verdict.rawValue))
        for operation in recorder.history.operations {
            digest.add(UInt64(bitPattern: operation.call ^ operation.value << 40))
            digest.add(UInt64(bitPattern: operation.return))
        }
    }
}
