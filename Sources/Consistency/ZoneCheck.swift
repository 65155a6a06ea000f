/// Judges a register of which every value is written once at most, in time n log n.
///
/// The operations on one value, its write and all that found it, must stand next to each other in every order (Gibbons
/// and Korach 1997, section 4: clusters). A cas joins the cluster of the value that it found to that of the one it set;
/// such a chain is one block too, whose inner order is given. A block has a zone: from the first return in it to the
/// last call. One block must stand before another if something in it returned before something in the other was called;
/// blocks can be ordered unless two must each stand before the other.
struct ZoneCheck: Sendable {
    enum Answer: Sendable, Equatable {
        case linearizable
        /// With the steps that show it, a few.
        case violation([Int32])
        /// A value is written more than once, or a mismatch asks for more than what was found.
        case inapplicable
    }

    private struct Cluster {
        /// The step that writes the value; −1 of none.
        var writer: Int32 = -1
        /// The cas that found the value, -1 of none.
        var successor: Int32 = -1
        /// The read that returned first, and the one that was called last.
        var firstReturned: Int32 = -1
        var lastCalled: Int32 = -1
    }

    private struct Zone {
        var firstReturn: Int64
        var lastCall: Int64
        /// The steps they belong to.
        var firstStep: Int32
        var lastStep: Int32
    }

    /// Before every call.
    private static let beginning = Int64.min

    private let steps: [RegisterStep]
    private var clusters: [Cluster]
    private var zones: [Zone] = []

    static func judge(_ register: borrowing RegisterSteps) -> Answer {
        if register.hasMismatches { return .inapplicable }
        var check = ZoneCheck(register)
        return check.judge()
    }

    private init(_ register: borrowing RegisterSteps) {
        steps = register.steps
        clusters = Array(repeating: Cluster(), count: register.valueCount)
    }

    private mutating func judge() -> Answer {
        // Which values are written more than once comes first: on those nothing else here holds.
        for (index, step) in steps.enumerated() where step.writes {
            if step.value == 0 || clusters[Int(step.value)].writer >= 0 { return .inapplicable }
            clusters[Int(step.value)].writer = Int32(truncatingIfNeeded: index)
        }
        for (index, step) in steps.enumerated() {
            if let violation = gather(step, Int32(truncatingIfNeeded: index)) { return violation }
        }
        var chained = 0
        for value in clusters.indices {
            let writer = clusters[value].writer
            // Chains begin with absence or a plain write.
            guard value == 0 || writer >= 0 && steps[Int(writer)].kind == .write else { continue }
            if let violation = follow(from: value, &chained) { return violation }
        }
        // Each cas of a circle needs the one before.
        let written = clusters.indices.filter { clusters[$0].writer >= 0 }
        if chained < written.count + 1 { return .violation(written.map { clusters[$0].writer }) }
        return judgeZones()
    }

    private mutating func gather(_ step: RegisterStep, _ index: Int32) -> Answer? {
        let value = Int(step.found)
        if value < 0 { return nil }
        var cluster = clusters[value]
        if value > 0, cluster.writer < 0 { return .violation([index]) }
        if step.kind == .cas {
            if cluster.successor >= 0 { return .violation([cluster.successor, index]) }
            cluster.successor = index
        } else {
            if cluster.firstReturned < 0 || step.return < steps[Int(cluster.firstReturned)].return {
                cluster.firstReturned = index
            }
            if cluster.lastCalled < 0 || step.call > steps[Int(cluster.lastCalled)].call { cluster.lastCalled = index }
        }
        clusters[value] = cluster
        return nil
    }

    /// Walks along a chain in its order: nothing may have returned before what stands before it was called.
    private mutating func follow(from value: Int, _ chained: inout Int) -> Answer? {
        var zone = Zone(
            firstReturn: value == 0 ? Self.beginning : .max, lastCall: Self.beginning, firstStep: -1, lastStep: -1)
        var value = value
        while true {
            chained += 1
            let cluster = clusters[value]
            if cluster.writer >= 0 {
                if let violation = place(cluster.writer, &zone) { return violation }
            }
            if cluster.firstReturned >= 0 {
                // The reads of a value may stand in any order: none has to wait for another.
                let (first, last) = (steps[Int(cluster.firstReturned)], steps[Int(cluster.lastCalled)])
                if first.return < zone.lastCall { return .violation([zone.lastStep, cluster.firstReturned]) }
                extend(&zone, call: last.call, cluster.lastCalled, return: first.return, cluster.firstReturned)
            }
            if cluster.successor < 0 { break }
            value = Int(steps[Int(cluster.successor)].value)
        }
        zones.append(zone)
        return nil
    }

    private func place(_ index: Int32, _ zone: inout Zone) -> Answer? {
        let step = steps[Int(index)]
        if step.return < zone.lastCall { return .violation([zone.lastStep, index]) }
        extend(&zone, call: step.call, index, return: step.return, index)
        return nil
    }

    private func extend(_ zone: inout Zone, call: Int64, _ caller: Int32, return: Int64, _ returner: Int32) {
        if call > zone.lastCall { (zone.lastCall, zone.lastStep) = (call, caller) }
        if `return` < zone.firstReturn { (zone.firstReturn, zone.firstStep) = (`return`, returner) }
    }

    /// Two blocks cannot be ordered if each has a return before a call of the other.
    private mutating func judgeZones() -> Answer {
        zones.sort { ($0.firstReturn, $0.lastCall) < ($1.firstReturn, $1.lastCall) }
        // Of the zones so far the one that reaches furthest: any that bars a later one, bars it too.
        guard var furthest = zones.first else { return .linearizable }
        for zone in zones.dropFirst() {
            if furthest.lastCall > zone.firstReturn, zone.lastCall > furthest.firstReturn {
                return .violation(
                    [furthest.firstStep, furthest.lastStep, zone.firstStep, zone.lastStep].filter { $0 >= 0 })
            }
            if zone.lastCall > furthest.lastCall { furthest = zone }
        }
        return .linearizable
    }
}
