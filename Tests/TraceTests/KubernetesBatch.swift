import Etcd
import TestSupport
import Wire

/// Batches shaped like a kube-apiserver's traffic: reads of single keys and lists, transactions that compare a revision
/// and put, their events on watches, renewed leases.
struct KubernetesBatch {
    private var random: SplitMix64
    private var batch = OperationBatch()
    private var objects: [Object] = []
    private var now: Int64 = 1_795_223_434_076_860_000
    private var revision: Int64 = 1000
    private var streams: [UInt32] = Array(repeating: 1, count: 40)

    private struct Object {
        var key: [UInt8]
        var connection: Int
        var createRevision: Int64
        var modRevision: Int64
        var version: Int64
        var valueSize: Int64
    }

    static func make(seed: UInt64, operations count: Int) -> OperationBatch {
        var maker = KubernetesBatch(random: SplitMix64(seed: seed))
        while maker.batch.operations.count < count { maker.step() }
        maker.batch.health[.packets] = Int64(count)
        for number in 0..<UInt32(maker.streams.count) {
            var record = ConnectionRecord(
                number: number, client: maker.batch.texts.number(of: "127.0.0.1:\(33000 + number * 2)"),
                server: maker.batch.texts.number(of: "127.0.0.1:2379"), firstTime: CaptureTime(nanoseconds: maker.now))
            record.userAgent = maker.batch.texts.number(of: "grpc-go/1.81.1")
            maker.batch.connections.append(record)
        }
        return maker.batch
    }

    private init(random: SplitMix64) { self.random = random }

    private mutating func step() {
        now += Int64(random.below(900)) * 1000
        if objects.isEmpty || random.chance(0.06) { return create() }
        let place = min(random.below(objects.count), random.below(objects.count))
        switch random.below(10) {
        case 0..<3: read(place)
        case 3: list(place)
        default: update(place)
        }
    }

    private mutating func name() -> String {
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        return String((0..<5).map { _ in letters[random.below(letters.count)] })
    }

    private mutating func create() {
        let kinds = ["pods", "leases", "events", "replicasets", "configmaps", "endpointslices"]
        let kind = random.below(kinds.count)
        let text =
            "/registry/\(kinds[kind])/namespace-\(random.below(12))/web-\(random.below(60))-\(name())"
        revision += 1
        objects.append(
            Object(
                key: Array(text.utf8), connection: kind * 3, createRevision: revision, modRevision: revision,
                version: 1,
                valueSize: Int64(300 + random.below(4000))))
        transaction(objects.count - 1, operand: 0)
    }

    private mutating func update(_ place: Int) {
        let before = objects[place].modRevision
        revision += 1
        objects[place].modRevision = revision
        objects[place].version += 1
        objects[place].valueSize += random.chance(0.3) ? Int64(random.below(40)) : 0
        transaction(place, operand: before)
    }

    private mutating func call(_ place: Int, _ kind: OperationKind, method: UInt16) -> Operation {
        let connection = objects[place].connection
        streams[connection] += 2
        var operation = Operation(
            time: CaptureTime(nanoseconds: now), connection: UInt32(connection), stream: streams[connection],
            role: .call,
            kind: kind, evidence: .seen, method: MethodNumber(rawValue: method))
        operation.requestEnd = 0
        operation.responseStart = Int64(200 + random.below(1500)) * 1000
        operation.responseEnd = operation.responseStart
        operation.completeness = [.completed]
        operation.status = 0
        operation.key = keyNumber(place)
        operation.headerRevision = revision
        operation.requestMessages = 1
        operation.responseMessages = 1
        return operation
    }

    private mutating func finish(_ operation: inout Operation, request: Int64, response: Int64) {
        operation.requestBytes = request
        operation.responseBytes = response
        operation.requestWireBytes = request + 60 + Int64(random.below(3))
        operation.responseWireBytes = response + 70
        batch.operations.append(operation)
    }

