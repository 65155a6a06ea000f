import Foundation
import TestSupport
import Testing

@Suite("kvreel merge")
struct MergeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func capture(_ path: String, _ name: String, _ options: [String] = []) throws -> String {
        let run = try ProgramRun.kvreel(["capture", "--read", path, "-o", folder.path(name)] + options)
        #expect(run.status == 0, "\(run.errors)")
        return folder.path(name)
    }

    /// A member of a document, to be compared.
    private static func plain(_ document: [String: Any], _ name: String) throws -> Data {
        let value = try #require(document[name])
        return try JSONSerialization.data(withJSONObject: [value], options: .sortedKeys)
    }

    private func output(_ arguments: [String]) throws -> String {
        let run = try ProgramRun.kvreel(arguments)
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }

    @Test(
        "connections cut out of a capture by tshark and recorded apart become the recording of all of them",
        arguments: ["etcdctl-mix", "edgesys-table1"])
    func byConnection(recording: String) throws {
        let whole = Repository.traces.appending(path: "\(recording).pcap.zst").path
        let plain = folder.path("whole.pcap")
        #expect(try ProgramRun.run("zstd", ["-dq", whole, "-o", plain]).status == 0)
        var parts: [String] = []
        for (name, filter) in [("odd", "tcp.stream & 1"), ("even", "!(tcp.stream & 1)")] {
            let cut = folder.path("\(name).pcap")
            let run = try ProgramRun.run("tshark", ["-r", plain, "-Y", filter, "-w", cut])
            #expect(run.status == 0, "\(run.errors)")
            parts.append(try capture(cut, "\(name).kvr"))
        }
        let merged = folder.path("merged.kvr")
        let run = try ProgramRun.kvreel(["merge"] + parts + ["-o", merged])
        #expect(run.status == 0, "\(run.errors)")
        let recorded = try capture(whole, "whole.kvr")
        #expect(run.errors.contains(" of 2 traces, "))
        // The coverage, as `analyze` says it of the recording.
        let analysis = try ProgramRun.kvreel(["analyze", "--json", recorded])
        #expect(run.errors.hasSuffix(analysis.errors))
        #expect(try output(["analyze", "--json", merged]) == analysis.output)
        #expect(analysis.output == (try output(["analyze", "--json"] + parts)))
        // Every operation, by its client; of those that ended at once either may be first.
        func lines(_ trace: String) throws -> [String] {
            try output(["cat", "--json", trace]).split(separator: "\n").map(String.init).sorted()
        }
        #expect(try lines(merged) == lines(recorded))
        let info = try [merged, recorded].map { try ProgramRun.kvreel(["info", "--json", $0]).json }
        for name in ["operations", "calls", "messages", "events", "observed", "user_agents"] {
            let values = try info.map { try Self.plain($0, name) }
            #expect(values[0] == values[1], "\(name)")
        }
        let said = try #require(info[0]["recording"] as? [String: Any])
        #expect(said["captures"] as? String == "odd.pcap\neven.pcap")
    }

    @Test("files of one recording, in whatever order they are named, become it")
    func parts() throws {
        let source = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        let whole = try capture(source, "whole.kvr")
        _ = try capture(source, "part.kvr", ["--rotate-time", "20"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
            .filter { $0.hasPrefix("part-") }.sorted()
        try #require(names.count > 2)
        let parts = (names.dropFirst(2) + names.prefix(2).reversed()).map { folder.path($0) }
        _ = try output(["merge"] + parts + ["-o", folder.path("merged.kvr")])
        for verb in [["analyze", "--json"], ["cat", "--json"]] {
            #expect(try output(verb + [folder.path("merged.kvr")]) == output(verb + [whole]))
        }
        let info = try [folder.path("merged.kvr"), whole].map { try ProgramRun.kvreel(["info", "--json", $0]).json }
        let health = try info.map { [try Self.plain($0, "health"), try Self.plain($0, "observed")] }
        #expect(health[0] == health[1])
        let said = try #require(info[0]["recording"] as? [String: Any])
        #expect(said["part"] == nil)
        #expect(said["merged"] as? String == "\(names.count)")

        try FileManager.default.copyItem(atPath: parts[0], toPath: folder.path("copy.kvr"))
        let twice = try ProgramRun.kvreel(
            ["merge"] + parts + [folder.path("copy.kvr"), "-o", folder.path("twice.kvr")])
        #expect(twice.status == 3)
        #expect(twice.errors.contains("the same part of a recording"), "\(twice.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("twice.kvr")))
    }

    @Test("from standard input to standard output")
    func pipe() throws {
        let one = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        let other = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let run = try ProgramRun.kvreel(["merge", "-", other, "-o", "-"], input: one, output: folder.path("both.kvr"))
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            try output(["analyze", "--json", folder.path("both.kvr")]) == output(["analyze", "--json", one, other]))
    }

    @Test("a trace that is damaged within: the rest is merged, and the exit status 1 says that it is not all")
    func damaged() throws {
        let one = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        let other = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: other)))
        bytes[bytes.count / 2] ^= 1
        let damaged = try folder.write("damaged.kvr", bytes)
        let run = try ProgramRun.kvreel(["merge", one, damaged, "-o", folder.path("merged.kvr")])
        #expect(run.status == 1)
        #expect(run.errors.contains("damaged.kvr is damaged"), "\(run.errors)")
        let info = try ProgramRun.kvreel(["info", "--json", folder.path("merged.kvr")])
        #expect(info.status == 0, "\(info.errors)")
    }

    @Test("what cannot be merged is said, and nothing is left behind")
    func mistakes() throws {
        let one = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        let replay = folder.path("replay.kvr")
        _ = try ProgramRun.kvreel(["replay", one, "--backend", "null", "--max", "-o", replay])
        let merged = folder.path("merged.kvr")
        let existing = try folder.write("existing.kvr", [1, 2, 3])
        let cases: [([String], Int32, String)] = [
            ([one, one, "-o", merged], 2, "is named twice"),
            ([one, replay, "-o", merged], 3, "it is a replay, and"),
            ([replay, one, "-o", merged], 3, "it is a recording, and"),
            ([replay, "-o", merged], 3, "it is a whole replay, and no shard of one"),
            ([one, folder.path("none.kvr"), "-o", merged], 3, "No such file"),
            ([one], 2, "--output"),
            (["-o", merged], 2, "<traces>"),
            (["-", "-", "-o", merged], 2, "is named twice"),
            ([one, "-o", existing], 4, "the file exists"),
            ([one, "-o", one, "--force"], 4, "cannot write the trace"),
            ([one, "-o", "/dev/full"], 4, "No space left on device"),
        ]
        for (arguments, status, words) in cases {
            let run = try ProgramRun.kvreel(["merge"] + arguments)
            #expect(run.status == status, "\(arguments): \(run.errors)")
            #expect(run.errors.contains(words), "\(arguments): \(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: merged))
        }
        #expect(FileManager.default.contents(atPath: existing) == Data([1, 2, 3]))
        #expect(try ProgramRun.kvreel(["merge", one, "-o", existing, "--force"]).status == 0)
    }
}
