import Chains
import Consistency
import Foundation

/// What came of one position's kills.
struct FailoverFigures {
    /// From a kill to a client's next completed operation; of each kill and client, nanoseconds.
    private(set) var next: [UInt64] = []
    /// From a kill to the end of the longest pause that the client had before the replacement was started: an operation
    /// that was answered before anybody knew of the kill does not count as service.
    private(set) var back: [UInt64] = []
    /// From the start of a replacement until the chain had all its nodes; of each kill.
    private(set) var whole: [UInt64] = []
    /// The longest pause of a client from then on until the next kill.
    private(set) var joinPause: [UInt64] = []
    private(set) var requests = 0
    private(set) var timedOut = 0
    private(set) var unknown = 0
    /// Writes that were acknowledged, and of a version above what their key had at the end.
    private(set) var lost = 0
    let verdict: Verdict

    init(_ run: FailoverRun) {
        for kill in run.kills {
            whole.append(kill.wholeAt - kill.startedAt)
            for operations in run.operations {
                let ends = operations.lazy.map(\.end)
                if let end = ends.first(where: { $0 > kill.killedAt }) { next.append(end - kill.killedAt) }
                back.append(Self.longestPause(ends, from: kill.killedAt, to: kill.startedAt).end - kill.killedAt)
                joinPause.append(Self.longestPause(ends, from: kill.startedAt, to: kill.overAt).length)
            }
        }
        for operations in run.operations {
            requests += operations.count
            timedOut += operations.count { $0.hasTimedOut }
            for operation in operations {
                if case .unknown = operation.outcome { unknown += 1 }
                guard operation.isWrite, case .ok = operation.outcome else { continue }
                let end = run.last.first { $0.key == operation.key }?.version ?? .none
                if operation.version > end { lost += 1 }
            }
        }
        verdict = HistoryCheck(run.history).verdict
    }

    /// The longest time without an end among those between two moments, and when it was over.
    private static func longestPause(
        _ ends: some Sequence<UInt64>, from start: UInt64, to stop: UInt64
    ) -> (length: UInt64, end: UInt64) {
        var longest = (length: UInt64(0), end: start)
        var before = start
        for end in ends where end > start {
            if end - before > longest.length { longest = (end - before, end) }
            before = end
            if end > stop { break }
        }
        return longest
    }

    static let aim: UInt64 = 100_000_000

    /// Whether it is as asked for.
    var isMet: Bool {
        Self.median(back) <= Self.aim && Self.median(next) <= Self.aim && lost == 0 && verdict == .linearizable
    }

    static func median(_ values: [UInt64]) -> UInt64 { values.isEmpty ? 0 : values.sorted()[values.count / 2] }

    private static func text(_ values: [UInt64]) -> String {
        String(format: "%.1f ms (most %.1f)", Double(median(values)) / 1e6, Double(values.max() ?? 0) / 1e6)
    }

    func line(_ name: String, _ position: Position) -> String {
        "\(name), chain of \(FailoverRun.nodes), \(position.rawValue) killed \(whole.count) times, "
            + "\(FailoverRun.clients) clients: next operation after \(Self.text(next)), service back after "
            + "\(Self.text(back)); of \(requests) requests \(timedOut) timed out, \(unknown) without an end; "
            + "\(lost) acknowledged writes lost; history \(verdict); whole \(Self.text(whole)) after a replacement was "
            + "started, longest pause of a client meanwhile \(Self.text(joinPause))"
    }
}
