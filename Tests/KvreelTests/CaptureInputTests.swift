import Foundation
import TestSupport
import Testing

@Suite("Inputs of capture: several files, pipes, and what is said of them")
struct CaptureInputTests {
    private static let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path

    /// The recording, decompressed, as a file of the folder.
    private func plain(in folder: TemporaryFolder) throws -> (path: String, bytes: [UInt8]) {
        let path = folder.path("plain.pcap")
        try #require(try ProgramRun.run("zstd", ["-dcq", Self.capture], output: path).status == 0)
        return (path, Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    }

    @Test("a later file that is no capture is refused before anything is written", arguments: ["", "hello, world\n"])
    func laterFile(_ content: String) throws {
        let folder = try TemporaryFolder()
        let bad = try folder.write("bad", Array(content.utf8))
        let run = try ProgramRun.kvreel(["capture", "--read", Self.capture, bad, "-o", folder.path("a.kvr")])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.hasPrefix("kvreel: cannot read: \(bad): "), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.kvr")))
    }

    @Test("a later pipe that is no capture ends the run, and the trace holds what came before")
    func laterPipe() throws {
        let folder = try TemporaryFolder()
        let noCapture = try folder.write("bad", Array("hello, world\n".utf8))
        let run = try ProgramRun.run(
            "bash",
            [
                "-c", "\"$1\" capture --read \"$2\" /dev/fd/9 -o \"$4\" 9< <(cat \"$3\")", "bash",
                Repository.tool.path, Self.capture, noCapture, folder.path("a.kvr"),
            ])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.contains("kvreel: cannot read: /dev/fd/9: not a packet capture"), "\(run.errors)")
        let info = try ProgramRun.kvreel(["info", folder.path("a.kvr")])
        #expect(info.status == 0 && info.errors.isEmpty, "\(info.errors)")
        #expect(info.output.contains("3 612"), "\(info.output)")
    }

    @Test("warnings name the file that they are about")
    func warnings() throws {
        let folder = try TemporaryFolder()
        let plain = try plain(in: folder)
        let cut = try folder.write("cut.pcap", Array(plain.bytes.prefix(100_000)))
        let run = try ProgramRun.kvreel(["capture", "--read", plain.path, cut, "-o", folder.path("a.kvr")])
        #expect(run.status == 0)
        #expect(run.errors.contains("warning: \(cut) ends within a packet"), "\(run.errors)")
    }

    @Test("packets of a link type that is not decoded are counted aloud")
    func unknownLink() throws {
        let folder = try TemporaryFolder()
        let plain = try plain(in: folder)
        var other = Array(plain.bytes.prefix(24 + 16 + 60))
        other[20] = 147
        other.replaceSubrange(24 + 8..<24 + 12, with: [60, 0, 0, 0])
        other.replaceSubrange(24 + 12..<24 + 16, with: [60, 0, 0, 0])
        let unknown = try folder.write("unknown.pcap", other)
        let run = try ProgramRun.kvreel(["capture", "--read", plain.path, unknown, "-o", folder.path("a.kvr")])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("1 of 17 398 packets of link type 147, not decoded"), "\(run.errors)")
    }

    @Test("--count that ends before any request says so")
    func count() throws {
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel(["capture", "-r", Self.capture, "-c", "1", "-o", folder.path("a.kvr")])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.contains("--count ended it after 1 packet, before any request"), "\(run.errors)")
    }

    @Test("a compressed file cut before its first packet says so")
    func cutCompressed() throws {
        let folder = try TemporaryFolder()
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Self.capture)).prefix(40))
        let cut = try folder.write("cut.pcap.zst", bytes)
        let run = try ProgramRun.kvreel(["capture", "-r", cut, "-o", folder.path("a.kvr")])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.contains("the compressed file ends before its first packet"), "\(run.errors)")
    }

    @Test("the first signal ends the reading of a pipe that brings nothing, with a finished trace", arguments: [0, 1])
    func stalledPipe(_ bytes: Int) throws {
        let folder = try TemporaryFolder()
        let plain = try plain(in: folder)
        try #require(try ProgramRun.run("mkfifo", [folder.path("fifo")]).status == 0)
        let run = try RunningProgram(
            Repository.tool.path, ["capture", "--read", folder.path("fifo"), "-o", folder.path("a.kvr")],
            output: folder.path("out"), errors: folder.path("err"))
        // Without a writer the pipe is not even open; with one, it was read and then stalls.
        var writer: FileHandle?
        if bytes > 0 {
            writer = FileHandle(forWritingAtPath: folder.path("fifo"))
            try writer?.write(contentsOf: plain.bytes)
        } else {
            while !FileManager.default.fileExists(atPath: folder.path("a.kvr")) { usleep(1000) }
        }
        run.process.interrupt()
        let ended = try run.wait()
        try writer?.close()
        #expect(ended.status == 130, "\(ended.errors)")
        let info = try ProgramRun.kvreel(["info", folder.path("a.kvr")])
        #expect(info.status == 0 && info.errors.isEmpty, "\(info.errors)")
    }
}
