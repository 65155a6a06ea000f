import BackendConformance
import Backends
import Foundation
import Replay
import TestSupport
import Testing

/// An etcd that wants certificates of its clients, and the files of who may.
final class SecureEtcd {
    let folder: TemporaryFolder
    let endpoint: String
    private let running: RunningProgram

    private static func openssl(_ arguments: [String]) throws {
        let run = try ProgramRun.run("openssl", arguments)
        guard run.status == 0 else { throw Repository.Missing(what: "a certificate: \(run.errors)") }
    }

    /// Two authorities, a server's certificate for `etcd.example` of the first, and a client's of each.
    private static func makeCertificates(_ folder: TemporaryFolder) throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for name in ["ca", "other"] {
            try openssl(
                [
                    "req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-keyout", folder.path("\(name).key"), "-out",
                    folder.path("\(name).pem"),
                ] + key)
        }
        for (name, authority, address) in [
            ("server", "ca", "DNS:etcd.example"), ("client", "ca", "DNS:client"), ("stranger", "other", "DNS:stranger"),
        ] {
            try openssl(
                [
                    "req", "-subj", "/CN=\(name)", "-keyout", folder.path("\(name).key"), "-out",
                    folder.path("\(name).csr"),
                    "-addext", "subjectAltName=\(address)",
                ] + key)
            try openssl([
                "x509", "-req", "-days", "2", "-in", folder.path("\(name).csr"), "-copy_extensions", "copy", "-CA",
                folder.path("\(authority).pem"), "-CAkey", folder.path("\(authority).key"), "-CAcreateserial", "-out",
                folder.path("\(name).pem"),
            ])
        }
    }

    init() throws {
        folder = try TemporaryFolder()
        try Self.makeCertificates(folder)
        let script = """
            import socket
            held = [socket.socket() for _ in range(2)]
            for s in held: s.bind(("127.0.0.1", 0))
            print(*[s.getsockname()[1] for s in held])
            """
        let ports = try ProgramRun.run("python3", ["-c", script]).output.split(whereSeparator: \.isWhitespace)
        guard ports.count == 2 else { throw Repository.Missing(what: "free ports") }
        endpoint = "127.0.0.1:\(ports[0])"
        let peer = "http://127.0.0.1:\(ports[1])"
        running = try RunningProgram(
            "etcd",
            [
                "--data-dir", folder.path("data"), "--name", "test", "--listen-client-urls", "https://\(endpoint)",
                "--advertise-client-urls", "https://\(endpoint)", "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", "test=\(peer)", "--cert-file",
                folder.path("server.pem"), "--key-file", folder.path("server.key"), "--trusted-ca-file",
                folder.path("ca.pem"), "--client-cert-auth",
            ], output: folder.path("etcd.out"), errors: folder.path("etcd.err"))
        try running.waitForErrors(containing: "ready to serve client requests")
    }

    deinit {
        running.process.terminate()
        running.process.waitUntilExit()
    }

    func options(authority: String?, client: String?, isSecure: Bool = true) throws -> EtcdOptions {
        var options = try EtcdOptions(name: "etcds://\(endpoint)", addresses: [endpoint], isSecure: isSecure)
        options.serverName = "etcd.example"
        options.authorities = authority.map { folder.path("\($0).pem") }
        options.certificate = client.map { folder.path("\($0).pem") }
        options.key = client.map { folder.path("\($0).key") }
        return options
    }
}

@Suite("A client of an etcd behind TLS", .enabled(if: Repository.hasEtcd), .timeLimit(.minutes(2)))
struct EtcdTLSTests {
    /// Why it cannot be opened, and the remedy; nil if it can.
    private func refusal(_ options: EtcdOptions) -> BackendError? {
        do throws(BackendError) {
            let backend = try EtcdBackend(options)
            defer { backend.close() }
            try backend.open(connections: 2)
            return nil
        } catch { return error }
    }

    @Test("both sides prove who they are; who cannot is told which certificate is at fault")
    func certificates() throws {
        let etcd = try SecureEtcd()
        let backend = try EtcdBackend(etcd.options(authority: "ca", client: "client"))
        try backend.open(connections: 2)
        let driver = ScriptedDriver(
            inFlight: 10, (0..<100).map { number in { $0.put("/tls/\(number)", size: 20_000) } })
        try backend.run(driver)
        backend.close()
        #expect(driver.answers.count == 100 && driver.answers.values.allSatisfy { $0[0].answer.status == 0 })

        let wrongServer = refusal(try etcd.options(authority: "other", client: "client"))
        #expect(
            wrongServer?.why.contains("the server's certificate is signed by nobody who is trusted") == true,
            "\(String(describing: wrongServer))")
        #expect(wrongServer?.remedy?.contains("--cacert") == true)
        let stranger = refusal(try etcd.options(authority: "ca", client: "stranger"))
        #expect(stranger?.remedy?.contains("--cert and --key") == true, "\(String(describing: stranger))")
        let nobody = refusal(try etcd.options(authority: "ca", client: nil))
        #expect(nobody?.remedy?.contains("--cert and --key") == true, "\(String(describing: nobody))")
        let plain = refusal(try etcd.options(authority: nil, client: nil, isSecure: false))
        #expect(plain?.remedy?.contains("etcds://") == true, "\(String(describing: plain))")
        var named = try etcd.options(authority: "ca", client: "client")
        named.serverName = nil
        let misnamed = refusal(named)
        #expect(
            misnamed?.remedy?.contains("a name that is in its certificate") == true, "\(String(describing: misnamed))")
        var missing = try etcd.options(authority: "ca", client: "client")
        missing.authorities = "nowhere.pem"
        let unread = refusal(missing)
        #expect(unread?.kind == .usage && unread?.location == "nowhere.pem", "\(String(describing: unread))")
    }
}
