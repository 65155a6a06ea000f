import Backends
import Foundation
import Replay
import TestSupport
import Testing

@Suite("Conditions of a run on a real etcd", .enabled(if: Repository.hasEtcd), .timeLimit(.minutes(2)))
struct ConditionsProbeTests {
    @Test("what the machine's own tools say; writes that wait for the disk are counted, each member's own")
    func conditions() throws {
        let folder = try TemporaryFolder()
        var options = LocalClusterOptions(members: 2)
        options.folder = folder.url.path
        let cluster = try LocalCluster(options)
        defer { cluster.close() }
        let probe = ConditionsProbe(cluster)
        for number in 0..<20 {
            let run = try ProgramRun.run(
                "etcdctl", ["--endpoints", cluster.endpoints[number % 2], "put", "key", "\(number)"],
                environment: ["ETCDCTL_API": "3"])
            try #require(run.status == 0, "\(run.errors)")
        }
        let found = probe.conditions()
        func said(_ program: String, _ arguments: [String]) throws -> String {
            try ProgramRun.run(program, arguments).output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        #expect(try "\(found.cores)" == said("nproc", []))
        #expect(try found.kernel == "Linux " + said("uname", ["-r"]))
        let data = try said("findmnt", ["-n", "-o", "FSTYPE,SOURCE", "-T", folder.url.path])
        #expect([found.fileSystem, found.device] == data.split(separator: " ").map(String.init))
        #expect(found.members == 2 && found.store == "etcd \(cluster.version)" && found.hasTLS == false)
        // Each of the writes is in both logs; the disk may take several at once.
        #expect(found.fsyncs.map(\.member) == [1, 2])
        for one in found.fsyncs {
            #expect(one.count >= 1 && one.count <= 200)
            #expect(one.medianAtMost ?? .max <= one.p99AtMost ?? .max)
        }
        let (members, own) = try (#require(found.membersBusy), #require(found.replayerBusy))
        #expect(members > 0 && members + own <= 1.05)
        #expect(RunConditions(text: found.text) == found)
    }

    @Test("of a member that was killed there is no figure, and none of all together")
    func killed() throws {
        let folder = try TemporaryFolder()
        var options = LocalClusterOptions(members: 1)
        options.folder = folder.url.path
        let cluster = try LocalCluster(options)
        defer { cluster.close() }
        let probe = ConditionsProbe(cluster)
        cluster.kill(0)
        let found = probe.conditions()
        #expect(found.membersBusy == nil && found.fsyncs.isEmpty && found.replayerBusy != nil)
    }
}
