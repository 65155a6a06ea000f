import Foundation
import TestSupport
import Testing

/// `scripts/edge-fig2` on runs that were never measured.
@Suite("Figure 2 of EdgeSys: tables from runs")
struct EdgeFigureTests {
    /// As `kvreel replay --json` says it, as far as the tables need it; times in ms.
    private static func run(
        _ operation: String, _ members: Int, _ kind: String = "closed", repeats: Int = 1, p50: Double, mean: Double,
        rate: Double, busy: Double = 12.5
    ) -> [String: Any] {
        let times = ["p10": p50 / 2, "p50": p50, "p90": p50 * 2, "p99": p50 * 3, "mean": mean]
        let nanoseconds = times.map { ("\($0.key)_ns", Int($0.value * 1e6)) }
        return [
            "setting": "fig2-spread", "operation": operation, "members": members, "kind": kind, "repeat": repeats,
            "operations": 10_000, "warm_up": 500, "seed": 1, "rate": 500,
            "result": [
                "per_second": rate, "errors": 0, "verdict": kind == "open" ? "valid" : "capacity",
                "response_time": Dictionary(uniqueKeysWithValues: nanoseconds),
                "conditions": [
                    "cores": 2, "processor": "AMD EPYC", "memory_bytes": 8 << 30, "kernel": "Linux 6.1",
                    "members": members, "store": "etcd 3.4.23", "tls": false, "file_system": "ext4",
                    "device": "/dev/vda", "members_percent": 70, "kvreel_percent": busy,
                    "generator_bound": busy > 30, "load_average": "0.50 0.40 0.30",
                    "fsync": [
                        ["member": 1, "count": 9, "p50_at_most_ns": 1_000_000, "p99_at_most_ns": 4_000_000],
                        ["member": 2, "count": 9, "p50_at_most_ns": 2_000_000],
                    ],
                ],
            ],
        ]
    }

