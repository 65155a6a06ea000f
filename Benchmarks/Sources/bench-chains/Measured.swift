import CEcho
import ChainRuntime
import Chains

/// What a thread that answers requests took for them.
struct Measured {
    var replies: Int
    var processorTime: UInt64
    var wallTime: UInt64
    var batches: Int

    var processorNanoseconds: Double { Double(processorTime) / Double(replies) }
    var perProcessorSecond: Double { 1e9 / processorNanoseconds }
    var perSecond: Double { Double(replies) / Double(wallTime) * 1e9 }
    var perBatch: Double { Double(replies) / Double(batches) }
}

struct BenchFailure: Error, CustomStringConvertible {
    var description: String
}

/// A bare echo, with replies of `replyBytes`.
func measureEcho(_ requests: (Endpoint) -> [Outbox], count: Int, replyBytes: Int) throws -> Measured {
    var port: UInt16 = 0
    let address: UInt32 = 0x7f00_0001
    let socket = unsafe echo_open(address, Int32(DatagramSocket.receiveBytes), &port)
    guard socket >= 0 else { throw BenchFailure(description: "the echo has no socket: error \(-socket)") }
    let echo = Endpoint(address: address, port: port)
    let answer = Answer<echo_result>()
    let batch = UInt32(NodeSettings(nodes: []).batch)
    let thread = RunningThread("echo") { answer.give(echo_run(socket, batch, UInt32(replyBytes))) }
    let load = try Load()
    let start = SystemClock.monotonic
    try load.run(count, requests(echo)) { $0.count == replyBytes }
    let wallTime = SystemClock.monotonic - start
    load.end(echo)
    thread.join()
    guard let result = answer.wait(), result.error == 0, load.wrong == 0 else {
        throw BenchFailure(description: "the echo failed")
    }
    if load.lost > 0 { print("  echo: \(load.lost) of \(count) lost") }
    return Measured(
        replies: load.replies, processorTime: result.processor_time, wallTime: wallTime, batches: Int(result.batches))
}

/// A node, by the difference of its statistics.
func measureNode(
    _ statistics: () -> NodeStatistics, _ requests: [Outbox], count: Int, _ isRight: (Span<UInt8>) -> Bool
) throws -> Measured {
    let load = try Load()
    let before = statistics()
    let start = SystemClock.monotonic
    try load.run(count, requests, isRight)
    let wallTime = SystemClock.monotonic - start
    let after = statistics()
    guard load.wrong == 0 else { throw BenchFailure(description: "\(load.wrong) replies are wrong") }
    let reads = after.machine.readsClean - before.machine.readsClean
    guard reads >= load.replies else { throw BenchFailure(description: "\(reads) clean reads, not \(load.replies)") }
    if load.lost > 0 { print("  node: \(load.lost) of \(count) lost") }
    return Measured(
        replies: load.replies, processorTime: after.processorTime - before.processorTime, wallTime: wallTime,
        batches: after.batches - before.batches)
}
