import Etcd
import TestSupport
import Testing
import Trace
import Wire

@Suite("Trace: several merged into one")
struct BatchMergeTests {
    /// A source of a merge: its batches, one after the other.
    private static func merged(
        _ sources: [[OperationBatch]], observed: BatchMerge.Observed = .asGiven
    ) throws -> [OperationBatch] {
        var merge = BatchMerge(sources: sources.count, observed: observed)
        var places = Array(repeating: 0, count: sources.count)
        var batch = OperationBatch()
        var batches: [OperationBatch] = []
        while try merge.next(
            into: &batch,
            read: { source, batch in
                guard places[source] < sources[source].count else { return false }
                batch = sources[source][places[source]]
                places[source] += 1
                return true
            })
        {
            batches.append(batch)
        }
        return batches
    }

    /// All that an operation says, with keys and texts as bytes instead of numbers. `connection` is who it is of.
    private struct Described: Equatable {
        var operation: Operation
        var key: [UInt8]
        var texts: [[UInt8]]
        var bodies: [Body]
        var events: [KeyValue]
        var replay: ReplayRecord?
        var connection: [UInt8]?

        struct Body: Equatable {
            var body: RequestOp
            var keys: [[UInt8]]
            var compares: [Compare]
            var compareKeys: [[UInt8]]
            var keyValues: [KeyValue]
        }

        struct KeyValue: Equatable {
            var record: KeyValueRecord
            var key: [UInt8]
        }

        init(_ place: Int, of batch: OperationBatch, connections: [UInt32: [UInt8]]) {
            operation = batch.operations[place]
            key = batch.keys.string(operation.key)
            texts = [operation.methodText, operation.errorText].map { batch.texts.string($0) }
            bodies = ([operation.body] + batch.parts[operation.parts.range]).map { body in
                let compares = batch.compares[body.compares.range]
                var plain = body
                (plain.key, plain.rangeEnd) = (0, 0)
                (plain.keyValues.start, plain.compares.start) = (0, 0)
                return Body(
                    body: plain, keys: [batch.keys.string(body.key), batch.keys.string(body.rangeEnd)],
                    compares: compares.map {
                        var compare = $0
                        (compare.key, compare.rangeEnd) = (0, 0)
                        return compare
                    }, compareKeys: compares.flatMap { [batch.keys.string($0.key), batch.keys.string($0.rangeEnd)] },
                    keyValues: Self.keyValues(body.keyValues, batch))
            }
            events = Self.keyValues(operation.events, batch)
            replay = batch.replays.isEmpty ? nil : batch.replays[place]
            connection = connections[operation.connection]
            operation.body = RequestOp()
            (operation.key, operation.methodText, operation.errorText, operation.connection) = (0, 0, 0, 0)
            (operation.parts.start, operation.events.start) = (0, 0)
        }

        private static func keyValues(_ slice: Slice, _ batch: OperationBatch) -> [KeyValue] {
            batch.keyValues[slice.range].map { record in
                var plain = record
                plain.key = 0
                return KeyValue(record: plain, key: batch.keys.string(record.key))
            }
        }

        /// When the last of it was seen.
        var end: Int64 {
            let shown = max(operation.requestEnd, operation.responseStart, operation.responseEnd, 0)
            let (sum, overflow) = operation.time.nanoseconds.addingReportingOverflow(shown)
            return overflow ? .max : sum
        }
    }

    private static func described(_ batches: [OperationBatch]) -> [Described] {
        var connections: [UInt32: [UInt8]] = [:]
        for batch in batches {
            for record in batch.connections { connections[record.number] = batch.texts.string(record.client) }
        }
        return batches.flatMap { batch in
            batch.operations.indices.map { Described($0, of: batch, connections: connections) }
        }
    }

