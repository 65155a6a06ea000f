import Chains
import Consistency
import TestSupport
import Testing
import Wire

/// Random schedules on a chain of three: writes of new values by clients one after the other, reads where they belong,
/// and whatever a network may do to what is in flight.
private struct RandomSchedule<Variant: ChainVariant> {
    struct Faults {
        var isOrdered = false
        var loss = 0.0
        var duplication = 0.0
        /// Copies of clients' own requests: a second request for the same write.
        var duplicatesRequests = false
    }

    var variant: Variant
    var faults: Faults
    var dice: SplitMix64
    private var histories = [RegisterHistory(), RegisterHistory()]
    private var causes: [(key: UInt32, operation: Int)] = []
    private var step = 0

    init(_ settings: [String: String], _ faults: Faults, seed: UInt64) throws {
        let networks = (0..<3).map { ScriptBench<Variant.Machine>.network(ofNode: $0, of: 3) }
        variant = try #require(Variant(settings: settings, networks: networks, chainCount: 3))
        variant.insert(key: 1)
        variant.insert(key: 2)
        self.faults = faults
        dice = SplitMix64(seed: seed)
    }

    /// Three clients with seven operations each on two keys; answers whether each key's history has a linearization.
    mutating func run(readsAt readers: [Int]) -> Bool {
        var left = [0, 7, 7, 7]
        var busy: [Int?] = [nil, nil, nil, nil]
        for round in 0..<600 {
            step += 1
            let client = 1 + dice.below(3)
            // A client goes on once it has its reply, or gives up.
            if left[client] > 0, busy[client] == nil || dice.chance(0.02) {
                left[client] -= 1
                busy[client] = begin(client, value: UInt128(round + 1), readers)
            } else if !variant.bench.flights.isEmpty, let done = move() {
                for client in 1...3 where busy[client] == done { busy[client] = nil }
            }
        }
        return histories.allSatisfy { history in
            let isLinearizable = history.isLinearizable
            #expect(history.verdict == (isLinearizable ? .linearizable : .violation), "\(history)")
            return isLinearizable
        }
    }

    private mutating func begin(_ client: Int, value: UInt128, _ readers: [Int]) -> Int {
        let key = UInt32(1 + dice.below(2))
        let isWrite = dice.chance(0.5)
        let node = isWrite ? 0 : readers[dice.below(readers.count)]
        let payload = isWrite ? variant.write(key: key, value: value, at: 0) : variant.read(key: key, at: node)
        let history = Int(key) - 1
        histories[history].operations.append(.init(isWrite: isWrite, value: isWrite ? value : 0, call: step))
        causes.append((key, histories[history].operations.count - 1))
        variant.bench.send(payload, from: client, to: node, cause: causes.count - 1)
        return causes.count - 1
    }

    /// Does something to a datagram in flight; the operation that a client got a reply for.
    private mutating func move() -> Int? {
        var index = dice.below(variant.bench.flights.count)
        let picked = variant.bench.flights[index]
        if faults.isOrdered {
            index = variant.bench.flights.firstIndex { $0.source == picked.source && $0.target == picked.target } ?? 0
        }
        if dice.chance(faults.loss) {
            variant.bench.flights.remove(at: index)
            return nil
        }
        var mayCopy = true
        if case .client = picked.source { mayCopy = faults.duplicatesRequests }
        if mayCopy, dice.chance(faults.duplication) { variant.bench.flights.append(variant.bench.flights[index]) }
        let flight = variant.bench.deliver(index)
        guard case .client = flight.target, let value = variant.value(of: flight.payload) else { return nil }
        let cause = causes[flight.cause]
        let history = Int(cause.key) - 1
        guard histories[history].operations[cause.operation].end == nil else { return nil }
        if !histories[history].operations[cause.operation].isWrite {
            histories[history].operations[cause.operation].value = value
        }
        histories[history].operations[cause.operation].end = step
        return flight.cause
    }

    var dirtyReadsAtTail: Int { (0..<3).map { variant.dirtyReadsAtTail(of: $0) }.reduce(0, +) }
}

@Suite("Paper chains under random schedules")
struct PaperLaws {
    private typealias NetChain = RandomSchedule<NetChainPaperVariant>
    private typealias NetCRAQ = RandomSchedule<NetCRAQPaperVariant>

    private static let rounds: UInt64 = 300
    /// For claims that something does happen: another seed might not show it.
    private static let fixed: [UInt64] = [1, 10_000]

    /// Schedules of so many seeds whose histories have no linearization.
    private static func violations(
        _ settings: [String: String], _ faults: NetChain.Faults, seed: UInt64
    ) throws -> Int {
        try (0..<rounds)
            .filter { round in
                var schedule = try NetChain(settings, faults, seed: seed &+ round)
                return !schedule.run(readsAt: [2])
            }
            .count
    }

    private static func netCRAQViolations(
        _ settings: [String: String], _ faults: NetCRAQ.Faults, seed: UInt64
    ) throws -> Int {
        var dirtyReadsAtTail = 0
        let count = try (0..<rounds)
            .filter { round in
                var schedule = try NetCRAQ(settings, faults, seed: seed &+ round)
                defer { dirtyReadsAtTail += schedule.dirtyReadsAtTail }
                return !schedule.run(readsAt: [0, 1, 2])
            }
            .count
        #expect(dirtyReadsAtTail == 0, "no tail that was not promoted reaches line 11")
        return count
    }

    @Test(
        "NetChain with reads at the tail is linearizable under loss, copies between nodes and any order",
        arguments: ["16", "128"], seeds(1, 10_000))
    func netChain(width: String, seed: UInt64) throws {
        let faults = NetChain.Faults(loss: 0.08, duplication: 0.1)
        #expect(try Self.violations(["width": width], faults, seed: seed) == 0)
    }

    @Test("NetChain without the comparison of SEQ is not: the schedules would see it", arguments: fixed)
    func comparison(seed: UInt64) throws {
        let faults = NetChain.Faults(loss: 0.08, duplication: 0.1)
        #expect(try Self.violations(["rule": "always"], faults, seed: seed) > 0)
    }

    @Test("NetChain with copies of clients' requests is not: a copy is a new write", arguments: fixed)
    func copiedRequests(seed: UInt64) throws {
        let faults = NetChain.Faults(duplication: 0.2, duplicatesRequests: true)
        #expect(try Self.violations([:], faults, seed: seed) > 0)
    }

    @Test(
        "NetCRAQ is not linearizable, even when links keep their order and lose nothing", arguments: ["0", "1"],
        fixed)
    func netCRAQ(reset: String, seed: UInt64) throws {
        let faults = NetCRAQ.Faults(isOrdered: true)
        #expect(try Self.netCRAQViolations(["reset": reset], faults, seed: seed) > 0)
    }
}
