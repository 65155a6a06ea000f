import ChainBackends
import ChainRuntime
import Chains
import Etcd
import Replay
import Simulation

extension ChainTarget {
    /// Nodes that are started for the run and can be ended in it; nil where there are none.
    var startedNodes: Int? { if case .local(let nodes) = place, !variant.isPaper { nodes } else { nil } }

    /// The chain as a backend's.
    func options(name: String, patience: UInt64?, for plan: ReplayPlan) -> ChainBackendOptions {
        let place: ChainBackendOptions.Place =
            switch place {
            case .local(let nodes): .local(nodes: nodes)
            case .remote(let control): .running(control)
            }
        let keys = plan.calledKeys.map { plan.keys.string($0) }
        var options = ChainBackendOptions(name: name, format: format, place: place, keys: keys)
        options.width = width
        options.versions = variant.netCRAQ.versions
        options.times = lease.times
        if let patience { options.patience = patience }
        if let time = lease.nodeLease { options.name += " --node-lease \(time / 1_000_000)ms" }
        if variant.isPaper {
            options.name += " --variant paper"
            options.variant =
                switch store {
                case .netcraq: .paperNetCRAQ(variant.netCRAQ)
                case .netchain: .paperNetChain(variant.netChain)
                }
        }
        return options
    }
}

/// The nodes of a chain that this process started, each a thread.
struct ChainNodes: MemberControl {
    let chain: LocalChain

    var memberCount: Int { chain.addresses.count }
    func leader() -> Int? { nil }
    func kill(_ member: Int) throws { chain.kill(member) }
    func restart(_ member: Int) throws { try chain.restart(member) }
    func pause(_ member: Int) throws { chain.pause(member) }
    func resume(_ member: Int) throws { chain.resume(member) }
}

extension BackendChoice {
    /// The chain, if it is one.
    var target: ChainTarget? { if case .chain(let target, _, _) = self { target } else { nil } }

    /// What a preload asks for: a chain has no transactions of several keys, and no leases to settle by.
    var preloadLimits: PreloadLimits {
        var limits = PreloadLimits()
        if target != nil {
            limits.putsPerTransaction = 1
            limits.unsettledPuts = .max
        }
        return limits
    }
}
