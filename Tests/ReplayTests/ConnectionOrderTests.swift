import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Order of connections")
struct ConnectionOrderTests {
    /// Adds a read of a key that nobody writes, under way in these nanoseconds.
    private static func add(_ time: Range<Int64>, on connection: UInt32, to trace: inout HandmadeTrace) {
        let number = trace.batch.operations.count
        trace.range("key-\(number)")
        trace.batch.operations[number].time = CaptureTime(nanoseconds: time.lowerBound)
        trace.batch.operations[number].responseEnd = Int64(time.count)
        trace.batch.operations[number].connection = connection
    }

    @Test("a call waits for what had been answered on its connection before it began, not for what is under way")
    func overlap() throws {
        var trace = HandmadeTrace()
        Self.add(0..<100, on: 1, to: &trace)  // 0
        Self.add(10..<30, on: 1, to: &trace)  // 1
        Self.add(20..<25, on: 2, to: &trace)  // 2
        Self.add(31..<50, on: 1, to: &trace)  // 3: 1 is answered, 0 is not
        Self.add(50..<60, on: 1, to: &trace)  // 4: the answer to 3 ends just then
        Self.add(55..<300, on: 2, to: &trace)  // 5: all of the other connection are nothing to it
        Self.add(101..<120, on: 1, to: &trace)  // 6
        Self.add(110..<130, on: 3, to: &trace)  // 7: a connection's first
        Self.add(200..<210, on: 2, to: &trace)  // 8: 5 is not answered
        #expect(
            try trace.plan(.connection).waits == [[], [], [], [1], [1], [2], [0, 1, 3, 4], [], [2]])
    }

    @Test("keys, revisions and unanswered calls do not matter")
    func others() throws {
        var trace = HandmadeTrace()
        trace.put("a", revision: 2)  // 0
        trace.put("a", revision: 3)  // 1: of another connection
        trace.batch.operations[1].connection = 2
        trace.range("a") { $0.revision = 2 }  // 2
        trace.range("a")  // 3
        // Never answered, and its outcome is known all the same: nobody knows when.
        trace.batch.operations[2].responseEnd = Operation.absent
        let plan = try trace.plan(.connection)
        #expect(plan.calls.count == 4)
        #expect(plan.waits == [[], [], [0], [0]])
    }

    @Test("the same of any calls", arguments: seeds())
    func any(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<20 {
            var trace = HandmadeTrace()
            var clock: Int64 = 0
            for _ in 0..<80 {
                clock += Int64(1 + random.below(20))
                Self.add(clock..<clock + Int64(1 + random.below(100)), on: UInt32(random.below(4)), to: &trace)
            }
            let calls = trace.batch.operations
            let expected = calls.map { call in
                Set(
                    calls.indices.filter {
                        calls[$0].connection == call.connection
                            && calls[$0].time.nanoseconds + calls[$0].responseEnd < call.time.nanoseconds
                    })
            }
            #expect(try trace.plan(.connection).waits == expected)
        }
    }
}
