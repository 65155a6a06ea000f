import Etcd
import Replay
import TestSupport
import Testing
import Wire

@Suite("Replay engine")
struct EngineTests {
    private static let millisecond: Int64 = 1_000_000

    @Test("a store that stalls is seen by all calls that were due meanwhile")
    func stall() {
        var engine = HandmadePlan.ranges(40, apart: Self.millisecond).engine()
        var store = ScriptedStore()
        store.latency = { _ in Self.millisecond }
        store.stall = 10_500_000..<20_500_000
        store.run(&engine)
        let batch = engine.written()
        #expect(batch.operations.count == 40)
        for (operation, replay) in zip(batch.operations, batch.replays) {
            let call = Int64(replay.call)
            let response = operation.responseEnd + replay.intended
            // Calls 10 to 19 were to be answered from 11 to 20 ms, and were at 20.5 ms.
            #expect(response == (10...19 ~= call ? 20_500_000 - call * Self.millisecond : Self.millisecond))
        }
        // No call could have been sent later than it was: nothing of it is the replayer's.
        #expect(engine.sendLag.max == 0)
    }

    @Test("where the calls have to queue, response times count from when they were due, service times do not")
    func stallWithQueue() {
        var limits = EngineLimits()
        limits.outstanding = 1
        var engine = HandmadePlan.ranges(40, apart: Self.millisecond).engine(limits: limits)
        var store = ScriptedStore()
        store.latency = { _ in Self.millisecond / 2 }
        store.stall = 10_250_000..<20_500_000
        store.run(&engine)
        let batch = engine.written()
        for (operation, replay) in zip(batch.operations, batch.replays) {
            let call = Int64(replay.call)
            let response = operation.responseEnd + replay.intended
            // Call 10 is answered at 20.5 ms. From there on one call ends every half millisecond and one is due every
            // millisecond: call 10 + k ends at 20.5 + k / 2, until the queue is empty at call 30.
            let queued = 10_500_000 - (call - 10) * Self.millisecond / 2
            #expect(response == (10...30 ~= call ? queued : Self.millisecond / 2))
            #expect(operation.responseEnd == (call == 10 ? 10_500_000 : Self.millisecond / 2))
        }
        // That it was the replayer that had to wait shows as send lag.
        #expect(engine.sendLag.percentile(99) > 9_000_000)
        #expect(engine.counts.heldBack > 0)
        let verdict = engine.verdict(busy: 0)
        #expect(verdict.kind == .invalid)
    }

    /// The engine looks ahead at keys, of which such a plan has none.
    @Test("calls that name no key are played as others are", arguments: [0, 1])
    func keyless(keys: Int) {
        var made = HandmadePlan()
        if keys > 0 { made.range("key", at: 0, count: 0) }
        for call in keys..<100 { made.add(.status, "/etcdserverpb.Maintenance/Status", at: Int64(call)) }
        var engine = made.engine(Schedule(.max))
        var store = ScriptedStore()
        store.run(&engine)
        #expect(engine.written().operations.count == 100)
        #expect(engine.fidelity.same == 100)
    }

    /// A plan with random edges forward and joints, and the model of it: what each call waits for, through joints.
    private func randomPlan(_ numbers: inout SplitMix64) -> (made: HandmadePlan, waits: [[Int]]) {
        let count = 40 + numbers.below(60)
        var made = HandmadePlan()
        var time: Int64 = 0
        for call in 0..<count {
            made.range("key-\(call)", at: time)
            time += Int64(numbers.below(3000))
        }
        var waits: [[Int]] = Array(repeating: [], count: count)
        for call in 1..<count {
            for _ in 0..<numbers.below(4) {
                let before = numbers.below(call)
                made.edges.append((UInt32(before), UInt32(call)))
                waits[call].append(before)
            }
        }
        // Chains of joints: all of a group, then all behind it, some of it through a second joint.
        for _ in 0..<numbers.below(5) {
            let split = 1 + numbers.below(count - 1)
            let before = (0..<split).filter { _ in numbers.chance(0.3) }
            let after = (split..<count).filter { _ in numbers.chance(0.3) }
            let joint = UInt32(count + made.joints)
            made.joints += 2
            for call in before { made.edges.append((UInt32(call), joint)) }
            made.edges.append((joint, joint + 1))
            for call in after {
                made.edges.append((numbers.chance(0.5) ? joint : joint + 1, UInt32(call)))
                waits[call] += before
            }
        }
        return (made, waits)
    }

