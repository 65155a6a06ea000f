/// The control plane of a paper variant, which writes into the switches of its chain: at the start, and when it is told
/// that one failed. It asks nobody and waits for nobody.
package protocol PaperControl: Sendable {
    associatedtype Switch: SwitchMachine
    associatedtype Options: Sendable

    init(chain: [UInt32])

    /// A switch with registers for so many keys, and nothing written into it.
    static func node(_ options: Options, network: PaperNetwork, keys: Int) -> Switch
    /// What clients say to such switches.
    static func speech(_ options: Options) -> PaperProtocol

    /// The nodes in service, head first.
    var chain: [UInt32] { get }
    /// Writes what there is before any key.
    func start(_ switches: inout [Switch])
    /// Gives `key` registers in every node of the chain; false when one of them had none left.
    mutating func insert(key: UInt32, into switches: inout [Switch]) -> Bool
    /// The chain goes on without `failed`.
    mutating func failOver(of failed: UInt32, _ switches: inout [Switch])
    /// `node`, which starts empty, gets what `neighbour` has been told of other nodes.
    func welcome(_ node: inout Switch, beside neighbour: Switch)
    /// What stops while a new node is being filled.
    func stop(for failed: UInt32, _ switches: inout [Switch])
    /// `spare` takes the place of `failed`, the `position`-th of the chain.
    mutating func recover(_ failed: UInt32, with spare: UInt32, at position: Int, _ switches: inout [Switch])
}

extension NetCRAQPaperControl: PaperControl {
    package static func node(
        _ options: NetCRAQPaperOptions, network: PaperNetwork, keys: Int
    ) -> NetCRAQPaperSwitch {
        NetCRAQPaperSwitch(options, network: network, capacity: keys)
    }

    package static func speech(_ options: NetCRAQPaperOptions) -> PaperProtocol { .netCRAQ }

    package mutating func insert(key: UInt32, into switches: inout [NetCRAQPaperSwitch]) -> Bool {
        insert(key, into: &switches)
    }

    package func welcome(_ node: inout NetCRAQPaperSwitch, beside neighbour: NetCRAQPaperSwitch) {}

    package func stop(for failed: UInt32, _ switches: inout [NetCRAQPaperSwitch]) { stopWrites(&switches) }

    package mutating func recover(
        _ failed: UInt32, with spare: UInt32, at position: Int, _ switches: inout [NetCRAQPaperSwitch]
    ) {
        join(spare, at: position, &switches)
    }
}

extension NetChainPaperControl: PaperControl {
    package init(chain: [UInt32]) { self.init(chain: chain, quirks: []) }

    package static func node(
        _ options: NetChainPaperOptions, network: PaperNetwork, keys: Int
    ) -> NetChainPaperSwitch {
        NetChainPaperSwitch(options, network: network, capacity: keys)
    }

    package static func speech(_ options: NetChainPaperOptions) -> PaperProtocol { .netChain(options.width) }

    package mutating func insert(key: UInt32, into switches: inout [NetChainPaperSwitch]) -> Bool {
        insert(UInt128(key), into: &switches)
    }

    package func welcome(_ node: inout NetChainPaperSwitch, beside neighbour: NetChainPaperSwitch) {
        node.failures = neighbour.failures
    }

    package func stop(for failed: UInt32, _ switches: inout [NetChainPaperSwitch]) { stop(failed, &switches) }

    package mutating func recover(
        _ failed: UInt32, with spare: UInt32, at position: Int, _ switches: inout [NetChainPaperSwitch]
    ) {
        replace(failed, with: spare, &switches)
    }
}
