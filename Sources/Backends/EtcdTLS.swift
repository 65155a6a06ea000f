import NIOCore
import NIOSSL
import Replay

/// How a client proves itself and checks the server (RFC 8446, RFC 6125), from the files that a person names.
struct EtcdTLS: Sendable {
    private let context: NIOSSLContext
    private let serverName: String?

    init(_ options: EtcdOptions) throws(BackendError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2"]
        if let path = options.authorities {
            let certificates = try Self.read(path, "the certificates that the store's is checked by") {
                try NIOSSLCertificate.fromPEMFile(path)
            }
            configuration.trustRoots = .certificates(certificates)
        }
        if let path = options.certificate {
            let chain = try Self.read(path, "our certificate") { try NIOSSLCertificate.fromPEMFile(path) }
            configuration.certificateChain = chain.map { .certificate($0) }
        }
        if let path = options.key {
            let key = try Self.read(path, "our private key") { try NIOSSLPrivateKey(file: path, format: .pem) }
            configuration.privateKey = .privateKey(key)
        }
        let final = configuration
        context = try Self.read(options.certificate ?? options.name, "certificate and key") {
            try NIOSSLContext(configuration: final)
        }
        serverName = options.serverName
    }

    private static func read<Content>(
        _ path: String, _ what: String, _ body: () throws -> Content
    ) throws(BackendError) -> Content {
        do { return try body() } catch {
            throw BackendError(
                .usage, what: "cannot use \(what)", location: path, why: EtcdFailure.words(error),
                remedy: "Give a PEM file that can be read; --cert and --key must belong together.")
        }
    }

    /// A numeric host is checked against the certificate's addresses, a name against its names.
    func handler(for endpoint: EtcdEndpoint) throws -> NIOSSLClientHandler {
        let name = serverName ?? (endpoint.isNumeric ? nil : endpoint.host)
        return try NIOSSLClientHandler(context: context, serverHostname: name)
    }
}
