import ArgumentParser
import Chains
import Simulation

/// Values of `simulate`'s options.
enum SimulateOption {
    enum Property: String, ExpressibleByArgument, CaseIterable {
        case linearizable
    }

    enum Entry: String, ExpressibleByArgument, CaseIterable {
        case head
        case any
    }

    enum Acknowledgement: String, ExpressibleByArgument, CaseIterable {
        case client
    }

    enum Sequence: String, ExpressibleByArgument, CaseIterable {
        case bits16 = "16"
        case bits128 = "128"
    }

    /// `netcraq:4`.
    static func store(_ text: String) throws -> (store: SimulationOptions.Store, nodes: Int) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let store = SimulationOptions.Store(rawValue: String(parts[0])),
            let nodes = Int(parts[1]), (1...9).contains(nodes)
        else {
            throw ValidationError("a store is such as netcraq:4 or netchain:3, with 1 to 9 switches, not '\(text)'")
        }
        return (store, nodes)
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

    static func reset(_ text: String) throws -> NetCRAQPaperOptions.Reset {
        guard let number = UInt8(text), let reset = NetCRAQPaperOptions.Reset(rawValue: number) else {
            throw ValidationError("it is 0 or 1")
        }
        return reset
    }

    static func clients(_ text: String) throws -> Int { try number(text, 1...250) }
    static func operations(_ text: String) throws -> Int { try number(text, 1...1_000_000) }
    static func keys(_ text: String) throws -> Int { try number(text, 1...4096) }
    static func window(_ text: String) throws -> Int { try number(text, 1...256) }
    static func versions(_ text: String) throws -> Int { try number(text, 2...16) }

    private static func number(_ text: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw ValidationError("it is \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension SimulationOptions.Variant: ExpressibleByArgument {}
extension SimulationOptions.Retries: ExpressibleByArgument {}
extension ModelSet: ExpressibleByArgument {}
