import Backends
import Foundation
import Replay
import TestSupport
import Testing

/// Replays in several processes that meet at one etcd, started for the test.
@Suite("kvreel replay --shard", .serialized)
struct ReplayShardTests {
    private let folder: TemporaryFolder
    private let trace: String

    init() throws {
        folder = try TemporaryFolder()
        trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
    }

    private func start(_ number: Int, _ arguments: [String], index: Int? = nil) throws -> RunningProgram {
        try RunningProgram(
            Repository.tool.path, ["replay"] + arguments + ["-o", folder.path("shard-\(number).kvr")],
            output: folder.path("out-\(number)"), errors: folder.path("err-\(number)"),
            environment: index.map { ["JOB_COMPLETION_INDEX": "\($0)"] } ?? [:])
    }

    /// The names of the store's keys below a prefix.
    private func keys(_ prefix: String, at endpoint: String) throws -> [Substring] {
        let run = try ProgramRun.run(
            "etcdctl", ["--endpoints", endpoint, "get", prefix, "--prefix", "--keys-only"],
            environment: ["ETCDCTL_API": "3"])
        if run.status != 0 { throw Repository.Missing(what: "etcdctl's answer (\(run.errors))") }
        return run.output.split(separator: "\n")
    }

    @Test("four processes, merged, are one run: counts, outcomes, and one start")
    func together() throws {
        let cluster = try LocalCluster(LocalClusterOptions(members: 1))
        defer { cluster.close() }
        let endpoint = try #require(cluster.endpoints.first)
        let whole = try ProgramRun.kvreel([
            "replay", trace, "--backend", "etcd:1", "--preload", "--speed", "5", "--json", "-o",
            folder.path("whole.kvr"),
        ])
        #expect(whole.status == 0 || whole.status == 1, "\(whole.errors)")
        let expected = try whole.json

        let options = [
            trace, "--backend", "etcd://\(endpoint)", "--preload", "--speed", "5", "--verify", "linearizable",
        ]
        // Two of them as a Kubernetes Job would start them.
        let programs = try [
            start(3, options + ["--shard", "job/4", "--json"], index: 2),
            start(1, options + ["--shard", "1/4", "--json"]),
            start(4, options + ["--shard", "job/4", "--json"], index: 3),
            start(2, options + ["--shard", "2/4", "--json"]),
        ]
        for program in programs {
            let run = try program.wait()
            #expect(run.status == 0 || run.status == 1, "\(run.errors)")
            let check = try #require(try run.json["check"] as? [String: Any])
            #expect(check["verdict"] as? String == "linearizable", "\(check)")
            #expect(check["unrecorded_revisions"] as? Int == 0)
        }
        #expect(try keys(ShardGateKeys.prefix, at: endpoint).isEmpty)
        #expect(try !keys("/registry/", at: endpoint).isEmpty)

        let merged = folder.path("merged.kvr")
        let merge = try ProgramRun.kvreel(["merge"] + (1...4).map { folder.path("shard-\($0).kvr") } + ["-o", merged])
        #expect(merge.status == 0, "\(merge.errors)")
        let report = try ProgramRun.kvreel(["report", "--json", merged])
        let found = try #require((try report.json["runs"] as? [[String: Any]])?.first)
        for name in ["answered", "status", "errors", "compared", "different", "differences", "excluded"] {
            let values = try [found, expected].map {
                try JSONSerialization.data(withJSONObject: [$0[name] ?? NSNull() as Any], options: .sortedKeys)
            }
            #expect(values[0] == values[1], "\(name): \(String(decoding: values[0], as: UTF8.self))")
        }
        #expect(found["shard"] as? String == "1,2,3,4/4")
        // Each shard opens the streams that it has messages on: of these there may be more.
        let streams: Set = ["/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive"]
        let methods = try [merged, folder.path("whole.kvr")].map { path in
            try #require(
                try ProgramRun.kvreel(["analyze", "--json", path]).json["methods"] as? [String: [String: Any]]
            ).filter { !streams.contains($0.key) }.mapValues { $0["requests"] as? Int }
        }
        #expect(methods[0] == methods[1])
        #expect(methods[0].count > 3)
        #expect(try #require(found["answered"] as? Int) > 1_000)
    }

    @Test("a shard of another trace is told what differs, and shard 1 who is missing; nothing is left")
    func otherTrace() throws {
        let cluster = try LocalCluster(LocalClusterOptions(members: 1))
        defer { cluster.close() }
        let endpoint = try #require(cluster.endpoints.first)
        let other = try ProgramRun.trace(of: "netcraq-scale", in: folder)
        let options = ["--backend", "etcd://\(endpoint)", "--max", "--shard-wait", "6s"]
        let first = try start(1, [trace] + options + ["--shard", "1/2"])
        let second = try start(2, [other] + options + ["--shard", "2/2"])
        let told = try second.wait()
        #expect(told.status == 4)
        #expect(told.errors.contains("shard 1 replays something else: trace "), "\(told.errors)")
        let missed = try first.wait()
        #expect(missed.status == 4)
        #expect(missed.errors.contains("not ready within 6 s: shard 2"), "\(missed.errors)")
        #expect(try keys("", at: endpoint).isEmpty)
        for number in 1...2 { #expect(!FileManager.default.fileExists(atPath: folder.path("shard-\(number).kvr"))) }
    }

    @Test("Ctrl-C while it waits: status 130, and nothing is left")
    func interrupted() throws {
        let cluster = try LocalCluster(LocalClusterOptions(members: 1))
        defer { cluster.close() }
        let endpoint = try #require(cluster.endpoints.first)
        let program = try start(1, [trace, "--backend", "etcd://\(endpoint)", "--shard", "1/2"])
        while try keys(ShardGateKeys.prefix, at: endpoint).isEmpty, program.process.isRunning {}
        program.process.interrupt()
        #expect(try program.wait().status == 130)
        #expect(try keys("", at: endpoint).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.path("shard-1.kvr")))
    }

    @Test(
        "what cannot be is said with status 2",
        arguments: [
            (["--backend", "etcd:1", "--shard", "1/2"], "shards meet at a store that runs already"),
            (["--backend", "null", "--shard", "1/2"], "shards meet at a store that runs already"),
            (["--backend", "etcd://127.0.0.1:1", "--shard", "3/2"], "a shard is such as 2/4"),
            (["--backend", "etcd://127.0.0.1:1", "--shard", "0/2"], "a shard is such as 2/4"),
            (["--backend", "etcd://127.0.0.1:1", "--shard", "1/99999"], "a shard is such as 2/4"),
            (["--backend", "etcd://127.0.0.1:1", "--shard", "job/2"], "JOB_COMPLETION_INDEX is not set"),
            (["--backend", "etcd://127.0.0.1:1", "--start-at", "1896177600"], "--start-at is for --shard"),
            (["--backend", "etcd://127.0.0.1:1", "--shard-wait", "1m"], "--shard-wait is for --shard"),
            (["--backend", "etcd://127.0.0.1:1", "--shard", "1/2", "--start-at", "noon"], "a moment is such as"),
        ])
    func usage(_ arguments: [String], _ words: String) throws {
        let run = try ProgramRun.kvreel(["replay", trace] + arguments)
        #expect(run.status == 2)
        #expect(run.errors.contains(words), "\(run.errors)")
    }
}
