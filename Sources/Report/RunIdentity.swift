import Trace

/// What a run replayed, on what, and how, as its trace says it. Runs that agree in all of it repeat one another.
///
/// What a run measured is not part of it, nor is whether its answers were checked.
struct RunIdentity: Equatable {
    private let parts: [Part]

    private struct Part: Equatable {
        var name: String
        var value: String?
    }

    /// With the words for what differs.
    private static let entries: [(TraceMeta.ReplayEntry, String)] = [
        (.backend, "backend"), (.traces, "trace"), (.coverage, "coverage of the trace"), (.schedule, "schedule"),
        (.order, "order"), (.connections, "connections"), (.preload, "preload"), (.excluded, "calls left out"),
        (.chain, "what the chain does"), (.expression, "calls that the chain did"), (.shard, "shards"),
    ]

    init(_ run: RunSummary) {
        parts =
            [Part(name: "version of kvreel", value: run.meta.tool)]
            + Self.entries.map { Part(name: $1, value: run.meta[$0]) }
            + [
                Part(name: "faults", value: run.meta[.faults].map(Self.planned)),
                Part(name: "end", value: run.end.rawValue),
            ]
    }

    /// What differs, in words; empty between repeats.
    func differences(from other: RunIdentity) -> [String] {
        zip(parts, other.parts).filter { $0 != $1 }.map(\.0.name)
    }

    /// Faults without the member that was met: the leader is another one in each run.
    ///
    /// A line is `10.0 s: kill:member=leader: member 2`.
    private static func planned(_ faults: String) -> String {
        faults.split(separator: "\n").map { line in
            guard let end = line.ranges(of: ": member ").last else { return String(line) }
            return String(line[..<end.lowerBound])
        }.joined(separator: "\n")
    }
}
