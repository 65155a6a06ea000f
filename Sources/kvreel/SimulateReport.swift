import Analysis
import Consistency
import Simulation

/// What a series of seeds showed, as text and as JSON.
struct SimulateReport {
    /// One seed, in short.
    private struct Run {
        var seed: UInt64
        var verdict: Verdict
        var stalledClients: Int
        var lostWrites: Int
        var isGood: Bool
        var digest: String
        var operations: Int
        var answered: Int
        var refused: Int
        var unknown: Int
        var failure: String?
        var failedPosition: Int?
        var writesInFlight: Int
        var interruption: UInt64
        var duration: UInt64
    }

    private let options: SimulationOptions
    private var runs: [Run] = []
    private var latencies: [RunRecorder.LatencyClass] = []
    private var traffic = TrafficCounts()
    private var events: UInt64 = 0
    private var retries = 0
    /// The failing run with the smallest counterexample.
    private var smallest: SimulationResult?

    init(_ options: SimulationOptions) { self.options = options }

    mutating func add(_ result: SimulationResult) {
        runs.append(
            Run(
                seed: result.seed, verdict: result.verdict, stalledClients: result.stalledClients,
                lostWrites: result.lostWrites, isGood: result.isGood, digest: result.digest.text,
                operations: result.operations, answered: result.answered, refused: result.refused,
                unknown: result.givenUp, failure: result.failure?.rawValue, failedPosition: result.failedPosition,
                writesInFlight: result.writesInFlight, interruption: result.interruption, duration: result.duration))
        if latencies.isEmpty { latencies = result.recorder.latencies } else { merge(result.recorder.latencies) }
        traffic = traffic + result.traffic
        events += result.events
        retries += result.retries
        guard let example = result.counterexample else { return }
        if smallest?.counterexample.map({ $0.operations.count <= example.operations.count }) ?? false { return }
        smallest = result
    }

    /// Runs of one series have the same classes, but for a spare switch that some have.
    private mutating func merge(_ others: [RunRecorder.LatencyClass]) {
        for other in others where other.latency.count > 0 {
            let same = latencies.firstIndex { $0.kind == other.kind && $0.position == other.position }
            if let same { latencies[same].latency.add(other.latency) } else { latencies.append(other) }
        }
    }

    private func count(_ verdict: Verdict) -> Int { runs.count { $0.verdict == verdict } }
    private var stalled: Int { runs.count { $0.stalledClients > 0 } }
    private var lostWrites: Int { runs.map(\.lostWrites).reduce(0, +) }

    var verdict: Verdict {
        if count(.violation) > 0 { return .violation }
        return count(.unknown) > 0 ? .unknown : .linearizable
    }

    var isGood: Bool { runs.allSatisfy(\.isGood) }

    // MARK: Text

    func text(width: Int) -> String {
        var lines = [summary, ""]
        let operations = runs.map(\.operations).reduce(0, +)
        let answered = runs.map(\.answered).reduce(0, +)
        let refused = runs.map(\.refused).reduce(0, +)
        let unknown = runs.map(\.unknown).reduce(0, +)
        lines.append(
            "operations  \(Terminal.grouped(operations)): \(Terminal.grouped(answered)) answered, "
                + "\(Terminal.grouped(refused)) refused, \(Terminal.grouped(unknown)) given up; "
                + "\(Terminal.grouped(retries)) sent again")
        let failures = runs.count { $0.failure != nil }
        if failures > 0 {
            let writes = runs.map(\.writesInFlight).reduce(0, +)
            let longest = runs.map(\.interruption).max() ?? 0
            lines.append(
                "failures    \(Terminal.grouped(failures)), with \(Terminal.counted(writes, "write")) under way; no "
                    + "answer for \(Self.time(longest)) at most")
        }
        lines.append(
            "packets     \(Terminal.grouped(traffic.datagrams)): \(Terminal.grouped(traffic.lost)) lost, "
                + "\(Terminal.grouped(traffic.duplicated)) doubled, \(Terminal.grouped(traffic.reordered)) held back")
        lines += ["", latencyTable(), ""]
        lines += failing(width)
        return lines.joined(separator: "\n") + "\n"
    }

    private var summary: String {
        let store = "\(options.store.rawValue):\(options.nodes)"
        let name = "\(store), variant \(options.variant.rawValue)"
        let seeds = runs.count == 1 ? "seed \(runs.first?.seed ?? 0)" : Terminal.counted(runs.count, "seed")
        let all = "\(verdict): \(seeds) of \(name)"
        if isGood { return runs.count == 1 ? "\(all), digest \(runs.first?.digest ?? "")" : all }
        var parts: [String] = []
        if count(.violation) > 0 { parts.append("\(Terminal.grouped(count(.violation))) violated") }
        if count(.unknown) > 0 { parts.append("\(Terminal.grouped(count(.unknown))) unknown") }
        if stalled > 0 { parts.append("\(Terminal.grouped(stalled)) stalled") }
        if lostWrites > 0 { parts.append("\(Terminal.counted(lostWrites, "key")) lost an acknowledged write") }
        return all + ": " + parts.joined(separator: ", ")
    }

    private static func time(_ nanoseconds: UInt64) -> String {
        Terminal.decimal(Double(nanoseconds) / 1e6, places: 3) + " ms"
    }

    private var sortedLatencies: [RunRecorder.LatencyClass] {
        latencies.filter { $0.latency.count > 0 }
            .sorted { ($0.kind.rawValue, $0.position) < ($1.kind.rawValue, $1.position) }
    }

