import Replay
import Wire

/// The gate of a shard as a backend drives it: with the wall clock, and what interrupts it.
final class GateDriver: StoreDriver {
    private let gate: ShardGate
    private let interruption: Interruption
    private var time: Int64 = 0
    /// How often interruption is looked at, and the wall clock, which may be set; nanoseconds.
    private static let interval: Int64 = 100_000_000

    init(_ gate: ShardGate, _ interruption: Interruption) {
        self.gate = gate
        self.interruption = interruption
    }

    func turn(at now: Int64) {
        time = now
        if interruption.isRequested { gate.stop() }
        gate.advance(to: now, wall: SystemCalls.realTime(minus: 0).nanoseconds)
    }

    func next(into request: inout StoreRequest) -> Bool { gate.next(into: &request) }
    func receive(_ answer: borrowing StoreAnswer) { gate.receive(answer) }
    var nextDue: Int64 { min(gate.nextDue, time + Self.interval) }
    var isDone: Bool { gate.isDone }
}

extension Failure {
    /// Why a shard does not begin; an interruption is none.
    init(_ failure: ShardGateFailure, of part: ReplaySession.Part, at store: String) {
        let prefix = "shard \(part.shard.text): \(store): "
        let patience = Terminal.seconds(part.patience)
        func seconds(_ nanoseconds: Int64) -> String { Terminal.seconds(abs(nanoseconds)) }
        switch failure {
        case .notEmpty(let keys): self = .notEmpty(store, keys: keys)
        case .preload(let status, let text, let written):
            self = .preload(store, status: status, text: text, written: written)
        case .otherRun:
            self.init(
                .system, prefix + "another shard 1 is here",
                remedy: "One replay at a time: wait for its end, or use another store.")
        case .otherShard:
            self.init(
                .system, prefix + "another process is this shard", remedy: "Each shard of a replay runs once.")
        case .otherIdentity(let difference):
            self.init(
                .system, prefix + "shard 1 replays something else: \(difference)",
                remedy: "Give all shards the same trace and options. What a killed run left is gone after 30 s.")
        case .noFirstShard:
            self.init(
                .system, prefix + "shard 1 did not come within \(patience)",
                remedy: "Start all shards, or wait longer with --shard-wait.")
        case .noPreload:
            self.init(
                .system, prefix + "shard 1 did not end its preload within \(patience)",
                remedy: "Wait longer with --shard-wait.")
        case .firstShardGone:
            self.init(
                .system, prefix + "shard 1 has gone, or did not hear of this one in time",
                remedy: "What shard 1 said tells why. Start all shards again.")
        case .missing(let shards):
            let names = shards.prefix(20).map(String.init).joined(separator: ", ") + (shards.count > 20 ? ", ..." : "")
            self.init(
                .system,
                prefix + "not ready within \(patience): shard" + (shards.count == 1 ? " " : "s ") + names,
                remedy: "Start all shards, or wait longer with --shard-wait.")
        case .noStart:
            self.init(
                .system, prefix + "shard 1 named no start within \(patience)",
                remedy: "Other shards are missing, and shard 1 waits longer than this one.")
        case .late(let nanoseconds):
            self.init(
                .system,
                prefix + "too late: the start "
                    + (nanoseconds > 0 ? "was \(seconds(nanoseconds)) ago" : "is less than a second away"),
                remedy: "Name a later start with --start-at, or none.")
        case .clock(let ahead):
            self.init(
                .system,
                prefix + "this clock is \(seconds(ahead)) or more \(ahead > 0 ? "ahead of" : "behind") that of shard 1",
                remedy: "Shards begin by their own clocks: have them set by NTP.")
        case .strangeKey(let key):
            self.init(
                .system, prefix + "a key that no shard wrote: \(key)",
                remedy: "Nobody else may write below \(ShardGateKeys.prefix).")
        case .leaseLost:
            self.init(
                .system, prefix + "its keys are gone: the store was out of reach for too long, or they were removed",
                remedy: "Start all shards again.")
        case .store(let asked, let status, let text):
            self.init(
                .system,
                prefix + "asked \(asked), it answered gRPC status \(status)" + (text.isEmpty ? "" : ": \(text)"),
                remedy: "The user needs to read and write below \(ShardGateKeys.prefix), too.")
        case .interrupted: self.init(.interrupted, prefix + "interrupted")
        }
    }

    /// A store with keys is somebody's: a replay would write over them, and find what it did not write.
    static func notEmpty(_ store: String, keys: Int64) -> Failure {
        Failure(
            .system, "the store is not empty: \(store): it holds \(Terminal.counted(keys, "key"))",
            remedy: "A replay writes to it. Name another store, or say --allow-writes.")
    }

    static func preload(_ store: String, status: UInt32, text: String, written: Int) -> Failure {
        Failure(
            .system, "cannot preload: \(store): gRPC status \(status)" + (text.isEmpty ? "" : ": \(text)"),
            remedy: "\(Terminal.counted(written, "key")) were written.")
    }
}