    @Test("what was dealt out to recorders comes back in its order, each operation whole", arguments: [1, 2, 3, 7])
    func backTogether(recorders: Int) throws {
        var whole = KubernetesBatch.make(seed: 7, operations: 3_000)
        whole.operations.sort { $0.time.nanoseconds + $0.responseEnd < $1.time.nanoseconds + $1.responseEnd }
        // No two end at once.
        for place in whole.operations.indices { whole.operations[place].time.nanoseconds += Int64(place) }
        let sources = Self.dealt(whole, recorders)
        let merged = try Self.merged(sources)
        let found = Self.described(merged)
        let expected = Self.described([whole])
        #expect(found.count == expected.count)
        #expect(found.map(\.end) == expected.map(\.end))
        let first = zip(found, expected).first { $0 != $1 }
        #expect(first == nil, "\(String(describing: first))")
        #expect(merged.last?.health[.packets] == Int64(sources.reduce(0) { $0 + $1.count }))
        let numbers = Set(merged.flatMap(\.connections).map(\.number))
        #expect(numbers.count == Set(whole.connections.map(\.number)).count)
    }

    /// Recorder n has the connections that leave n, which it numbers from 0.
    private static func dealt(_ whole: OperationBatch, _ count: Int) -> [[OperationBatch]] {
        (0..<count).map { number in
            let mine = whole.operations.filter { Int($0.connection) % count == number }
            return stride(from: 0, to: max(mine.count, 1), by: 200).enumerated().map { place, start in
                var batch = whole
                batch.operations = Array(mine[start..<min(start + 200, mine.count)])
                batch.connections = whole.connections.filter { Int($0.number) % count == number }
                for place in batch.operations.indices { batch.operations[place].connection /= UInt32(count) }
                for place in batch.connections.indices { batch.connections[place].number /= UInt32(count) }
                batch.health[.packets] = Int64(place + 1)
                return batch
            }
        }
    }

    @Test(
        "of operations that end at once the first trace's comes first; a trace keeps its order whatever its clock did")
    func ties() throws {
        func source(_ ends: [Int64], stream: UInt32) -> [OperationBatch] {
            var batch = OperationBatch()
            for (place, end) in ends.enumerated() {
                var operation = Operation(
                    time: CaptureTime(nanoseconds: end - 5), connection: 0, stream: stream + UInt32(place), role: .call,
                    kind: .put, evidence: .seen, method: .unknown)
                operation.responseEnd = 5
                batch.operations.append(operation)
            }
            return [batch]
        }
        // The second recorder's clock steps back from 30 to 12: what came behind stays behind.
        let merged = try Self.merged([source([10, 20, 31], stream: 100), source([10, 30, 12, 31], stream: 200)])
        #expect(merged.flatMap(\.operations).map(\.stream) == [100, 200, 101, 201, 202, 102, 203])
    }

