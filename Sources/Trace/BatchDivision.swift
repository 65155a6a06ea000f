import Etcd
import Wire

/// Divides a batch that is beyond what a block holds into batches of the usual size, one after the other. Each has the
/// keys and texts that it names, and nothing is in two of them.
///
/// A recorder hands its batches on in time; but what one packet, or the end of the capture, completes at once may be
/// any number of operations.
struct BatchDivision {
    private let keyCount: Int
    private let textCount: Int
    private var nextOperation = 0
    private var nextObserved = 0
    private var nextConnection = 0
    /// Numbers in the part of the whole's keys and texts; 0 where they are not in it.
    private var keys: [KeyNumber] = []
    private var texts: [TextNumber] = []

    init(_ whole: borrowing OperationBatch) {
        keyCount = whole.keys.count
        textCount = whole.texts.count
    }

    /// Replaces the part's content by the next records of the whole; false when there are none left.
    mutating func next(of whole: borrowing OperationBatch, into part: inout OperationBatch) -> Bool {
        part.removeAll()
        part.health = whole.health
        keys.removeAll(keepingCapacity: true)
        keys.append(contentsOf: repeatElement(0, count: keyCount + 1))
        texts.removeAll(keepingCapacity: true)
        texts.append(contentsOf: repeatElement(0, count: textCount + 1))
        while nextConnection < whole.connections.count, hasRoom(part) {
            append(whole.connections[nextConnection], of: whole, to: &part)
            nextConnection += 1
        }
        while nextOperation < whole.operations.count, hasRoom(part) {
            append(whole.operations[nextOperation], of: whole, to: &part)
            if !whole.replays.isEmpty { part.replays.append(whole.replays[nextOperation]) }
            nextOperation += 1
        }
        while nextObserved < whole.observed.count, hasRoom(part) {
            append(whole.observed[nextObserved], of: whole, to: &part)
            nextObserved += 1
        }
        return !part.operations.isEmpty || !part.connections.isEmpty || !part.observed.isEmpty
    }

    /// Any one operation fits after this much: its own keys take less than what is left of a block's.
    private func hasRoom(_ part: borrowing OperationBatch) -> Bool {
        part.operations.count < TraceLimits.recommendedOperations
            && part.keyValues.count < TraceLimits.recommendedKeyValues
            && part.byteCount < TraceLimits.recommendedBatchBytes
            && Self.isModest(part)
    }

    /// Whether the strings of the batch take so little memory that they may stay together.
    static func isModest(_ batch: borrowing OperationBatch) -> Bool {
        batch.keys.bytes.count + batch.texts.bytes.count < TraceLimits.recommendedStringBytes
    }

    private mutating func append(
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

    private mutating func append(
        _ record: ObservedRecord, of whole: borrowing OperationBatch, to part: inout OperationBatch
    ) {
        var record = record
        record.key = key(record.key, of: whole, in: &part)
        record.rangeEnd = key(record.rangeEnd, of: whole, in: &part)
        part.observed.append(record)
    }

    private mutating func append(
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
