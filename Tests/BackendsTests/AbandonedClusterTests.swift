import Backends
import Foundation
import Replay
import TestSupport
import Testing

/// The time limit is for what hangs: a test that has waited for a process goes on when another one leaves it a thread.
@Suite("Local clusters and the end of their process", .enabled(if: Repository.hasEtcd), .timeLimit(.minutes(20)))
struct AbandonedClusterTests {
    /// Whether a process is there and has not ended: one that nobody reaped yet has.
    private static func isRunning(_ process: Int) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        // The state follows the program's name, which stands in parentheses.
        let state = status.split(separator: ")").last?.split(separator: " ").first
        return state != "Z" && state != "X"
    }

    @Test("members end when their process is killed, and the next cluster removes what they left")
    func killed() async throws {
        let result = await #expect(processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]) {
            let folder = try TemporaryFolder()
            var options = LocalClusterOptions(members: 3)
            options.folder = folder.url.path
            let cluster = try LocalCluster(options)
            let processes = (0..<3).compactMap { cluster.processID(of: $0) }.map(String.init)
            FileHandle.standardOutput.write(
                Data("members \(processes.joined(separator: " ")) \(folder.url.path)\n".utf8))
            withExtendedLifetime(cluster) { _ = kill(getpid(), SIGKILL) }
        }
        let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        let words = try #require(output.split(separator: "\n").first { $0.hasPrefix("members ") }).split(separator: " ")
        let processes = words.dropFirst().prefix(3).compactMap { Int($0) }
        try #require(processes.count == 3 && words.count == 5)
        let folder = String(words[4])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Nobody is told when they end; the time limit of the suite is what ends this.
        while processes.contains(where: Self.isRunning) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)

        var options = LocalClusterOptions(members: 1)
        options.folder = folder
        let next = try LocalCluster(options)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        next.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test("the folder of a cluster that runs is nobody's to remove")
    func inUse() throws {
        let folder = try TemporaryFolder()
        var options = LocalClusterOptions(members: 1)
        options.folder = folder.url.path
        let first = try LocalCluster(options)
        let second = try LocalCluster(options)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 2)
        #expect(first.leader() == 0)
        second.close()
        first.close()
    }

    @Test("settings of etcd in the environment do not reach the members")
    func environment() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("ETCD_CERT_FILE", "/nowhere", 1)
            unsafe setenv("ETCD_HEARTBEAT_INTERVAL", "5000", 1)
            let cluster = try LocalCluster(LocalClusterOptions(members: 1))
            try #require(cluster.leader() == 0)
            cluster.close()
        }
    }
}
