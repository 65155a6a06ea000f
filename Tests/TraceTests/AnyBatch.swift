import Etcd
import TestSupport
import Wire

/// Batches in which every field may hold whatever its type can: not what etcd does, but what the format must carry.
struct AnyBatch {
    private var random: SplitMix64
    private var batch = OperationBatch()
    /// Up to where slices of each kind have named records: no record is named twice.
    private var named: [Kind: Int] = [:]

    private enum Kind { case parts, compares, keyValues }

    static func make(seed: UInt64, operations count: Int) -> OperationBatch {
        var maker = AnyBatch(random: SplitMix64(seed: seed))
        maker.fill(count)
        return maker.batch
    }

    private init(random: SplitMix64) { self.random = random }

    private mutating func fill(_ count: Int) {
        for _ in 0..<random.below(count * 2 + 1) { _ = batch.keys.number(of: string()) }
        for _ in 0..<random.below(20) { _ = batch.texts.number(of: string()) }
        for _ in 0..<random.below(count * 2 + 1) { batch.compares.append(compare()) }
        for _ in 0..<random.below(count * 3 + 1) { batch.keyValues.append(keyValue()) }
        for _ in 0..<random.below(count * 2 + 1) { batch.parts.append(body()) }
        for _ in 0..<count { batch.operations.append(operation()) }
        for _ in 0..<random.below(count + 1) { batch.observed.append(observed()) }
        for _ in 0..<random.below(10) { batch.connections.append(connection()) }
        for field in RecordingHealth.Field.allCases { batch.health[field] = signed() }
        if random.chance(0.5) { batch.replays = batch.operations.map { _ in replay() } }
    }

    private mutating func string() -> String {
        let words = ["/registry/", "pods/", "leases/", "a", "ab", "é", "\u{0}", "default/", "kube-system/"]
        var text = ""
        for _ in 0..<random.below(6) { text += words[random.below(words.count)] }
        return text + String(random.below(100))
    }

    private mutating func signed() -> Int64 {
        switch random.below(8) {
        case 0: .min
        case 1: .max
        case 2: Int64(bitPattern: random.next())
        case 3: -Int64(random.below(300))
        case 4, 5: 0
        default: Int64(random.below(300))
        }
    }

    private mutating func unsigned() -> UInt32 {
        switch random.below(6) {
        case 0: .max
        case 1: UInt32(truncatingIfNeeded: random.next())
        case 2: 0
        default: UInt32(random.below(300))
        }
    }

    private mutating func one<Case: CaseIterable>(of type: Case.Type) -> Case where Case.AllCases == [Case] {
        Case.allCases[random.below(Case.allCases.count)]
    }

    private mutating func key() -> KeyNumber { UInt32(random.below(batch.keys.count + 1)) }
    private mutating func text() -> TextNumber { UInt32(random.below(batch.texts.count + 1)) }

    /// A slice of the records that no slice has named yet; some of them it leaves out.
    private mutating func slice(_ kind: Kind, of count: Int) -> Slice {
        let end = named[kind] ?? 0
        let start = end + random.below(min(3, count - end) + 1)
        let length = random.below(min(5, count - start) + 1)
        if length > 0 { named[kind] = start + length }
        return Slice(start: UInt32(start), count: UInt32(length))
    }

    private mutating func compare() -> Compare {
        var compare = Compare()
        compare.target = one(of: Compare.Target.self)
        compare.relation = one(of: Compare.Relation.self)
        compare.key = key()
        compare.rangeEnd = key()
        compare.operand = signed()
        return compare
    }

    private mutating func keyValue() -> KeyValueRecord {
        var record = KeyValueRecord()
        record.kind = one(of: KeyValueRecord.Kind.self)
        record.key = key()
        record.createRevision = signed()
        record.modRevision = signed()
        record.version = signed()
        record.lease = signed()
        record.valueSize = signed()
        return record
    }

    private mutating func body() -> RequestOp {
        var body = RequestOp()
        body.kind = one(of: RequestOp.Kind.self)
        body.branch = one(of: RequestOp.Branch.self)
        body.depth = UInt8(truncatingIfNeeded: random.next())
        body.sortOrder = UInt8(truncatingIfNeeded: random.next())
        body.sortTarget = UInt8(truncatingIfNeeded: random.next())
        body.flags = RequestOp.Flags(rawValue: unsigned())
        body.key = key()
        body.rangeEnd = key()
        body.limit = signed()
        body.revision = signed()
        body.lease = signed()
        body.valueSize = signed()
        body.count = signed()
        body.keyValues = slice(.keyValues, of: batch.keyValues.count)
        body.compares = slice(.compares, of: batch.compares.count)
        body.nestedParts = unsigned()
        return body
    }

    private mutating func operation() -> Operation {
        var operation = Operation(
            time: CaptureTime(nanoseconds: signed()), connection: unsigned(), stream: unsigned(),
            role: one(of: Operation.Role.self), kind: one(of: OperationKind.self),
            evidence: one(of: Operation.Evidence.self),
            method: MethodNumber(rawValue: UInt16(truncatingIfNeeded: random.next())))
        operation.inference = one(of: Inference.self)
        operation.candidates = MethodSet(rawValue: random.chance(0.5) ? 0 : random.next())
        operation.requestEnd = signed()
        operation.responseStart = signed()
        operation.responseEnd = signed()
        operation.completeness = Operation.Completeness(rawValue: UInt16(truncatingIfNeeded: random.next()))
        operation.methodText = text()
        operation.body = random.chance(0.5) ? body() : RequestOp()
        operation.parts = slice(.parts, of: batch.parts.count)
        operation.events = slice(.keyValues, of: batch.keyValues.count)
        operation.key = key()
        operation.lease = signed()
        operation.ttl = signed()
        operation.revision = signed()
        operation.watchID = signed()
        operation.status = random.chance(0.3) ? nil : unsigned()
        operation.errorText = text()
        operation.headerRevision = signed()
        operation.requestMessages = unsigned()
        operation.responseMessages = unsigned()
        operation.requestBytes = signed()
        operation.responseBytes = signed()
        operation.requestWireBytes = signed()
        operation.responseWireBytes = signed()
        return operation
    }

    private mutating func observed() -> ObservedRecord {
        var record = ObservedRecord(
            kind: one(of: ObservedRecord.Kind.self), source: one(of: ObservedRecord.Source.self), key: key())
        record.rangeEnd = key()
        record.createRevision = signed()
        record.modRevision = signed()
        record.version = signed()
        record.lease = signed()
        record.valueSize = signed()
        record.count = signed()
        record.named = signed()
        return record
    }

    private mutating func replay() -> ReplayRecord {
        var record = ReplayRecord()
        record.intended = signed()
        record.released = signed()
        record.call = unsigned()
        record.loop = unsigned()
        record.difference = UInt8(truncatingIfNeeded: random.next())
        record.isApproximated = random.chance(0.5)
        record.isWarmUp = random.chance(0.5)
        record.isUncompared = random.chance(0.5)
        return record
    }

    private mutating func connection() -> ConnectionRecord {
        var record = ConnectionRecord(
            number: unsigned(), client: text(), server: text(), firstTime: CaptureTime(nanoseconds: signed()))
        record.userAgent = text()
        record.start = one(of: ConnectionRecord.Start.self)
        record.content = one(of: ConnectionRecord.Content.self)
        record.lastTime = CaptureTime(nanoseconds: signed())
        record.isClosed = random.chance(0.5)
        record.requestBytes = signed()
        record.responseBytes = signed()
        record.lostBytes = signed()
        record.gaps = signed()
        record.undecodableBytes = signed()
        return record
    }
}
