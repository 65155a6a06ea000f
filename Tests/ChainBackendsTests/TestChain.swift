import ChainBackends
import Chains

extension ChainBackendOptions {
    /// A chain that is started for a test. A busy machine must not make nodes suspected, so they may be silent for
    /// long; one that ends is seen at once.
    static func forTests(_ store: String, nodes: Int, keys: [String]) -> ChainBackendOptions {
        var options = ChainBackendOptions(
            name: "\(store):\(nodes)", format: store == "netcraq" ? .cqx : .ncx, place: .local(nodes: nodes),
            keys: keys.map { Array($0.utf8) })
        options.times.lease = 1_000_000_000
        options.times.suspicion = 5_000_000_000
        options.times.sealing = 5_000_000_000
        options.limits.opening = 60_000_000_000
        return options
    }
}
