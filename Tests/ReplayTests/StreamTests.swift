import Etcd
import Replay
import Testing
import Wire

@Suite("Streams of a replay")
struct StreamTests {
    private static let watch = HandmadePlan.method("/etcdserverpb.Watch/Watch")

    /// A watch create at 0 on stream 0, and puts at the times given.
    private func plan(puts: [Int64]) -> HandmadePlan {
        var made = HandmadePlan()
        made.plan.streams = [PlannedStream(method: Self.watch, connection: 0)]
        let key = made.key("a")
        made.add(.watchCreate, "/etcdserverpb.Watch/Watch", at: 0) {
            $0.action = .message
            $0.request = .watching(key)
        }
        for time in puts { made.put("a", at: time) }
        return made
    }

    private func event(_ revisions: [Int64], stream: UInt32 = 0) -> StoreAnswer {
        var answer = StoreAnswer()
        answer.role = .event
        answer.stream = stream
        answer.responseBytes = 60
        let text = Array("a".utf8)
        for revision in revisions {
            var record = KeyValueRecord()
            record.kind = .putEvent
            record.key = answer.details.keys.number(of: text.span, at: text.indices)
            record.modRevision = revision
            answer.details.keyValues.append(record)
            record.kind = .previous
            answer.details.keyValues.append(record)
        }
        return answer
    }

    /// Puts are given revision 100, 101 and so on, in their order.
    private func store() -> ScriptedStore {
        var store = ScriptedStore()
        store.respond = { sent, answer in
            answer.details.headerRevision = sent.request.kind == .put ? 99 + Int64(sent.call) : 99
        }
        return store
    }

    @Test("events are measured from when their write was sent, whether they come before its answer or behind it")
    func delivery() {
        var engine = plan(puts: [10_000, 20_000, 30_000]).engine()
        var store = store()
        // Puts are answered after 1000: the first event comes before, the second behind, the third together with one
        // that no call caused.
        store.events = [
            (10_400, event([100])), (23_000, event([101])), (30_999, event([102, 7])),
        ]
        store.run(&engine)
        #expect(engine.counts.events == 4)
        #expect(engine.counts.unattributedEvents == 1)
        let delivery = engine.deliveryLatency
        #expect(delivery.count == 3)
        #expect([delivery.percentile(1), delivery.percentile(50), delivery.max] == [400, 999, 3000])
        #expect(engine.streams[0].events == 4)
    }

    @Test("no more events wait for their writes than the limit says")
    func waitingEvents() {
        var limits = EngineLimits()
        limits.waitingEvents = 2
        limits.revisions = 4
        var engine = plan(puts: [10_000]).engine(limits: limits)
        var store = store()
        store.events = [(10_100, event([100, 100, 100])), (10_200, event([96, 105]))]
        store.run(&engine)
        #expect(engine.deliveryLatency.count == 2)
        #expect(engine.counts.unattributedEvents == 3)
    }

    @Test("a read's revision is not a write's: it does not make an event's latency")
    func reads() {
        var made = plan(puts: [10_000])
        made.range("a", at: 20_000)
        var engine = made.engine()
        var store = store()
        store.respond = { _, answer in answer.details.headerRevision = 100 }
        store.events = [(20_500, event([100]))]
        store.run(&engine)
        #expect(engine.deliveryLatency.max == 10_500)
    }

    @Test("when the store ends a stream, its later messages are lost, and what waits for them goes on")
    func ended() {
        var made = plan(puts: [5_000])
        let lost = made.add(.watchCreate, "/etcdserverpb.Watch/Watch", at: 6_000) {
            $0.action = .message
            $0.request = .watching(0)
        }
        made.add(.watch, "/etcdserverpb.Watch/Watch", at: 7_000) { $0.action = .endStream }
        let behind = made.range("b", at: 8_000)
        made.edges = [(lost, behind)]
        var engine = made.engine()
        var store = store()
        var end = StoreAnswer()
        end.role = .streamEnd
        end.status = 14
        store.events = [(5_500, end)]
        store.run(&engine)
        #expect(store.sent.map(\.time) == [0, 5_000, 8_000])
        #expect(engine.counts.endedStreams == 1)
        #expect(engine.counts.streamLosses == 1)
        let batch = engine.written()
        let watch = batch.operations.first { $0.kind == .watch }
        #expect(watch?.status == 14 && watch?.responseEnd == 5_500 && watch?.requestMessages == 1)
        let replay = batch.replays.first { $0.call == lost }
        #expect(replay?.difference == Difference.streamEnded.rawValue)
        #expect(batch.operations.count == 5)
    }

    @Test("a stream is one call of the trace, with its messages and events beside it")
    func written() {
        var made = plan(puts: [5_000])
        made.add(.watch, "/etcdserverpb.Watch/Watch", at: 9_000) { $0.action = .endStream }
        var engine = made.engine()
        var store = store()
        store.events = [(5_500, event([100]))]
        store.run(&engine)
        let batch = engine.written()
        #expect(batch.operations.map(\.kind) == [.watchCreate, .watchEvents, .put, .watch])
        #expect(batch.operations.map(\.role) == [.message, .event, .call, .call])
        #expect(batch.operations[1].events.count == 2)
        #expect(batch.operations[3].responseMessages == 2)
        #expect(batch.operations[3].status == 0 && batch.operations[3].completeness == .completed)
        #expect(batch.replays.map(\.call) == [0, ReplayRecord.noCall, 1, 0])
        #expect(store.sent[2].request.action == .endStream)
    }

    @Test("a stream is not ended before its messages are answered, however late they may go")
    func lateMessage() {
        var made = plan(puts: [])
        let before = made.range("b", at: 10)
        let create = made.add(.watchCreate, "/etcdserverpb.Watch/Watch", at: 20) {
            $0.action = .message
            $0.request = .watching(0)
        }
        made.add(.watch, "/etcdserverpb.Watch/Watch", at: 30) { $0.action = .endStream }
        made.edges = [(before, create)]
        var engine = made.engine()
        var store = store()
        store.run(&engine)
        // The Range is answered at 1010, the second create at 2010.
        #expect(store.sent.map(\.time) == [0, 10, 1_010, 2_010])
        #expect(store.sent[3].request.action == .endStream)
        #expect(engine.counts.streamLosses == 0 && engine.counts.unsent == 0)
    }

    @Test("a stream that stays open is written down as unfinished")
    func open() {
        var engine = plan(puts: []).engine()
        var store = store()
        store.run(&engine)
        let batch = engine.written()
        #expect(batch.operations.map(\.kind) == [.watchCreate, .watch])
        #expect(batch.operations[1].completeness == .unfinished)
    }

    @Test("before a loop begins again, open streams are ended; each loop's streams have numbers of their own")
    func loops() {
        var schedule = Schedule(.recorded(speed: .init(1)))
        schedule.loops = 3
        var engine = plan(puts: [5_000]).engine(schedule)
        var store = store()
        store.run(&engine)
        #expect(
            store.sent.map(\.request.action) == [
                .message, .call, .endStream, .message, .call, .endStream, .message, .call,
            ])
        #expect(store.sent.filter { $0.request.action != .call }.map(\.request.stream) == [0, 0, 1, 1, 2])
        // The second loop begins when the stream's end is answered.
        #expect(store.sent[3].time == max(10_000, store.sent[2].done))
        #expect(engine.counts.loops == 3)
    }
}
