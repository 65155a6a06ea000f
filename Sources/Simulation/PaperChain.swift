package import Chains

/// Chains of paper machines, configured as at the start of a run.
package enum PaperChain {
    /// Addresses of a chain of `count`, head first.
    package static func addresses(_ count: Int) -> [UInt32] {
        (0..<UInt32(count)).map { Network<NetCRAQPaperSwitch>.firstSwitch + $0 }
    }

    private static func network(own: Int, of count: Int) -> PaperNetwork {
        PaperNetwork(
            own: addresses(count)[own], switches: addresses(count),
            clients: IPv4Network(address: Network<NetCRAQPaperSwitch>.firstClient, prefixLength: 24))
    }

    /// Switches of which the first `chain` are a chain with keys 1 to `keys`, and the rest spare.
    package static func netChain(
        _ options: NetChainPaperOptions, chain: Int, spares: Int = 0, keys: Int
    ) -> [NetChainPaperSwitch] {
        (0..<chain + spares).map { index in
            var machine = NetChainPaperSwitch(
                options, network: network(own: index, of: chain + spares), capacity: keys)
            guard index < chain else { return machine }
            for key in 1...UInt128(keys) { _ = machine.insert(key, role: ChainRole(position: index, of: chain)) }
            return machine
        }
    }

    /// The same of NetCRAQ.
    package static func netCRAQ(
        _ options: NetCRAQPaperOptions, chain: Int, spares: Int = 0, keys: Int
    ) -> [NetCRAQPaperSwitch] {
        let nodes = Array(addresses(chain + spares).prefix(chain))
        return (0..<chain + spares).map { index in
            var machine = NetCRAQPaperSwitch(
                options, network: network(own: index, of: chain + spares), capacity: keys)
            guard index < chain else { return machine }
            machine.join(nodes)
            for key in 1...UInt32(keys) { _ = machine.insert(key) }
            return machine
        }
    }
}
