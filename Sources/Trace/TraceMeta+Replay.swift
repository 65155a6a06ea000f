extension TraceMeta {
    /// What a replay says of itself beside what every trace says.
    package enum ReplayEntry: String, Sendable, CaseIterable {
        /// The traces that were replayed, one a line.
        case traces = "replay.of"
        /// `etcd:3`, `etcd://10.0.0.1:2379`, `null`.
        case backend = "replay.backend"
        /// `recorded, speed 1`, `rate 20000, poisson`, `closed 64`, `max`.
        case schedule = "replay.schedule"
        /// `causal`, `connection`, `none`.
        case order = "replay.order"
        /// `valid`, `invalid`, `capacity`; not there while the replay runs, or when it was broken off.
        case verdict = "replay.verdict"
        /// The rule that the verdict names, with what was found.
        case rule = "replay.rule"
        /// How many connections, and which other options.
        case connections = "replay.connections"
        /// What was written before the run; `none`.
        case preload = "replay.preload"
        /// The coverage of the traces that were replayed.
        case coverage = "replay.coverage"
        /// Calls of the traces that were not replayed, by reason, one a line.
        case excluded = "replay.excluded"
        /// Of a chain: what it does, `1024 bytes` or `16 bytes, no compare`.
        case chain = "replay.chain"
        /// Of a chain: how many calls it did as recorded, by what else, or not at all, and why; one a line.
        case expression = "replay.expression"
        /// Of a chain: how many of the calls that stand for others had the recorded outcome.
        case approximated = "replay.approximated"
        /// What else is to be known: numbers that could not be translated, what was left open, examples of other
        /// outcomes; one a line.
        case remarks = "replay.remarks"
        /// The delivery latency of watch events.
        case delivery = "replay.delivery"
        /// The engine's share of its processor.
        case engine = "replay.engine"
        /// The score of outcomes as recorded, with its parts.
        case fidelity = "replay.fidelity"
        /// Whether what the store's clients were told is linearizable: the verdict, and of how many operations.
        case consistency = "replay.consistency"
        /// What was done to members of the store during the run, one a line.
        case faults = "replay.faults"
        /// Which shards of a run in several it holds, as a `ShardSet`; absent of a run in one.
        case shard = "replay.shard"
        /// What the shards of one run have in common, and those of no other run have; absent of a run in one.
        case run = "replay.run"
        /// The numbers behind the words of the other entries: those of shards add up.
        case counts = "replay.counts"
        /// How often which delivery latency was measured, behind the words of `delivery`.
        case deliveries = "replay.deliveries"
        /// Of members on this machine: machine, disk, version, shares of the processors; one a line (`RunConditions`).
        case conditions = "replay.conditions"

        /// Whether it is for people; the rest is what programs make words of.
        package var isWords: Bool { self != .counts && self != .deliveries }
    }

    package subscript(entry: ReplayEntry) -> String? {
        get { self[entry.rawValue] }
        set { self[entry.rawValue] = newValue }
    }

    package var isOfReplay: Bool { ReplayEntry.allCases.contains { self[$0] != nil } }
}
