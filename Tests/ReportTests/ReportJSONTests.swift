import Etcd
import Foundation
import Replay
import Report
import Testing
import Trace

@Suite("The JSON of a comparison, read back")
struct ReportJSONTests {
    private static func parsed(_ comparison: RunComparison) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(comparison.json())) as? [String: Any])
    }

    /// Text of a figure, in nanoseconds where it is a time: `1.05 ms` with the bounds of ` [1.00 (1.02 .. 1.04) 1.10]`.
    private static func numbers(_ text: String) -> [Double] {
        // Digits stand in groups of three.
        let text = text.replacing(/(\d) (\d{3})(?!\d)/) { "\($0.output.1)\($0.output.2)" }
        let words = text.split(whereSeparator: { " []()~".contains($0) }).map(String.init)
        let units = ["ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9]
        let unit = words.lazy.compactMap { units[$0] }.first ?? 1
        return words.compactMap { Double($0) }.map { $0 * unit }
    }

    /// The cells of the rows of a table, by its title and theirs, as they stand in the Markdown.
    private static func tables(_ markdown: String) -> [String: [String: [String]]] {
        var tables: [String: [String: [String]]] = [:]
        var title = ""
        for line in markdown.split(separator: "\n") {
            if line.hasPrefix("## ") { title = String(line.dropFirst(3)) }
            guard line.hasPrefix("| "), !line.hasPrefix("| |"), !line.hasPrefix("| -") else { continue }
            let cells = line.split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "\\", with: "")
            }
            tables[title, default: [:]][cells[0]] = Array(cells.dropFirst())
        }
        return tables
    }

    /// Titles of tables, and members.
    private static let times = [
        ("Response time", "response_time"), ("Service time", "service_time"), ("Send lag", "send_lag"),
        ("Dependency wait", "dependency_wait"),
    ]
    private static let percentiles = [
        ("p50", "p50_ns"), ("p90", "p90_ns"), ("p99", "p99_ns"), ("p99.9", "p999_ns"), ("max", "max_ns"),
    ]
    private static let counts = [
        ("answered", "answered"), ("a second", "per_second"), ("errors", "errors"), ("watch events", "events"),
    ]

    private static func isClose(_ json: Any?, _ text: Double) -> Bool {
        guard let json = (json as? NSNumber)?.doubleValue else { return false }
        // Three digits stand in the text.
        return abs(json - text) <= max(abs(text) * 0.005, 0.05)
    }

    @Test("each run: what the text shows, as numbers")
    func runs() throws {
        let comparison = RunComparison(SampleRuns.repeated, each: true)
        let tables = Self.tables(comparison.markdown())
        let runs = try #require(try Self.parsed(comparison)["runs"] as? [[String: Any]])
        #expect(runs.compactMap { $0["name"] as? String } == SampleRuns.repeated.map(\.name))
        for (place, run) in runs.enumerated() {
            for (title, member) in Self.times {
                let times = try #require(run[member] as? [String: Any])
                #expect(times["count"] as? Int == 200)
                for (label, name) in Self.percentiles {
                    let cell = try #require(tables[title]?[label]?[place])
                    #expect(
                        Self.isClose(times[name], try #require(Self.numbers(cell).first)), "\(title) \(label): \(cell)")
                }
            }
            for (label, name) in Self.counts {
                let cell = try #require(tables["Calls"]?[label]?[place])
                #expect(Self.isClose(run[name], try #require(Self.numbers(cell).first)), "\(label): \(cell)")
            }
            let asRecorded = try #require(tables["Outcomes"]?["as recorded"]?[place])
            let (compared, different) = (run["compared"] as? Int ?? 0, run["different"] as? Int ?? 0)
            #expect(Self.numbers(asRecorded).first == Double(compared - different))
            #expect((run["differences"] as? [String: Int])?.values.reduce(0, +) == different)
            #expect((run["status"] as? [String: Int])?.values.reduce(0, +) == 200)
            #expect(run["verdict"] as? String == tables["Run"]?["verdict"]?[place])
        }
    }

    @Test("words of the trace become numbers")
    func words() throws {
        let runs = try #require(try Self.parsed(RunComparison(SampleRuns.repeated))["runs"] as? [[String: Any]])
        let run = runs[3]
        #expect(run["name"] as? String == "three-2.kvr")
        #expect(run["of"] as? String == "monday.kvr")
        #expect(run["delivery_p50_ns"] as? Int == 1_220_000)
        #expect(run["delivery_p99_ns"] as? Int == 1_202_000_000)
        #expect(run["fidelity"] as? Double == 0.99992)
        #expect(run["busy_percent"] as? Double == 3.2)
        #expect(run["faults"] as? [String] == ["10.0 s: kill:member=leader: member 2"])
        let mix = try #require(run["mix"] as? [[String: Any]])
        #expect(mix.compactMap { $0["kind"] as? String } == ["range", "txn"])
        #expect(mix.compactMap { $0["recorded"] as? Int } == [100, 101])
        #expect(mix.compactMap { $0["answered"] as? Int } == [100, 100])
        #expect(mix.compactMap { $0["compared"] as? Int } == [100, 100])
        #expect(mix.compactMap { $0["different"] as? Int }.reduce(0, +) == run["different"] as? Int)
        #expect(run["asked_beside"] as? [String: Int] == ["range": 1, "txn": 2])
        #expect(run["order_violations"] as? Int == 2)
        let score = try #require(run["fidelity_parts"] as? [String: Double])
        #expect(score == ["outcomes": 0.96, "order": 0.977777778, "answered": 1])
        #expect(run["not_replayed"] as? Int == 1_205)
        let parts = try #require(run["not_replayed_by"] as? [[String: Any]])
        #expect(
            parts.compactMap { $0["reason"] as? String } == [
                "no answer seen", "no answer seen", "its value is too large",
            ])
        #expect(parts.compactMap { $0["kind"] as? String } == ["put", "range", "txn"])
        #expect(parts.compactMap { $0["calls"] as? Int } == [1_203, 1, 1])
    }

    @Test("groups: the text's medians, bounds and marks, computed anew from the runs")
    func groups() throws {
        let comparison = RunComparison(SampleRuns.repeated)
        let document = try Self.parsed(comparison)
        let runs = try #require(document["runs"] as? [[String: Any]])
        let groups = try #require(document["groups"] as? [[String: Any]])
        let tables = Self.tables(comparison.markdown())
        #expect(groups.compactMap { $0["title"] as? String } == comparison.titles)
        for (place, group) in groups.enumerated() {
            let members = try #require(group["runs"] as? [Int])
            for (title, times) in Self.times {
                let figures = try #require(group[times] as? [String: Any])
                for (label, name) in Self.percentiles {
                    let figure = try #require(figures[name] as? [String: Any])
                    let cell = try #require(tables[title]?[label]?[place])
                    var expected = [figure["median"]]
                    if cell.contains("[") {
                        expected += [figure["least"]]
                        if members.count >= 5 { expected += [figure["lower_quartile"], figure["upper_quartile"]] }
                        expected += [figure["greatest"]]
                    }
                    let shown = Self.numbers(cell)
                    #expect(shown.count == expected.count, "\(cell)")
                    for (json, text) in zip(expected, shown) {
                        #expect(Self.isClose(json, text), "\(title) \(label): \(cell)")
                    }
                    #expect(cell.hasPrefix("~") == (figure["may_be_noise"] as? Bool ?? false))
                    let values = members.compactMap { (runs[$0][times] as? [String: Any])?[name] as? Int }.sorted()
                    #expect(figure["least"] as? Int == values.first)
                    #expect(figure["greatest"] as? Int == values.last)
                    #expect(figure["median"] as? Int == values[values.count / 2])
                }
            }
        }
    }

    @Test("all calls of a group are those of its runs recorded together")
    func together() throws {
        let groups = try #require(try Self.parsed(RunComparison(SampleRuns.repeated))["groups"] as? [[String: Any]])
        var all = RunSummary(name: "all")
        for number in 1...5 { all.add(SampleRuns.batch(slowness: 100 + Int64(number * number), errors: 1)) }
        let times = try #require(groups[0]["response_time"] as? [String: Any])
        let together = try #require(times["all_calls"] as? [String: Int])
        #expect(together["count"] == 1_000)
        for (name, percent) in [("p50_ns", 50.0), ("p90_ns", 90), ("p99_ns", 99), ("p999_ns", 99.9)] {
            #expect(together[name] == Int(all.response.percentile(percent)), "\(name)")
        }
        #expect(together["max_ns"] == Int(all.response.max))
    }

    @Test("beside a chain: what it did of the trace, and the part of each run that it does, in runs and groups")
    func chain() throws {
        var meta = SampleRuns.meta
        meta[.backend] = "netcraq:4"
        meta[.chain] = "1024 bytes"
        meta[.expression] = "executed txn 60\napproximated txn lease 20\nleft-out watch watch 5\nomitted 1"
        let runs = [
            SampleRuns.run("etcd.kvr", SampleRuns.meta, slowness: 300), SampleRuns.run("a.kvr", meta, slowness: 100),
            SampleRuns.run("b.kvr", meta, slowness: 120),
        ]
        // The n-th of 200 calls takes n times 100 ns a slowness.
        let parts = [50, 10, 30].enumerated().map { SampleRuns.run(runs[$0].name, runs[$0].meta, slowness: $1) }
        let comparison = RunComparison(runs, expressed: parts)
        let document = try Self.parsed(comparison)
        let written = try #require(document["runs"] as? [[String: Any]])
        #expect(written[0]["expression"] == nil)
        let expression = try #require(written[1]["expression"] as? [String: Any])
        #expect(expression["calls"] as? Int == 86)
        #expect(expression["executed"] as? Int == 60)
        let times = written.compactMap { ($0["expressed"] as? [String: Any])?["service_time"] as? [String: Int] }
        #expect(times.compactMap { $0["max_ns"] } == [1_000_000, 200_000, 600_000])
        let groups = try #require(document["groups"] as? [[String: Any]])
        #expect(groups.count == 2)
        let part = try #require(groups[1]["expressed"] as? [String: Any])
        let service = try #require(part["service_time"] as? [String: Any])
        let longest = try #require(service["max_ns"] as? [String: Any])
        #expect(longest["median"] as? Int == 400_000)
        #expect(longest["greatest"] as? Int == 600_000)
        #expect((service["all_calls"] as? [String: Int])?["max_ns"] == 600_000)
        #expect((service["all_calls"] as? [String: Int])?["count"] == 400)
        let text = comparison.text(width: nil)
        #expect(text.contains("60 (69.77 %)"))
        let line = text.split(separator: "\n").first { $0.hasPrefix("  service time p99.9") }
        #expect(line?.split(separator: " ").joined(separator: " ") == "service time p99.9 1.00 ms 400 µs [200 .. 600]")
    }

    @Test("a run that was broken off has no verdict, and one that was interrupted says so")
    func ends() throws {
        var meta = SampleRuns.meta
        meta[.verdict] = nil
        let broken = RunSummary(name: "a.kvr", meta: meta)
        meta[.verdict] = "valid"
        meta[.remarks] = RunSummary.interruption
        let document = try Self.parsed(RunComparison([broken, RunSummary(name: "b.kvr", meta: meta)]))
        let runs = try #require(document["runs"] as? [[String: Any]])
        #expect(runs[0]["verdict"] is NSNull)
        #expect(runs.compactMap { $0["interrupted"] as? Bool } == [false, true])
        #expect(document["warnings"] as? [String] == ["b.kvr is no repeat of a.kvr, both on etcd:1: another end"])
    }
}
