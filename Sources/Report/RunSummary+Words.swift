import Analysis
import Etcd
import Replay
import Trace

/// Numbers that a run's trace says in words, and that are nowhere else in it.
extension RunSummary {
    /// How a run ended.
    enum End: String {
        case whole
        case interrupted
        /// Its trace does not even hold a verdict.
        case brokenOff = "broken off"
    }

    /// The remark of a run that was interrupted.
    package static let interruption = "interrupted: this is the part until then"

    var end: End {
        if meta[.verdict] == nil { return .brokenOff }
        let remarks = meta[.remarks]?.split(separator: "\n") ?? []
        return remarks.contains { $0 == Self.interruption } ? .interrupted : .whole
    }

    /// The score, from 0 to 1, of `0.99990 = outcomes 1.00000 x ...`.
    package var fidelity: Double? {
        meta[.fidelity]?.split(separator: " ").first.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
    }

    /// The numbers behind its words; nil of a run that did not come to its end.
    var counts: RunCounts? { meta[.counts].map { RunCounts(text: $0) } }

    /// Kinds of calls that the recording has, or that were answered, with what came of the first loop; nil where it is
    /// not known how many were recorded.
    var mix: [PartOfMix]? {
        counts.map { counts in
            OperationKind.allCases.compactMap { kind in
                let part = PartOfMix(
                    kind: kind, recorded: Int(counts.recorded(kind)), outcomes: outcomes[Int(kind.rawValue)])
                return part.recorded == 0 && part.outcomes.answered == 0 ? nil : part
            }
        }
    }

    /// Calls and messages of a kind: of the recording, and of the first loop of its replay.
    struct PartOfMix {
        var kind: OperationKind
        var recorded: Int
        var outcomes: KindOutcomes
    }

    /// Events of watches that the recording has; 0 where that is not known.
    var recordedEvents: Int { Int(counts?[.recordedEvents] ?? 0) }

    /// The engine's share of its processor, in per cent, and what else is said of it: `3.1 % busy, real-time priority`.
    var engine: (busy: Double, note: String)? {
        guard let words = meta[.engine], let end = words.firstRange(of: " % busy"),
            let busy = Double(words[..<end.lowerBound]), busy.isFinite
        else { return nil }
        return (busy, String(words[end.upperBound...]))
    }

    /// Of a run in several, `4`, or `1, 3 of 4: a part of the run`; nil of a run in one.
    var shards: String? {
        meta.shards.map { shards in
            if shards.isWhole { return "\(shards.count)" }
            return shards.numbers.map { "\($0)" }.joined(separator: ", ") + " of \(shards.count): a part of the run"
        }
    }

    /// `3.1 % busy`.
    package static func engineWords(_ percent: Double) -> String { "\(Figures.decimal(percent, places: 1)) % busy" }

    /// Without how much was checked, which differs from run to run: `linearizable`, and what is held against it.
    var consistency: String? {
        guard let words = meta[.consistency] else { return nil }
        let verdict = words.split(separator: ":").first ?? ""
        return String(verdict) + (words.firstRange(of: "; ").map { words[$0.lowerBound...] } ?? "")
    }

    /// Nanoseconds of `p50 1.20 ms, p99 3.40 ms`, by label.
    package func delivery(_ label: String) -> Double? {
        let parts = meta[.delivery]?.split(separator: ",").map { $0.split(separator: " ") } ?? []
        guard let part = parts.first(where: { $0.first == label[...] }), part.count > 2,
            let unit = Self.units.first(where: { $0.name == part[part.count - 1] }),
            let number = Double(part[1..<(part.count - 1)].joined()), number.isFinite
        else { return nil }
        return (number * unit.nanoseconds).rounded()
    }

    private static let units: [(name: Substring, nanoseconds: Double)] = [
        ("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9),
    ]

    /// What a chain did of the trace's calls; nil of other stores.
    var expression: ExpressionTable? { meta[.expression].map { ExpressionTable(text: $0) } }

    /// Calls that were not replayed.
    package struct NotReplayed: Equatable, Sendable {
        package var reason: String
        package var kind: String
        package var count: Int
    }

    /// Of lines as `no answer seen: 1 204 put, 3 range`; nil where one is otherwise.
    package var notReplayed: [NotReplayed]? {
        var all: [NotReplayed] = []
        for line in meta[.excluded]?.split(separator: "\n") ?? [] {
            guard let colon = line.ranges(of: ": ").last else { return nil }
            for part in line[colon.upperBound...].split(separator: ", ") {
                let words = part.split(separator: " ")
                guard let kind = words.last, let count = Int(words.dropLast().joined()), count >= 0, count < 1 << 48
                else { return nil }
                all.append(
                    NotReplayed(reason: String(line[..<colon.lowerBound]), kind: String(kind), count: count))
            }
        }
        return all
    }
}