    @Test(
        "each call is sent when it is due and the last it waits for is answered, not before and not later",
        arguments: seeds(1, 2, 3, 4, 5, 6, 7, 8))
    func order(_ seed: UInt64) {
        var numbers = SplitMix64(seed: seed)
        for _ in 0..<20 {
            let (made, waits) = randomPlan(&numbers)
            let loops = UInt32(1 + numbers.below(3))
            var schedule = Schedule(.recorded(speed: .init(1)))
            schedule.loops = loops
            var engine = made.engine(schedule)
            var store = ScriptedStore()
            let latencies = (0..<made.plan.calls.count * Int(loops)).map { _ in Int64(1 + numbers.below(20_000)) }
            store.latency = { latencies[$0.call] }
            store.run(&engine)
            check(store, made, waits, loops)
            #expect(engine.counts.unsent == 0)
            #expect(engine.counts.loops == loops)
        }
    }

    private func check(_ store: ScriptedStore, _ made: HandmadePlan, _ waits: [[Int]], _ loops: UInt32) {
        let count = made.plan.calls.count
        #expect(store.sent.map(\.call).sorted() == Array(0..<count * Int(loops)))
        var done = [Int: Int64](uniqueKeysWithValues: store.sent.map { ($0.call, $0.done) })
        let span = made.plan.calls[count - 1].time
        let period = span + max(1, span / Int64(count - 1))
        for entry in store.sent {
            let loop = entry.call / count
            var moment = made.plan.calls[entry.call % count].time + Int64(loop) * period
            for before in waits[entry.call % count] { moment = max(moment, done[loop * count + before] ?? .max) }
            if loop > 0 { for before in 0..<count { moment = max(moment, done[(loop - 1) * count + before] ?? .max) } }
            #expect(entry.time == moment, "call \(entry.call)")
        }
        // Those that are sent at the same moment go in the order of the plan.
        for (one, other) in zip(store.sent, store.sent.dropFirst()) where one.time == other.time {
            #expect(one.call < other.call)
        }
        done.removeAll()
    }

    @Test("the times that are written down are those at which calls were due, and might go")
    func moments() {
        var made = HandmadePlan.ranges(3, apart: 100)
        made.edges = [(0, 1), (0, 2)]
        var engine = made.engine()
        var store = ScriptedStore()
        store.latency = { _ in 150 }
        store.run(&engine, epoch: 1_700_000_000_000_000_000)
        let batch = engine.written()
        // Call 0 is sent at 0 and answered at 150; call 1 was due at 100, call 2 is at 200.
        #expect(batch.operations.map(\.time.nanoseconds) == [0, 150, 200].map { 1_700_000_000_000_000_000 + $0 })
        #expect(batch.replays.map(\.intended) == [0, 50, 0])
        #expect(batch.replays.map(\.released) == [0, 0, 0])
        #expect(batch.operations.map(\.responseEnd) == [150, 150, 150])
    }

    @Test("a call may go from the answer on that it waited for, also where the engine was not asked in between")
    func lateTurn() {
        var made = HandmadePlan.ranges(2, apart: 100)
        made.edges = [(0, 1)]
        var engine = made.engine()
        var request = StoreRequest()
        var answer = StoreAnswer()
        engine.start(at: 1, epoch: 0)
        for (time, done) in [(1, 601), (1_001, 1_101)] as [(Int64, Int64)] {
            engine.advance(to: time)
            let hasRequest = engine.next(into: &request)
            #expect(hasRequest)
            answer.number = request.number
            answer.sent = time
            answer.done = done
            engine.receive(answer)
        }
        // Call 1 was due at 101, free at 601 and sent at 1001.
        let batch = engine.written()
        #expect(batch.replays.map(\.intended) == [0, 900])
        #expect(batch.replays.map(\.released) == [0, 400])
    }

