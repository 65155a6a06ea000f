import Backends
import ChainBackends
import Replay

/// The store of a replay, connected to, and what was started for it.
final class OpenedStore {
    let backend: any Backend
    private let cluster: LocalCluster?
    private let endpoints: [String]

    /// - Parameter plan: what the store is opened for: a chain is to be told of its keys.
    init(_ choice: BackendChoice, connections: Int, for plan: ReplayPlan) throws {
        do throws(BackendError) {
            switch choice {
            case .null:
                backend = NullBackend()
                cluster = nil
                endpoints = ["null"]
            case .local(let options, let client):
                let cluster = try LocalCluster(options) { death in
                    StandardError.warn(
                        "member \(death.member + 1) \(death.how)" + (death.log.isEmpty ? "" : ": \(death.log)"))
                }
                self.cluster = cluster
                endpoints = cluster.endpoints
                backend = try EtcdBackend(
                    client.options(name: cluster.name, addresses: cluster.endpoints, isSecure: false))
            case .remote(let options):
                cluster = nil
                endpoints = options.endpoints.map(\.text)
                backend = try EtcdBackend(options)
            case .chain(let target, let name, let patience):
                cluster = nil
                endpoints = [name]
                backend = ChainBackend(target.options(name: name, patience: patience, for: plan))
            }
            do throws(BackendError) {
                try backend.open(connections: connections)
            } catch {
                cluster?.close()
                throw error
            }
        } catch { throw Failure(error) }
    }

    /// The members that were started for the run; nil where there are none.
    var members: (any MemberControl)? { cluster ?? (backend as? ChainBackend)?.localChain.map(ChainNodes.init) }

    /// Looks at the machine before the run; nil where the store is elsewhere, or none of etcd.
    func probeConditions() -> ConditionsProbe? { cluster.map { ConditionsProbe($0) } }

    /// The ends of the connections, as the trace names them: connection i begins with endpoint i modulo their number.
    func connectionNames(_ count: Int) -> [Replay.ConnectionNames] {
        (0..<count).map {
            Replay.ConnectionNames(client: "kvreel:\($0 + 1)", server: endpoints[$0 % endpoints.count])
        }
    }

    func close() {
        backend.close()
        cluster?.close()
    }
}
