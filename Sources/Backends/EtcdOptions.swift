package import Replay

/// How to reach a running etcd, in etcdctl's words.
package struct EtcdOptions: Sendable {
    /// As reports print it.
    package var name: String
    package var endpoints: [EtcdEndpoint]
    package var isSecure: Bool
    /// Paths of PEM files: whom the server's certificate is to be signed by (the system's authorities if nil), and who
    /// this client is.
    package var authorities: String?
    package var certificate: String?
    package var key: String?
    /// What the server's certificate is to be for, if not the endpoint's host.
    package var serverName: String?
    package var user: String?
    package var password = ""
    /// Nanoseconds until a connection must stand.
    package var dialTimeout: Int64 = 5_000_000_000
    /// Nanoseconds until a call must be answered; 0 for any time.
    package var callTimeout: Int64 = 30_000_000_000
    package var limits = EtcdClientLimits()
    /// Of the chance in the pauses between attempts to connect.
    package var seed: UInt64 = 0

    /// - Parameter addresses: `HOST:PORT`, `[IPv6]:PORT`, or either behind `http://` or `https://`.
    package init(name: String, addresses: [String], isSecure: Bool) throws(BackendError) {
        self.name = name
        self.isSecure = isSecure
        endpoints = []
        for address in addresses { endpoints.append(try EtcdEndpoint(address)) }
        if endpoints.isEmpty {
            throw BackendError(
                .usage, what: "cannot connect", location: name, why: "no address is given",
                remedy: "Say such as etcd://10.0.0.1:2379,10.0.0.2:2379.")
        }
    }
}

/// What a client holds at most. Beside each stands what happens beyond it.
package struct EtcdClientLimits: Sendable {
    /// Bytes of requests that wait for a connection that is being made anew; more are answered that there is none.
    package var queuedBytes = 64 << 20
    /// Bytes for the server that the system does not take yet; beyond, the connection is given up.
    package var unsentBytes = 256 << 20
    /// Nanoseconds before the second attempt to connect, doubled with each one up to the most, and half to one and a
    /// half times that by chance, so that many connections do not come at once.
    package var backOff: Int64 = 50_000_000
    package var backOffMax: Int64 = 2_000_000_000
    /// Nanoseconds of silence while answers are owed before the server is asked whether it is there, and until it must
    /// have said so.
    package var silence: Int64 = 10_000_000_000
    package var pingTimeout: Int64 = 5_000_000_000

    package init() {}
}

/// The address of a member's client port.
package struct EtcdEndpoint: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(_ address: String) throws(BackendError) {
        var rest = Substring(address)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        if rest.hasSuffix("/") { rest.removeLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]),
            (1...65_535).contains(port), colon > rest.startIndex
        else {
            throw BackendError(
                .usage, what: "no address", location: address, why: "it is not HOST:PORT",
                remedy: "Say such as 10.0.0.1:2379 or [fd00::1]:2379.")
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        self.host = String(host)
        self.port = port
    }

    /// `HOST:PORT`.
    package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether the host is a number, of which no name can be asked (RFC 6066 §3).
    var isNumeric: Bool { host.contains(":") || host.allSatisfy { $0 == "." || $0.isNumber } }
}
