import Chains
import Consistency
import Simulation
import TestSupport
import Testing

/// What the published protocols do wrong, found by seeds alone. Each row has a load in which nothing else can go wrong:
/// keys are written once before anything is asked of them, unless first writes are what it is about, links keep their
/// order and lose nothing, unless that is what it takes.
@Suite("What the published protocols do wrong")
struct PaperRowTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var seeds: ClosedRange<UInt64>
        var options: SimulationOptions
        var shows: @Sendable (SimulationResult) -> Bool

        init(
            _ name: String, _ store: SimulationOptions.Store, faults: FaultKinds, seeds: ClosedRange<UInt64>,
            _ change: (inout SimulationOptions) -> Void = { _ in },
            shows: @escaping @Sendable (SimulationResult) -> Bool = { $0.verdict == .violation }
        ) {
            self.name = name
            self.seeds = seeds
            options = SimulationOptions(store, nodes: 3)
            options.variant = .paper
            options.faults = faults
            options.writesFirst = true
            change(&options)
            self.shows = shows
        }

        var testDescription: String { name }
    }

    /// The operations of the smallest failing history, with the switch each was last sent to.
    private static func example(_ result: SimulationResult) -> [(operation: HistoryOperation, entry: Int)] {
        let operations = result.recorder.history.operations
        return (result.counterexample?.operations ?? []).map { operation in
            let number = operations.firstIndex(of: operation) ?? 0
            return (operation, result.recorder.notes[number].entry)
        }
    }

    /// A read that began after an acknowledged write had returned and found another write's value: the entries of the
    /// read, of the write that it missed, and of the write that it found.
    private static func staleRead(_ result: SimulationResult) -> (read: Int, missed: Int, found: Int)? {
        let example = example(result)
        for read in example where read.operation.kind == .read {
            let found = example.first { $0.operation.kind == .write && $0.operation.value == read.operation.value }
            let missed = example.first {
                $0.operation.kind == .write && $0.operation.return < read.operation.call
                    && $0.operation.value != read.operation.value
            }
            if let found, let missed { return (read.entry, missed.entry, found.entry) }
        }
        return nil
    }

    static let rows = [
        Row("NC-2: a false suspicion splits reads", .netchain, faults: .suspect, seeds: 1...30),
        Row("NC-4: a retried write is a new write", .netchain, faults: .loss, seeds: 1...30) { $0.retries = .one },
        Row(
            "NQ-1: the first write of a key is read before it is committed", .netcraq, faults: [], seeds: 1...400,
            {
                $0.writesFirst = false
                $0.operations = 40
            },
            shows: { example($0).contains { $0.operation.kind == .read && $0.operation.value == 0 } }),
        Row("NQ-1, reset=0: any write is read before it is committed", .netcraq, faults: [], seeds: 1...120) {
            $0.netCRAQ.reset = .toZero
        },
        Row("NQ-3: the ACK of an older write hides a newer one", .netcraq, faults: [], seeds: 1...120),
        Row(
            "NQ-4: an acknowledged write dies with the tail", .netcraq, faults: [.loss, .crash], seeds: 1...300,
            {
                $0.window = 4
                $0.operations = 100
                $0.failurePosition = 2
            }, shows: { $0.lostWrites > 0 }),
        Row(
            "NQ-5: ACKs out of order leave a switch stale", .netcraq, faults: .reorder, seeds: 1...120,
            shows: { $0.staleCopies > 0 && $0.lostWrites == 0 }),
        Row(
            "NQ-8: a doubled write comes back", .netcraq, faults: .duplicate, seeds: 1...30,
            shows: { $0.lostWrites > 0 }),
        Row(
            "NQ-9, entry=any: a write below the head is not seen above", .netcraq, faults: [], seeds: 1...60,
            { $0.netCRAQ.entry = .any },
            shows: { result in staleRead(result).map { $0.missed > $0.read } ?? false }),
        Row(
            "NQ-12, entry=any: the ACK of a write below erases one from above", .netcraq, faults: [], seeds: 1...200,
            { $0.netCRAQ.entry = .any },
            shows: { result in staleRead(result).map { $0.missed <= $0.read && $0.found > $0.missed } ?? false }),
    ]

    @Test("a seed shows each", arguments: rows)
    func seedsShow(_ row: Row) {
        let found = row.seeds.first { row.shows(Simulator.run(row.options, seed: $0)) }
        #expect(found != nil, "none of the seeds \(row.seeds)")
    }

    @Test("a retried write that counts as several is no violation")
    func severalWrites() {
        var options = SimulationOptions(.netchain, nodes: 3)
        options.variant = .paper
        options.faults = .loss
        for seed in seeds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) {
            #expect(Simulator.run(options, seed: seed).verdict == .linearizable, "seed \(seed)")
        }
    }
}
