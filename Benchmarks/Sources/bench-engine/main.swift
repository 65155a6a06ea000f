// bench-engine [CALLS] [KEYS]: the engine of a replay on a store that answers at once, with --max, in causal order,
// measurements recorded. Prints processor time a call; a checksum of the work stands behind it.
import Glibc
import Replay

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let calls = arguments.first ?? 2_000_000
let keys = arguments.dropFirst().first ?? 10_000

let plan = SingleKeyPlan.make(calls: calls, keys: keys, connections: 10)
for _ in 0..<3 {
    let names = (0..<10).map { ConnectionNames(client: "127.0.0.1:\(40_000 + $0)", server: "null") }
    let driver = EngineDriver(ReplayEngine(plan, schedule: Schedule(.max), connections: names))
    let store = NullStore()
    let start = clock()
    store.run(driver)
    let seconds = Double(clock() - start) / 1e6
    let result = driver.finish()
    print(
        "\(calls) calls, \(keys) keys: \(Int(seconds * 1e9 / Double(calls))) ns a call,",
        "\(Int(Double(calls) / seconds)) calls/s of one thread;",
        "\(store.answered) answered, \(driver.operations) recorded, \(result.same) as recorded,",
        "\(result.violations) out of order, service p50 \(result.service) ns")
}
