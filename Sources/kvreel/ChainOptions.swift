import ArgumentParser
import Chains
import Replay

/// What is said of a chain that a workload is replayed on.
struct ChainOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Chains: room for the value of each key, 16, 128 or 1024 bytes. (default: 1024)", valueName: "bytes"),
        transform: OptionValue.valueBytes)
    var width: WidthClass?

    @Option(
        help: ArgumentHelp(
            "Chains: what becomes of calls that a chain cannot do: skip, fail, or approximate. (default: skip)",
            valueName: "policy"))
    var unsupported: UnsupportedPolicy?

    @OptionGroup var variant: VariantOptions
    @OptionGroup var lease: NodeLeaseOption

    /// The name of an option that is given, if any is: for stores that are no chains.
    var given: String? { width != nil ? "--width" : unsupported != nil ? "--unsupported" : givenOfStarted }

    /// The same, of those for chains that are started.
    var givenOfStarted: String? { variant.given ?? lease.given }
}

extension UnsupportedPolicy: ExpressibleByArgument {}