    /// Answers a second of simulated time.
    private func rate(_ each: RunRecorder.LatencyClass) -> Double {
        let duration = runs.map { Double($0.duration) }.reduce(0, +)
        return duration > 0 ? Double(each.latency.count) * 1e9 / duration : 0
    }

    private func latencyTable() -> String {
        var rows = [["", "at", "answered", "a second", "p50 ms", "p90 ms", "p99 ms", "max ms"]]
        for each in sortedLatencies {
            let times = [0.5, 0.9, 0.99, 1].map {
                Terminal.decimal(Double(each.latency.percentile($0)) / 1e6, places: 3)
            }
            let counts = [Terminal.grouped(each.latency.count), Terminal.decimal(rate(each), places: 1)]
            rows.append(["\(each.kind)", "S\(each.position)"] + counts + times)
        }
        let widths = (0..<8).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let room = String(repeating: " ", count: widths[column] - text.count)
                return column < 2 ? text + room : room + text
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Seeds that are named one by one.
    private static let namedSeeds = 10

    private func failing(_ width: Int) -> [String] {
        let bad = runs.filter { !$0.isGood }
        guard let first = bad.first else { return [] }
        var lines: [String] = []
        if runs.count > 1 {
            let named = bad.prefix(Self.namedSeeds).map { "\($0.seed)" }.joined(separator: ", ")
            lines.append("failing seeds: \(named)\(bad.count > Self.namedSeeds ? ", ..." : "")")
        }
        if let smallest, let example = smallest.counterexample {
            lines += ["seed \(smallest.seed), key k\(example.key): \(example.reason)", ""]
            let drawing = HistoryDrawing(example.operations, of: smallest.recorder.history, width: width)
            lines += drawing.text.split(separator: "\n").map(String.init)
            lines.append("")
        }
        let seed = smallest?.seed ?? first.seed
        lines.append("again, with what happened: --seed \(seed) --log FILE, and the same options")
        return lines
    }

    // MARK: JSON

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("schema", "kvreel.simulate/1")
        json.member("verdict", "\(verdict)")
        json.member("store", options.store.rawValue)
        json.member("nodes", options.nodes)
        json.member("variant", options.variant.rawValue)
        json.member("model", options.model.rawValue)
        json.member("clients", options.clients)
        json.member("keys", options.keys)
        let faults = FaultKinds.named.filter { options.faults.contains($0.kind) }.map(\.name)
        json.member("faults", faults.joined(separator: ","))
        json.name("seeds")
        json.beginCompactObject()
        json.member("count", runs.count)
        for verdict in Verdict.allCases { json.member("\(verdict)", count(verdict)) }
        json.member("stalled", stalled)
        json.endObject()
        json.member("operations", runs.map(\.operations).reduce(0, +))
        json.member("answered", runs.map(\.answered).reduce(0, +))
        json.member("refused", runs.map(\.refused).reduce(0, +))
        json.member("given_up", runs.map(\.unknown).reduce(0, +))
        json.member("sent_again", retries)
        json.member("lost_writes", lostWrites)
        json.member("events", Int64(events))
        json.name("packets")
        json.beginCompactObject()
        json.member("sent", traffic.datagrams)
        json.member("bytes", traffic.datagramBytes)
        json.member("lost", traffic.lost)
        json.member("duplicated", traffic.duplicated)
        json.member("reordered", traffic.reordered)
        json.endObject()
        writeLatencies(to: &json)
        json.name("runs")
        json.beginArray()
        for run in runs { write(run, to: &json) }
        json.endArray()
        if let smallest, let example = smallest.counterexample {
            json.member("failing_seed", Int64(bitPattern: smallest.seed))
            json.member("key", "k\(example.key)")
            json.member("reason", example.reason)
            json.name("smallest")
            json.beginArray()
            for operation in example.operations { json.value(operation, of: smallest.recorder.history) }
            json.endArray()
        }
        json.endObject()
    }

    private func writeLatencies(to json: inout JSONWriter) {
        json.name("latencies")
        json.beginArray()
        for each in sortedLatencies {
            json.beginCompactObject()
            json.member("op", "\(each.kind)")
            json.member("position", each.position)
            json.member("count", each.latency.count)
            json.member("per_1000_s", Int(rate(each) * 1000))
            json.member("p50_ns", Int64(each.latency.percentile(0.5)))
            json.member("p90_ns", Int64(each.latency.percentile(0.9)))
            json.member("p99_ns", Int64(each.latency.percentile(0.99)))
            json.member("max_ns", Int64(each.latency.max))
            json.endObject()
        }
        json.endArray()
    }

    private func write(_ run: Run, to json: inout JSONWriter) {
        json.beginCompactObject()
        json.member("seed", Int64(bitPattern: run.seed))
        json.member("verdict", "\(run.verdict)")
        json.member("stalled_clients", run.stalledClients)
        json.member("lost_writes", run.lostWrites)
        json.member("operations", run.operations)
        json.member("given_up", run.unknown)
        if let failure = run.failure, let position = run.failedPosition {
            json.member("failure", failure)
            json.member("position", position)
            json.member("writes_in_flight", run.writesInFlight)
            json.member("interruption_ns", Int64(run.interruption))
        }
        json.member("duration_ns", Int64(run.duration))
        json.member("digest", run.digest)
        json.endObject()
    }
}
