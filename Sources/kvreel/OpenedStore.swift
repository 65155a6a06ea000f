import Backends
import Replay

/// The store of a replay, and what was started for it.
final class OpenedStore {
    let backend: any Backend
    private let cluster: LocalCluster?

    init(_ choice: BackendChoice, connections: Int) throws {
        do {
            switch choice {
            case .null:
                backend = NullBackend()
                cluster = nil
            case .local, .remote:
                throw Failure(.usage, "no client yet")
            }
            try backend.open(connections: connections)
        } catch let error as BackendError { throw Failure(error) }
    }

    /// The ends of the connections, as the trace names them.
    func connectionNames(_ count: Int) -> [Replay.ConnectionNames] {
        (0..<count).map { Replay.ConnectionNames(client: "kvreel:\($0 + 1)", server: backend.name) }
    }

    func close() {
        backend.close()
        cluster?.close()
    }
}
