import HTTP2
import NIOCore
import NIOPosix
import NIOSSL
import Replay

/// Why a member cannot be asked, in words, and what to do about it.
enum EtcdFailure {
    /// Why a connection was lost or could not be made.
    static func reason(_ error: (any Error)?, at endpoint: EtcdEndpoint, _ failure: ClientFailure, wasReady: Bool)
        -> String
    {
        if let error { return "\(endpoint.text): \(words(error))" }
        if failure != .none { return "\(endpoint.text): the server \(failure.text)" }
        return wasReady
            ? "\(endpoint.text): the server closed the connection"
            : "\(endpoint.text): the server closed the connection before it said a word of HTTP/2"
    }

    /// One error of the network or of TLS.
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return words(first.error) }
            if let error = error.dnsAError ?? error.dnsAAAAError { return "no such host: \(error)" }
            return "no such host"
        case let error as IOError: return SystemFailure(code: error.errnoCode).words
        case let error as SystemFailure: return error.words
        case let error as ChannelError:
            if case .connectTimeout(let time) = error {
                return "no answer within \(Double(time.nanoseconds) / 1e9) s"
            }
            return "\(error)"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "the server's certificate is for another name or address"
        case let error as NIOSSLError:
            return ofTLS("\(error)")
        default: return ofTLS("\(error)")
        }
    }

    /// BoringSSL's reasons are words in capitals (boringssl/crypto/err/ssl.errordata).
    private static func ofTLS(_ text: String) -> String {
        let reasons = [
            (
                "CERTIFICATE_VERIFY_FAILED",
                "the server's certificate is signed by nobody who is trusted here, or expired"
            ),
            ("unableToValidateCertificate", "the server's certificate cannot be checked"),
            ("CERTIFICATE_REQUIRED", "the server wants a certificate of ours"),
            ("BAD_CERTIFICATE", "the server refuses our certificate"),
            ("UNKNOWN_CA", "the server does not know who signed our certificate"),
            ("CERTIFICATE_EXPIRED", "the server says that our certificate has expired"),
            ("ALERT_CERTIFICATE_UNKNOWN", "the server refuses our certificate"),
            ("HANDSHAKE_FAILURE", "the server and we have no form of TLS in common, or it wants a certificate of ours"),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS"),
            ("EOF during handshake", "the server closed the connection during the TLS handshake"),
            ("KEY_VALUES_MISMATCH", "the key is not that of the certificate"),
            ("noSuchFilesystemObject", "no such file"),
            ("failedToLoadCertificate", "it holds no certificate"),
            ("failedToLoadPrivateKey", "it holds no private key"),
            ("uncleanShutdown", "the server closed the connection"),
        ]
        return reasons.first { text.contains($0.0) }?.1 ?? text
    }

    /// No connection can be made at the start.
    static func opening(_ reason: String, at endpoints: String, _ options: EtcdOptions) -> BackendError {
        let remedy: String
        if reason.contains("name or address") {
            remedy = "Ask for it by a name that is in its certificate."
        } else if reason.contains("certificate of ours") || reason.contains("our certificate") {
            remedy = "Give --cert and --key of a client whom it knows."
        } else if reason.contains("server's certificate") {
            remedy = "Give --cacert, the certificate of who signed the server's."
        } else if reason.contains("HTTP/2") || reason.contains("TLS") {
            remedy = "Say etcds:// if it speaks TLS, etcd:// if not, and give its client port, 2379 as a rule."
        } else {
            remedy = "Is it running there? Ask: etcdctl --endpoints \(endpoints) endpoint health"
        }
        return BackendError(
            .system, what: "cannot connect to etcd", location: endpoints, why: reason, remedy: remedy)
    }

    /// The server does not know the user.
    static func authentication(_ why: String, at endpoint: String, _ options: EtcdOptions) -> BackendError {
        let remedy =
            why.contains("not enabled")
            ? "Leave out --user: whoever reaches it may do everything there." : "Check --user and --password-file."
        return BackendError(
            .system, what: "cannot authenticate as \(options.user ?? "")", location: endpoint, why: why, remedy: remedy)
    }
}