    private mutating func keyNumber(_ place: Int) -> KeyNumber {
        let key = objects[place].key
        return batch.keys.number(of: key.span)
    }

    private func record(_ place: Int, key: KeyNumber, kind: KeyValueRecord.Kind) -> KeyValueRecord {
        var record = KeyValueRecord()
        record.kind = kind
        record.key = key
        record.createRevision = objects[place].createRevision
        record.modRevision = objects[place].modRevision
        record.version = objects[place].version
        record.valueSize = objects[place].valueSize
        return record
    }

    private mutating func read(_ place: Int) {
        var operation = call(place, .range, method: 2)
        operation.body.kind = .range
        operation.body.flags = [.answered]
        operation.body.key = operation.key
        operation.body.count = 1
        operation.body.keyValues = Slice(start: UInt32(batch.keyValues.count), count: 1)
        batch.keyValues.append(record(place, key: operation.key, kind: .reply))
        let length = Int64(objects[place].key.count)
        finish(&operation, request: length + 2, response: length + objects[place].valueSize + 40)
    }

    private mutating func list(_ place: Int) {
        var operation = call(place, .range, method: 2)
        operation.body.kind = .range
        operation.body.flags = [.answered, .hasRangeEnd]
        operation.body.key = batch.keys.number(of: "/registry/pods/")
        operation.key = operation.body.key
        operation.body.rangeEnd = batch.keys.number(of: "/registry/pods0")
        operation.body.limit = 500
        let start = batch.keyValues.count
        for index in place..<min(place + 4, objects.count) {
            let key = keyNumber(index)
            batch.keyValues.append(record(index, key: key, kind: .reply))
        }
        operation.body.keyValues = Slice(start: UInt32(start), count: UInt32(batch.keyValues.count - start))
        operation.body.count = Int64(objects.count)
        finish(&operation, request: 40, response: 4000)
    }

    private mutating func transaction(_ place: Int, operand: Int64) {
        var operation = call(place, .txn, method: 5)
        operation.body.kind = .txn
        operation.body.flags = [.answered, .succeeded]
        var compare = Compare()
        compare.target = .modRevision
        compare.key = operation.key
        compare.operand = operand
        operation.body.compares = Slice(start: UInt32(batch.compares.count), count: 1)
        batch.compares.append(compare)
        operation.parts = Slice(start: UInt32(batch.parts.count), count: operand == 0 ? 1 : 2)
        var put = RequestOp()
        put.kind = .put
        put.branch = .success
        put.flags = [.answered]
        put.key = operation.key
        put.valueSize = objects[place].valueSize
        batch.parts.append(put)
        if operand != 0 {
            var range = RequestOp()
            range.kind = .range
            range.branch = .failure
            range.key = operation.key
            batch.parts.append(range)
        }
        let length = Int64(objects[place].key.count)
        finish(&operation, request: length * (operand == 0 ? 2 : 3) + put.valueSize + 30, response: 25)
        event(place, key: operation.key)
    }

    private mutating func event(_ place: Int, key: KeyNumber) {
        let connection = objects[place].connection + 1
        var operation = Operation(
            time: CaptureTime(nanoseconds: now + 2_000_000), connection: UInt32(connection), stream: 3, role: .event,
            kind: .watchEvents, evidence: .seen, method: MethodNumber(rawValue: 7))
        operation.responseStart = 0
        operation.responseEnd = 0
        operation.completeness = [.hasResponse]
        operation.watchID = Int64(connection)
        operation.headerRevision = revision
        operation.events = Slice(start: UInt32(batch.keyValues.count), count: 1)
        batch.keyValues.append(record(place, key: key, kind: .putEvent))
        operation.responseMessages = 1
        operation.responseBytes = Int64(objects[place].key.count) + objects[place].valueSize + 50
        operation.responseWireBytes = operation.responseBytes + 14
        batch.operations.append(operation)
    }
}
