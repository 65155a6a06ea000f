import Foundation
import TestSupport
import Testing

@Suite("kvreel simulate")
struct SimulateTests {
    private static let faults = ["--faults", "loss,duplicate,reorder,crash,suspect"]

    private struct Document: Decodable {
        struct Seeds: Decodable { var count, linearizable, violation, unknown, stalled: Int }
        struct Run: Decodable {
            var seed: Int
            var verdict, digest: String
        }
        struct Operation: Decodable { var op: String }
        var schema, verdict: String
        var seeds: Seeds
        var runs: [Run]
        var reason: String?
        var failing_seed: Int?
        var smallest: [Operation]?
    }

    private static func document(_ run: ProgramRun) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(run.output.utf8))
    }

    @Test(
        "the default variants are linearizable, and the same seeds give the same document",
        arguments: [
            "netchain:3", "netcraq:4",
        ])
    func defaults(_ store: String) throws {
        let arguments = ["simulate", store, "--seeds", "5", "--seed", "100", "--json"] + Self.faults
        let run = try ProgramRun.kvreel(arguments)
        #expect(run.status == 0 && run.errors.isEmpty)
        let document = try Self.document(run)
        #expect(document.schema == "kvreel.simulate/1" && document.verdict == "linearizable")
        #expect(document.seeds.count == 5 && document.seeds.linearizable == 5 && document.seeds.stalled == 0)
        #expect(document.runs.map(\.seed) == Array(100...104))
        #expect(Set(document.runs.map(\.digest)).count == 5)
        #expect(try ProgramRun.kvreel(arguments).output == run.output)
    }

    @Test("a violation is drawn, ends with 1, and the seed's history fails the same check")
    func violation() throws {
        let folder = try TemporaryFolder()
        let arguments = ["simulate", "netchain:3", "--variant", "paper", "--faults", "suspect"]
        let series = try ProgramRun.kvreel(arguments + ["--seeds", "40", "--json"])
        #expect(series.status == 1)
        let document = try Self.document(series)
        #expect(document.verdict == "violation" && document.seeds.violation > 0)
        #expect((document.smallest ?? []).count >= 2 && document.reason != nil)
        let seed = "\(try #require(document.failing_seed))"

        let files = ["--history", folder.path("history.jsonl"), "--log", folder.path("run.log")]
        let one = try ProgramRun.kvreel(arguments + ["--seed", seed] + files)
        #expect(one.status == 1)
        #expect(one.output.hasPrefix("violation: seed \(seed) of netchain:3, variant paper: 1 violated"))
        #expect(one.output.contains("client 0"))
        let check = try ProgramRun.kvreel(["check", folder.path("history.jsonl")])
        #expect(check.status == 1 && check.output.hasPrefix("violation: "))
        let log = try String(contentsOfFile: folder.path("run.log"), encoding: .utf8)
        #expect(log.contains(" control suspects S") && log.contains(" faults end\n"))

        let again = try ProgramRun.kvreel(arguments + ["--seed", seed] + files)
        #expect(again.status == 4 && again.errors.contains("it exists\nUse --force to write over it.\n"))
        #expect(try ProgramRun.kvreel(arguments + ["--seed", seed, "--force"] + files).output == one.output)
    }

    @Test("the published ratios come with their errors")
    func published() throws {
        let run = try ProgramRun.kvreel(["simulate", "--published"])
        #expect(run.status == 0 && run.errors.isEmpty)
        let row = run.output.split(separator: "\n").first { $0.contains("fig. 2, clean, head") }
        #expect(
            row?.split(separator: " ", omittingEmptySubsequences: true).suffix(4).joined(separator: " ")
                == "4.080 4.730 +15.9 %")
    }
}
