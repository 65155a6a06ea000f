import Etcd
import Replay
import Wire

/// The engines of several shards on one model store, in virtual time.
struct ShardRun {
    /// An engine and its requests on their way.
    private final class Player {
        var engine: ReplayEngine
        /// A request, and when it gets to the store.
        var pending: [(done: Int64, sent: Int64, request: StoreRequest)] = []

        init(_ plan: ReplayPlan, _ schedule: Schedule, _ preload: PreloadOutcome) {
            engine = ReplayEngine(
                plan, schedule: schedule, preload: preload,
                connections: [ConnectionNames(client: "client", server: "model")], batchCapacity: 1 << 20)
        }
    }

    /// What the engines came to, in the order of the shards.
    private(set) var fidelity: [Fidelity] = []
    private(set) var counts: [ReplayCounts] = []
    private(set) var written: [OperationBatch] = []
    /// The requests, in the order in which the store did them.
    private(set) var done: [StoreRequest] = []

    /// - Parameters:
    ///   - latency: nanoseconds that a request of a shard takes at most.
    ///   - lateness: nanoseconds that a shard begins later than the first.
    init(
        _ plans: [ReplayPlan], _ schedule: Schedule, seed: UInt64, latency: Int = 5_000_000, lateness: [Int64] = []
    ) {
        var model = ModelAnswers()
        let preload = model.preload(plans[0])
        var random = SplitMix64(seed: seed)
        let players = plans.map { Player($0, schedule, preload) }
        var request = StoreRequest()
        var time: Int64 = 0
        for (shard, player) in players.enumerated() {
            player.engine.start(at: shard < lateness.count ? lateness[shard] : 0, epoch: 0)
        }
        while true {
            var next = Int64.max
            for player in players {
                player.engine.advance(to: time)
                while player.engine.next(into: &request) {
                    player.pending.append((time + Int64(random.below(latency)), time, request))
                }
                if player.engine.isDone { continue }
                next = min(next, max(time, player.engine.nextDue), player.pending.map(\.done).min() ?? .max)
            }
            if next == .max { break }
            time = next
            for player in players {
                for place in player.pending.indices where player.pending[place].done <= time {
                    let (_, sent, request) = player.pending[place]
                    done.append(request)
                    var answer = StoreAnswer()
                    answer.number = request.number
                    answer.stream = request.stream
                    answer.sent = max(1, sent)
                    answer.firstByte = max(1, time)
                    answer.done = max(1, time)
                    model.execute(request, into: &answer)
                    player.engine.receive(answer)
                }
                player.pending.removeAll { $0.done <= time }
            }
        }
        for player in players {
            player.engine.finish()
            fidelity.append(player.engine.fidelity)
            counts.append(player.engine.counts)
            written.append(player.engine.written())
        }
    }

    /// The sum over the shards.
    func total(_ counts: KeyPath<ReplayCounts, [Int64]>) -> [Int64] {
        self.counts.reduce(Array(repeating: 0, count: OperationKind.allCases.count)) { sums, shard in
            zip(sums, shard[keyPath: counts]).map { $0 + $1 }
        }
    }

    func total(_ number: KeyPath<ReplayCounts, Int64>) -> Int64 { counts.reduce(0) { $0 + $1[keyPath: number] } }
    func total(_ number: KeyPath<Fidelity, Int64>) -> Int64 { fidelity.reduce(0) { $0 + $1[keyPath: number] } }

    /// By loop and number of the call in the whole plan, what was written down of it; streams and events apart.
    var records: [[UInt32]: (record: ReplayRecord, operation: Operation)] {
        var records: [[UInt32]: (record: ReplayRecord, operation: Operation)] = [:]
        for batch in written {
            for (operation, record) in zip(batch.operations, batch.replays)
            where operation.role == .message || operation.kind != .watch && operation.kind != .leaseKeepAlive {
                if operation.role != .event { records[[record.loop, record.call]] = (record, operation) }
            }
        }
        return records
    }
}
