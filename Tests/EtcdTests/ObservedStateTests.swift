import Etcd
import TestSupport
import Testing
import Wire

/// A store with etcd's revisions, whose operations are executed in one order and seen ending in another.
private struct Store {
    struct Value: Equatable {
        var create: Int64
        var mod: Int64
        var version: Int64
        var size: Int64
    }

    var revision: Int64 = 1
    var values: [String: Value] = [:]

    /// What a put did: the previous value.
    mutating func put(_ key: String, size: Int64, at revision: Int64) -> Value? {
        let previous = values[key]
        values[key] = Value(
            create: previous?.create ?? revision, mod: revision, version: (previous?.version ?? 0) + 1, size: size)
        return previous
    }

    func keys(from key: String, to end: String?) -> [String] {
        guard let end else { return values[key] == nil ? [] : [key] }
        return values.keys.filter { $0 >= key && $0 < end }.sorted()
    }
}

/// Writes operations on a store into a batch as the recorder would.
private struct Script {
    var store = Store()
    var batch = OperationBatch()
    var time: Int64 = 1_000_000_000

    mutating func key(_ key: String) -> KeyNumber { batch.keys.number(of: key) }

    mutating func append(_ kind: OperationKind, _ body: RequestOp, _ change: (inout Operation) -> Void = { _ in }) {
        time += 1_000_000
        var call = Operation(
            time: CaptureTime(nanoseconds: time), connection: 1, stream: 1, role: kind == .watchEvents ? .event : .call,
            kind: kind, evidence: .seen, method: .unknown)
        call.body = body
        call.status = 0
        call.completeness = .completed
        call.headerRevision = store.revision
        call.responseEnd = 1_000
        change(&call)
        batch.operations.append(call)
    }

    mutating func record(_ key: String, _ value: Store.Value, _ kind: KeyValueRecord.Kind) {
        var record = KeyValueRecord()
        record.kind = kind
        record.key = self.key(key)
        record.createRevision = value.create
        record.modRevision = value.mod
        record.version = value.version
        record.valueSize = value.size
        batch.keyValues.append(record)
    }

    mutating func rangeBody(_ key: String, end: String?, limit: Int = .max, countOnly: Bool = false) -> RequestOp {
        var body = RequestOp()
        body.kind = .range
        body.key = self.key(key)
        body.flags = .answered
        if let end {
            body.rangeEnd = self.key(end)
            body.flags.insert(.hasRangeEnd)
        }
        let found = store.keys(from: key, to: end)
        body.count = Int64(found.count)
        let start = batch.keyValues.count
        if countOnly {
            body.flags.insert(.countOnly)
        } else {
            for name in found.prefix(limit) { if let value = store.values[name] { record(name, value, .reply) } }
        }
        body.keyValues = Slice(start: UInt32(start), count: UInt32(batch.keyValues.count - start))
        return body
    }

    mutating func range(_ key: String, end: String? = nil, limit: Int = .max, countOnly: Bool = false) {
        append(.range, rangeBody(key, end: end, limit: limit, countOnly: countOnly))
    }

    mutating func put(_ key: String, size: Int64, previous: Bool = false) {
        append(.put, putBody(key, size: size, previous: previous))
    }

    mutating func putBody(_ key: String, size: Int64, previous: Bool) -> RequestOp {
        store.revision += 1
        var body = RequestOp()
        body.kind = .put
        body.key = self.key(key)
        body.flags = .answered
        let start = batch.keyValues.count
        if let old = store.put(key, size: size, at: store.revision), previous { record(key, old, .previous) }
        body.keyValues = Slice(start: UInt32(start), count: UInt32(batch.keyValues.count - start))
        return body
    }

    mutating func delete(_ key: String, end: String? = nil, previous: Bool = false) {
        var body = RequestOp()
        body.kind = .delete
        body.key = self.key(key)
        body.flags = .answered
        if let end {
            body.rangeEnd = self.key(end)
            body.flags.insert(.hasRangeEnd)
        }
        let found = store.keys(from: key, to: end)
        if !found.isEmpty { store.revision += 1 }
        body.count = Int64(found.count)
        let start = batch.keyValues.count
        for name in found {
            if let old = store.values.removeValue(forKey: name), previous { record(name, old, .previous) }
        }
        body.keyValues = Slice(start: UInt32(start), count: UInt32(batch.keyValues.count - start))
        append(.delete, body)
    }

