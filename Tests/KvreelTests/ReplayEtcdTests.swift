import Backends
import Foundation
import Glibc
import Replay
import TestSupport
import Testing

/// Replays on real etcds, started for the test.
@Suite("kvreel replay on etcd", .serialized)
struct ReplayEtcdTests {
    /// Calls that etcd has begun, by method.
    private static func started(_ cluster: LocalCluster) throws -> [String: Int] {
        let counts = try #require(cluster.methodCounts())
        return Dictionary(uniqueKeysWithValues: counts.map { ($0.method, $0.started) })
    }

    struct Case: CustomTestStringConvertible {
        var capture: String
        var backend: String
        var speed = 10
        /// Outcomes other than the recorded ones: two lists of midstream count events of which nothing tells whether
        /// they were there at its start.
        var different = 0

        var testDescription: String { "\(capture) on \(backend), \(speed)x" }
    }

    /// Kinds of which the issue of a call is the store's state.
    private static let judged =
        ["range", "rangeStream", "put", "delete", "txn", "compact"]
        + ["leaseGrant", "leaseRevoke", "leaseKeepAlive", "leaseTimeToLive"]

    /// Answered calls of KV and of Lease that were compared, and those of them with another outcome.
    private static func outcomes(_ result: [String: Any]) throws -> (compared: Int, different: Int) {
        let mix = try #require(result["mix"] as? [[String: Any]])
        var (compared, different) = (0, 0)
        for part in mix where judged.contains(part["kind"] as? String ?? "") {
            compared += try #require(part["compared"] as? Int)
            different += try #require(part["different"] as? Int)
        }
        return (compared, different)
    }

    /// All that was recorded is answered, but for what is listed as not replayed.
    private static func expectWholeMix(_ result: [String: Any]) throws {
        let mix = try #require(result["mix"] as? [[String: Any]])
        let left = try #require(result["not_replayed_by"] as? [[String: Any]])
        for part in mix {
            let kind = try #require(part["kind"] as? String)
            let (recorded, answered) = (part["recorded"] as? Int ?? -1, part["answered"] as? Int ?? -1)
            let missing = left.filter { $0["kind"] as? String == kind }.reduce(0) { $0 + ($1["calls"] as? Int ?? 0) }
            #expect(recorded > 0 && answered == recorded - missing, "\(kind): \(part), \(left)")
        }
    }

