import ArgumentParser
import Foundation
import Replay

/// Which part of a replay this process is, where several make one.
struct ShardOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Replay part i of n, with n processes on one store (etcd://, etcds://) that wait for each other; "
                + "job/n takes i from a Kubernetes indexed Job.", valueName: "i/n"),
        transform: ShardName.init)
    var shard: ShardName?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Begin at that time, RFC 3339 or seconds since 1970; the same in all shards (default: 3 s after the "
                + "last one is ready).", valueName: "time"),
        transform: OptionValue.moment)
    var startAt: Int64?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to wait for the other shards, the preload included (default: 5m).", valueName: "time"),
        transform: OptionValue.duration)
    var shardWait: UInt64?

    func validate() throws {
        if shard != nil { return }
        if startAt != nil { throw ValidationError("--start-at is for --shard") }
        if shardWait != nil { throw ValidationError("--shard-wait is for --shard") }
    }

    /// Nil where the replay has no parts.
    func part() throws -> ReplaySession.Part? {
        guard let shard else { return nil }
        return ReplaySession.Part(
            shard: try shard.shard(), start: startAt,
            patience: Int64(clamping: shardWait ?? Self.patience))
    }

    /// Nanoseconds: a preload of a million keys takes some minutes.
    private static let patience: UInt64 = 300_000_000_000
}

/// A shard as a user names it.
enum ShardName {
    case number(Shard)
    /// One of so many, as the environment says.
    case job(count: Int)

    /// What Kubernetes tells the pods of an indexed Job, from 0
    /// (https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode).
    static let variable = "JOB_COMPLETION_INDEX"

    /// `2/4`, `job/4`.
    init(_ text: String) throws {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        if halves.count == 2, let count = Int(halves[1]), (1...Shard.countLimit).contains(count) {
            if halves[0] == "job" {
                self = .job(count: count)
                return
            }
            if let index = Int(halves[0]), let shard = Shard(index, of: count) {
                self = .number(shard)
                return
            }
        }
        throw ValidationError("a shard is such as 2/4, from 1 to 4, or job/4; there are at most \(Shard.countLimit)")
    }

    func shard() throws -> Shard {
        switch self {
        case .number(let shard): return shard
        case .job(let count):
            let text = SystemCalls.environment(Self.variable)
            if let index = text.flatMap(Int.init), index < Int.max, let shard = Shard(index + 1, of: count) {
                return shard
            }
            throw Failure(
                .usage,
                "--shard job/\(count): \(Self.variable) is "
                    + (text.map { "\($0), not 0 to \(count - 1)" } ?? "not set"),
                remedy:
                    "It is set in the pods of a Kubernetes Job with completionMode: Indexed and \(count) completions. "
                    + "Elsewhere name the shard: --shard 1/\(count).")
        }
    }
}

extension OptionValue {
    /// Nanoseconds since the Unix epoch.
    static func moment(_ text: String) throws -> Int64 {
        let formatter = ISO8601DateFormatter()
        var seconds = Double(text)
        for options in [[.withInternetDateTime], [.withInternetDateTime, .withFractionalSeconds]]
            as [ISO8601DateFormatter.Options] where seconds == nil
        {
            formatter.formatOptions = options
            seconds = formatter.date(from: text)?.timeIntervalSince1970
        }
        // Until 2200.
        guard let seconds, seconds > 0, seconds < 7.3e9 else {
            throw ValidationError("a moment is such as 2030-01-31T12:00:00Z or 1896177600, seconds since 1970")
        }
        return Int64((seconds * 1e9).rounded())
    }
}
