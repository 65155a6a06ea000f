import Analysis
import Etcd
import Replay
import Report
import Wire

/// One operation as one line of JSON (`docs/analyze.md`). What is not known is absent.
struct OperationJSON {
    var json = JSONWriter(style: .line)

    /// `replay`: what a replay knows of the operation.
    mutating func write(
        _ operation: Operation, replay: ReplayRecord?, of batch: OperationBatch, names: ConnectionNames
    ) {
        json.beginObject()
        json.member("type", Self.type(operation))
        json.member("t", operation.time.nanoseconds)
        if let client = names.client(operation.connection) { json.member("conn", client) }
        json.member("stream", Int64(operation.stream))
        if let method = MethodName.text(operation, in: batch) { json.member("method", method) }
        json.member("evidence", operation.evidence.word)
        if operation.inference != .none { json.member("inferred_from", operation.inference.word) }
        writeCandidates(operation.candidates)
        json.member("kind", operation.kind.word)
        if operation.key != 0 {
            let isWatched = operation.role == .call && operation.completeness.contains(.openedBefore)
            json.member(
                isWatched ? "watched_at_least" : "key",
                batch.keys.bytes.span.extracting(batch.keys.range(of: operation.key)))
        }
        if operation.completeness.contains(.keyLost) { json.member("keyLost", true) }
        if let status = operation.status { json.member("status", Int64(status)) }
        if operation.errorText != 0 {
            json.member("error", batch.texts.bytes.span.extracting(batch.texts.range(of: operation.errorText)))
        }
        if operation.headerRevision != 0 { json.member("revision", operation.headerRevision) }
        if operation.requestEnd != Operation.absent { json.member("request_end_ns", operation.requestEnd) }
        // Nobody asked for an event, so none is late.
        if operation.role != .event {
            if operation.responseEnd != Operation.absent { json.member("latency_ns", operation.responseEnd) }
            if operation.responseStart != Operation.absent {
                json.member("response_start_ns", operation.responseStart)
            }
        }
        // Events answer no call of the plan.
        if let replay, operation.role != .event { write(replay) }
        json.member("request_messages", Int64(operation.requestMessages))
        json.member("response_messages", Int64(operation.responseMessages))
        json.member("request_bytes", operation.requestBytes)
        json.member("response_bytes", operation.responseBytes)
        if operation.lease != 0 { json.member("lease", operation.lease) }
        if operation.ttl != 0 { json.member("ttl", operation.ttl) }
        if operation.revision != 0 {
            json.member(operation.kind == .watchCreate ? "start_revision" : "asked_revision", operation.revision)
        }
        if operation.kind.isOfWatch { json.member("watch_id", operation.watchID) }
        var body = operation.body
        if operation.kind == .watchCreate { body.revision = 0 }
        writeBody(body, of: batch)
        if operation.body.kind == .txn { writeTransaction(operation, of: batch) }
        if !operation.events.isEmpty {
            json.name("events")
            writeKeyValues(operation.events, of: batch)
        }
        let missing = operation.completeness.words
        if !missing.isEmpty {
            json.name("flags")
            json.beginArray()
            for word in missing { json.value(word) }
            json.endArray()
        }
        json.endObject()
    }

    private mutating func write(_ replay: ReplayRecord) {
        json.member("call_number", Int64(replay.call))
        if replay.loop != 0 { json.member("loop", Int64(replay.loop)) }
        json.member("intended_ns", replay.intended)
        json.member("released_ns", replay.released)
        if replay.difference != 0 {
            json.member("difference", Difference(rawValue: replay.difference)?.word ?? "\(replay.difference)")
        }
        if replay.isApproximated { json.member("approximated", true) }
        if replay.isWarmUp { json.member("warm_up", true) }
    }

    private static func type(_ operation: Operation) -> String {
        switch operation.role {
        case .call: operation.completeness.contains(.openedBefore) ? "stream" : "call"
        case .message: "message"
        case .event: "event"
        }
    }

