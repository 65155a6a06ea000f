import Backends
import Replay

/// The store that a user names.
enum BackendChoice {
    case null
    case local(members: Int, StoreOptions)
    case remote(endpoints: [String], isSecure: Bool, StoreOptions)

    init(_ name: String, _ options: StoreOptions) throws {
        switch name {
        case "null":
            try Self.refuse(options.namesForClients + (options.etcd == nil ? [] : ["--etcd"]), for: name)
            self = .null
        case _ where name.hasPrefix("etcd://") || name.hasPrefix("etcds://"):
            let isSecure = name.hasPrefix("etcds://")
            let endpoints = name.dropFirst(isSecure ? 8 : 7).split(separator: ",", omittingEmptySubsequences: false)
            if let bad = endpoints.first(where: { $0.isEmpty }) {
                throw Failure(
                    .usage, "a store has addresses: \(name): \(bad.isEmpty ? "one is empty" : String(bad))",
                    remedy: "Say such as etcd://10.0.0.1:2379,10.0.0.2:2379.")
            }
            if options.etcd != nil { try Self.refuse(["--etcd"], for: name) }
            if !isSecure, options.cacert != nil || options.cert != nil {
                throw Failure(.usage, "certificates are for TLS", remedy: "Say etcds://, or leave them out.")
            }
            self = .remote(endpoints: endpoints.map(String.init), isSecure: isSecure, options)
        case _ where name.hasPrefix("etcd:"):
            guard let members = Int(name.dropFirst(5)), (1...LocalClusterLimits.members).contains(members) else {
                throw Failure(
                    .usage, "a local etcd has 1 to \(LocalClusterLimits.members) members: \(name)",
                    remedy: "Say etcd:1 or etcd:3; a running one is etcd://HOST:PORT.")
            }
            try Self.refuse(options.namesForClients, for: name)
            self = .local(members: members, options)
        default:
            throw Failure(
                .usage, "no such store: \(name)",
                remedy: "Say etcd:N, etcd://HOST:PORT, etcds://HOST:PORT or null.")
        }
    }

    private static func refuse(_ names: [String], for store: String) throws {
        if let name = names.first { throw Failure(.usage, "\(name) has no use with --backend \(store)") }
    }
}

extension Failure {
    init(_ error: BackendError) {
        let status: ExitStatus =
            switch error.kind {
            case .usage: .usage
            case .system: .system
            }
        self.init(status, error.description, remedy: error.remedy)
    }
}
