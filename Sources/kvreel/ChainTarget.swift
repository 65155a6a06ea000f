import Chains
import Replay
import Simulation

/// The chain of a replay, as `--backend` names it: `netcraq:4` or `netchain:4`, started for the run, or
/// `netcraq://10.0.0.1:9000`, one that serves at that control interface.
struct ChainTarget {
    enum Place {
        /// Started for the run, with this many nodes: 1 to `ChainPacket.hopsMax`.
        case local(nodes: Int)
        /// Served by another process: its control interface.
        case remote(Endpoint)
    }

    var store: SimulationOptions.Store
    var place: Place
    /// Of a chain that is started; of one that is served the default variant's, which alone has a control interface.
    var variant: VariantOptions
    /// Of a chain that is started.
    var lease: NodeLeaseOption
    /// Room for the values of every key of the run. The paper variants' packets have 16 bytes.
    var width: WidthClass
    /// What becomes of calls that it cannot do.
    var unsupported: UnsupportedPolicy

    /// The default variant's.
    var format: ChainFormat { store == .netcraq ? .cqx : .ncx }

    /// The papers' chains do not compare.
    var abilities: ChainAbilities {
        ChainAbilities(valueBytes: Int64(width.byteCount), hasCompare: !variant.isPaper)
    }

    /// Nil for a name that is no chain's; throws a `Failure` of usage for one that is not right, or with options that
    /// would be ignored.
    init?(_ name: String, _ options: ChainOptions) throws {
        let words = "Say netcraq:4, netchain:4, or netcraq://HOST:PORT, a control interface of kvreel serve."
        guard let store = SimulationOptions.Store.allCases.first(where: { name.hasPrefix("\($0.rawValue):") }) else {
            return nil
        }
        let isRemote = name.hasPrefix("\(store.rawValue)://")
        do {
            if isRemote {
                place = .remote(try OptionValue.endpoint(String(name.dropFirst(store.rawValue.utf8.count + 3))))
            } else {
                let chain = try ChainOption(name)
                place = .local(nodes: chain.nodes)
                try options.variant.check(chain)
                try options.lease.check(options.variant)
            }
        } catch { throw Failure(.usage, "\(name): \(error)", remedy: words) }
        if isRemote, let option = options.givenOfStarted {
            throw Failure(.usage, "\(option) is for who starts the chain: \(name) is served by another process")
        }
        if options.variant.isPaper, let width = options.width, width != .bytes16 {
            throw Failure(.usage, "--width \(width.byteCount): the published packets have 16 bytes for a value")
        }
        unsupported = options.unsupported ?? .skip
        self.store = store
        variant = options.variant
        lease = options.lease
        width = options.variant.isPaper ? .bytes16 : options.width ?? .bytes1024
    }
}