    @Test("arbitrary batches: nothing is lost, changed or twice", arguments: seeds(1...40))
    func anything(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let sources = (0..<(1 + random.below(4))).map { source in
            (0..<random.below(4)).map { batch in
                AnyBatch.make(
                    seed: seed &* 64 &+ UInt64(source * 8 + batch), operations: random.below(60))
            }
        }
        let merged = try Self.merged(sources)
        // By source, in their order; of which one an operation is, tells itself.
        var rest = sources.map { batches in
            batches.flatMap { batch in batch.operations.indices.map { Described($0, of: batch, connections: [:]) } }[
                ...]
        }
        for batch in merged {
            #expect(batch.replays.isEmpty || batch.replays.count == batch.operations.count)
            for place in batch.operations.indices {
                let found = Described(place, of: batch, connections: [:])
                let source = try #require(rest.firstIndex { $0.first == found }, "seed \(seed)")
                rest[source].removeFirst()
            }
        }
        let left = rest.reduce(0) { $0 + $1.count }
        #expect(left == 0, "seed \(seed)")
        #expect(
            merged.reduce(0) { $0 + $1.observed.count }
                == sources.joined().reduce(0) { $0 + $1.observed.count })
        #expect(
            merged.reduce(0) { $0 + $1.connections.count }
                == sources.joined().reduce(0) { $0 + $1.connections.count })
        // The state before is found in anything, too.
        _ = try Self.merged(sources, observed: .anew)
        for batch in merged { _ = try blocks(of: batch) }
    }

    /// Writes a batch as a trace does.
    private func blocks(of batch: OperationBatch) throws -> Int {
        var encoder = BlockEncoder()
        var bytes: [UInt8] = []
        #expect(encoder.encode(batch, number: 0, into: &bytes))
        return bytes.count
    }

    @Test("the state before is what one recorder would have noted, not what the second one found changed")
    func observed() throws {
        func call(_ kind: OperationKind, at time: Int64, revision: Int64, _ body: RequestOp) -> Operation {
            var operation = Operation(
                time: CaptureTime(nanoseconds: time), connection: 0, stream: 1, role: .call, kind: kind,
                evidence: .seen, method: .unknown)
            operation.responseEnd = 1
            operation.status = 0
            operation.headerRevision = revision
            operation.body = body
            return operation
        }
        /// A read of the key that finds it as a write at a revision left it.
        func read(_ mod: Int64, version: Int64, at time: Int64, revision: Int64) -> OperationBatch {
            var batch = OperationBatch()
            var body = RequestOp()
            body.kind = .range
            body.flags = [.answered]
            body.key = batch.keys.number(of: "/registry/pods/a")
            body.count = 1
            body.keyValues = Slice(start: 0, count: 1)
            var record = KeyValueRecord()
            record.key = body.key
            (record.createRevision, record.modRevision, record.version) = (3, mod, version)
            batch.keyValues.append(record)
            batch.operations.append(call(.range, at: time, revision: revision, body))
            return batch
        }
        var first = read(5, version: 2, at: 10, revision: 9)
        var put = RequestOp()
        put.kind = .put
        put.flags = [.answered]
        put.key = first.keys.number(of: "/registry/pods/a")
        first.operations.append(call(.put, at: 20, revision: 10, put))
        // The second recorder begins behind the write, and takes its outcome for the state before.
        var second = read(10, version: 3, at: 30, revision: 12)
        var record = ObservedRecord(kind: .present, source: .rangeReply, key: 1)
        record.modRevision = 10
        second.observed.append(record)
        let merged = try Self.merged([[first], [second]], observed: .anew)
        #expect(merged.flatMap(\.observed).map(\.modRevision) == [5])
        #expect(
            try Self.merged([[first], [second]], observed: .asGiven).flatMap(\.observed).map(\.modRevision) == [10])
    }

    @Test("descriptions: captures of all, other words once, no number of a part")
    func descriptions() {
        var first = TraceMeta()
        first.tool = "kvreel 0.1.0"
        first.captures = ["a.pcap", "b.pcap"]
        first["part"] = "2"
        var second = TraceMeta()
        second.tool = "kvreel 0.1.0"
        second.captures = ["c.pcap"]
        second["host"] = "west"
        let merged = TraceMeta.merged([first, second])
        #expect(merged.captures == ["a.pcap", "b.pcap", "c.pcap"])
        #expect(merged.tool == "kvreel 0.1.0")
        #expect(merged["host"] == "west")
        #expect(merged["part"] == nil)
        var other = first
        other["part"] = "3"
        #expect(first.isSameRecording(as: other))
        #expect(!first.isSameRecording(as: second))
    }

    @Test(
        "sets of shards",
        arguments: [
            ("1/1", true), ("2/4", true), ("1,3/4", true), ("1,2,3,4/4", true), ("0/4", false), ("5/4", false),
            ("2,2/4", false), ("", false), ("/", false), ("1", false), ("1/", false), ("-1/4", false),
            ("1,/4", false), ("1/99999999999999999999", false), ("1/20000", false),
        ])
    func shards(text: String, isOne: Bool) {
        let set = ShardSet(text)
        #expect((set != nil) == isOne)
        if let set {
            #expect(set.text == text)
            #expect(Set(set.numbers + set.missing) == Set(1...set.count))
            #expect(set.isWhole == set.missing.isEmpty)
        }
    }
}
