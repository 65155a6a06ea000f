import Backends
import Foundation
import Replay

/// The store that a user names.
enum BackendChoice {
    case null
    case local(LocalClusterOptions, StoreOptions)
    case remote(EtcdOptions)
    case chain(ChainTarget, name: String, patience: UInt64?)

    init(_ name: String, _ options: StoreOptions, _ chain: ChainOptions) throws {
        if let target = try ChainTarget(name, chain) {
            var unused = options.namesForClients
            if options.etcd != nil { unused.append("--etcd") }
            if options.dialTimeout != nil { unused.append("--dial-timeout") }
            if target.variant.isPaper, options.commandTimeout != nil { unused.append("--command-timeout") }
            try Self.refuse(unused, for: name)
            self = .chain(target, name: name, patience: options.commandTimeout)
            return
        }
        if let option = chain.given { throw Failure(.usage, "\(option) is for chains, and --backend \(name) is none") }
        switch name {
        case "null":
            try Self.refuse(options.namesForClients + (options.etcd == nil ? [] : ["--etcd"]), for: name)
            self = .null
        case _ where name.hasPrefix("etcd://") || name.hasPrefix("etcds://"):
            let isSecure = name.hasPrefix("etcds://")
            let addresses = name.dropFirst(isSecure ? 8 : 7).split(separator: ",", omittingEmptySubsequences: false)
            if options.etcd != nil { try Self.refuse(["--etcd"], for: name) }
            if !isSecure, options.cacert != nil || options.cert != nil {
                throw Failure(.usage, "certificates are for TLS", remedy: "Say etcds://, or leave them out.")
            }
            var client: EtcdOptions
            do {
                client = try options.options(name: name, addresses: addresses.map(String.init), isSecure: isSecure)
            } catch { throw Failure(error) }
            client.authorities = options.cacert
            client.certificate = options.cert
            client.key = options.key
            client.user = options.user
            if let file = options.passwordFile { client.password = try Self.password(in: file) }
            self = .remote(client)
        case _ where name.hasPrefix("etcd:"):
            guard let members = Int(name.dropFirst(5)), (1...LocalClusterLimits.members).contains(members) else {
                throw Failure(
                    .usage, "a local etcd has 1 to \(LocalClusterLimits.members) members: \(name)",
                    remedy: "Say etcd:1 or etcd:3; a running one is etcd://HOST:PORT.")
            }
            try Self.refuse(options.namesForClients, for: name)
            var local = LocalClusterOptions(members: members)
            if let program = options.etcd { local.program = program }
            self = .local(local, options)
        default:
            throw Failure(
                .usage, "no such store: \(name)",
                remedy: "Say etcd:N, etcd://HOST:PORT, etcds://HOST:PORT, netcraq:N, netchain:N, netcraq://HOST:PORT, "
                    + "netchain://HOST:PORT or null.")
        }
    }

    /// The first line of a file.
    private static func password(in path: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw Failure(.usage, "cannot read the password: \(path)", remedy: "It is the first line of that file.")
        }
        return String(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" && $0 != "\r\n" })
    }

    private static func refuse(_ names: [String], for store: String) throws {
        if let name = names.first { throw Failure(.usage, "\(name) has no use with --backend \(store)") }
    }
}

extension StoreOptions {
    /// The options of a client, as far as they do not depend on how the store is named.
    func options(name: String, addresses: [String], isSecure: Bool) throws(BackendError) -> EtcdOptions {
        var client = try EtcdOptions(name: name, addresses: addresses, isSecure: isSecure)
        if let dialTimeout { client.dialTimeout = Int64(clamping: dialTimeout) }
        if let commandTimeout { client.callTimeout = Int64(clamping: commandTimeout) }
        return client
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