    /// The files that the script makes of these runs.
    private static func made(of runs: [[String: Any]], in folder: TemporaryFolder) throws -> (String) throws -> String {
        let lines = try runs.map { String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self) }
        let file = try folder.write("runs.jsonl", Array(lines.joined(separator: "\n").utf8))
        let script = Repository.root.appending(path: "scripts/edge-fig2").path
        let run = try ProgramRun.run(script, ["--from", file, "--output", folder.path("study")])
        try #require(run.status == 0, "\(run.errors)")
        return { try String(contentsOfFile: folder.path("study/\($0)"), encoding: .utf8) }
    }

    private static func rows(_ table: String) -> [[String]] {
        table.split(separator: "\n").map { line in
            // Notes stand in quotation marks where they have a comma.
            line.replacing("\"", with: "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test("medians over repeats, quantiles between two of them, ratios and calls outstanding: by hand")
    func figures() throws {
        let folder = try TemporaryFolder()
        let made = try Self.made(
            of: [
                Self.run("put", 1, repeats: 1, p50: 10, mean: 12, rate: 5_000),
                Self.run("put", 1, repeats: 2, p50: 14, mean: 16, rate: 4_000),
                Self.run("put", 1, repeats: 3, p50: 11, mean: 13, rate: 4_800),
                // Of two, the median lies between; 3 000 times 40 ms are 120 calls and not 64.
                Self.run("put", 3, repeats: 1, p50: 20, mean: 38, rate: 3_200),
                Self.run("put", 3, repeats: 2, p50: 30, mean: 42, rate: 2_800, busy: 31),
                Self.run("put", 3, "open", p50: 4, mean: 5, rate: 499.5),
            ], in: folder)
        let latency = Self.rows(try made("fig2a.csv"))
        #expect(latency[1].prefix(4) == ["fig2-spread", "put", "1", "3"])
        #expect(latency[1][4..<9] == ["5.500", "11.000", "22.000", "13.000", "4800.0"])
        // 60, 64 and 62.4 outstanding.
        #expect(latency[1][9...] == ["62.4", "0", "70.0", "12.5", "2", "no bound", ""])
        #expect(latency[2].prefix(4) == ["fig2-spread", "put", "3", "2"])
        #expect(latency[2][4..<9] == ["12.500", "25.000", "50.000", "40.000", "3000.0"])
        #expect(latency[2][12] == "31.0")
        #expect(latency[2][15...].joined() == "generator-bound N_eff not within 15 % of 64")
        let throughput = Self.rows(try made("fig2b.csv"))
        // p10 of 4 000, 4 800, 5 000 is a fifth of the way from the first to the second.
        #expect(throughput[1] == ["fig2-spread", "put", "1", "3", "4800.0", "4160.0", "4960.0", "1.000"])
        #expect(throughput[2] == ["fig2-spread", "put", "3", "2", "3000.0", "2840.0", "3160.0", "0.625"])
        let open = Self.rows(try made("open.csv"))
        #expect(open[1].prefix(5) == ["fig2-spread", "put", "3", "500", "499.5"])
        #expect(open[1][5...] == ["2.000", "4.000", "8.000", "12.000", "5.000", "0", "valid"])
        #expect(Self.rows(try made("runs.csv")).count == 7)
        let page = try made("README.md")
        #expect(!page.contains("@"), "a place of the template was not filled in")
        #expect(page.contains("- 3 members exceed 2 cores: processor contention dominates\n"))
        #expect(page.contains("more than 30 % of the processors: fig2-spread put on 3\n"))
        #expect(page.contains("| N_eff of put on 3 within 15 % of 64 | **failed** | 120 |"))
        for figure in ["fig2a-fig2-spread.svg", "fig2b-fig2-spread.svg"] {
            let parse = "import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.argv[1])"
            let run = try ProgramRun.run("python3", ["-c", parse, made(figure)])
            #expect(run.status == 0, "\(figure): \(run.errors)")
        }
    }

    /// Puts on 1, 3, 5 and 7 members, and ranges on 1, 5 and 7: p50 in ms; throughput goes with it.
    struct Shape: CustomTestStringConvertible {
        var puts: [Double]
        var ranges: [Double]
        var failed: [String]
        var testDescription: String { failed.isEmpty ? "all hold" : failed.joined(separator: "; ") }
    }

    @Test(
        "each criterion fails where it does not hold, with its numbers, and only there",
        arguments: [
            Shape(puts: [10, 12, 14, 16], ranges: [12, 9, 9], failed: []),
            // Within 5 % a p50 may fall; a throughput may not rise.
            Shape(
                puts: [10, 12, 11.5, 16], ranges: [12, 8, 9],
                failed: ["put throughput does not rise with members"]),
            Shape(
                puts: [10, 20, 14, 16], ranges: [12, 9, 9],
                failed: [
                    "put p50 does not fall with members (5 % tolerance)", "put throughput does not rise with members",
                ]),
            Shape(
                puts: [10, 11, 12, 14], ranges: [12, 8, 12],
                failed: [
                    "put p50 at 7 members at least 1.5 x that at 1", "range p50 at 7 members at most 0.7 x put p50",
                ]),
            Shape(
                puts: [10, 10, 10, 12], ranges: [12, 8, 8],
                failed: [
                    "put p50 at 7 members at least 1.5 x that at 1",
                    "put throughput at 7 members at most 0.8 x that at 1",
                    "range p50 at 5 members at most 0.7 x put p50",
                ]),
        ])
    func criteria(_ shape: Shape) throws {
        let folder = try TemporaryFolder()
        func runs(_ operation: String, _ members: [Int], _ times: [Double]) -> [[String: Any]] {
            zip(members, times).map { Self.run(operation, $0, p50: $1, mean: $1, rate: 64_000 / $1) }
        }
        let made = try Self.made(
            of: runs("put", [1, 3, 5, 7], shape.puts) + runs("range", [1, 5, 7], shape.ranges), in: folder)
        let cells = try made("README.md").split(separator: "\n").filter { $0.hasPrefix("| fig2-spread | ") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
        let checks = cells.filter { ["passed", "**failed**", "no criterion"].contains($0[2]) }
        #expect(checks.filter { $0[2] == "**failed**" }.map { $0[1] } == shape.failed)
        #expect(checks.count == 9 && checks.allSatisfy { $0[3].contains { $0.isNumber } })
        let without = checks.filter { $0[2] == "no criterion" }.map { $0[1] }
        #expect(without == ["range p50 at 1 member", "range throughput, direction"])
    }
}
