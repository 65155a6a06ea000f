import CaptureFiles
import Etcd
import Recording
import Wire

/// What the pipeline makes of packets.
struct Decoded {
    var batches: [OperationBatch] = []

    init(
        _ packets: some Sequence<RawPacket>, keyLog: [UInt8] = [], limits: RecordingLimits = RecordingLimits()
    ) {
        let batch = PacketBatch(packets)
        var pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)], limits: limits)
        pipeline.receiveKeyLog(keyLog.span)
        var index = 0
        while index < batch.packets.count {
            index = pipeline.receive(batch, from: index)
            if pipeline.isBatchFull { pipeline.takeBatch { batches.append(copy $0) } }
        }
        while !pipeline.finish() { pipeline.takeBatch { batches.append(copy $0) } }
        pipeline.takeBatch { batches.append(copy $0) }
    }

    var health: RecordingHealth { batches.last?.health ?? RecordingHealth() }

    /// The latest record of each connection.
    var connections: [UInt32: (record: ConnectionRecord, client: String)] {
        var found: [UInt32: (record: ConnectionRecord, client: String)] = [:]
        for batch in batches {
            for record in batch.connections {
                found[record.number] = (record, String(decoding: batch.texts.string(record.client), as: UTF8.self))
            }
        }
        return found
    }

    /// All operations, without the numbers by which batches name things.
    func operations(_ view: PlainOperation.View = .content) -> [PlainOperation] {
        let connections = connections
        return batches.flatMap { batch in
            batch.operations.map { operation in
                PlainOperation(operation, of: batch, client: connections[operation.connection]?.client ?? "?", view)
            }
        }
    }
}

/// An operation with everything that it names by number put in its place, as far as the law at hand compares it.
struct PlainOperation: Hashable {
    enum View {
        /// All that does not depend on how and when the bytes were carried.
        case content
        /// All fields.
        case everything
    }

    var client: String
    var stream: UInt32
    var role: Operation.Role
    var method: MethodNumber
    var evidence: Operation.Evidence
    var completeness: Operation.Completeness
    var key: [UInt8]
    /// Everything else.
    var rest: String

    init(_ operation: Operation, of batch: OperationBatch, client: String, _ view: View) {
        self.client = client
        stream = operation.stream
        role = operation.role
        method = operation.method
        evidence = operation.evidence
        completeness = operation.completeness
        // Says in how many segments the request came, and is judged by times.
        if view == .content { completeness.remove(.withdrawn) }
        key = batch.keys.string(operation.key)
        var text = "\(operation.kind) \(operation.status.map(String.init) ?? "-") \(operation.headerRevision)"
        text += " \(operation.requestMessages) \(operation.responseMessages)"
        text += " \(operation.requestBytes) \(operation.responseBytes)"
        text += " \(operation.requestWireBytes) \(operation.responseWireBytes)"
        text += " \(operation.lease) \(operation.ttl) \(operation.revision) \(operation.watchID)"
        text += " \(batch.texts.string(operation.errorText)) \(batch.texts.string(operation.methodText))"
        Self.append(operation.body, of: batch, to: &text)
        for part in batch.parts[operation.parts.range] { Self.append(part, of: batch, to: &text) }
        for event in batch.keyValues[operation.events.range] { Self.append(event, of: batch, to: &text) }
        if view == .everything {
            text += " at \(operation.time.nanoseconds) \(operation.requestEnd) \(operation.responseStart)"
            text += " \(operation.responseEnd)"
        }
        rest = text
    }

    private static func append(_ body: RequestOp, of batch: OperationBatch, to text: inout String) {
        if body.kind == .none { return }
        text +=
            " (\(body.kind) \(body.branch) \(body.depth) \(body.sortOrder) \(body.sortTarget) \(body.flags.rawValue)"
        text += " \(batch.keys.string(body.key)) \(batch.keys.string(body.rangeEnd)) \(body.limit) \(body.revision)"
        text += " \(body.lease) \(body.valueSize) \(body.count) \(body.nestedParts)"
        for compare in batch.compares[body.compares.range] {
            text += " [\(compare.target) \(compare.relation) \(batch.keys.string(compare.key))"
            text += " \(batch.keys.string(compare.rangeEnd)) \(compare.operand)]"
        }
        for record in batch.keyValues[body.keyValues.range] { append(record, of: batch, to: &text) }
        text += ")"
    }

    private static func append(_ record: KeyValueRecord, of batch: OperationBatch, to text: inout String) {
        text += " {\(record.kind) \(batch.keys.string(record.key)) \(record.createRevision) \(record.modRevision)"
        text += " \(record.version) \(record.lease) \(record.valueSize)}"
    }
}

extension PlainOperation: CustomStringConvertible {
    var description: String {
        "\(client) stream \(stream) \(role) method \(method.rawValue) \(evidence) completeness \(completeness.rawValue)"
            + " key \(String(decoding: key, as: UTF8.self)) \(rest.prefix(400))"
    }
}

/// What is in one of the two and not in the other, in words; nil if they hold the same operations, each as often.
func difference(_ found: [PlainOperation], _ expected: [PlainOperation]) -> String? {
    var counts: [PlainOperation: Int] = [:]
    for operation in expected { counts[operation, default: 0] += 1 }
    for operation in found { counts[operation, default: 0] -= 1 }
    let missing = expected.filter { (counts[$0] ?? 0) > 0 }
    let surplus = found.filter { (counts[$0] ?? 0) < 0 }
    if missing.isEmpty, surplus.isEmpty { return nil }
    let lines = missing.prefix(3).map { "  missing  \($0)" } + surplus.prefix(3).map { "  surplus  \($0)" }
    return "\(missing.count) missing, \(surplus.count) surplus\n" + lines.joined(separator: "\n")
}
