// bench-lag [SECONDS [ROUNDS]]: how late calls are sent at 20,000 a second, from when they are due to behind their
// write to a pipe: by the engine against `null`, its trace written to /dev/null, and by a bare loop of sleep and write.
// Both take turns; prints the percentiles of each round, and as one line of JSON the medians of them.
import Backends
import CTicks
import Etcd
import Replay
import ReplayLoad

/// Writes a byte for each call that is sent, as the bare loop does, before `null` reads the clock.
final class PipeDriver: StoreDriver {
    private let driver: EngineDriver

    init(_ driver: EngineDriver) { self.driver = driver }

    func turn(at now: Int64) { driver.turn(at: now) }
    func next(into request: inout StoreRequest) -> Bool {
        if !driver.next(into: &request) { return false }
        ticks_write()
        return true
    }
    func receive(_ answer: borrowing StoreAnswer) { driver.receive(answer) }
    var nextDue: Int64 { driver.nextDue }
    var isDone: Bool { driver.isDone }
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let seconds = max(1, arguments.first ?? 10)
let rounds = max(1, arguments.dropFirst().first ?? 3)
let rate = 20_000
let connections = 10

func engineLag(_ plan: ReplayPlan) throws -> (p50: UInt64, p99: UInt64) {
    let names = (0..<connections).map { ConnectionNames(client: "127.0.0.1:\(40_000 + $0)", server: "null") }
    let schedule = Schedule(.constant(rate: Schedule.Ratio(UInt64(rate))))
    let writer = BatchWriter()
    let driver = EngineDriver(ReplayEngine(plan, schedule: schedule, connections: names), writer)
    try NullBackend().run(PipeDriver(driver))
    let result = driver.finish()
    _ = writer.finish()
    return (result.sendLag.percentile(50), result.sendLag.percentile(99))
}

func median(_ values: [UInt64]) -> UInt64 { values.sorted()[values.count / 2] }

if ticks_open() == 0 {
    let plan = try Workload(calls: seconds * rate, keys: 200_000, connections: connections).plan()
    var bare: [UInt64] = []
    var engine: [UInt64] = []
    for _ in 0..<rounds {
        let ticks = ticks_run(UInt32(seconds * rate), UInt64(1_000_000_000 / rate))
        let lag = try engineLag(plan)
        bare.append(ticks.p99)
        engine.append(lag.p99)
        print(
            "\(rate) a second, microseconds late (p50, p99): bare \(ticks.p50 / 1000), \(ticks.p99 / 1000);",
            "engine \(lag.p50 / 1000), \(lag.p99 / 1000)")
    }
    print("{\"bare_p99_ns\":\(median(bare)),\"engine_p99_ns\":\(median(engine))}")
} else {
    print("bench-lag: there is no pipe to be had")
}
