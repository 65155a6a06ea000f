import Etcd

/// Operations with everything that they name by number put in its place, so that two can be compared whatever their
/// batches.
struct Described: Equatable {
    var operation: Operation
    var body: DescribedBody
    var parts: [DescribedBody]
    var events: [DescribedKeyValue]
    var key: [UInt8]
    var texts: [[UInt8]]

    init(_ operation: Operation, in batch: OperationBatch) {
        body = DescribedBody(operation.body, in: batch)
        parts = batch.parts[operation.parts.range].map { DescribedBody($0, in: batch) }
        events = batch.keyValues[operation.events.range].map { DescribedKeyValue($0, in: batch) }
        key = batch.keys.string(operation.key)
        texts = [batch.texts.string(operation.methodText), batch.texts.string(operation.errorText)]
        self.operation = operation
        self.operation.body = RequestOp()
        self.operation.parts = Slice()
        self.operation.events = Slice()
        self.operation.key = 0
        self.operation.methodText = 0
        self.operation.errorText = 0
    }
}

struct DescribedBody: Equatable {
    var plain: RequestOp
    var key: [UInt8] = []
    var rangeEnd: [UInt8] = []
    var keyValues: [DescribedKeyValue] = []
    var compares: [DescribedCompare] = []

    init(_ body: RequestOp, in batch: OperationBatch) {
        plain = body
        key = batch.keys.string(body.key)
        rangeEnd = batch.keys.string(body.rangeEnd)
        keyValues = batch.keyValues[body.keyValues.range].map { DescribedKeyValue($0, in: batch) }
        compares = batch.compares[body.compares.range].map { DescribedCompare($0, in: batch) }
        plain.key = 0
        plain.rangeEnd = 0
        plain.keyValues = Slice()
        plain.compares = Slice()
    }

    /// What is expected; its numbers and slices stay 0.
    init(_ kind: RequestOp.Kind, branch: RequestOp.Branch, depth: Int) {
        plain = RequestOp()
        plain.kind = kind
        plain.branch = branch
        plain.depth = UInt8(depth)
    }
}

struct DescribedKeyValue: Equatable {
    var plain: KeyValueRecord
    var key: [UInt8]

    init(_ record: KeyValueRecord, in batch: OperationBatch) {
        plain = record
        plain.key = 0
        key = batch.keys.string(record.key)
    }

    init(_ message: Mvccpb_KeyValue, _ kind: KeyValueRecord.Kind) {
        plain = KeyValueRecord()
        plain.kind = kind
        plain.createRevision = message.createRevision
        plain.modRevision = message.modRevision
        plain.version = message.version
        plain.lease = message.lease
        plain.valueSize = Int64(message.value.count)
        key = Array(message.key)
    }
}

struct DescribedCompare: Equatable {
    var plain: Compare
    var key: [UInt8]
    var rangeEnd: [UInt8]

    init(_ compare: Compare, in batch: OperationBatch) {
        plain = compare
        plain.key = 0
        plain.rangeEnd = 0
        key = batch.keys.string(compare.key)
        rangeEnd = batch.keys.string(compare.rangeEnd)
    }

    init(_ message: Etcdserverpb_Compare) {
        plain = Compare()
        plain.relation = Compare.Relation(rawValue: UInt8(message.result.rawValue)) ?? .equal
        plain.target = Compare.Target(rawValue: UInt8(message.target.rawValue)) ?? .version
        switch (message.target, message.targetUnion) {
        case (.version, .version(let operand)), (.create, .createRevision(let operand)),
            (.mod, .modRevision(let operand)), (.lease, .lease(let operand)):
            plain.operand = operand
        case (.value, .value(let value)): plain.operand = Int64(value.count)
        default: plain.operand = 0
        }
        key = Array(message.key)
        rangeEnd = Array(message.rangeEnd)
    }
}
