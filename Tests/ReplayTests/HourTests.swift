import Etcd
import Replay
import TestSupport
import Testing
import Wire

/// The engine over a trace of an hour: each call is due at the nanosecond at which the trace has it, whatever came
/// before it.
@Suite("An hour's timetable has no drift")
struct HourTests {
    private static let hour: Int64 = 3_600_000_000_000
    private static let callCount = 36_000
    private static let epoch: Int64 = 1_700_000_000_123_456_789

    /// Times at irregular gaps, the first one 0 and the last an hour behind it, to the nanosecond.
    private static func times(_ random: inout SplitMix64) -> [Int64] {
        var times = (0..<callCount - 2).map { _ in Int64(random.next() % UInt64(hour)) }
        times += [0, hour]
        return times.sorted()
    }

    /// Reads at those times. Every tenth waits for another of the hundred before it.
    private static func plan(_ times: [Int64], _ random: inout SplitMix64) -> (made: HandmadePlan, waits: [Int: Int]) {
        var made = HandmadePlan()
        var waits: [Int: Int] = [:]
        for (call, time) in times.enumerated() {
            made.range("key-\(call % 100)", at: time)
            guard call % 10 == 9 else { continue }
            let before = call - 1 - random.below(min(call, 100))
            made.edges.append((UInt32(before), UInt32(call)))
            waits[call] = before
        }
        return (made, waits)
    }

    /// Answers mostly in a millisecond, one in a hundred times not for up to ten seconds.
    private static func latencies(_ random: inout SplitMix64) -> [Int64] {
        (0..<callCount).map { _ in Int64(1 + random.below(random.oneIn(100) ? 10_000_000_000 : 1_000_000)) }
    }

    /// A pace, and when a call is due by it, in whole nanoseconds: the largest number not above the exact time.
    struct Pace: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var pace: Schedule.Pace
        var due: @Sendable (_ call: Int64, _ recorded: Int64) -> Int64
        /// When the last one is due.
        var last: Int64
    }

    static let paces = [
        Pace(testDescription: "as recorded", pace: .recorded(speed: .init(1)), due: { $1 }, last: hour),
        Pace(
            testDescription: "twice as fast", pace: .recorded(speed: .init(2)), due: { $1 / 2 },
            last: 1_800_000_000_000),
        Pace(
            testDescription: "half as fast", pace: .recorded(speed: .init(5, 10)), due: { $1 * 2 },
            last: 7_200_000_000_000),
        Pace(
            testDescription: "three times as fast", pace: .recorded(speed: .init(3)), due: { $1 / 3 },
            last: 1_200_000_000_000),
        Pace(
            testDescription: "10 a second", pace: .constant(rate: .init(10)), due: { call, _ in call * 100_000_000 },
            last: 3_599_900_000_000),
        Pace(
            testDescription: "29 in 3 seconds", pace: .constant(rate: .init(29, 3)),
            due: { call, _ in call * 3_000_000_000 / 29 }, last: 3_724_034_482_758),
    ]

    /// What was written down of each call, by its number: when it was due, and when it was sent, after the start.
    private static func moments(_ batch: OperationBatch) -> (due: [Int64], sent: [Int64]) {
        var due = Array(repeating: Int64.min, count: callCount)
        var sent = due
        for (operation, record) in zip(batch.operations, batch.replays) {
            sent[Int(record.call)] = operation.time.nanoseconds - epoch
            due[Int(record.call)] = operation.time.nanoseconds - record.intended - epoch
        }
        return (due, sent)
    }

    @Test(
        "every call is due when it is, and sent then or when what it waits for is answered", arguments: paces,
        seeds(1, 2))
    func due(_ pace: Pace, _ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let times = Self.times(&random)
        let (made, waits) = Self.plan(times, &random)
        let latencies = Self.latencies(&random)
        var engine = made.engine(Schedule(pace.pace))
        var store = ScriptedStore()
        store.latency = { latencies[$0.call] }
        store.run(&engine, epoch: Self.epoch)

        let due = times.enumerated().map { pace.due(Int64($0.offset), $0.element) }
        var sent = due
        for (call, before) in waits.sorted(by: { $0.key < $1.key }) {
            sent[call] = max(due[call], sent[before] + latencies[before])
        }
        let batch = engine.written()
        let found = Self.moments(batch)
        #expect(batch.operations.count == Self.callCount)
        #expect(found.due == due && found.due.last == pace.last)
        #expect(found.sent == sent)
        #expect(zip(due, sent).contains { $0 < $1 }, "some have to wait for an answer")
        // The replayer itself delays nothing, also where answers come late.
        #expect(batch.replays.allSatisfy { $0.released == 0 })
        #expect(engine.sendLag.count == UInt64(Self.callCount) && engine.sendLag.max == 0)
    }

    @Test(
        "an engine that is always woken up to a millisecond late is so at the end too, and no later",
        arguments: seeds(1, 2))
    func lateWaking(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let times = Self.times(&random)
        let (made, waits) = Self.plan(times, &random)
        let latencies = Self.latencies(&random)
        var engine = made.engine()
        var store = ScriptedStore()
        store.latency = { latencies[$0.call] }
        store.oversleep = { Int64(1 + random.below(1_000_000)) }
        store.run(&engine, epoch: Self.epoch)

        let batch = engine.written()
        let found = Self.moments(batch)
        #expect(found.due == times)
        #expect(zip(found.sent, found.due).dropFirst().allSatisfy { $0 > $1 })
        let free = times.indices.filter { waits[$0] == nil }
        #expect(free.allSatisfy { found.sent[$0] - found.due[$0] <= 1_000_000 })
        #expect(batch.replays.allSatisfy { 0...1_000_000 ~= $0.released })
        // As late in the last minute as in the first.
        let (first, last) = (free.prefix(600), free.suffix(600))
        let lag = { (calls: ArraySlice<Int>) in calls.reduce(0) { $0 + found.sent[$1] - found.due[$1] } / 600 }
        #expect(abs(lag(first) - lag(last)) < 100_000)
    }
}