    /// A guarded update as Kubernetes sends it: compare, put, else range.
    mutating func update(_ key: String, _ target: Compare.Target, _ relation: Compare.Relation, _ operand: Int64) {
        let value = store.values[key]
        let actual: Int64 =
            switch target {
            case .version: value?.version ?? 0
            case .createRevision: value?.create ?? 0
            default: value?.mod ?? 0
            }
        let holds =
            switch relation {
            case .equal: actual == operand
            case .greater: actual > operand
            case .less: actual < operand
            case .notEqual: actual != operand
            }
        var compare = Compare()
        compare.target = target
        compare.relation = relation
        compare.key = self.key(key)
        compare.operand = operand
        var body = RequestOp()
        body.kind = .txn
        body.flags = holds ? [.answered, .succeeded] : .answered
        body.compares = Slice(start: UInt32(batch.compares.count), count: 1)
        batch.compares.append(compare)
        var success = RequestOp()
        success.kind = .put
        success.key = compare.key
        var failure = RequestOp()
        failure.kind = .range
        failure.key = compare.key
        if holds { success = putBody(key, size: 7, previous: false) } else { failure = rangeBody(key, end: nil) }
        success.branch = .success
        failure.branch = .failure
        let parts = Slice(start: UInt32(batch.parts.count), count: 2)
        batch.parts += [success, failure]
        append(.txn, body) { $0.parts = parts }
    }

    /// A watch's event for the key's present state, or its deletion at the present revision.
    mutating func event(_ key: String, previous: Store.Value?, deleted: Bool) {
        let start = batch.keyValues.count
        if deleted {
            record(key, Store.Value(create: 0, mod: store.revision, version: 0, size: 0), .deleteEvent)
        } else if let value = store.values[key] {
            record(key, value, .putEvent)
        }
        if let previous { record(key, previous, .previous) }
        let events = Slice(start: UInt32(start), count: UInt32(batch.keyValues.count - start))
        append(.watchEvents, RequestOp()) {
            $0.events = events
            $0.completeness = .hasResponse
        }
    }

    /// What is observed when the batch is the whole recording.
    func observed(_ limits: ObservedStateLimits = ObservedStateLimits()) -> (
        records: [ObservedRecord], batch: OperationBatch
    ) {
        var batch = batch
        var state = ObservedState(limits: limits)
        state.observe(&batch, from: 0)
        state.finish(&batch)
        return (batch.observed, batch)
    }
}

@Suite("Observed state")
struct ObservedStateTests {
    /// A store at revision 11: `old` created at 2 and changed at 11, `keep` created at 3, `p/0`... at 4 to 10.
    private static var begun: Script {
        var script = Script()
        _ = script.store.put("old", size: 20, at: 2)
        _ = script.store.put("keep", size: 30, at: 3)
        for index in 0..<7 { _ = script.store.put("p/\(index)", size: 40, at: Int64(4 + index)) }
        _ = script.store.put("old", size: 21, at: 11)
        script.store.revision = 11
        return script
    }

    private static func describe(_ script: Script) -> [String] {
        let (records, batch) = script.observed()
        return records.map { record in
            let key = String(decoding: batch.keys.string(record.key), as: UTF8.self)
            let fields = [record.createRevision, record.modRevision, record.version, record.valueSize].map(String.init)
            switch record.kind {
            case .present: return "\(key) present \(fields.joined(separator: " ")) \(record.source)"
            case .absent: return "\(key) absent \(record.source)"
            case .counted: return "\(key) counted \(record.count) named \(record.named)"
            }
        }
    }

    @Test("a reply shows a key's whole state, once")
    func reply() {
        var script = Self.begun
        script.range("old")
        script.range("old")
        script.put("old", size: 1)
        script.range("old")
        #expect(Self.describe(script) == ["old present 2 11 2 21 rangeReply"])
    }

