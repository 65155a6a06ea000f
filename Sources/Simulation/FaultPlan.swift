package import Wire

/// What may go wrong in a run.
package struct FaultKinds: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let loss = FaultKinds(rawValue: 1)
    package static let duplicate = FaultKinds(rawValue: 2)
    package static let reorder = FaultKinds(rawValue: 4)
    /// One switch of the chain dies, and what it held is gone; another takes its place later.
    package static let crash = FaultKinds(rawValue: 8)
    /// One switch is taken for dead and goes on; it joins again later, or another takes its place.
    package static let suspect = FaultKinds(rawValue: 16)
    /// Switches stand still for a while.
    package static let pause = FaultKinds(rawValue: 32)

    /// Each by its name on the command line, in order.
    package static let named: [(name: String, kind: FaultKinds)] = [
        ("loss", .loss), ("duplicate", .duplicate), ("reorder", .reorder), ("crash", .crash), ("suspect", .suspect),
        ("pause", .pause),
    ]
}

/// What goes wrong in one run, drawn from its seed: every run has its own rates, so that rare and frequent faults meet
/// in all combinations.
package struct FaultPlan: Sendable {
    package enum Failure: String, Sendable {
        case crash
        case suspicion
    }

    package var links: LinkFaults
    package var failure: Failure?
    /// Position in the chain of the switch that fails.
    package var position: Int
    /// It fails once so many operations have begun and a write is under way, then `failureDelay` nanoseconds later.
    package var failsAfter: Int
    package var failureDelay: UInt64
    /// Nanoseconds from a crash until somebody notices, and from then to the recovery.
    package var detection: UInt64
    package var recovery: UInt64
    /// How a false suspicion comes about in a default variant: nanoseconds that messages between the controller and the
    /// switch take longer; 0: the controller is told.
    package var stall: UInt64
    /// Nanoseconds that what the controller tells clients takes longer from the failure on; 0: as ever. Applies to one
    /// client in two.
    package var clientStall: UInt64
    /// Whether a switch outside the chain stands ready, in a default variant.
    package var hasSpare: Bool
    /// Virtual groups of a default variant.
    package var groups: Int
    /// Nanoseconds after which a client of a default variant gives an operation up.
    package var patience: UInt64
    /// Switches that pause once so many operations have begun, and for how many nanoseconds.
    package var pauses: [Pause]
    /// Of each switch, millionths that its clock goes too fast.
    package var drifts: [Int]
    /// Faults of links end once so many operations have begun.
    package var endsAfter: Int
    /// Mean nanoseconds that a client waits before it asks again.
    package var think: UInt64
    /// Most nanoseconds that chance adds to a link's delay, packets staying in order; 0: what the model has.
    package var jitter: UInt64

    package struct Pause: Sendable {
        package var position: Int
        package var after: Int
        package var length: UInt64
    }

    /// Shares that a fault may have of the packets.
    private static let shares = [0.002, 0.01, 0.03, 0.08]
    /// Nanoseconds that a packet may be held back: within a retry's time, about it, and beyond a change of the chain.
    private static let holds: [UInt64] = [300_000, 3_000_000, 30_000_000, 300_000_000]
    /// Nanoseconds of mean waiting: none, as long as some packets take, as long as leases and timers take.
    private static let thinks: [UInt64] = [0, 200_000, 5_000_000]
    /// Nanoseconds of jitter: the model's, and enough for one link to be slower than a way of several others.
    private static let jitters: [UInt64] = [0, 200_000, 2_000_000]
    /// Clock drift: a thousandth at most, what leases allow for.
    package static let driftMax = 1000

    package init(_ kinds: FaultKinds, nodes: Int, switches: Int, operations: Int, numbers: inout SplitMix64) {
        links = LinkFaults()
        // Drawn whether they are used or not, so that leaving out one kind leaves the others as they were.
        let loss = Self.shares[numbers.below(Self.shares.count)]
        let duplication = Self.shares[numbers.below(Self.shares.count)]
        let reordering = Self.shares[numbers.below(Self.shares.count)]
        links.holdMax = Self.holds[numbers.below(Self.holds.count)]
        if kinds.contains(.loss) { links.loss = loss }
        if kinds.contains(.duplicate) { links.duplication = duplication }
        if kinds.contains(.reorder) { links.reordering = reordering }
        let coin = numbers.below(2) == 0
        failure =
            switch (kinds.contains(.crash), kinds.contains(.suspect)) {
            case (true, true): coin ? .crash : .suspicion
            case (true, false): .crash
            case (false, true): .suspicion
            case (false, false): nil
            }
        position = numbers.below(nodes)
        failsAfter = operations / 10 + numbers.below(max(1, operations * 4 / 10))
        failureDelay = UInt64(numbers.below(400_000))
        detection = 40_000_000 + UInt64(numbers.below(20_000_000))
        recovery = UInt64(numbers.below(200_000_000))
        stall = numbers.below(2) == 0 ? 0 : 60_000_000 + UInt64(numbers.below(300_000_000))
        clientStall = numbers.below(2) == 0 ? 0 : UInt64(numbers.below(400_000_000))
        hasSpare = numbers.below(2) == 0
        groups = 1 + numbers.below(3)
        patience = numbers.below(3) == 0 ? 150_000_000 : 20_000_000_000
        pauses = []
        for _ in 0..<numbers.below(4) {
            let pause = Pause(
                position: numbers.below(nodes), after: numbers.below(max(1, operations * 8 / 10)),
                length: UInt64(numbers.below(200_000_000)))
            if kinds.contains(.pause) { pauses.append(pause) }
        }
        drifts = (0..<switches).map { _ in numbers.below(2 * Self.driftMax + 1) - Self.driftMax }
        endsAfter = operations * 8 / 10
        think = Self.thinks[numbers.below(Self.thinks.count)]
        jitter = Self.jitters[numbers.below(Self.jitters.count)]
    }

    /// Whether every fault of links that the plan has was met.
    func haveHappened(_ traffic: TrafficCounts) -> Bool {
        (links.loss == 0 || traffic.lost > 0) && (links.duplication == 0 || traffic.duplicated > 0)
            && (links.reordering == 0 || traffic.reordered > 0)
    }
}
