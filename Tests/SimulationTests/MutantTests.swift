import Chains
import Consistency
import Simulation
import Testing

/// Rules of the default variants left out on purpose: seeds alone show that each is needed. Mistakes that need a
/// schedule made for them are tested beside the machines.
@Suite("Mistakes on purpose")
struct MutantTests {
    struct Mutant: Sendable, CustomTestStringConvertible {
        /// How a run shows it.
        enum Sign: Sendable {
            case violation
            /// Nothing wrong is ever answered, but clients wait in vain.
            case stall
        }

        var name: String
        var mutations: Mutations
        var store: SimulationOptions.Store
        /// Seeds that showed it once; where the machines have changed since, others are tried.
        var seeds: [UInt64]
        var options: SimulationOptions
        var sign = Sign.violation

        var testDescription: String { "\(store): \(name)" }

        /// Four switches and everything that may go wrong.
        static func usual(
            _ name: String, _ mutations: Mutations, _ store: SimulationOptions.Store, _ seeds: UInt64...
        ) -> Mutant {
            var options = SimulationOptions(store, nodes: 4)
            options.faults = [.loss, .duplicate, .reorder, .crash, .suspect, .pause]
            return Mutant(name: name, mutations: mutations, store: store, seeds: seeds, options: options)
        }

        /// Three switches, six clients on two keys, false suspicions only: more of what happens meets the change.
        static func dense(
            _ name: String, _ mutations: Mutations, _ store: SimulationOptions.Store, _ seeds: UInt64...
        ) -> Mutant {
            var options = SimulationOptions(store, nodes: 3)
            options.faults = [.loss, .duplicate, .reorder, .suspect]
            options.keys = 2
            options.clients = 6
            options.netCRAQ.versions = 3
            options.operations = 300
            return Mutant(name: name, mutations: mutations, store: store, seeds: seeds, options: options)
        }

        /// The head alone is suspected, and two cells fill up soon: refusals of a head that has been replaced.
        static func refused(
            _ name: String, _ mutations: Mutations, _ store: SimulationOptions.Store, _ seeds: UInt64...
        ) -> Mutant {
            var mutant = dense(name, mutations, store)
            mutant.seeds = seeds
            mutant.options.failurePosition = 0
            mutant.options.window = 3
            mutant.options.netCRAQ.versions = 2
            mutant.options.operations = 200
            return mutant
        }

        func isShown(by result: SimulationResult) -> Bool {
            switch sign {
            case .violation: result.verdict == .violation
            case .stall: result.verdict == .linearizable && result.stalledClients > 0
            }
        }
    }

    private static func stall(_ mutant: Mutant) -> Mutant {
        var mutant = mutant
        mutant.sign = .stall
        return mutant
    }

    static let mutants: [Mutant] = [
        .usual("replicas store older versions", .storesOlder, .netchain, 1, 2),
        .usual("a retry is a new write", .forgetsRequests, .netchain, 1, 2),
        .usual("a retry is a new write", .forgetsRequests, .netcraq, 1, 2),
        .usual("COMMIT drops all uncommitted versions", .commitResets, .netcraq, 1, 2),
        .usual("COMMIT may lower the committed version", .commitLowers, .netcraq, 1, 2),
        .usual("committed values are read although newer ones are there", .readsDirtyKeys, .netcraq, 1, 2),
        .dense("packets of other epochs are handled", .ignoresEpochs, .netchain, 55, 71, 126),
        .dense("packets of other epochs are handled", .ignoresEpochs, .netcraq, 14, 55, 126),
        .dense("switches answer without a lease", .ignoresLeases, .netchain, 51, 69, 103),
        .dense("switches answer without a lease", .ignoresLeases, .netcraq, 21, 36, 69),
        .usual("a joining switch is not copied to", .skipsCopies, .netchain, 1, 7, 8),
        .usual("a joining switch is not copied to", .skipsCopies, .netcraq, 1, 2),
        .usual("only the head knows requests", .dedupesAtHeadOnly, .netchain, 9, 25),
        .usual("only the head knows requests", .dedupesAtHeadOnly, .netcraq, 87, 131),
        .usual("CAS is judged against an uncommitted version", .comparesUncommitted, .netchain, 6, 7),
        .usual("CAS is judged against an uncommitted version", .comparesUncommitted, .netcraq, 2, 9),
        .dense("versions are sent again without their owner", .resendsWithoutOwner, .netchain, 67, 163, 187),
        .dense("versions are sent again without their owner", .resendsWithoutOwner, .netcraq, 164),
        .dense("heads are not told apart", [.numbersWithoutEpoch, .ignoresEpochs], .netchain, 55, 71),
        .dense("heads are not told apart", [.numbersWithoutEpoch, .ignoresEpochs], .netcraq, 14, 55),
        .refused("a refusal by another epoch's head is believed", .believesRejections, .netcraq, 83, 191, 193),
        .usual("a new tail serves before it commits", .tailKeepsDirty, .netcraq, 13, 14),
        .dense("what became of a request is overwritten by an older one", .dedupeFalls, .netcraq, 15, 73),
        stall(.usual("older versions are not passed on", .dropsOlder, .netchain, 1, 5)),
        stall(.usual("older versions are not passed on", .dropsOlder, .netcraq, 1, 3)),
    ]

    @Test("a seed shows each, and nothing without the mistake", arguments: mutants)
    func seedsShow(_ mutant: Mutant) {
        var options = mutant.options
        options.mutations = mutant.mutations
        let seed = (mutant.seeds + Array(1...600)).first { mutant.isShown(by: Simulator.run(options, seed: $0)) }
        #expect(seed != nil, "no seed up to 600")
        #expect(seed.map { Simulator.run(mutant.options, seed: $0).isGood } ?? true)
    }

    @Test(
        "heads first, or a version number without an epoch: nothing wrong comes of it where the rest holds",
        arguments: [Mutations.activatesHeadFirst, .numbersWithoutEpoch], SimulationOptions.Store.allCases)
    func harmless(_ mutation: Mutations, _ store: SimulationOptions.Store) {
        var options = SimulationOptions(store, nodes: 4)
        options.faults = [.loss, .duplicate, .reorder, .crash, .suspect]
        options.mutations = mutation
        for seed in UInt64(1)...20 { #expect(Simulator.run(options, seed: seed).isGood, "seed \(seed)") }
    }
}
