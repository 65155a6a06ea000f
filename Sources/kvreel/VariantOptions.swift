import ArgumentParser
import Chains
import Simulation

/// Which variant of a protocol is run, and what its paper leaves open: the same options wherever chains are run.
struct VariantOptions: ParsableArguments {
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

    enum Rule: String, ExpressibleByArgument, CaseIterable {
        case greater
        case serial
    }

    @Option(help: ArgumentHelp("default: kvreel's, linearizable; or paper: as published.", valueName: "name"))
    var variant: SimulationOptions.Variant = .default

    @Option(
        help: ArgumentHelp(
            "netcraq: versions of a key that a node holds, 2 to 16: writes under way at once, and the committed one. "
                + "(default: 8)", valueName: "n"), transform: OptionValue.versions)
    var versions: Int?

    @Option(
        help: ArgumentHelp("netcraq, paper: write_index after a commit, 0 or 1. (default: 1)", valueName: "index"),
        transform: OptionValue.reset)
    var reset: NetCRAQPaperOptions.Reset?

    @Option(help: ArgumentHelp("netcraq, paper: who takes writes, head or any. (default: head)", valueName: "nodes"))
    var entry: Entry?

    @Option(
        help: ArgumentHelp(
            "netcraq, paper: client, since writers that hear nothing know nothing. (default: client)",
            valueName: "to"))
    var ack: Acknowledgement?

    @Option(help: ArgumentHelp("netchain, paper: width of SEQ, 16 or 128. (default: 128)", valueName: "bits"))
    var sequence: Sequence?

    @Option(
        help: ArgumentHelp(
            "netchain, paper: which SEQ is newer: greater, as published, or serial, which goes round. "
                + "(default: greater)", valueName: "how"))
    var rule: Rule?

    var isPaper: Bool { variant == .paper }

    /// The name of one that is given, if any is.
    var given: String? {
        let options = [
            ("--variant", isPaper), ("--versions", versions != nil), ("--reset", reset != nil),
            ("--entry", entry != nil), ("--ack", ack != nil), ("--sequence", sequence != nil), ("--rule", rule != nil),
        ]
        return options.first { $0.1 }?.0
    }

    /// An option that would be ignored is refused.
    func check(_ chain: ChainOption) throws {
        let isCRAQ = chain.store == .netcraq
        let uses: [(Bool, String, Bool, String)] = [
            (versions != nil, "--versions", isCRAQ, "netcraq"),
            (reset != nil, "--reset", isPaper && isCRAQ, "netcraq with --variant paper"),
            (entry != nil, "--entry", isPaper && isCRAQ, "netcraq with --variant paper"),
            (ack != nil, "--ack", isPaper && isCRAQ, "netcraq with --variant paper"),
            (sequence != nil, "--sequence", isPaper && !isCRAQ, "netchain with --variant paper"),
            (rule != nil, "--rule", isPaper && !isCRAQ, "netchain with --variant paper"),
        ]
        for (isGiven, name, fits, whose) in uses where isGiven && !fits {
            throw ValidationError("\(name) is for \(whose) only")
        }
    }

    var netCRAQ: NetCRAQPaperOptions {
        var options = NetCRAQPaperOptions()
        if let versions { options.versions = versions }
        if let reset { options.reset = reset }
        options.entry = entry == .any ? .any : .head
        return options
    }

    var netChain: NetChainPaperOptions {
        var options = NetChainPaperOptions()
        if sequence == .bits16 { options.width = .bits16 }
        if rule == .serial { options.rule = .serial }
        return options
    }
}

extension OptionValue {
    static func versions(_ text: String) throws -> Int {
        guard let count = Int(text), (2...16).contains(count) else {
            throw ValidationError("a key has 2 to 16 versions")
        }
        return count
    }

    static func reset(_ text: String) throws -> NetCRAQPaperOptions.Reset {
        guard let number = UInt8(text), let reset = NetCRAQPaperOptions.Reset(rawValue: number) else {
            throw ValidationError("it is 0 or 1")
        }
        return reset
    }
}

extension SimulationOptions.Variant: ExpressibleByArgument {}
