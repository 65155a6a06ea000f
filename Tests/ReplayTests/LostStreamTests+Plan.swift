import Etcd
import Replay
import Testing
import Wire

// What the plan says while streams are lost.
extension LostStreamTests {
    // MARK: Watches

    @Test("a cancel names the watch's new number; one in the gap is not sent, and its watch not created again")
    func cancels() {
        var made = Self.plan()
        let first = Self.create(&made, "a", at: 0)
        let second = Self.create(&made, "b", at: 10)
        let third = Self.create(&made, "c", at: 20)
        let lost = Self.cancel(&made, second, at: 30 * Self.ms)
        // While the first is being created again.
        Self.cancel(&made, first, at: 55 * Self.ms + 500)
        Self.cancel(&made, third, at: 90 * Self.ms)
        Self.endStream(&made, at: 91 * Self.ms)
        var engine = made.engine()
        var store = Self.store(losing: 5 * Self.ms)
        store.run(&engine)
        #expect(store.sent.filter { $0.request.kind == .watchCreate }.map(\.call) == [0, 1, 2, 0, 2])
        let cancels = store.sent.filter { $0.request.kind == .watchCancel }
        #expect(cancels.map(\.request.watchID) == [3, 4])
        #expect(cancels.map(\.time) == [55 * Self.ms + 1_000, 90 * Self.ms])
        #expect(store.sent.last?.request.action == .endStream && store.sent.last?.time == 91 * Self.ms)
        #expect(engine.counts.streamLosses == 1 && engine.counts.unsent == 0 && engine.counts.waiting == 0)
        #expect(engine.counts.unmapped.reduce(0, +) == 0)
        let batch = engine.written()
        #expect(batch.replays.first { $0.call == lost }?.difference == Difference.streamEnded.rawValue)
        // Waiting is no delay of the engine's.
        #expect(engine.sendLag.max == 0)
    }

    @Test("a new watch in the gap opens the stream at once; a progress request does not")
    func create() {
        var made = Self.watching(until: 100 * Self.ms)
        made.add(.watchProgress, Self.watchPath, at: 101 * Self.ms) { $0.action = .message }
        Self.create(&made, "b", at: 106 * Self.ms)
        made.add(.watchProgress, Self.watchPath, at: 107 * Self.ms) { $0.action = .message }
        made.range("last", at: 400 * Self.ms)
        var engine = made.engine()
        // The new one is number 1 and the old one becomes 2.
        var store = Self.store(losing: 100 * Self.ms, 200 * Self.ms)
        store.events.insert((170 * Self.ms, Self.event(130, watch: 1)), at: 1)
        store.events.insert((180 * Self.ms, Self.event(140, watch: 2)), at: 2)
        store.run(&engine)
        let creates = store.sent.filter { $0.request.kind == .watchCreate }
        #expect(creates.map(\.time) == [0, 106 * Self.ms, 150 * Self.ms, 250 * Self.ms, 250 * Self.ms])
        #expect(creates.map { $0.text($0.request.body.key) } == ["a", "b", "a", "a", "b"])
        #expect(creates.map(\.request.body.revision) == [0, 0, 100, 141, 131])
        #expect(Self.times(store, .watchProgress) == [107 * Self.ms])
        #expect(engine.counts.streamLosses == 1 && engine.counts.reopenedStreams == 2)
        #expect(engine.counts.recreatedWatches == 3 && engine.counts.own[.watchCreate] == 3)
    }

    @Test("a stream that a new watch opened, and that is lost again, waits anew")
    func lostAgain() {
        var made = Self.watching(until: 100 * Self.ms)
        Self.create(&made, "b", at: 106 * Self.ms)
        made.range("last", at: 400 * Self.ms)
        var engine = made.engine()
        var store = Self.store(losing: 100 * Self.ms, 110 * Self.ms)
        store.run(&engine)
        #expect(Self.times(store, .watchCreate) == [0, 106, 160, 160].map { $0 * Self.ms })
        #expect(engine.counts.endedStreams == 2 && engine.counts.reopenedStreams == 2)
    }

    @Test("nothing is opened anew once the client's recorded end of the stream has come", arguments: [false, true])
    func recordedEnd(isHeld: Bool) {
        var made = Self.plan()
        Self.create(&made, "a", at: 0)
        var late: [UInt32] = []
        if isHeld {
            // The end waits for a message, which waits for a call that takes long.
            let slow = made.range("slow", at: 10)
            late = [Self.create(&made, "b", at: 20)]
            made.edges = [(slow, late[0])]
        }
        Self.endStream(&made, at: 30 * Self.ms)
        made.range("last", at: 200 * Self.ms)
        var engine = made.engine()
        var store = Self.store(losing: 5 * Self.ms)
        store.latency = { isHeld && $0.call == 1 ? 100 * Self.ms : 1_000 }
        store.run(&engine)
        #expect(Self.times(store, .watchCreate) == [0])
        #expect(store.sent.allSatisfy { $0.request.action != .endStream })
        #expect(engine.counts.reopenedStreams == 0 && engine.counts.endedStreams == 1)
        #expect(engine.counts.streamLosses == (isHeld ? 1 : 0) && engine.counts.unsent == 0)
        let batch = engine.written()
        #expect(batch.operations.first { $0.kind == .watch }?.completeness == .unfinished)
    }

