import ArgumentParser
import Chains

/// How long the nodes of a chain that is started here may be silent.
struct NodeLeaseOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Chains started here, default variant: how long a node's lease lasts, 10ms to 1m; one that is silent for "
                + "four fifths of it is left out of the chain. (default: 50ms)", valueName: "time"),
        transform: OptionValue.nodeLease)
    var nodeLease: UInt64?

    /// The name of the option, if it is given.
    var given: String? { nodeLease == nil ? nil : "--node-lease" }

    var times: ControlTimes { nodeLease.map(ControlTimes.init(lease:)) ?? ControlTimes() }

    func check(_ variant: VariantOptions) throws {
        if nodeLease != nil, variant.isPaper {
            throw ValidationError("--node-lease is for --variant default: paper has no controller that watches")
        }
    }
}

extension OptionValue {
    /// Nanoseconds.
    static func nodeLease(_ text: String) throws -> UInt64 {
        let time = try duration(text)
        guard (10_000_000...60_000_000_000).contains(time), time % 1_000_000 == 0 else {
            throw ValidationError("a lease is of 10ms to 1m, in whole milliseconds")
        }
        return time
    }
}
