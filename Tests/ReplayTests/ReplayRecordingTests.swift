import Etcd
import Replay
import Testing
import Wire

@Suite("What a replay writes down")
struct ReplayRecordingTests {
    @Test("batches are handed over when they are full, and hold nothing of each other", arguments: [1, 3, 7])
    func batches(_ capacity: Int) {
        var made = HandmadePlan()
        for number in 0..<20 { made.range("key-\(number % 4)", at: Int64(number) * 10) }
        var engine = made.engine(batch: capacity)
        var request = StoreRequest()
        var batch = OperationBatch()
        var seen: [String] = []
        var lengths: [Int] = []
        var records = 0
        engine.start(at: 1, epoch: 0)
        engine.advance(to: 1_000)
        while engine.next(into: &request) {
            var answer = StoreAnswer()
            answer.number = request.number
            answer.sent = 1_000
            answer.done = 2_000
            let text = Array("reply-\(seen.count)".utf8)
            var record = KeyValueRecord()
            record.key = answer.details.keys.number(of: text.span, at: text.indices)
            answer.details.keyValues = [record]
            answer.details.answer.flags = .answered
            answer.details.answer.keyValues = Slice(start: 0, count: 1)
            engine.receive(answer)
            let isFull = engine.isBatchFull
            if !isFull { continue }
            take(&engine, &batch, &seen, &records)
            lengths.append(batch.operations.count)
        }
        engine.finish()
        take(&engine, &batch, &seen, &records)
        #expect(lengths.allSatisfy { $0 == capacity } && lengths.count == 20 / capacity)
        #expect(seen == (0..<20).map { "key-\($0 % 4)" })
        #expect(records == 20)
    }

    private func take(
        _ engine: inout ReplayEngine, _ batch: inout OperationBatch, _ seen: inout [String], _ records: inout Int
    ) {
        engine.takeBatch(&batch)
        #expect(batch.replays.count == batch.operations.count)
        for operation in batch.operations {
            seen.append(String(decoding: batch.keys.string(operation.body.key), as: UTF8.self))
            let reply = batch.keyValues[operation.body.keyValues.range]
            records += reply.count { String(decoding: batch.keys.string($0.key), as: UTF8.self).hasPrefix("reply-") }
        }
        for connection in batch.connections {
            #expect(batch.texts.string(connection.server) == Array("store".utf8))
        }
    }

    @Test("connections are the target's, with their bytes and times")
    func connections() {
        var made = HandmadePlan.ranges(6, apart: 100)
        for place in made.plan.calls.indices { made.plan.calls[place].connection = UInt32(place) }
        var engine = made.engine(connections: 2)
        var store = ScriptedStore()
        store.respond = { _, answer in
            answer.requestBytes = 10
            answer.responseBytes = 30
        }
        store.run(&engine, epoch: 1_000_000)
        let batch = engine.written()
        #expect(batch.operations.map(\.connection) == [0, 1, 0, 1, 0, 1])
        #expect(batch.connections.map(\.number) == [0, 1])
        #expect(batch.connections.map(\.requestBytes) == [30, 30])
        #expect(batch.connections.map(\.responseBytes) == [90, 90])
        #expect(batch.connections.map(\.firstTime.nanoseconds) == [1_000_000, 1_000_100])
        #expect(batch.connections.map(\.lastTime.nanoseconds) == [1_001_400, 1_001_500])
        #expect(batch.texts.string(batch.connections[1].client) == Array("client:1".utf8))
    }

    @Test("a call without an answer is unfinished, and says when it was given up")
    func lost() {
        var engine = HandmadePlan.ranges(2, apart: 100).engine()
        var store = ScriptedStore()
        store.respond = { sent, answer in
            answer.note = sent.call == 0 ? .timedOut : .connectionLost
            answer.status = 14
            if sent.call == 1 { answer.sent = 0 }
        }
        store.run(&engine, epoch: 500)
        let batch = engine.written()
        #expect(batch.operations.map(\.completeness) == [.unfinished, .unfinished])
        #expect(batch.operations.map(\.status) == [nil, nil])
        #expect(batch.operations.map(\.responseEnd) == [Operation.absent, Operation.absent])
        // Sent at 0; never sent, known at 1100.
        #expect(batch.operations.map(\.time.nanoseconds) == [500, 1_600])
        #expect(batch.replays.map(\.intended) == [0, 1_000])
        #expect(engine.sendLag.count == 1)
        #expect(engine.counts.notes[Int(StoreAnswer.Note.timedOut.rawValue)] == 1)
        #expect(engine.counts.total(\.errors) == 2)
    }

    @Test("an error is written down with its text")
    func errors() {
        var engine = HandmadePlan.ranges(1, apart: 1).engine()
        var store = ScriptedStore()
        store.respond = { _, answer in
            answer.status = 11
            answer.errorText = Array("etcdserver: mvcc: required revision has been compacted".utf8)
            answer.details.answer.count = 9
        }
        store.run(&engine)
        let batch = engine.written()
        #expect(batch.operations[0].status == 11 && batch.operations[0].completeness == .completed)
        #expect(batch.texts.string(batch.operations[0].errorText).starts(with: Array("etcdserver: mvcc".utf8)))
        #expect(batch.operations[0].body.count == 0)
        #expect(!batch.operations[0].body.flags.contains(.answered))
    }

    @Test("a key has one number in a batch, whether requests or answers name it first")
    func distinctKeys() {
        var made = HandmadePlan()
        for (time, name) in ["a", "b", "c", "a", "b"].enumerated() { made.range(name, at: Int64(time)) }
        var engine = made.engine()
        var store = ScriptedStore()
        store.respond = { sent, answer in
            for name in sent.call == 1 ? ["c", "a", "z"] : sent.call == 3 ? ["z", "b"] : [] {
                var record = KeyValueRecord()
                record.key = answer.details.keys.number(of: Array(name.utf8).span, at: 0..<1)
                answer.details.keyValues.append(record)
            }
        }
        store.run(&engine)
        let batch = engine.written()
        #expect(
            (1...UInt32(batch.keys.count)).map { batch.keys.string($0) } == ["a", "b", "c", "z"].map { Array($0.utf8) })
        #expect(batch.operations.map(\.key) == [1, 2, 3, 1, 2])
        #expect(batch.keyValues.map(\.key) == [3, 1, 4, 4, 2])
    }
}
