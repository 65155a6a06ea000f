import Foundation
import TestSupport
import Testing

/// A real etcd behind TLS on loopback, and in front of it a relay that speaks TLS by `openssl s_client`, which writes
/// a key log: etcdctl talks plaintext to the relay.
final class EncryptedEtcd {
    let folder: TemporaryFolder
    let serverPort: Int
    let relayPort: Int
    var keyLog: String { folder.path("keys.log") }
    private let server: RunningProgram
    private let relay: RunningProgram

    private static let relayScript = """
        import signal, socket, subprocess, sys, threading
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the test's thread has most of them blocked
        server, log, options = sys.argv[1], sys.argv[2], sys.argv[3:]
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        def serve(client):
            tls = subprocess.Popen(
                ["openssl", "s_client", "-quiet", "-alpn", "h2", "-keylogfile", log, "-connect", server] + options,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
            def up():
                while data := client.recv(65536):
                    tls.stdin.write(data)
                tls.stdin.close()
                tls.terminate()
            threading.Thread(target=up, daemon=True).start()
            while data := tls.stdout.read(65536):
                client.sendall(data)
            client.close()
        print("relay", listener.getsockname()[1], "ready", file=sys.stderr, flush=True)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
        """

    /// `options` are s_client's: the version and the suite.
    init(_ options: [String]) throws {
        folder = try TemporaryFolder()
        _ = try folder.write("keys.log", [])
        let made = try ProgramRun.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", folder.path("key.pem"), "-out", folder.path("cert.pem"),
            ])
        guard made.status == 0 else { throw Repository.Missing(what: "a certificate: \(made.errors)") }
        let script = """
            import socket
            held = [socket.socket() for _ in range(2)]
            for s in held: s.bind(("127.0.0.1", 0))
            print(*[s.getsockname()[1] for s in held])
            """
        let ports = try ProgramRun.run("python3", ["-c", script]).output.split(whereSeparator: \.isWhitespace)
        guard ports.count == 2, let port = Int(ports[0]) else { throw Repository.Missing(what: "free ports") }
        serverPort = port
        let client = "https://127.0.0.1:\(ports[0])"
        let peer = "http://127.0.0.1:\(ports[1])"
        server = try RunningProgram(
            "etcd",
            [
                "--data-dir", folder.path("data"), "--name", "test", "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", "test=\(peer)", "--cert-file", folder.path("cert.pem"), "--key-file",
                folder.path("key.pem"),
            ], output: folder.path("etcd.out"), errors: folder.path("etcd.err"))
        try server.waitForErrors(containing: "ready to serve client requests")
        relay = try RunningProgram(
            "python3", ["-c", Self.relayScript, "127.0.0.1:\(port)", folder.path("keys.log")] + options,
            output: folder.path("relay.out"), errors: folder.path("relay.err"))
        try relay.waitForErrors(containing: "ready")
        let said = try String(contentsOfFile: folder.path("relay.err"), encoding: .utf8)
        guard let port = said.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Repository.Missing(what: "the relay's port in \(said)")
        }
        relayPort = port
    }

    deinit {
        for program in [relay, server] {
            program.process.terminate()
            program.process.waitUntilExit()
        }
    }

    func etcdctl(_ arguments: [String]) throws {
        let run = try ProgramRun.run(
            "etcdctl", ["--endpoints", "127.0.0.1:\(relayPort)"] + arguments, environment: ["ETCDCTL_API": "3"])
        guard run.status == 0 else { throw Repository.Missing(what: "etcdctl's success: \(run.errors)") }
    }
}

@Suite("TLS: recordings with a key log", .serialized)
struct TLSCaptureTests {
    static let suites = [
        ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"], ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
        ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
        ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"],
        ["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"],
    ]

    @Test(
        "a live recording follows the key log while it grows", .enabled(if: Repository.canRecord), arguments: suites)
    func live(_ options: [String]) throws {
        let etcd = try EncryptedEtcd(options)
        let folder = try TemporaryFolder()
        let trace = folder.path("live.kvr")
        let recording = try RunningProgram(
            Repository.tool.path,
            [
                "capture", "--interface", "lo", "--port", "\(etcd.serverPort)", "--keylog", etcd.keyLog, "-o", trace,
            ], output: folder.path("out"), errors: folder.path("err"))
        try recording.waitForErrors(containing: "listening on lo")
        for number in 0..<3 {
            try etcd.etcdctl(["put", "/app/\(number)", String(repeating: "v", count: 20_000 * number + 1)])
        }
        try etcd.etcdctl(["get", "--prefix", "/app/"])
        recording.process.interrupt()
        let run = try recording.wait()
        #expect(run.status == 130, "\(run.errors)")
        let analyze = try ProgramRun.kvreel(["analyze", "--json", trace])
        let analysis = try Truth.object(Data(analyze.output.utf8))
        let coverage = try #require(analysis["coverage"] as? [String: Any])
        #expect(coverage["encrypted_connections"] as? Int == 0, "\(run.errors)")
        #expect(coverage["ambiguous"] as? Int == 0)
        #expect((analysis["put"] as? [String: Any])?["requests"] as? Int == 3)
        #expect((analysis["put"] as? [String: Any])?["value_bytes"] as? Int == 60_003)
        #expect((analysis["range"] as? [String: Any])?["keys_returned"] as? Int == 3)
        try expectNoSecrets(of: etcd.keyLog, in: [trace, folder.path("out"), folder.path("err")])
    }

