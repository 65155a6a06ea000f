import Foundation
import TestSupport
import Testing

/// A real etcd on loopback, on ports that the system chose.
final class EtcdServer {
    let folder: TemporaryFolder
    let clientPort: Int
    let metricsPort: Int
    private let running: RunningProgram

    init() throws {
        folder = try TemporaryFolder()
        let ports = try Self.freePorts(3)
        (clientPort, metricsPort) = (ports[0], ports[1])
        let client = "http://127.0.0.1:\(clientPort)"
        let peer = "http://127.0.0.1:\(ports[2])"
        running = try RunningProgram(
            "etcd",
            [
                "--data-dir", folder.path("data"), "--name", "test", "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", "test=\(peer)", "--listen-metrics-urls", "http://127.0.0.1:\(metricsPort)",
                "--metrics", "extensive",
            ], output: folder.path("etcd.out"), errors: folder.path("etcd.err"))
        try running.waitForErrors(containing: "ready to serve client requests")
    }

    deinit {
        running.process.terminate()
        running.process.waitUntilExit()
    }

    /// Ports that are free now, all different.
    private static func freePorts(_ count: Int) throws -> [Int] {
        let script = """
            import socket
            held = [socket.socket() for _ in range(\(count))]
            for s in held: s.bind(("127.0.0.1", 0))
            print(*[s.getsockname()[1] for s in held])
            """
        let ports = try ProgramRun.run("python3", ["-c", script]).output.split(whereSeparator: \.isWhitespace)
        guard ports.count == count else { throw Repository.Missing(what: "free ports") }
        return ports.compactMap { Int($0) }
    }

    func etcdctl(_ arguments: [String]) throws -> ProgramRun {
        try ProgramRun.run(
            "etcdctl", ["--endpoints", "127.0.0.1:\(clientPort)"] + arguments, environment: ["ETCDCTL_API": "3"])
    }

    /// The server's counters of gRPC, as `NAME METHOD` to value.
    func counters() throws -> [String: Int] {
        let url = "http://127.0.0.1:\(metricsPort)/metrics"
        let script = "import urllib.request, sys; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
        let text = try ProgramRun.run("python3", ["-c", script, url]).output
        var counters: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            for name in ["grpc_server_started_total", "grpc_server_msg_received_total", "grpc_server_msg_sent_total"]
            where line.hasPrefix(name + "{") {
                guard let method = Self.label("grpc_method", line), let service = Self.label("grpc_service", line),
                    let value = line.split(separator: " ").last.flatMap({ Double($0) })
                else { continue }
                counters["\(name) /\(service)/\(method)", default: 0] += Int(value)
            }
        }
        return counters
    }

    private static func label(_ name: String, _ line: Substring) -> String? {
        guard let start = line.range(of: name + "=\"")?.upperBound,
            let end = line[start...].firstIndex(of: "\"")
        else { return nil }
        return String(line[start..<end])
    }
}

@Suite("Live recording on loopback", .serialized, .enabled(if: Repository.canRecord))
struct LiveCaptureTests {
    /// Records while `load` runs; returns the analysis and the differences of the server's counters.
    private func record(
        _ server: EtcdServer, load: () throws -> Void
    ) throws -> (analysis: [String: Any], deltas: [String: Int], errors: String) {
        let folder = try TemporaryFolder()
        let trace = folder.path("live.kvr")
        let recording = try RunningProgram(
            Repository.tool.path, ["capture", "--interface", "lo", "--port", "\(server.clientPort)", "-o", trace],
            output: folder.path("out"), errors: folder.path("err"))
        try recording.waitForErrors(containing: "listening on lo")
        let before = try server.counters()
        try load()
        let after = try server.counters()
        recording.process.interrupt()
        let run = try recording.wait()
        #expect(run.status == 130, "\(run.errors)")
        let analyze = try ProgramRun.kvreel(["analyze", "--json", trace])
        try #require(analyze.status == 0, "\(run.errors)\(analyze.errors)")
        let deltas = after.merging(before) { $0 - $1 }.filter { $0.value != 0 }
        return (try Truth.object(Data(analyze.output.utf8)), deltas, run.errors)
    }

    private func expect(_ analysis: [String: Any], equals deltas: [String: Int], _ errors: String) {
        let methods = analysis["methods"] as? [String: [String: Any]] ?? [:]
        var counted: [String: Int] = [:]
        for (method, counts) in methods {
            counted["grpc_server_started_total " + method] = counts["requests"] as? Int
            counted["grpc_server_msg_received_total " + method] = counts["request_messages"] as? Int
            counted["grpc_server_msg_sent_total " + method] = counts["response_messages"] as? Int
        }
        #expect(counted.filter { $0.value != 0 } == deltas, "\(errors)")
        let coverage = analysis["coverage"] as? [String: Any]
        #expect(coverage?["lost_bytes"] as? Int == 0)
        #expect(coverage?["dropped_packets"] as? Int == 0)
    }

    @Test("etcdctl's commands equal the differences of the server's metrics, method by method")
    func etcdctl() throws {
        let server = try EtcdServer()
        let (analysis, deltas, errors) = try record(server) {
            for number in 0..<20 {
                _ = try server.etcdctl(["put", "/app/\(number)", String(repeating: "v", count: number * 100)])
            }
            _ = try server.etcdctl(["get", "/app/3"])
            _ = try server.etcdctl(["get", "--prefix", "/app/"])
            _ = try server.etcdctl(["get", "--prefix", "--count-only", "--write-out=fields", "/app/"])
            _ = try server.etcdctl(["del", "/app/7"])
            _ = try server.etcdctl(["lease", "grant", "600"])
            _ = try server.etcdctl(["lease", "list"])
            _ = try server.etcdctl(["member", "list"])
            _ = try server.etcdctl(["endpoint", "status"])
            _ = try server.etcdctl(["compaction", "5"])
            _ = try server.etcdctl(["get", "/app/3", "--rev", "2"])
            _ = try server.etcdctl(["lease", "revoke", "1234"])
            _ = try server.etcdctl(["user", "list"])
            _ = try server.etcdctl(["alarm", "list"])
        }
        expect(analysis, equals: deltas, errors)
        #expect(deltas["grpc_server_started_total /etcdserverpb.KV/Put"] == 20)
    }

    @Test("a concurrent load equals the differences of the server's metrics, method by method")
    func concurrentLoad() throws {
        let server = try EtcdServer()
        let (analysis, deltas, errors) = try record(server) {
            // etcd's own load test: 50 clients writing as fast as they can, then ranges and deletes.
            let check = try server.etcdctl(["check", "datascale", "--load", "s", "--prefix", "/load/"])
            try #require(deltasAreExpected(check), "\(check.output)\(check.errors)")
        }
        expect(analysis, equals: deltas, errors)
        #expect(deltas["grpc_server_started_total /etcdserverpb.KV/Put"] ?? 0 >= 10_000)
    }

    /// The load test may find the machine slow; that it ran is what counts.
    private func deltasAreExpected(_ run: ProgramRun) -> Bool { !(run.output + run.errors).isEmpty }

    @Test("--duration ends a recording; without requests there is nothing to trace")
    func duration() throws {
        let server = try EtcdServer()
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel([
            "capture", "--interface", "lo", "--port", "\(server.clientPort)", "--duration", "300ms", "-o",
            folder.path("a.kvr"),
        ])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.contains("nothing to decode: lo: "), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.kvr")))
    }
}
