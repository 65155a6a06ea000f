import Foundation
import TestSupport
import Testing

@Suite("kvreel check")
struct CheckTests {
    private static let bad = """
        {"client":1,"key":"k","op":"write","value":"v0","ok":true,"call":0,"return":10}
        {"client":1,"key":"k","op":"write","value":"v1","ok":true,"call":20,"return":90}
        {"client":2,"key":"k","op":"read","value":"v1","ok":true,"call":30,"return":40}
        {"client":3,"key":"k","op":"read","value":"v0","ok":true,"call":50,"return":60}
        {"client":3,"key":"k","op":"read","value":"v1","ok":true,"call":95,"return":99}

        """

    private static func check(_ text: String, _ options: [String] = []) throws -> ProgramRun {
        let folder = try TemporaryFolder()
        return try ProgramRun.kvreel(["check"] + options + [folder.write("history", Array(text.utf8))])
    }

    @Test("a violation is drawn as in docs/check.md, and ends with 1")
    func violation() throws {
        let run = try Self.check(Self.bad)
        #expect(run.status == 1 && run.errors.isEmpty)
        let page = try String(contentsOf: Repository.root.appending(path: "docs/check.md"), encoding: .utf8)
        for line in run.output.split(separator: "\n") { #expect(page.contains(line), "\(line)") }
        let quiet = try Self.check(Self.bad, ["--quiet"])
        #expect(quiet.output == "violation: on 1 of 1 key: 5 operations of 3 clients on 1 key\n" && quiet.status == 1)
    }

    @Test("the smallest history in the JSON is a history that fails")
    func json() throws {
        let run = try Self.check(Self.bad, ["--json"])
        #expect(run.status == 1)
        let object = try Truth.object(Data(run.output.utf8))
        #expect(object["schema"] as? String == "kvreel.check/1" && object["verdict"] as? String == "violation")
        let smallest = try #require(object["smallest"] as? [[String: Any]])
        #expect(smallest.count == 4)
        let lines = try smallest.map { try JSONSerialization.data(withJSONObject: $0) }
        let again = try Self.check(lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n"))
        #expect(again.status == 1 && again.errors.isEmpty)
    }

    @Test("a linearizable history ends with 0")
    func linearizable() throws {
        let good = Self.bad.split(separator: "\n").filter { !$0.contains("\"read\",\"value\":\"v0\"") }
            .joined(separator: "\n")
        let run = try Self.check(good)
        #expect(run.status == 0)
        #expect(run.output == "linearizable: 4 operations of 3 clients on 1 key\n")
    }

    @Test(
        "a file that is neither is refused with 3",
        arguments: [
            ("", "there are no operations in it"), ("{}", "line 1: \"client\" is missing"),
            ("{\"client\":x", "line 1, column 11: expected an integer"), ("KVREEL", "it is not a trace"),
        ])
    func unusable(_ text: String, _ why: String) throws {
        let run = try Self.check(text)
        #expect(run.status == 3 && run.output.isEmpty)
        #expect(run.errors.contains(why), "\(run.errors)")
    }

    @Test("a missing file is refused with 3, wrong usage with 2")
    func usage() throws {
        #expect(try ProgramRun.kvreel(["check", "/nowhere/history"]).status == 3)
        #expect(try ProgramRun.kvreel(["check"]).status == 2)
        #expect(try ProgramRun.kvreel(["check", "--json", "--quiet", "x"]).status == 2)
    }

    @Test(
        "real etcd is linearizable, in every trace of the repository",
        arguments: ["ccore-mix", "edgesys-table1", "etcdctl-mix", "midstream", "netcraq-scale", "netcraq-uncached"])
    func realTraces(_ name: String) throws {
        let trace = Repository.traces.appending(path: "format-1/\(name).kvr").path
        let run = try ProgramRun.kvreel(["check", "--json", trace])
        #expect(run.status == 0, "\(run.output)")
        let object = try Truth.object(Data(run.output.utf8))
        #expect(object["verdict"] as? String == "linearizable")
        #expect(object["operations"] as? Int ?? 0 > 1_000)
        #expect(run.errors.hasPrefix("coverage: "))
        let piped = try ProgramRun.kvreel(["check", "--json", "-"], input: trace)
        #expect(piped.output == run.output && piped.status == 0)
    }

    /// Recordings of which the file itself is not as real etcd and a real clock would have made it, or of one side.
    private static let others: Set = ["port-reuse", "clock-step", "client-only", "server-only", "snap96"]

    @Test("real etcd is linearizable, whatever happened to the packets", .enabled(if: Repository.hasCaptures))
    func realCaptures() throws {
        let impaired = try FileManager.default
            .contentsOfDirectory(atPath: Repository.capture("impaired").path).sorted()
            .filter { name in name.contains("cap.") && !Self.others.contains { name.hasPrefix($0 + ".") } }
        let captures =
            ["api-mix", "edgesys-table1", "large", "midstream", "netcraq-uncached"].map { $0 + "/capture.pcap.zst" }
            + impaired.map { "impaired/" + $0 }
        #expect(captures.count > 30)
        let folder = try TemporaryFolder()
        for capture in captures {
            let trace = folder.path("trace.kvr")
            let recording = try ProgramRun.kvreel([
                "capture", "--read", try Repository.capture(capture).path, "-o", trace, "--force", "--quiet",
            ])
            #expect(recording.status == 0, "\(capture): \(recording.errors)")
            let run = try ProgramRun.kvreel(["check", trace])
            #expect(run.status == 0, "\(capture): \(run.output)")
        }
    }

    @Test(
        "a clock that steps back is no violation of etcd, a store that goes back is",
        .enabled(if: Repository.hasCaptures))
    func notAsRecorded() throws {
        let folder = try TemporaryFolder()
        for (name, verdict) in [("clock-step", "unknown: the recorder's clock"), ("port-reuse", "violation: ")] {
            let trace = folder.path(name)
            let capture = try Repository.capture("impaired/\(name).pcap.zst").path
            #expect(try ProgramRun.kvreel(["capture", "--read", capture, "-o", trace, "--quiet"]).status == 0)
            let run = try ProgramRun.kvreel(["check", trace])
            #expect(run.status == 1 && run.output.hasPrefix(verdict), "\(run.output.prefix(200))")
        }
    }
}
