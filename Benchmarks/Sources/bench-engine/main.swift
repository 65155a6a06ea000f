// bench-engine [CALLS [KEYS [ROUNDS]]]: a replay on `null` with --max --order causal, its trace written to /dev/null.
// Prints processor time of the engine's thread (which is the store's too) and of the writer's; at the end, as one
// line of JSON, the median of the engine's calls a second.
import Backends
import Etcd
import Replay
import ReplayLoad

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let calls = arguments.first ?? 10_000_000
let keys = arguments.dropFirst().first ?? 200_000
let rounds = max(1, arguments.dropFirst(2).first ?? 3)
let connections = 10

let plan = try Workload(calls: calls, keys: keys, connections: connections).plan()
print(
    "\(plan.calls.count) calls, 60 % ranges of one key, 40 % transactions (mod_revision = | put | range);",
    "\(keys) keys, Zipf 1; \(plan.order.successors.count) edges, \(plan.patches.count) revisions to learn")
var speeds: [Int] = []
for _ in 0..<rounds {
    let names = (0..<connections).map { ConnectionNames(client: "127.0.0.1:\(40_000 + $0)", server: "null") }
    let writer = BatchWriter()
    let driver = EngineDriver(ReplayEngine(plan, schedule: Schedule(.max), connections: names), writer)
    LargePages.collapse()
    try NullBackend().run(driver)
    let engine = Double(driver.processorTime)
    let result = driver.finish()
    let written = writer.finish()
    let count = Double(plan.calls.count)
    speeds.append(Int(count / engine * 1e9))
    print(
        "engine \(Int(engine / count)) ns a call, \(speeds[speeds.count - 1]) calls/s of its thread;",
        "writer \(Int(Double(written.processorTime) / count)) ns a call, \(written.bytes / (1 << 20)) MiB;",
        "\(written.operations) written, \(result.compared) compared, \(result.same) as recorded")
}
print("{\"calls\":\(plan.calls.count),\"engine_calls_per_second\":\(speeds.sorted()[speeds.count / 2])}")
