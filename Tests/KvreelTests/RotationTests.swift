import Foundation
import TestSupport
import Testing

@Suite("A recording in several files")
struct RotationTests {
    private static let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path

    private func record(_ folder: TemporaryFolder, _ name: String, _ options: [String] = []) throws -> ProgramRun {
        let run = try ProgramRun.kvreel(["capture", "--read", Self.capture, "-o", folder.path(name)] + options)
        #expect(run.status == 0, "\(run.errors)")
        return run
    }

    private func names(_ folder: TemporaryFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
    }

    private func json(_ arguments: [String]) throws -> [String: Any] {
        let run = try ProgramRun.kvreel(arguments)
        #expect(run.status == 0, "\(run.errors)")
        return try Truth.object(Data(run.output.utf8))
    }

    @Test(
        "each file is whole, and together they are the recording",
        arguments: [
            ["--rotate-size", "8K"], ["--rotate-time", "20"], ["--rotate-time", "1m", "--rotate-size", "1G"],
        ])
    func addUp(_ options: [String]) throws {
        let folder = try TemporaryFolder()
        _ = try record(folder, "whole.kvr")
        let run = try record(folder, "part.kvr", options)
        let parts = try names(folder).filter { $0.hasPrefix("part") }
        try #require(parts.count > 1)
        #expect(parts == (1...parts.count).map { "part-\($0 + 1_000_000).kvr".replacing("-1", with: "-") })
        #expect(run.errors.contains("\(parts.count) files, \(folder.path(parts[0])) to \(folder.path(parts.last!)): "))
        var operations = 0
        for (index, part) in parts.enumerated() {
            let info = try json(["info", "--json", folder.path(part)])
            #expect((info["damage"] as? [String: Any])?["cut_short"] as? Bool == false)
            #expect((info["recording"] as? [String: Any])?["part"] as? String == "\(index + 1)")
            operations += info["operations"] as? Int ?? 0
            // A connection that a file does not name has no address.
            let lines = try ProgramRun.kvreel(["cat", "--json", folder.path(part)]).output.split(separator: "\n")
            #expect(!lines.isEmpty)
            #expect(lines.allSatisfy { $0.contains(/"conn": ?"\d+\.\d+\.\d+\.\d+:\d+"/) })
        }
        #expect(operations == (try json(["info", "--json", folder.path("whole.kvr")])["operations"] as? Int))
        let whole = try ProgramRun.kvreel(["analyze", "--json", folder.path("whole.kvr")])
        let sum = try ProgramRun.kvreel(["analyze", "--json"] + parts.map { folder.path($0) })
        #expect(sum.output == whole.output)
    }

    @Test("numbers go on behind the highest that is there; what is there stays")
    func numbers() throws {
        let folder = try TemporaryFolder()
        let strangers = ["a-000007.kvr", "a-000007.txt", "a-12.kvr", "a-99999x.kvr", "b-000040.kvr", "a-.kvr", "a.kvr"]
        for name in strangers { _ = try folder.write(name, [1]) }
        _ = try record(folder, "a.kvr", ["--rotate-size", "1G"])
        #expect(try names(folder) == (strangers + ["a-000008.kvr"]).sorted())
        #expect(FileManager.default.contents(atPath: folder.path("a-000007.kvr")) == Data([1]))
    }

    @Test("--keep removes the oldest files of the name, those of earlier recordings among them")
    func keep() throws {
        let folder = try TemporaryFolder()
        for name in ["a-000001.kvr", "a-000002.kvr", "a.kvr", "other-000001.kvr"] { _ = try folder.write(name, [1]) }
        _ = try record(folder, "a.kvr", ["--rotate-time", "1s", "--keep", "2"])
        let left = try names(folder)
        #expect(left.count == 4)
        #expect(left.suffix(2) == ["a.kvr", "other-000001.kvr"])
        #expect(!left.contains("a-000002.kvr"))
    }

    @Test("a name without an ending, and one that is nothing but an ending")
    func endings() throws {
        let folder = try TemporaryFolder()
        _ = try record(folder, "trace", ["--rotate-size", "1G"])
        _ = try record(folder, ".kvr", ["--rotate-size", "1G"])
        #expect(try names(folder) == [".kvr-000001", "trace-000001"])
    }

    @Test("a file that cannot be made is said, and what was recorded before it stands")
    func refusedFile() throws {
        let folder = try TemporaryFolder()
        _ = try record(folder, "a.kvr", ["--rotate-time", "1s"])
        let run = try ProgramRun.kvreel([
            "capture", "--read", Self.capture, "-o", folder.path("none/a.kvr"), "--rotate-time", "1s",
        ])
        #expect(run.status == 4)
        #expect(run.errors.contains("none/a-000001.kvr: "), "\(run.errors)")
    }
}