    /// The methods that an ambiguous call can be.
    private mutating func writeCandidates(_ candidates: MethodSet) {
        if candidates.isEmpty { return }
        json.name("candidates")
        json.beginArray()
        for number in candidates.numbers {
            if let method = MethodCatalogue.method(number) { json.value(method.path) }
        }
        json.endArray()
    }

    private mutating func writeBody(_ body: RequestOp, of batch: OperationBatch) {
        if body.kind == .none { return }
        if body.flags.contains(.hasRangeEnd) {
            json.member("range_end", batch.keys.bytes.span.extracting(batch.keys.range(of: body.rangeEnd)))
        }
        if body.limit != 0 { json.member("limit", body.limit) }
        if body.revision != 0 { json.member("at_revision", body.revision) }
        if body.lease != 0 { json.member("put_lease", body.lease) }
        if body.kind == .put { json.member("value_bytes", body.valueSize) }
        for (flag, name) in RequestOp.Flags.named where body.flags.contains(flag) { json.member(name, true) }
        if body.flags.contains(.answered) {
            switch body.kind {
            case .range: json.member("count", body.count)
            case .delete: json.member("deleted", body.count)
            default: break
            }
        }
        if !body.keyValues.isEmpty {
            json.name("key_values")
            writeKeyValues(body.keyValues, of: batch)
        }
    }

    private mutating func writeTransaction(_ operation: Operation, of batch: OperationBatch) {
        if operation.body.flags.contains(.answered) {
            json.member("succeeded", operation.body.flags.contains(.succeeded))
        }
        writeCompares(operation.body.compares, of: batch)
        writeBranches(operation.parts.range, depth: 0, of: batch)
    }

    private mutating func writeCompares(_ compares: Slice, of batch: OperationBatch) {
        json.name("compares")
        json.beginArray()
        for compare in batch.compares[compares.range] {
            json.beginObject()
            json.member("target", compare.target.word)
            json.member("relation", compare.relation.sign)
            json.member("key", batch.keys.bytes.span.extracting(batch.keys.range(of: compare.key)))
            json.member("operand", compare.operand)
            json.endObject()
        }
        json.endArray()
    }

    /// The success and failure branches among `parts`, whose elements of `depth` are the branches' operations.
    private mutating func writeBranches(_ parts: Range<Int>, depth: Int, of batch: OperationBatch) {
        for (branch, name) in [(RequestOp.Branch.success, "success"), (.failure, "failure")] {
            json.name(name)
            json.beginArray()
            var index = parts.lowerBound
            while index < parts.upperBound {
                let part = batch.parts[index]
                let nested = index + 1..<min(parts.upperBound, index + 1 + Int(part.nestedParts))
                if part.branch == branch {
                    json.beginObject()
                    json.member("op", part.kind.word)
                    if part.key != 0 {
                        json.member("key", batch.keys.bytes.span.extracting(batch.keys.range(of: part.key)))
                    }
                    if part.flags.contains(.answered) { json.member("executed", true) }
                    writeBody(part, of: batch)
                    if part.kind == .txn {
                        writeCompares(part.compares, of: batch)
                        writeBranches(nested, depth: depth + 1, of: batch)
                    }
                    json.endObject()
                }
                index = nested.upperBound
            }
            json.endArray()
        }
    }

    private mutating func writeKeyValues(_ slice: Slice, of batch: OperationBatch) {
        json.beginArray()
        for record in batch.keyValues[slice.range] {
            json.beginObject()
            if record.kind != .reply { json.member("kind", record.kind.word) }
            json.member("key", batch.keys.bytes.span.extracting(batch.keys.range(of: record.key)))
            if record.createRevision != 0 { json.member("create_revision", record.createRevision) }
            json.member("mod_revision", record.modRevision)
            if record.version != 0 { json.member("version", record.version) }
            if record.lease != 0 { json.member("lease", record.lease) }
            json.member("value_bytes", record.valueSize)
            json.endObject()
        }
        json.endArray()
    }
}
