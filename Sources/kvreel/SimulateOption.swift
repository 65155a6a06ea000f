import ArgumentParser
import Chains
import Simulation

/// Values of `simulate`'s options.
enum SimulateOption {
    enum Property: String, ExpressibleByArgument, CaseIterable {
        case linearizable
    }

    /// `loss,duplicate`.
    static func faults(_ text: String) throws -> FaultKinds {
        var kinds: FaultKinds = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = FaultKinds.named.first(where: { $0.name == name })?.kind else {
                let names = FaultKinds.named.map(\.name).joined(separator: ", ")
                throw ValidationError("faults are \(names), joined by commas")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    /// Rules of the default variants that can be left out.
    static let mutants: [(name: String, mutation: Mutations)] = [
        ("stores-older", .storesOlder), ("forgets-requests", .forgetsRequests), ("commit-resets", .commitResets),
        ("commit-lowers", .commitLowers), ("reads-dirty-keys", .readsDirtyKeys), ("ignores-epochs", .ignoresEpochs),
        ("ignores-leases", .ignoresLeases), ("skips-copies", .skipsCopies),
        ("dedupes-at-head-only", .dedupesAtHeadOnly), ("believes-rejections", .believesRejections),
        ("compares-uncommitted", .comparesUncommitted), ("resends-without-owner", .resendsWithoutOwner),
        ("numbers-without-epoch", .numbersWithoutEpoch), ("tail-keeps-dirty", .tailKeepsDirty),
        ("drops-older", .dropsOlder), ("activates-head-first", .activatesHeadFirst),
        ("lease-from-receipt", .leaseFromReceipt), ("drops-silently", .dropsSilently),
        ("dedupe-falls", .dedupeFalls), ("rejoins-with-state", .rejoinsWithState), ("reuses-keys", .reusesKeys),
    ]

    static func mutant(_ text: String) throws -> Mutations {
        guard let mutation = mutants.first(where: { $0.name == text })?.mutation else {
            throw ValidationError("a mutant is one of \(mutants.map(\.name).joined(separator: ", "))")
        }
        return mutation
    }

    static func clients(_ text: String) throws -> Int { try number(text, 1...250) }
    static func operations(_ text: String) throws -> Int { try number(text, 1...1_000_000) }
    static func keys(_ text: String) throws -> Int { try number(text, 1...4096) }
    static func window(_ text: String) throws -> Int { try number(text, 1...256) }

    private static func number(_ text: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw ValidationError("it is \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension SimulationOptions.Retries: ExpressibleByArgument {}
extension ModelSet: ExpressibleByArgument {}