    @Test("a key changed before it was read is known to have existed, and no more")
    func changed() {
        var script = Self.begun
        script.put("old", size: 1)
        script.range("old")
        #expect(Self.describe(script) == ["old present 2 0 0 -1 rangeReply"])
    }

    @Test("a previous key-value shows what was there before the first change")
    func previous() {
        var script = Self.begun
        script.put("keep", size: 1, previous: true)
        script.put("keep", size: 1, previous: true)
        script.delete("p/0", end: "p/2", previous: true)
        #expect(
            Self.describe(script) == [
                "keep present 3 3 1 30 previous", "p/0 present 4 4 1 40 previous", "p/1 present 5 5 1 40 previous",
            ])
    }

    @Test("a key made in the recording did not exist, and is never called present")
    func created() {
        var script = Self.begun
        script.update("new", .modRevision, .equal, 0)
        script.range("new")
        script.delete("new")
        script.range("new")
        script.range("none")
        #expect(Self.describe(script) == ["new absent compare", "none absent rangeReply"])
    }

    @Test("compares that held show mod revision or absence")
    func compares() {
        var script = Self.begun
        script.update("old", .modRevision, .equal, 11)
        script.update("keep", .createRevision, .equal, 3)
        script.update("p/0", .version, .greater, 0)
        script.update("none", .version, .equal, 0)
        #expect(
            Self.describe(script) == [
                "old present 0 11 0 -1 compare", "keep present 3 0 0 -1 compare", "p/0 present 0 0 0 -1 compare",
                "none absent compare",
            ])
    }

    @Test("a failure branch shows what the compare missed")
    func failureBranch() {
        var script = Self.begun
        script.update("keep", .modRevision, .equal, 1)
        #expect(Self.describe(script) == ["keep present 3 3 1 30 txnReply"])
    }

    @Test("events show earlier existence; version 1 shows absence")
    func events() {
        var script = Self.begun
        script.put("keep", size: 5)
        script.event("keep", previous: nil, deleted: false)
        script.put("new", size: 5)
        script.event("new", previous: nil, deleted: false)
        let old = script.store.values["old"]
        script.delete("old")
        script.event("old", previous: old, deleted: true)
        #expect(
            Set(Self.describe(script)) == [
                "keep present 3 0 0 -1 event", "new absent event", "old present 0 0 0 -1 previous",
                "old present 2 11 2 21 previous",
            ])
    }

    @Test("events of the past prove nothing about the start")
    func pastEvents() {
        var script = Self.begun
        script.range("none")
        script.event("p/0", previous: nil, deleted: false)
        #expect(Self.describe(script) == ["none absent rangeReply"])
    }

    @Test("a count is kept where keys were not named, once a range, while nothing had changed")
    func counts() {
        var script = Self.begun
        script.range("p/", end: "p0", countOnly: true)
        script.range("p/", end: "p0", countOnly: true)
        script.range("p/", end: "p2", limit: 2)
        script.range("o", end: "q", limit: 100)
        script.put("p/9", size: 1)
        script.range("p", end: "q", countOnly: true)
        let counted = Self.describe(script).filter { $0.contains("counted") }
        #expect(counted == ["p/ counted 7 named 0", "p/ counted 7 named 2"])
    }

    @Test("after a deletion that names no keys, absence proves nothing")
    func rangeDeletion() {
        var script = Self.begun
        script.delete("p/", end: "p0")
        script.range("p/0")
        script.range("q")
        #expect(Self.describe(script) == ["q absent rangeReply"])
    }

    @Test("a write without an answer may have happened")
    func unanswered() {
        var script = Self.begun
        var body = RequestOp()
        body.kind = .delete
        body.key = script.key("keep")
        script.store.values["keep"] = nil
        script.store.revision += 1
        script.append(.delete, body) {
            $0.status = nil
            $0.headerRevision = 0
            $0.completeness = .resetByClient
        }
        script.range("keep")
        #expect(Self.describe(script).isEmpty)
    }

    @Test("at the limit of keys, facts are left out and counted")
    func limits() {
        var script = Self.begun
        script.range("p/", end: "p0")
        var limits = ObservedStateLimits()
        limits.keys = 3
        var batch = script.batch
        var state = ObservedState(limits: limits)
        state.observe(&batch, from: 0)
        state.finish(&batch)
        #expect(batch.observed.count == 3 && state.droppedFacts == 4)
    }

    @Test("nothing false is ever said of the start, in whatever order answers arrive", arguments: seeds(1...8))
    func truth(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var said: [ObservedRecord.Kind: Int] = [:]
        for _ in 0..<60 {
            let script = Self.randomRecording(&random)
            let start = script.start
            var batch = script.recording.batch
            // Answers overlap: an operation may be seen ending up to five places later than it was executed.
            let order = batch.operations.indices.map { ($0 + Int.random(in: 0...5, using: &random), $0) }.sorted {
                $0 < $1
            }
            let executed = batch.operations
            batch.operations = order.map { executed[$0.1] }

            // In several batches, as the recorder hands them over.
            var state = ObservedState()
            var records: [ObservedRecord] = []
            let whole = batch
            var from = 0
            while from < whole.operations.count {
                let count = Int.random(in: 1...40, using: &random)
                batch.operations = Array(whole.operations[..<min(whole.operations.count, from + count)])
                batch.observed.removeAll()
                state.observe(&batch, from: from)
                records += batch.observed
                from += count
            }
            batch.observed.removeAll()
            state.finish(&batch)
            records += batch.observed
            for record in records {
                said[record.kind, default: 0] += 1
                let key = String(decoding: batch.keys.string(record.key), as: UTF8.self)
                let end = String(decoding: batch.keys.string(record.rangeEnd), as: UTF8.self)
                #expect(Self.isTrue(record, key, end, of: start), "seed \(seed): \(record) of \(key)")
            }
        }
        // A claim that is never made is never wrong.
        let counts = [said[.present, default: 0], said[.absent, default: 0], said[.counted, default: 0]]
        #expect(counts[0] > 200 && counts[1] > 50 && counts[2] > 5, "present, absent, counted: \(counts)")
    }

    private static func isTrue(_ record: ObservedRecord, _ key: String, _ end: String, of start: Store) -> Bool {
        switch record.kind {
        case .absent: return start.values[key] == nil
        case .counted: return start.keys(from: key, to: end).count == Int(record.count)
        case .present:
            guard let value = start.values[key] else { return false }
            return [0, value.create].contains(record.createRevision) && [0, value.mod].contains(record.modRevision)
                && [0, value.version].contains(record.version) && [-1, value.size].contains(record.valueSize)
        }
    }

    private static func randomRecording(_ random: inout SplitMix64) -> (start: Store, recording: Script) {
        var script = Script()
        let names = (0..<24).map { "k/\($0)" }
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            script.store.revision += 1
            let name = names.randomElement(using: &random) ?? "k/0"
            if Int.random(in: 0..<4, using: &random) == 0 {
                script.store.values[name] = nil
            } else {
                _ = script.store.put(name, size: Int64.random(in: 0...99, using: &random), at: script.store.revision)
            }
        }
        let start = script.store
        for _ in 0..<Int.random(in: 1...120, using: &random) {
            let name = names.randomElement(using: &random) ?? "k/0"
            let value = script.store.values[name]
            switch Int.random(in: 0..<14, using: &random) {
            case 0...2: script.range(name)
            case 3: script.range("k/1", end: "k/2", limit: 3)
            case 4: script.range("k/", end: "k0", countOnly: true)
            case 5: script.put(name, size: 5, previous: Bool.random(using: &random))
            case 6:
                script.put(name, size: 6)
                script.event(name, previous: Bool.random(using: &random) ? value : nil, deleted: false)
            case 7: script.delete(name, previous: Bool.random(using: &random))
            case 8:
                if value != nil {
                    script.delete(name)
                    script.event(name, previous: Bool.random(using: &random) ? value : nil, deleted: true)
                }
            case 9: script.update(name, .modRevision, .equal, value?.mod ?? 0)
            case 10: script.update(name, .modRevision, .equal, 0)
            case 11: script.update(name, .version, .greater, 0)
            case 12: script.update(name, .createRevision, .equal, value?.create ?? 1)
            default: if Int.random(in: 0..<8, using: &random) == 0 { script.delete("k/1", end: "k/15") }
            }
        }
        return (start, script)
    }
}