    @Test("a stream that the store ends by itself stays ended, also one that was opened anew")
    func endedByStore() {
        for note in [StoreAnswer.Note.none, .timedOut] {
            var made = Self.watching(until: 500 * Self.ms)
            Self.create(&made, "b", at: 500 * Self.ms)
            var engine = made.engine()
            var store = Self.store(losing: 5 * Self.ms)
            var denied = Self.lost()
            denied.note = note
            denied.status = 7
            store.events.append((100 * Self.ms, denied))
            store.run(&engine)
            #expect(Self.times(store, .watchCreate) == [0, 55 * Self.ms])
            #expect(engine.counts.endedStreams == 2 && engine.counts.reopenedStreams == 1)
            #expect(engine.counts.streamLosses == 1)
        }
    }

    // MARK: Keep-alives

    @Test("keep-alives go on, on a new stream, each of them once")
    func keepAlives() {
        var made = Self.plan()
        for time in stride(from: 0, through: 9_000, by: 1_000) {
            made.add(.leaseKeepAlive, Self.leasePath, at: Int64(time) * Self.ms) {
                $0.action = .message
                $0.stream = 1
                $0.request = .asking { $0.lease = 5 }
            }
        }
        made.add(.leaseKeepAlive, Self.leasePath, at: 9_500 * Self.ms) {
            $0.action = .endStream
            $0.stream = 1
        }
        var engine = made.engine()
        var store = Self.store()
        // Lost while one is under way, and again with the next, which finds no store.
        store.respond = { sent, answer in
            if [2_000 * Self.ms, 3_000 * Self.ms].contains(sent.time) { answer.note = .connectionLost }
        }
        store.events = [
            (2_000 * Self.ms + 1_000, Self.lost(stream: 1)), (3_000 * Self.ms + 1_000, Self.lost(stream: 1)),
        ]
        store.run(&engine)
        #expect(Self.times(store, .leaseKeepAlive) == (0..<10).map { $0 * 1_000 * Self.ms } + [9_500 * Self.ms])
        #expect(store.sent.allSatisfy { $0.request.stream == 1 && $0.request.lease == ($0.call < 10 ? 5 : 0) })
        #expect(engine.counts.endedStreams == 1 && engine.counts.reopenedStreams == 1)
        #expect(engine.counts.streamLosses == 0)
        #expect(engine.counts.notes[Int(StoreAnswer.Note.connectionLost.rawValue)] == 2)
        let batch = engine.written()
        let stream = batch.operations.first { $0.role == .call }
        #expect(stream?.requestMessages == 10 && stream?.responseMessages == 8 && stream?.completeness == .completed)
    }

    // MARK: Loops

    @Test("a loop begins with streams of its own, whatever became of those of the loop before it")
    func loops() {
        var schedule = Schedule(.recorded(speed: .init(1)))
        schedule.loops = 3
        var made = Self.plan()
        Self.create(&made, "a", at: 0)
        made.range("last", at: 10 * Self.ms)
        var engine = made.engine(schedule)
        var store = Self.store(losing: 5 * Self.ms)
        // A loop begins every 20 ms; that watches are lost does not delay the second. In that one the watch is being
        // created again, from 75 ms on, when all else is answered at 100 ms.
        var second = Self.lost()
        second.stream = 2
        store.latency = { sent in
            switch sent.request.kind {
            case .range: sent.time < 15 * Self.ms ? 1_000 : 70 * Self.ms
            default: sent.request.body.revision == 0 ? 1_000 : 40 * Self.ms
            }
        }
        store.events.append((25 * Self.ms, second))
        store.run(&engine)
        let messages = store.sent.filter { $0.request.action != .call }
        #expect(messages.map(\.request.action) == [.message, .message, .message, .endStream, .message])
        #expect(messages.map(\.request.stream) == [0, 2, 2, 2, 4])
        #expect(messages.map(\.request.body.revision) == [0, 0, 100, 0, 0])
        #expect(engine.counts.loops == 3)
        #expect(engine.counts.endedStreams == 2 && engine.counts.reopenedStreams == 1)
        #expect(engine.counts.unexpected == 0 && engine.counts.outstanding == 0 && engine.counts.unsent == 0)
    }
}
