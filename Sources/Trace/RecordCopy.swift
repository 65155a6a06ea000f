import Etcd
import Wire

/// Copies records of one batch, the whole, to another one, the part, with the keys and texts that they name. What no
/// copied record names does not come along.
struct RecordCopy {
    /// Numbers in the part of the whole's keys and texts; 0 where they are not in it.
    private var keys: [KeyNumber] = []
    private var texts: [TextNumber] = []

    /// To be called before the first record of another whole, or for another part.
    mutating func begin(_ whole: borrowing OperationBatch) {
        keys.removeAll(keepingCapacity: true)
        keys.append(contentsOf: repeatElement(0, count: whole.keys.count + 1))
        texts.removeAll(keepingCapacity: true)
        texts.append(contentsOf: repeatElement(0, count: whole.texts.count + 1))
    }

    /// Whether the part may take another record. Any one operation fits after this much: its own keys take less than
    /// what is left of a block's.
    static func hasRoom(_ part: borrowing OperationBatch) -> Bool {
        part.operations.count < TraceLimits.recommendedOperations
            && part.keyValues.count < TraceLimits.recommendedKeyValues
            && part.byteCount < TraceLimits.recommendedBatchBytes
            && isModest(part)
    }

    /// Whether the strings of the batch take so little memory that they may stay together.
    static func isModest(_ batch: borrowing OperationBatch) -> Bool {
        batch.keys.bytes.count + batch.texts.bytes.count < TraceLimits.recommendedStringBytes
    }

    mutating func append(
        _ operation: Operation, of whole: borrowing OperationBatch, to part: inout OperationBatch
    ) {
        var operation = operation
        operation.key = key(operation.key, of: whole, in: &part)
        operation.methodText = text(operation.methodText, of: whole, in: &part)
        operation.errorText = text(operation.errorText, of: whole, in: &part)
        move(&operation.body, of: whole, to: &part)
        operation.events = moved(operation.events, of: whole, to: &part)
        let first = UInt32(part.parts.count)
        for index in operation.parts.range {
            var element = whole.parts[index]
            move(&element, of: whole, to: &part)
            part.parts.append(element)
        }
        operation.parts.start = operation.parts.count == 0 ? 0 : first
        part.operations.append(operation)
    }

    private mutating func move(
        _ body: inout RequestOp, of whole: borrowing OperationBatch, to part: inout OperationBatch
    ) {
        body.key = key(body.key, of: whole, in: &part)
        body.rangeEnd = key(body.rangeEnd, of: whole, in: &part)
        let first = UInt32(part.compares.count)
        for index in body.compares.range {
            var compare = whole.compares[index]
            compare.key = key(compare.key, of: whole, in: &part)
            compare.rangeEnd = key(compare.rangeEnd, of: whole, in: &part)
            part.compares.append(compare)
        }
        body.compares.start = body.compares.count == 0 ? 0 : first
        body.keyValues = moved(body.keyValues, of: whole, to: &part)
    }

    private mutating func moved(
        _ keyValues: Slice, of whole: borrowing OperationBatch, to part: inout OperationBatch
    ) -> Slice {
        let first = UInt32(part.keyValues.count)
        for index in keyValues.range {
            var record = whole.keyValues[index]
            record.key = key(record.key, of: whole, in: &part)
            part.keyValues.append(record)
        }
        return Slice(start: keyValues.count == 0 ? 0 : first, count: keyValues.count)
    }

    mutating func append(
        _ record: ObservedRecord, of whole: borrowing OperationBatch, to part: inout OperationBatch
    ) {
        var record = record
        record.key = key(record.key, of: whole, in: &part)
        record.rangeEnd = key(record.rangeEnd, of: whole, in: &part)
        part.observed.append(record)
    }

    mutating func append(
        _ record: ConnectionRecord, of whole: borrowing OperationBatch, to part: inout OperationBatch
    ) {
        var record = record
        record.client = text(record.client, of: whole, in: &part)
        record.server = text(record.server, of: whole, in: &part)
        record.userAgent = text(record.userAgent, of: whole, in: &part)
        part.connections.append(record)
    }

    private mutating func key(
        _ number: KeyNumber, of whole: borrowing OperationBatch, in part: inout OperationBatch
    ) -> KeyNumber {
        if number == 0 || keys[Int(number)] != 0 { return keys[Int(number)] }
        keys[Int(number)] = part.keys.number(of: whole.keys.bytes.span.extracting(whole.keys.range(of: number)))
        return keys[Int(number)]
    }

    private mutating func text(
        _ number: TextNumber, of whole: borrowing OperationBatch, in part: inout OperationBatch
    ) -> TextNumber {
        if number == 0 || texts[Int(number)] != 0 { return texts[Int(number)] }
        texts[Int(number)] = part.texts.number(of: whole.texts.bytes.span.extracting(whole.texts.range(of: number)))
        return texts[Int(number)]
    }
}