    @Test("a chain of joints of any length is gone through")
    func longChain() {
        var made = HandmadePlan.ranges(2, apart: 10)
        made.joints = 300_000
        made.edges = [(0, 2)] + (0..<UInt32(299_999)).map { (2 + $0, 3 + $0) } + [(300_001, 1)]
        var engine = made.engine()
        var store = ScriptedStore()
        store.run(&engine)
        #expect(store.sent.map(\.time) == [0, 1000])
    }

    @Test("a joint that waits for nothing holds nothing up, nor does a call before the offset")
    func emptyJoints() {
        var made = HandmadePlan.ranges(4, apart: 100)
        made.joints = 2
        made.edges = [(4, 5), (5, 2), (0, 3)]
        var schedule = Schedule(.recorded(speed: .init(1)))
        schedule.offset = 50
        schedule.loops = 2
        var engine = made.engine(schedule)
        var store = ScriptedStore()
        store.latency = { _ in 10 }
        store.run(&engine)
        #expect(store.sent.map(\.call) == [1, 2, 3, 5, 6, 7])
        #expect(store.sent.map(\.time) == [50, 150, 250, 350, 450, 550])
        #expect(engine.counts.unsent == 0)
    }

    @Test(
        "a closed loop has so many calls outstanding, never more, and fewer only where calls wait",
        arguments: [1, 3, 16])
    func closed(_ outstanding: Int) {
        var numbers = SplitMix64(seed: 5)
        let latencies = (0..<200).map { _ in Int64(1 + numbers.below(1000)) }
        var engine = HandmadePlan.ranges(200, apart: 1_000_000).engine(Schedule(.closed(outstanding: outstanding)))
        var store = ScriptedStore()
        store.latency = { latencies[$0.call] }
        store.run(&engine)
        #expect(store.outstandingMax == outstanding)
        #expect(store.sent.map(\.call) == Array(0..<200))
        // Each is sent when one has ended: the k-th at the time of the k-th end.
        let ends = store.answered.map { store.sent[$0].done }
        for (place, entry) in store.sent.enumerated().dropFirst(outstanding) {
            #expect(entry.time == ends[place - outstanding])
        }
        // The engine is not late: it is the store that decides.
        #expect(engine.sendLag.max == 0)
        let verdict = engine.verdict(busy: 0.5)
        #expect(verdict.kind == .capacity && verdict.reasons.isEmpty)
    }

    @Test(
        "closed loops and `max` keep to the order too", arguments: [Schedule.Pace.closed(outstanding: 7), .max],
        seeds(3, 4))
    func capacityOrder(_ pace: Schedule.Pace, _ seed: UInt64) {
        var numbers = SplitMix64(seed: seed)
        let (made, waits) = randomPlan(&numbers)
        var schedule = Schedule(pace)
        schedule.loops = 2
        var limits = EngineLimits()
        limits.outstandingPerConnection = 4
        var engine = made.engine(schedule, connections: 2, limits: limits)
        var store = ScriptedStore()
        store.latency = { Int64(1 + $0.call * 7919 % 500) }
        store.run(&engine)
        let count = made.plan.calls.count
        #expect(store.outstandingMax <= (pace == .max ? 8 : 7))
        #expect(store.sent.map(\.call).sorted() == Array(0..<2 * count))
        let done = [Int: Int64](uniqueKeysWithValues: store.sent.map { ($0.call, $0.done) })
        for entry in store.sent {
            for before in waits[entry.call % count] {
                #expect(entry.time >= done[entry.call / count * count + before] ?? .max)
            }
        }
    }

