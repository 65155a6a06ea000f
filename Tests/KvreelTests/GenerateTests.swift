import Foundation
import TestSupport
import Testing

@Suite("kvreel generate")
struct GenerateTests {
    private struct Analysis: Decodable {
        struct Coverage: Decodable { var requests, connections: Int }
        struct Keys: Decodable {
            var distinct: Int
            /// Only where there are keys enough to tell.
            var zipf_reads: Double?
        }
        struct Range: Decodable { var requests, prefix, keys_returned: Int }
        var coverage: Coverage
        var keys: Keys
        var range: Range
    }

    private static func analysis(_ trace: String) throws -> Analysis {
        let run = try ProgramRun.kvreel(["analyze", "--json", trace])
        #expect(run.status == 0)
        return try JSONDecoder().decode(Analysis.self, from: Data(run.output.utf8))
    }

    @Test("an enlarged trace is what analyze says it is, and info says how it was made")
    func enlarged() throws {
        let folder = try TemporaryFolder()
        let capture = Repository.traces.appending(path: "netcraq-uncached.pcap.zst").path
        let one = folder.path("one.kvr")
        #expect(try ProgramRun.kvreel(["capture", "-r", capture, "-o", one]).status == 0)
        let large = folder.path("large.kvr")
        let arguments = ["generate", "--like", one, "--times", "10", "--seed", "4"]
        let run = try ProgramRun.kvreel(arguments + ["-o", large])
        #expect(run.status == 0 && run.output.isEmpty)
        #expect(run.errors.contains("10 copies, with 2 bytes of number behind the first segment of every key"))
        #expect(run.errors.contains("; 45 calls for the whole cluster left to the first copy\n"))
        #expect(run.errors.contains("\ncoverage: 100.00 % of 27 805 requests decoded"))

        let (before, after) = try (Self.analysis(one), Self.analysis(large))
        #expect(after.coverage.requests == 10 * before.coverage.requests - 45)
        #expect(after.coverage.connections == 10 * before.coverage.connections)
        #expect(after.range.keys_returned == 10 * before.range.keys_returned)
        #expect(after.keys.distinct == 10 * before.keys.distinct)
        let exponents = try [after, before].map { try #require($0.keys.zipf_reads) }
        #expect(abs(exponents[0] / exponents[1] - 1) < 0.05)
        let info = try ProgramRun.kvreel(["info", large]).output
        #expect(info.contains("by kvreel generate: no recording\n"))
        #expect(info.contains("--like one.kvr --times 10 --seed 4\n"))

        let again = try ProgramRun.kvreel(arguments + ["-o", large])
        #expect(again.status == 4 && again.errors.contains("the file exists\n"))
        #expect(try ProgramRun.kvreel(arguments + ["-o", folder.path("again.kvr"), "--quiet"]).status == 0)
        #expect(
            FileManager.default.contents(atPath: folder.path("again.kvr"))
                == FileManager.default.contents(atPath: large))
    }

    @Test("a synthetic trace has what was asked for, on standard output too")
    func synthetic() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("a.kvr")
        let arguments = [
            "generate", "-n", "20k", "--mix", "range=3,list=1", "--keys", "500", "--skew", "1", "--clients", "3",
        ]
        let run = try ProgramRun.kvreel(arguments + ["-o", file])
        #expect(run.status == 0 && run.errors.hasPrefix("\(file): 20 000 operations, "))
        let analysis = try Self.analysis(file)
        #expect(analysis.coverage.requests == 20_000 && analysis.coverage.connections == 3)
        #expect(analysis.range.requests == 20_000 && abs(analysis.range.prefix - 5_000) < 400)
        #expect(abs(try #require(analysis.keys.zipf_reads) - 1) < 0.2)
        let piped = folder.path("b.kvr")
        #expect(try ProgramRun.kvreel(arguments + ["-o", "-"], output: piped).status == 0)
        #expect(FileManager.default.contents(atPath: piped) == FileManager.default.contents(atPath: file))
        let info = try ProgramRun.kvreel(["info", file]).output
        let options =
            "--mix range=3,list=1 --keys 500 --skew 1 --value-bytes 512-4096 --rate 1000 --operations 20000 "
            + "--clients 3 --seed 1\n"
        #expect(info.contains(options), "\(info)")
    }

    @Test("keys of one length, of which none is found")
    func missing() throws {
        let folder = try TemporaryFolder()
        let arguments = ["generate", "-n", "500", "--mix", "range=1", "--keys", "1", "--key-bytes", "8"]
        let run = try ProgramRun.kvreel(arguments + ["--missing", "1", "-o", folder.path("a.kvr")])
        #expect(run.status == 0, "\(run.errors)")
        let analysis = try Self.analysis(folder.path("a.kvr"))
        #expect(analysis.range.requests == 500 && analysis.range.keys_returned == 0 && analysis.keys.distinct == 1)
        let info = try ProgramRun.kvreel(["info", folder.path("a.kvr")]).output
        #expect(info.contains("--mix range=1 --keys 1 --key-bytes 8 --missing 1 --skew 0.9"), "\(info)")
        #expect(try ProgramRun.kvreel(["cat", folder.path("a.kvr")]).output.contains("n0000000"))
        let short = try ProgramRun.kvreel(["generate", "-n", "5", "--key-bytes", "4", "-o", folder.path("b.kvr")])
        #expect(short.status == 2 && short.errors.contains("names of 1000 keys have 5 to 1024 bytes"))
    }

    @Test("what cannot be enlarged is refused with 3, and leaves nothing")
    func refused() throws {
        let folder = try TemporaryFolder()
        let output = folder.path("out.kvr")
        let missing = try ProgramRun.kvreel(["generate", "--like", folder.path("none.kvr"), "-o", output])
        #expect(missing.status == 3)
        #expect(missing.errors.hasPrefix("kvreel: cannot read the trace: "))
        let capture = Repository.traces.appending(path: "edgesys-table1.pcap.zst").path
        #expect(try ProgramRun.kvreel(["generate", "--like", capture, "-o", output]).status == 3)
        let one = folder.path("one.kvr")
        #expect(try ProgramRun.kvreel(["capture", "-r", capture, "-o", one]).status == 0)
        let onto = try ProgramRun.kvreel(["generate", "--like", one, "-o", one, "--force"])
        #expect(onto.status == 4)
        #expect(!FileManager.default.fileExists(atPath: output))
    }
}
