import Foundation
import TestSupport
import Testing

@Suite("What a live recording drops", .serialized, .enabled(if: Repository.canRecord))
struct LiveLossTests {
    /// Puts of half a mebibyte each.
    private func put(_ count: Int, _ server: EtcdServer, _ folder: TemporaryFolder) throws {
        let value = try folder.write("value", Array(repeating: UInt8(ascii: "v"), count: 1 << 19))
        for number in 0..<count {
            let run = try ProgramRun.run(
                "etcdctl", ["--endpoints", "127.0.0.1:\(server.clientPort)", "put", "/large/\(number)"], input: value)
            try #require(run.status == 0, "\(run.errors)")
        }
    }

    private func health(_ trace: String) throws -> [String: Int] {
        let info = try ProgramRun.kvreel(["info", "--json", trace])
        return try Truth.object(Data(info.output.utf8))["health"] as? [String: Int] ?? [:]
    }

    private func start(_ server: EtcdServer, _ folder: TemporaryFolder, output: String) throws -> RunningProgram {
        try RunningProgram(
            Repository.tool.path,
            ["capture", "-i", "lo", "-p", "\(server.clientPort)", "-B", "2048", "-o", output],
            output: folder.path("out"), errors: folder.path("err"))
    }

    @Test("what the kernel drops while the recorder does not run is counted and said")
    func stopped() throws {
        let server = try EtcdServer()
        let folder = try TemporaryFolder()
        let recording = try start(server, folder, output: folder.path("a.kvr"))
        try recording.waitForErrors(containing: "listening on lo")
        try put(1, server, folder)
        kill(recording.process.processIdentifier, SIGSTOP)
        try put(10, server, folder)
        kill(recording.process.processIdentifier, SIGCONT)
        recording.process.interrupt()
        let run = try recording.wait()
        #expect(run.status == 130, "\(run.errors)")
        let health = try health(folder.path("a.kvr"))
        #expect(health["packetsDroppedByKernel"] ?? 0 > 0)
        #expect(health["packetsDroppedByRing"] == 0)
        #expect(run.errors.contains(" dropped by the kernel"), "\(run.errors)")
        #expect(run.errors.contains(" packets dropped, "), "\(run.errors)")
    }

    @Test("while the output stands still packets are taken until the ring is full; what comes then is counted")
    func stalledOutput() throws {
        let server = try EtcdServer()
        let folder = try TemporaryFolder()
        let pipe = folder.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        // Nobody reads the pipe, so opening it does not end; packets are taken meanwhile, by a thread. That the first
        // of twelve puts may come before it listens does not matter: four fill the ring.
        let recording = try start(server, folder, output: pipe)
        let tasks = "/proc/\(recording.process.processIdentifier)/task"
        while recording.process.isRunning {
            // The first one, the one that waits for signals, and the one that takes packets.
            if try FileManager.default.contentsOfDirectory(atPath: tasks).count >= 3 { break }
            usleep(5_000)
        }
        try put(12, server, folder)
        let reader = try RunningProgram(
            "cat", [], input: pipe, output: folder.path("a.kvr"), errors: folder.path("cat.err"))
        try recording.waitForErrors(containing: "listening on lo")
        recording.process.interrupt()
        let run = try recording.wait()
        #expect(run.status == 130, "\(run.errors)")
        #expect(try reader.wait().status == 0)
        let health = try health(folder.path("a.kvr"))
        #expect(health["packetsDroppedByRing"] ?? 0 > 0)
        #expect(health["packets"] ?? 0 > 0)
        #expect(run.errors.contains("dropped because decoding or the output was too slow"), "\(run.errors)")
        #expect(run.errors.contains(" packets dropped, "), "\(run.errors)")
    }
}
