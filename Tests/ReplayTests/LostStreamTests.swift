import Etcd
import Replay
import Testing
import Wire

@Suite("Streams whose connection is lost")
struct LostStreamTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var asked: Int64 = 0
        /// What the watch hears before its connection is lost.
        var heard: [StoreAnswer] = []
        /// Progress requests of the plan, and what they are answered.
        var progress: [Int64] = []
        /// From where it is created again.
        var start: Int64

        var testDescription: String { name }
    }

    @Test(
        "a watch is created again behind all that it has heard",
        arguments: [
            Case(name: "from the present, nothing heard", start: 100),
            Case(name: "from the past, nothing heard", asked: 50, start: 50),
            Case(name: "from the future, nothing heard", asked: 150, start: 150),
            Case(name: "events", heard: [event(101, 101, 104), event(105, header: 300)], start: 106),
            Case(name: "events of the past", asked: 50, heard: [event(60, header: 99)], start: 61),
            Case(name: "another watch's event", heard: [event(105, watch: 3)], start: 100),
            Case(name: "its own notification", asked: 50, heard: [event(header: 120)], start: 121),
            Case(name: "an event before an older notification", heard: [event(130), event(header: 120)], start: 131),
            Case(name: "a notification for all, at its present", progress: [120], start: 121),
            Case(name: "a notification for all, its past not heard", asked: 50, progress: [120], start: 50),
            Case(name: "a second notification for all", asked: 50, progress: [120, 125], start: 126),
            Case(name: "a notification for all that answers nothing", heard: [event(watch: -1)], start: 201),
            Case(name: "senseless revisions", heard: [event(.max), event(-5), event(header: .min)], start: 100),
        ])
    func start(_ test: Case) throws {
        var made = Self.plan()
        let create = Self.create(&made, "a", at: 0, from: test.asked)
        for number in test.progress.indices {
            made.add(.watchProgress, Self.watchPath, at: Int64(number + 1) * 10_000) { $0.action = .message }
        }
        let put = made.put("a", at: 59 * Self.ms)
        made.range("last", at: 80 * Self.ms)
        var engine = made.engine()
        var store = Self.store()
        let respond = store.respond
        store.respond = { sent, answer in
            respond(sent, &answer)
            switch sent.request.kind {
            case .watchProgress: answer.details.headerRevision = test.progress[sent.call - 1]
            case .put: answer.details.headerRevision = 500
            default: break
            }
        }
        // After 50 ms the watch is created again, and has number 1.
        store.events = test.heard.enumerated().map { (Int64($0 + 1) * Self.ms, $1) }
        store.events.append((5 * Self.ms, Self.lost()))
        store.events.append((60 * Self.ms, Self.event(500, watch: 1)))
        store.run(&engine)

        let creates = store.sent.filter { $0.request.kind == .watchCreate }
        #expect(creates.map(\.time) == [0, 55 * Self.ms])
        #expect(creates.map(\.request.body.revision) == [test.asked, test.start])
        #expect(creates.map(\.request.stream) == [0, 0])
        #expect(creates.allSatisfy { $0.request.action == .message && $0.text($0.request.body.key) == "a" })
        // The event behind the gap is heard and measured.
        #expect(engine.deliveryLatency.max == UInt64(Self.ms))
        // What the replay asks of its own is counted and written nowhere.
        #expect(engine.counts.reopenedStreams == 1 && engine.counts.endedStreams == 1)
        #expect(engine.counts.streamLosses == 0 && engine.counts.unexpected == 0)
        #expect(engine.counts.total(\.sent) == Int64(made.plan.calls.count))
        #expect(engine.counts.total(\.answered) == Int64(made.plan.calls.count))
        #expect(engine.counts.notes.dropFirst().allSatisfy { $0 == 0 })
        #expect(engine.fidelity.compared == Int64(made.plan.calls.count))
        let batch = engine.written()
        #expect(batch.replays.filter { $0.call == create }.count == 2, "the message and the stream as a whole")
        #expect(batch.operations.filter { $0.role == .event }.count == test.heard.count + 1)
        let stream = try #require(batch.operations.first { $0.kind == .watch })
        #expect(Int(stream.requestMessages) == 1 + test.progress.count)
        #expect(stream.completeness == .unfinished && put > create)
    }

    @Test("a store that stays away is asked at growing pauses, one that comes back and goes again soon")
    func away() {
        var engine = Self.watching(until: 30_000 * Self.ms).engine()
        var store = Self.store(losing: 5 * Self.ms, 20_000 * Self.ms)
        let respond = store.respond
        store.respond = { sent, answer in
            respond(sent, &answer)
            if (5 * Self.ms..<10_000 * Self.ms).contains(sent.time) { answer.note = .connectionLost }
        }
        store.run(&engine)
        // Each attempt is lost 1000 ns after it; the next one comes 50, 100, 200 ms and so on behind that.
        var expected: [Int64] = [0]
        var time = 5 * Self.ms
        for pause: Int64 in [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000] {
            time += pause * Self.ms
            expected.append(time)
            time += 1_000
        }
        // The last of these finds it.
        expected.append(20_050 * Self.ms)
        #expect(Self.times(store, .watchCreate) == expected)
        #expect(engine.counts.endedStreams == 2 && engine.counts.reopenedStreams == 2)
        #expect(engine.counts.notes.dropFirst().allSatisfy { $0 == 0 })
    }

    @Test("an attempt is one, whether the backend tells of its request, of its stream or of both")
    func told() {
        for (answers, ends) in [(true, false), (false, true), (true, true)] {
            var engine = Self.watching(until: 1_000 * Self.ms).engine()
            var store = Self.store(losing: 5 * Self.ms)
            let respond = store.respond
            store.respond = { sent, answer in
                respond(sent, &answer)
                if answers, sent.time == 55 * Self.ms { answer.note = .connectionLost }
            }
            if ends { store.events.append((55 * Self.ms + 500, Self.lost())) }
            store.run(&engine)
            let second = 155 * Self.ms + (ends ? 500 : 1_000)
            #expect(Self.times(store, .watchCreate) == [0, 55 * Self.ms, second])
            #expect(engine.counts.endedStreams == 1 && engine.counts.reopenedStreams == 1)
        }
    }

    @Test("the answer to an attempt before the latest says nothing")
    func stale() {
        var engine = Self.watching(until: 1_000 * Self.ms).engine()
        var store = Self.store(losing: 5 * Self.ms, 60 * Self.ms)
        // The second attempt is under way when the first one's answer comes.
        store.latency = { $0.request.kind == .watchCreate && $0.time > 0 ? 200 * Self.ms : 1_000 }
        let respond = store.respond
        store.respond = { sent, answer in
            respond(sent, &answer)
            if sent.time == 55 * Self.ms { answer.note = .connectionLost }
        }
        store.run(&engine)
        #expect(Self.times(store, .watchCreate) == [0, 55 * Self.ms, 160 * Self.ms])
        #expect(engine.counts.reopenedStreams == 1 && engine.counts.unexpected == 0)
    }

    @Test("all watches of a stream are created again but those that are over, in their order")
    func several() {
        var made = Self.plan()
        let watches = (0..<6).map { Self.create(&made, "key-\($0)", at: Int64($0) * 10) }
        Self.cancel(&made, watches[1], at: 2 * Self.ms)
        made.range("last", at: 200 * Self.ms)
        var engine = made.engine()
        var store = Self.store(losing: 5 * Self.ms, 60 * Self.ms)
        let respond = store.respond
        store.respond = { sent, answer in
            respond(sent, &answer)
            guard sent.request.kind == .watchCreate, sent.time < Self.ms else { return }
            // The third is refused; that the fourth was created is not heard.
            if sent.call == 2 { answer.details.watch.isCanceled = true }
            if sent.call == 3 { answer.note = .connectionLost }
        }
        var cancelled = Self.event(watch: 5)
        cancelled.details.watch.isCanceled = true
        // The numbers of the new ones are 6, 7 and 8.
        store.events.insert(contentsOf: [(3 * Self.ms, cancelled), (4 * Self.ms, Self.event(110, watch: 4))], at: 0)
        store.events.insert((57 * Self.ms, Self.event(120, watch: 7)), at: 3)
        store.run(&engine)
        let anew = store.sent.filter { $0.request.kind == .watchCreate }.dropFirst(6)
        #expect(anew.map(\.call) == [0, 3, 4, 0, 3, 4])
        #expect(anew.map(\.request.body.revision) == [100, 0, 111, 100, 121, 111])
        #expect(engine.counts.cancelledWatches == 2)
        #expect(engine.counts.reopenedStreams == 2)
    }

    @Test("what was sent in place of the recorded numbers is sent again, and counted once")
    func translated() {
        var made = Self.plan()
        let put = made.put("a", at: 0)
        let known = Self.create(&made, "a", at: 10, from: 7)
        let unknown = Self.create(&made, "b", at: 20, from: 8)
        for (call, patch) in [
            (known, Patch(.revision, from: .revisionOfCall, number: put, offset: 1)),
            (unknown, Patch(.revision, from: .nowhere)),
        ] {
            made.plan.calls[Int(call)].patches = Slice(start: UInt32(made.plan.patches.count), count: 1)
            made.plan.patches.append(patch)
        }
        made.edges = [(put, known)]
        // What another call learns of a watch's creation is what the first one was answered.
        let range = made.range("a", at: 70 * Self.ms)
        made.change(range: range) { $0.revision = 9 }
        made.plan.calls[Int(range)].patches = Slice(start: UInt32(made.plan.patches.count), count: 1)
        made.plan.patches.append(Patch(.revision, from: .revisionOfCall, number: known))
        var engine = made.engine()
        var store = Self.store(losing: 5 * Self.ms)
        let respond = store.respond
        store.respond = { sent, answer in
            respond(sent, &answer)
            if sent.time > 50 * Self.ms { answer.details.headerRevision = 300 }
        }
        store.run(&engine)
        let creates = store.sent.filter { $0.request.kind == .watchCreate }
        #expect(creates.map(\.request.body.revision) == [8, 100, 100, 8])
        #expect(engine.counts.unmapped.reduce(0, +) == 1)
        #expect(store.sent.last?.request.body.revision == 99)
    }

    @Test(
        "watches are created again however busy the replay is",
        arguments: [Schedule.Pace.max, .closed(outstanding: 1)])
    func busy(_ pace: Schedule.Pace) throws {
        var made = Self.plan()
        Self.create(&made, "a", at: 0)
        for number in 0..<3_000 { made.range("key-\(number)", at: 10) }
        var engine = made.engine(Schedule(pace))
        var store = Self.store(losing: 5 * Self.ms)
        store.latency = { $0.call == 0 ? 1_000 : Self.ms * 3 }
        store.run(&engine)
        let anew = try #require(store.sent.last { $0.request.kind == .watchCreate })
        // Once there is a place for it.
        #expect((55 * Self.ms...58 * Self.ms).contains(anew.time))
        #expect(engine.counts.total(\.sent) == 3_001 && store.sent.count == 3_002)
    }

    @Test("a creation that is answered too late is one all the same, and not asked for twice")
    func late() {
        var made = Self.plan()
        let create = Self.create(&made, "a", at: 0)
        Self.cancel(&made, create, at: 150 * Self.ms)
        made.range("last", at: 300 * Self.ms)
        var engine = made.engine()
        var store = Self.store(losing: 5 * Self.ms)
        let respond = store.respond
        store.respond = { sent, answer in
            respond(sent, &answer)
            if sent.time == 55 * Self.ms { answer.note = .timedOut }
        }
        var created = Self.event(watch: 17, header: 140)
        created.details.watch.isCreated = true
        store.events.append((200 * Self.ms, created))
        store.run(&engine)
        #expect(Self.times(store, .watchCreate) == [0, 55 * Self.ms])
        // The cancel waits for the number.
        #expect(Self.times(store, .watchCancel) == [200 * Self.ms])
        #expect(store.sent.first { $0.request.kind == .watchCancel }?.request.watchID == 17)
        #expect(engine.counts.waiting == 0 && engine.counts.streamLosses == 0)
    }

    @Test("the end of the plan does not wait for watches")
    func end() {
        var made = Self.watching(until: 60 * Self.ms)
        let held = Self.cancel(&made, 0, at: 60 * Self.ms)
        var engine = made.engine()
        var store = Self.store(losing: 5 * Self.ms)
        store.latency = { $0.time == 55 * Self.ms ? 1_000_000 * Self.ms : 1_000 }
        store.run(&engine)
        #expect(Self.times(store, .watchCreate) == [0, 55 * Self.ms])
        #expect(store.time == 60 * Self.ms + 1_000)
        #expect(engine.counts.outstanding == 0 && engine.counts.loops == 1)
        #expect(engine.counts.unsent == 1 && engine.counts.waiting == 1 && held == 2)

        // Nor does an interrupted one.
        engine = Self.watching(until: 600 * Self.ms).engine()
        store.sent = []
        store = Self.store(losing: 5 * Self.ms)
        store.latency = { $0.time == 55 * Self.ms ? 1_000_000 * Self.ms : 1_000 }
        store.interrupt = 57 * Self.ms
        store.run(&engine)
        #expect(store.time == 57 * Self.ms)
        #expect(engine.counts.outstanding == 0 && engine.counts.unsent == 1 && engine.counts.waiting == 0)
    }
}