    @Test(
        "ten times as fast, every outcome is the recorded one",
        arguments: [
            Case(capture: "edgesys-table1", backend: "etcd:1"), Case(capture: "edgesys-table1", backend: "etcd:3"),
            Case(capture: "netcraq-scale", backend: "etcd:1"), Case(capture: "netcraq-scale", backend: "etcd:3"),
            Case(capture: "netcraq-uncached", backend: "etcd:1"), Case(capture: "netcraq-uncached", backend: "etcd:3"),
            Case(capture: "midstream", backend: "etcd:1", different: 2),
            Case(capture: "midstream", backend: "etcd:3", different: 2),
        ])
    func outcomes(_ test: Case) throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: test.capture, in: folder)
        let run = try ProgramRun.kvreel([
            "replay", trace, "--backend", test.backend, "--preload", "--speed", "\(test.speed)",
            "--verify", "linearizable", "--json", "-o", folder.path("run.kvr"),
        ])
        // On a busy machine the timetable may not be kept; outcomes do not depend on that.
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let result = try run.json
        #expect(result["different"] as? Int == test.different, "\(result["remarks"] ?? "")")
        #expect(result["errors"] as? Int == 0)
        let reasons = try #require(result["differences"] as? [String: Int])
        #expect(reasons.values.reduce(0, +) == test.different)
        let (compared, different) = try Self.outcomes(result)
        #expect(compared > 900 && different == test.different)
        try Self.expectWholeMix(result)
        // What etcd answered is linearizable, and so it is by the replay's own trace.
        let verified = try #require(result["check"] as? [String: Any])
        #expect(verified["verdict"] as? String == "linearizable", "\(verified)")
        #expect(verified["unrecorded_revisions"] as? Int == 0)
        #expect(try #require(verified["operations"] as? Int) > 1_000)
        let check = try ProgramRun.kvreel(["check", folder.path("run.kvr")])
        #expect(check.status == 0, "\(check.output)\(check.errors)")
    }

    @Test(
        "at recorded speed and ten times that, at least 99.9 % of the outcomes are the recorded ones",
        .enabled(if: isSoak && Repository.hasCaptures),
        arguments: ["etcd:1", "etcd:3"].flatMap { backend in
            [
                Case(capture: "edgesys-table1", backend: backend, speed: 1),
                Case(capture: "netcraq-scale", backend: backend, speed: 1),
                Case(capture: "netcraq-uncached", backend: backend, speed: 1),
                Case(capture: "midstream", backend: backend, speed: 1, different: 2),
                Case(capture: "large", backend: backend, speed: 1), Case(capture: "large", backend: backend, speed: 10),
            ]
        })
    func captures(_ test: Case) throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("trace.kvr")
        let input = try Repository.capture(test.capture).appending(path: "capture.pcap.zst").path
        let decoded = try ProgramRun.kvreel(["capture", "--read", input, "-o", trace, "--quiet"])
        try #require(decoded.status == 0, "\(decoded.errors)")
        let run = try ProgramRun.kvreel([
            "replay", trace, "--backend", test.backend, "--preload", "--speed", "\(test.speed)", "--json",
        ])
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let result = try run.json
        let (compared, different) = try Self.outcomes(result)
        print("\(test): \(different) of \(compared): \(result["differences"] ?? ""), \(result["verdict"] ?? "")")
        #expect(compared > 900)
        #expect((different - test.different) * 1_000 <= compared, "\(different): \(result["remarks"] ?? "")")
        try Self.expectWholeMix(result)
    }

    @Test("under which conditions it ran, the replay says, and a report of its trace", arguments: [1, 3])
    func conditions(members: Int) throws {
        let folder = try TemporaryFolder()
        let (trace, output) = (folder.path("a.kvr"), folder.path("b.kvr"))
        let generated = try ProgramRun.kvreel([
            "generate", "-n", "2k", "--mix", "put=1", "--key-bytes", "8", "-o", trace, "--quiet",
        ])
        try #require(generated.status == 0, "\(generated.errors)")
        let run = try ProgramRun.kvreel([
            "replay", trace, "--backend", "etcd:\(members)", "--closed", "8", "--order", "none", "-o", output, "--json",
        ])
        try #require(run.status == 0, "\(run.errors)")
        let found = try #require(try run.json["conditions"] as? [String: Any])
        #expect(found["members"] as? Int == members && found["tls"] as? Bool == false)
        #expect((found["store"] as? String)?.hasPrefix("etcd 3.") == true)
        let cores = try #require(found["cores"] as? Int)
        #expect(found["members_exceed_cores"] as? Bool == (members > cores))
        let waits = try #require(found["fsync"] as? [[String: Any]])
        #expect(waits.compactMap { $0["member"] as? Int } == Array(1...members))
        #expect(waits.allSatisfy { ($0["count"] as? Int ?? 0) > 0 })
        let shares = ["members_percent", "kvreel_percent"].compactMap { found[$0] as? Double }
        #expect(shares.count == 2 && shares.allSatisfy { $0 > 0 } && shares.reduce(0, +) < 105, "\(shares)")
        #expect(found["generator_bound"] as? Bool == (shares.last ?? 0 > 30))
        let report = try ProgramRun.kvreel(["report", output]).output
        #expect(report.contains("\n  machine: \(cores) core"))
        #expect(report.contains("members exceed cores: processor contention dominates") == (members > cores))
    }

    /// Methods of what kvreel asks beside a replay. RangeStream is none that this etcd has, or counts.
    private static let ownMethods = [
        "range": "KV/Range", "put": "KV/Put", "txn": "KV/Txn", "leaseGrant": "Lease/LeaseGrant",
        "leaseRevoke": "Lease/LeaseRevoke", "rangeStream": "KV/RangeStream",
    ]

    @Test(
        "etcd counts the calls that the recording holds, and those that the replay says it made beside it",
        arguments: [("netcraq-scale", 1), ("edgesys-table1", 3), ("midstream", 1), ("midstream", 3)])
    func metrics(capture: String, members: Int) throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: capture, in: folder)
        let cluster = try LocalCluster(LocalClusterOptions(members: members))
        defer { cluster.close() }
        let before = try Self.started(cluster)
        let run = try ProgramRun.kvreel([
            "replay", trace, "--backend", "etcd://" + cluster.endpoints.joined(separator: ","), "--speed", "50",
            "--preload", "--json",
        ])
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let after = try Self.started(cluster)
        let result = try run.json
        var expected: [String: Int] = [:]
        for (kind, count) in try #require(result["asked_beside"] as? [String: Int]) {
            expected["/etcdserverpb.\(try #require(Self.ownMethods[kind], "\(kind)"))", default: 0] += count
        }
        #expect(expected["/etcdserverpb.KV/RangeStream"] ?? 0 > 0)
        expected["/etcdserverpb.KV/RangeStream"] = nil
        let analysis = try ProgramRun.kvreel(["analyze", "--json", trace]).json
        for (path, counts) in try #require(analysis["methods"] as? [String: [String: Any]]) {
            expected[path, default: 0] += try #require(counts["requests"] as? Int)
        }
        // Watches that were open before the recording are none of its requests, and are begun anew.
        let remarks = result["remarks"] as? String ?? ""
        if let begun = remarks.firstMatch(of: /([0-9]+) watches that were open before the recording, begun anew/) {
            expected["/etcdserverpb.Watch/Watch", default: 0] += try #require(Int(begun.1))
        }
        for path in Set(after.keys).union(expected.keys) {
            #expect(after[path, default: 0] - before[path, default: 0] == expected[path, default: 0], "\(path)")
        }
    }

    @Test("a store that holds keys is not written to, unless that is asked for")
    func allowWrites() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "netcraq-scale", in: folder)
        let cluster = try LocalCluster(LocalClusterOptions(members: 1))
        defer { cluster.close() }
        let endpoint = try #require(cluster.endpoints.first)
        let first = try ProgramRun.kvreel(["replay", trace, "--backend", "etcd://\(endpoint)", "--max", "--quiet"])
        #expect(first.status == 0, "\(first.errors)")
        // Now it holds keys.
        let again = try ProgramRun.kvreel([
            "replay", trace, "--backend", "etcd://\(endpoint)", "--max", "-o", folder.path("run.kvr"),
        ])
        #expect(again.status == 4)
        #expect(again.errors.contains("the store is not empty"))
        #expect(again.errors.contains("--allow-writes"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("run.kvr")))
        let allowed = try ProgramRun.kvreel([
            "replay", trace, "--backend", "etcd://\(endpoint)", "--max", "--allow-writes", "--json",
        ])
        #expect(allowed.status == 0, "\(allowed.errors)")
        #expect(try #require(try allowed.json["different"] as? Int) > 100, "keys that should be new are there")
    }

    @Test("a member that is killed in the middle costs calls, not the run")
    func memberLost() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let cluster = try LocalCluster(LocalClusterOptions(members: 3))
        defer { cluster.close() }
        let running = try RunningProgram(
            Repository.tool.path,
            [
                "replay", trace, "--backend", "etcd://" + cluster.endpoints.joined(separator: ","), "--speed", "5",
                "--json",
            ], output: folder.path("out"), errors: folder.path("err"))
        try running.waitForErrors(containing: "Ctrl-C ends")
        cluster.kill(try #require(cluster.leader()))
        let run = try running.wait(folder)
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let result = try run.json
        #expect(result["interrupted"] as? Bool == false)
        // All has come to its end, though some calls and messages may have no answer, or no stream to go on.
        let remarks = result["remarks"] as? String ?? ""
        let unsent = remarks.firstMatch(of: /([0-9]+) messages not sent/).flatMap { Int($0.1) } ?? 0
        let counts = try ["answered", "lost"].map { try #require(result[$0] as? Int) }
        #expect(counts.reduce(unsent, +) == 1_321, "\(counts), \(remarks)")
    }

    @Test("a killed replay leaves a trace of what it had measured")
    func killed() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let path = folder.path("run.kvr")
        let running = try RunningProgram(
            Repository.tool.path, ["replay", trace, "--backend", "etcd:1", "-o", path],
            output: folder.path("out"), errors: folder.path("err"), environment: ["TMPDIR": folder.path("")])
        try running.waitForErrors(containing: "Ctrl-C ends")
        while (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0 < 4_096 { usleep(10_000) }
        kill(running.process.processIdentifier, SIGKILL)
        _ = try? running.wait(folder)
        let info = try ProgramRun.kvreel(["info", path])
        #expect(info.status == 0, "\(info.errors)")
        #expect(info.output.contains("replay of"))
        let report = try ProgramRun.kvreel(["report", path])
        #expect(report.status == 1)
        #expect(report.output.contains("it was broken off"))
    }

    @Test("nobody there, nobody who speaks TLS: said at once, and nothing is left")
    func unreachable() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        let cluster = try LocalCluster(LocalClusterOptions(members: 1))
        defer { cluster.close() }
        let endpoint = try #require(cluster.endpoints.first)
        for backend in ["etcd://127.0.0.1:1", "etcds://\(endpoint)"] {
            let run = try ProgramRun.kvreel([
                "replay", trace, "--backend", backend, "-o", folder.path("run.kvr"), "--dial-timeout", "2s",
            ])
            #expect(run.status == 4, "\(backend): \(run.errors)")
            #expect(run.errors.hasPrefix("kvreel: cannot connect"), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path("run.kvr")))
        }
    }
}
