import Backends
import Foundation
import Replay
import TestSupport
import Testing

@Suite("Local clusters of a real etcd", .enabled(if: Repository.hasEtcd), .timeLimit(.minutes(2)))
struct LocalClusterTests {
    private let folder: TemporaryFolder
    /// Nanoseconds in which a cluster of this machine surely is healthy again.
    private let patience: UInt64 = 60_000_000_000

    init() throws { folder = try TemporaryFolder() }

    private func options(_ members: Int) -> LocalClusterOptions {
        var options = LocalClusterOptions(members: members)
        options.folder = folder.url.path
        return options
    }

    private func leftBehind() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    }

    /// What etcd's own client says, from one member.
    private func etcdctl(_ cluster: LocalCluster, _ member: Int, _ arguments: [String]) throws -> String {
        let run = try ProgramRun.run(
            "etcdctl", ["--endpoints", cluster.endpoints[member]] + arguments, environment: ["ETCDCTL_API": "3"])
        return run.status == 0 ? run.output.trimmingCharacters(in: .newlines) : "failed: \(run.errors)"
    }

    @Test("one member serves, counts what it is asked, and leaves nothing behind")
    func one() throws {
        let cluster = try LocalCluster(options(1))
        #expect(cluster.name == "etcd:1" && cluster.leader() == 0 && cluster.state(of: 0) == .running)
        let version = try ProgramRun.run("etcd", ["--version"]).output
        #expect(version.hasPrefix("etcd Version: \(cluster.version)\n"))
        // Neither starting nor asking for health is counted.
        let before = try #require(cluster.metrics(of: 0)).methodCounts
        #expect(before == [])
        for number in 1...3 { #expect(try etcdctl(cluster, 0, ["put", "key", "\(number)"]) == "OK") }
        #expect(try etcdctl(cluster, 0, ["get", "key", "--print-value-only"]) == "3")
        let after = try #require(cluster.metrics(of: 0)).methodCounts
        #expect(
            ServerMetrics.differences(after, since: before) == [
                .init(method: "/etcdserverpb.KV/Put", started: 3, handled: 3),
                .init(method: "/etcdserverpb.KV/Range", started: 1, handled: 1),
            ])
        #expect(try leftBehind().count == 1)
        cluster.close()
        #expect(cluster.state(of: 0) == .ended && cluster.deaths == [])
        #expect(try leftBehind() == [])
    }

    @Test("of three members one leads; killed, another does; started again, it has what was written meanwhile")
    func three() throws {
        let cluster = try LocalCluster(options(3))
        let members = try etcdctl(cluster, 0, ["member", "list"]).split(separator: "\n")
        #expect(members.count == 3 && members.allSatisfy { $0.contains("started") })
        // Each counts what it was asked; together they count all.
        let before = try #require(cluster.methodCounts())
        for member in 0..<3 { #expect(try etcdctl(cluster, member, ["put", "key", "first"]) == "OK") }
        let after = try #require(cluster.methodCounts())
        #expect(
            ServerMetrics.differences(after, since: before)
                == [.init(method: "/etcdserverpb.KV/Put", started: 3, handled: 3)])
        let leader = try #require(cluster.leader())
        cluster.kill(leader)
        #expect(cluster.state(of: leader) == .ended)
        try cluster.waitUntilHealthy(atMost: patience)
        let next = try #require(cluster.leader())
        #expect(next != leader)
        #expect(try etcdctl(cluster, next, ["put", "key", "meanwhile"]) == "OK")
        try cluster.restart(leader)
        try cluster.waitUntilHealthy([0, 1, 2], atMost: patience)
        #expect(try etcdctl(cluster, leader, ["get", "key", "--print-value-only"]) == "meanwhile")

        // With two paused the third has no majority; it has when one goes on.
        let others = [0, 1, 2].filter { $0 != leader }
        for member in others { cluster.pause(member) }
        #expect(cluster.state(of: others[0]) == .paused && cluster.metrics(of: others[0]) == nil)
        #expect(try etcdctl(cluster, leader, ["--command-timeout=300ms", "put", "key", "lost"]).hasPrefix("failed"))
        cluster.resume(others[0])
        try cluster.waitUntilHealthy([leader, others[0]], atMost: patience)
        #expect(try etcdctl(cluster, leader, ["put", "key", "again"]) == "OK")
        #expect(cluster.deaths == [])
        // One is paused still.
        cluster.close()
        #expect(try leftBehind() == [])
    }

    @Test("two clusters at once know nothing of each other")
    func two() throws {
        let left = try LocalCluster(options(1))
        let right = try LocalCluster(options(1))
        #expect(left.endpoints != right.endpoints)
        #expect(try etcdctl(left, 0, ["put", "key", "left"]) == "OK")
        #expect(try etcdctl(right, 0, ["get", "key"]) == "")
        left.close()
        #expect(try etcdctl(right, 0, ["put", "key", "right"]) == "OK")
        right.close()
        #expect(try leftBehind() == [])
    }

    @Test("a member that dies is told, and waiting for its health ends at once")
    func death() async throws {
        let (deaths, told) = AsyncStream.makeStream(of: LocalCluster.Death.self)
        let cluster = try LocalCluster(options(1)) { told.yield($0) }
        _ = kill(try #require(cluster.processID(of: 0)), SIGKILL)
        var iterator = deaths.makeAsyncIterator()
        let death = await iterator.next()
        #expect(death?.member == 0 && death?.how == "was killed by signal 9")
        #expect(cluster.deaths == [death])
        let error = #expect(throws: BackendError.self) { try cluster.waitUntilHealthy([0], atMost: patience) }
        #expect(error?.location == "member 1 of etcd:1" && error?.why.hasPrefix("it was killed by signal 9") == true)
        try cluster.restart(0)
        try cluster.waitUntilHealthy([0], atMost: patience)
        cluster.close()
    }

    @Test("a number of members that cannot be is wrong usage", arguments: [0, -1, 10])
    func memberCount(_ count: Int) throws {
        let error = #expect(throws: BackendError.self) { try LocalCluster(options(count)) }
        #expect(error?.kind == .usage && error?.location == "etcd:\(count)")
    }

    @Test("a missing program is named with the remedy", arguments: ["no-such-etcd", "/nowhere/etcd", "/usr"])
    func missingProgram(_ program: String) throws {
        var options = options(1)
        options.program = program
        let error = #expect(throws: BackendError.self) { try LocalCluster(options) }
        #expect(error?.kind == .system && error?.location == program)
        #expect(error?.remedy == "Install it (apt install etcd-server), or say where it is: --etcd PATH")
        #expect(try leftBehind() == [])
    }

    @Test("a folder that cannot be made is named with the remedy", arguments: ["/nowhere", "/dev/null", "/proc"])
    func unwritable(_ place: String) throws {
        var options = options(1)
        options.folder = place
        let error = #expect(throws: BackendError.self) { try LocalCluster(options) }
        #expect(error?.kind == .system && error?.location == place)
        #expect(error?.remedy?.contains("TMPDIR") == true)
    }

    @Test("a member that ends at its start is an error with the end of its log, and leaves nothing behind")
    func endsAtStart() throws {
        var options = options(1)
        options.arguments = ["--data-dir", try folder.write("file", []) + "/data"]
        let error = #expect(throws: BackendError.self) { try LocalCluster(options) }
        #expect(error?.what == "etcd ended" && error?.location == "member 1 of etcd:1")
        #expect(
            error?.why
                == "it ended with status 1: failed to list data directory: open \(folder.path("file"))/data: "
                + "not a directory")
        #expect(try leftBehind() == ["file"])
    }

    @Test("an option that etcd does not know is named, not its page of help")
    func unknownOption() throws {
        var options = options(1)
        options.arguments = ["--no-such-option"]
        let error = #expect(throws: BackendError.self) { try LocalCluster(options) }
        #expect(error?.why.contains("flag provided but not defined: -no-such-option") == true, "\(error?.why ?? "")")
    }

    @Test("a cluster that does not become healthy in time is an error")
    func unhealthy() throws {
        // Alone of two that it was told of, it never has a leader.
        var options = options(1)
        options.arguments = [
            "--initial-cluster", "member-1=http://127.0.0.1:1,other=http://127.0.0.1:2",
            "--initial-advertise-peer-urls", "http://127.0.0.1:1",
        ]
        options.startTime = 1_500_000_000
        let error = #expect(throws: BackendError.self) { try LocalCluster(options) }
        #expect(error?.what == "etcd does not become healthy" && error?.location == "etcd:1")
        #expect(try leftBehind() == [])
    }

    /// A program in front of etcd.
    private func script(_ lines: String) throws -> String {
        let path = try folder.write("etcd.sh", Array(("#!/bin/sh\n" + lines + "\n").utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    @Test("a port that somebody else took first is tried again with others")
    func portConflict() throws {
        var options = options(1)
        let mark = folder.path("second")
        options.program = try script(
            """
            if [ -e \(mark) ]; then exec etcd "$@"; fi
            touch \(mark)
            echo '{"level":"fatal","msg":"discovery failed","error":"listen tcp: bind: address already in use"}' >&2
            exit 1
            """)
        let cluster = try LocalCluster(options)
        #expect(cluster.leader() == 0 && cluster.deaths == [])
        cluster.close()
    }

    @Test("a full disk is an error with the folder to make room in")
    func fullDisk() throws {
        var options = options(1)
        options.program = try script(
            """
            echo 'some line' >&2
            echo '{"level":"fatal","msg":"failed to save","error":"write x: no space left on device"}' >&2
            exit 2
            """)
        let error = #expect(throws: BackendError.self) { try LocalCluster(options) }
        #expect(error?.why == "it ended with status 2: failed to save: write x: no space left on device")
        #expect(error?.remedy?.contains("Make room in \(folder.url.path)") == true)
    }
}