    /// No secret of the log is in the files, as text or as bytes.
    private func expectNoSecrets(of log: String, in files: [String]) throws {
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        let secrets = lines.filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: " ").last.map(String.init) }
        #expect(!secrets.isEmpty)
        for file in files {
            let data = try Data(contentsOf: URL(filePath: file))
            for secret in secrets {
                #expect(data.range(of: Data(secret.utf8)) == nil)
                let digits = secret.compactMap(\.hexDigitValue)
                let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
                #expect(data.range(of: Data(bytes)) == nil)
            }
        }
    }

    /// The arguments that read the shared TLS recording, with its key log or with the secrets inside of it.
    private static func input(_ name: String) throws -> [String] {
        let folder = try Repository.capture("tls13")
        let capture = ["--read", folder.appending(path: name).path]
        return name.hasPrefix("capture.") ? capture + ["--keylog", folder.appending(path: "keys.log").path] : capture
    }

    @Test(
        "every figure and every call equals the server's own log", .enabled(if: Repository.hasCaptures),
        arguments: ["capture.pcap.zst", "capture-with-secrets.pcapng.zst"])
    func equalsTruth(_ name: String) throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("trace.kvr")
        let run = try ProgramRun.kvreel(["capture"] + Self.input(name) + ["-o", trace, "--quiet"])
        try #require(run.status == 0, "\(run.errors)")
        let truth = try Truth(Repository.capture("tls13/truth.json"))
        let analyze = try ProgramRun.kvreel(["analyze", "--json", trace])
        #expect(truth.differences(from: try Truth.object(Data(analyze.output.utf8))) == [])
        let calls = folder.path("calls.jsonl")
        #expect(try ProgramRun.kvreel(["cat", "--json", trace], output: calls).status == 0)
        let match = try ProgramRun.run(
            "python3",
            [
                try Repository.capture("match.py").path, try Repository.capture("tls13/operations.jsonl.zst").path,
                calls,
                "--right", "1",
            ])
        #expect(match.status == 0, "\(match.output) \(match.errors)")
    }

    @Test("a key log that cannot be read is a bad input", arguments: ["/nonexistent/keys.log", "/tmp"])
    func unreadableKeyLog(_ path: String) throws {
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel([
            "capture", "--read", BadInputTests.smallCapture, "--keylog", path, "-o", folder.path("out.kvr"),
        ])
        #expect(run.status == 3)
        #expect(run.errors.hasPrefix("kvreel: cannot read the key log: \(path): "), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out.kvr")))
    }

    @Test("a key log of others leaves the connections encrypted, and says so", .enabled(if: Repository.hasCaptures))
    func otherKeyLog() throws {
        let folder = try TemporaryFolder()
        let random = String(repeating: "ab", count: 32)
        let logs = [
            "# nothing\n": "holds no TLS secrets",
            "CLIENT_TRAFFIC_SECRET_0 \(random) \(random)\nCLIENT_RANDOM \(random) 00\n":
                "holds the secrets of 1 connection",
        ]
        for (text, remedy) in logs {
            let log = try folder.write("keys.log", Array(text.utf8))
            let run = try ProgramRun.kvreel([
                "capture", "--read", try Repository.capture("tls13/capture.pcap.zst").path, "--keylog", log, "-o",
                folder.path("out.kvr"),
            ])
            #expect(run.status == 3)
            #expect(run.errors.contains("only TLS without keys, on 75 connections"), "\(run.errors)")
            #expect(run.errors.contains(remedy), "\(run.errors)")
            #expect(!run.errors.contains(random))
        }
    }

    @Test("a plaintext capture with a key log decodes as without")
    func plaintext() throws {
        let folder = try TemporaryFolder()
        let log = try folder.write("keys.log", [])
        let trace = folder.path("out.kvr")
        let run = try ProgramRun.kvreel([
            "capture", "--read", BadInputTests.smallCapture, "--keylog", log, "-o", trace, "--quiet",
        ])
        #expect(run.status == 0, "\(run.errors)")
        let truth = try Truth(Repository.traces.appending(path: "etcdctl-mix.truth.json"))
        let analyze = try ProgramRun.kvreel(["analyze", "--json", trace])
        #expect(truth.differences(from: try Truth.object(Data(analyze.output.utf8))) == [])
    }
}