    @Test(
        "the warm-up is sent and written down, and is in no time",
        arguments: [Schedule.Pace.closed(outstanding: 1), .recorded(speed: .init(1))], [0, 3])
    func warmUp(_ pace: Schedule.Pace, skipped: Int) {
        // Calls take 9 ms up to call 11, then 1 ms; in the open loop they are due every 10 ms.
        for warmUp in [Schedule.WarmUp.calls(12 - skipped), .nanoseconds(Int64(12 - skipped) * 9_500_000)] {
            var schedule = Schedule(pace)
            schedule.offset = Int64(skipped) * 10 * Self.millisecond
            schedule.warmUp = warmUp
            schedule.loops = 2
            var engine = HandmadePlan.ranges(30, apart: 10 * Self.millisecond).engine(schedule)
            var store = ScriptedStore()
            store.latency = { $0.call < 12 || $0.call % 30 < 12 ? 9 * Self.millisecond : Self.millisecond }
            store.run(&engine)
            let batch = engine.written()
            #expect(batch.operations.count == 2 * (30 - skipped))
            // By its time the warm-up of a closed loop ends later: calls 12 to 17 begin before 12 times 9.5 ms.
            let isTimed = if case .nanoseconds = warmUp, !schedule.isOpen { true } else { false }
            let measured = batch.replays.filter { !$0.isWarmUp }
            let first = isTimed ? 12 + (13 - skipped) / 2 : 12
            #expect(measured.filter { $0.loop == 0 }.map(\.call) == Array(UInt32(first)..<30))
            // Only the first loop has one.
            #expect(measured.count { $0.loop == 1 } == 30 - skipped)
            #expect(engine.sendLag.count == UInt64(measured.count))
            #expect(engine.fidelity.compared == 30 - skipped)
        }
    }

    @Test("a duration ends the run: what is due before it is sent and waited for")
    func duration() {
        var schedule = Schedule(.constant(rate: .init(1_000_000)))
        schedule.duration = 10_000
        schedule.loops = .max
        var engine = HandmadePlan.ranges(4, apart: 1).engine(schedule)
        var store = ScriptedStore()
        store.latency = { _ in 100 }
        store.run(&engine)
        #expect(store.sent.map(\.time) == (0..<10).map { $0 * 1000 })
        #expect(engine.counts.outstanding == 0)
        #expect(engine.counts.unsent == 2)
        #expect(engine.counts.loops == 3)

        var closed = Schedule(.closed(outstanding: 2))
        closed.duration = 1_000
        var other = HandmadePlan.ranges(100, apart: 1).engine(closed)
        var second = ScriptedStore()
        second.latency = { _ in 300 }
        second.run(&other)
        #expect(second.sent.map(\.time) == [0, 0, 300, 300, 600, 600, 900, 900])
    }

    @Test("after an interrupt nothing is sent, and what is outstanding is waited for, but not for ever")
    func interrupt() {
        var limits = EngineLimits()
        limits.drain = 5_000
        var engine = HandmadePlan.ranges(100, apart: 100).engine(limits: limits)
        var store = ScriptedStore()
        store.latency = { $0.call == 7 ? 1_000_000 : 450 }
        store.interrupt = 1_000
        store.run(&engine)
        #expect(store.sent.count == 10)
        #expect(store.time == 6_000)
        #expect(engine.counts.outstanding == 1)
        #expect(engine.counts.unsent == 90)
        #expect(engine.counts.total(\.answered) == 9)
        let isDone = engine.isDone
        #expect(isDone)
    }

    @Test("a cycle holds up what is in it and behind it, and nothing else")
    func cycle() {
        var made = HandmadePlan.ranges(5, apart: 100)
        made.edges = [(1, 2), (2, 1), (2, 3)]
        var schedule = Schedule(.recorded(speed: .init(1)))
        schedule.loops = 2
        var engine = made.engine(schedule)
        var store = ScriptedStore()
        store.run(&engine)
        #expect(store.sent.map(\.call) == [0, 4, 5, 9])
        #expect(engine.counts.unsent == 6)
        #expect(engine.counts.waiting == 6)
    }

    @Test("an answer to nothing is counted, and changes nothing")
    func unexpected() {
        var engine = HandmadePlan.ranges(3, apart: 10).engine()
        var store = ScriptedStore()
        var stray = StoreAnswer()
        stray.number = 77
        store.events = [(5, stray)]
        stray.number = 0
        store.events.append((1_005, stray))
        store.run(&engine)
        #expect(engine.counts.unexpected == 2)
        #expect(engine.counts.total(\.answered) == 3)
    }

    @Test("an empty plan is done at once")
    func empty() {
        var engine = HandmadePlan().engine()
        var store = ScriptedStore()
        store.run(&engine)
        let isDone = engine.isDone
        #expect(store.sent.isEmpty && isDone)
        let verdict = engine.verdict(busy: 0)
        #expect(verdict.kind == .valid)
    }
}
