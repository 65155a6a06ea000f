import Etcd
import Wire

// How the records of a copy are written.

extension Enlargement {
    /// Appends the connections and the observed state that stand in a batch of the trace.
    mutating func appendRecords(ofBatch number: Int, _ copy: Int, to batch: inout OperationBatch) {
        for place in trace.batches[number].connections.indices {
            var record = trace.batches[number].connections[place]
            let texts = trace.batches[number].texts
            record.client = batch.texts.number(of: client(texts.string(record.client), texts, record, copy).span)
            record.server = batch.texts.number(of: texts.string(record.server).span)
            record.userAgent = batch.texts.number(of: texts.string(record.userAgent).span)
            record.number = connection(record.number, copy)
            record.firstTime = record.firstTime.moved(by: shifts[copy])
            record.lastTime = record.lastTime.moved(by: shifts[copy])
            batch.connections.append(record)
        }
        for place in trace.batches[number].observed.indices {
            var record = trace.batches[number].observed[place]
            let (key, end) = (record.key, record.rangeEnd)
            record.key = self.key(key, number, copy, &batch)
            record.rangeEnd = rangeEnd(end, from: key, number, copy, &batch)
            record.createRevision = revisions.number(record.createRevision, copy: copy)
            record.modRevision = revisions.number(record.modRevision, copy: copy)
            record.lease = leases.number(record.lease, copy: copy)
            batch.observed.append(record)
        }
    }

    /// Appends an operation of a batch of the trace.
    mutating func append(_ place: Int, ofBatch number: Int, _ copy: Int, to batch: inout OperationBatch) {
        var operation = trace.batches[number].operations[place]
        let hasChanged = operation.hasChanged(trace.batches[number])
        operation.headerRevision = header(of: operation, hasChanged: hasChanged, copy)
        let origin =
            operation.askedRevision > 0
            ? trace.origins.ofOperations[RevisionOrigins.Place(batch: number, place: place)] : nil
        let asked = self.asked(operation.askedRevision, origin, copy)
        operation.time = operation.time.moved(by: shifts[copy])
        operation.connection = connection(operation.connection, copy)
        if operation.methodText != 0 {
            operation.methodText = batch.texts.number(
                of: trace.batches[number].texts.string(operation.methodText).span)
        }
        if operation.errorText != 0 {
            operation.errorText = batch.texts.number(of: trace.batches[number].texts.string(operation.errorText).span)
        }
        operation.key = key(operation.key, number, copy, &batch)
        operation.lease = leases.number(operation.lease, copy: copy)
        if operation.revision > 0 {
            operation.revision =
                operation.askedRevision > 0 ? asked : revisions.number(operation.revision, copy: copy)
        }
        rename(&operation.body, number, copy, &batch)
        if operation.askedRevision > 0, operation.body.revision > 0 { operation.body.revision = asked }
        let parts = operation.parts
        operation.parts = Slice(start: UInt32(batch.parts.count), count: parts.count)
        for place in parts.range {
            var part = trace.batches[number].parts[place]
            let recorded = part.revision
            rename(&part, number, copy, &batch)
            if recorded > 0 {
                part.revision = self.asked(
                    recorded, trace.origins.ofParts[RevisionOrigins.Place(batch: number, place: place)], copy)
            }
            batch.parts.append(part)
        }
        operation.events = append(operation.events, number, copy, &batch)
        batch.operations.append(operation)
    }

    // MARK: Numbers

    private func connection(_ recorded: UInt32, _ copy: Int) -> UInt32 {
        UInt32(copy) * (trace.highestConnection + 1) + recorded
    }

    /// A write has its own revision; so has a revocation, unless another write has it: then it deleted nothing. All
    /// else saw the store at one.
    private func header(of operation: Operation, hasChanged: Bool, _ copy: Int) -> Int64 {
        let recorded = operation.headerRevision
        let isOwn = hasChanged || operation.kind == .leaseRevoke && !trace.writes.contains(recorded)
        if isOwn { return revisions.number(recorded, copy: copy) }
        return revisions.number(recorded, copy: copy, seenAt: operation.shownTime)
    }

    private func asked(_ recorded: Int64, _ origin: RevisionOrigins.Origin?, _ copy: Int) -> Int64 {
        guard let origin else { return revisions.number(recorded, copy: copy) }
        let answered =
            origin.seenAt.map { revisions.number(origin.revision, copy: copy, seenAt: $0) }
            ?? revisions.number(origin.revision, copy: copy)
        return answered + origin.offset
    }

    /// The client of a copy's connection: an address of its own for every recorded one, and the recorded port.
    private func client(
        _ recorded: [UInt8], _ texts: ByteTable, _ record: ConnectionRecord, _ copy: Int
    ) -> [UInt8] {
        if copy == 0 || recorded.isEmpty { return recorded }
        let address = texts.address(record.client)
        let place = copy * trace.addresses.count + Int(max(trace.addresses.existingNumber(of: address.span), 1)) - 1
        let text = "198.\(18 + place >> 16).\(place >> 8 & 255).\(place & 255)"
        return Array(text.utf8) + recorded[address.count...]
    }

    // MARK: Keys

    private mutating func key(
        _ recorded: KeyNumber, _ number: Int, _ copy: Int, _ batch: inout OperationBatch
    ) -> KeyNumber {
        if recorded == 0 { return 0 }
        if lastKey.recorded == recorded, lastKey.batch == number, lastKey.copy == copy { return lastKey.number }
        keys.rename(recorded, of: trace.batches[number].keys, copy: copy, leases: leases, into: &name)
        lastKey = NamedKey(
            copy: copy, batch: number, recorded: recorded, number: batch.keys.number(of: name.span))
        return lastKey.number
    }

    private mutating func rangeEnd(
        _ end: KeyNumber, from start: KeyNumber, _ number: Int, _ copy: Int, _ batch: inout OperationBatch
    ) -> KeyNumber {
        if end == 0 || start == 0 { return 0 }
        keys.rename(end: end, ofRangeFrom: start, of: trace.batches[number].keys, copy: copy, into: &name)
        return batch.keys.number(of: name.span)
    }

    // MARK: Bodies

    /// Everything of a body but the revision that it asks for.
    private mutating func rename(
        _ body: inout RequestOp, _ number: Int, _ copy: Int, _ batch: inout OperationBatch
    ) {
        if body.kind == .none { return }
        let start = body.key
        body.key = key(start, number, copy, &batch)
        body.rangeEnd = rangeEnd(body.rangeEnd, from: start, number, copy, &batch)
        body.lease = leases.number(body.lease, copy: copy)
        body.keyValues = append(body.keyValues, number, copy, &batch)
        let compares = body.compares
        body.compares = Slice(start: UInt32(batch.compares.count), count: compares.count)
        for place in compares.range {
            var compare = trace.batches[number].compares[place]
            let start = compare.key
            compare.key = key(start, number, copy, &batch)
            compare.rangeEnd = rangeEnd(compare.rangeEnd, from: start, number, copy, &batch)
            switch compare.target {
            case .createRevision, .modRevision:
                compare.operand = revisions.number(compare.operand, copy: copy)
            case .lease: compare.operand = leases.number(compare.operand, copy: copy)
            case .version, .value: break
            }
            batch.compares.append(compare)
        }
    }

    private mutating func append(
        _ slice: Slice, _ number: Int, _ copy: Int, _ batch: inout OperationBatch
    ) -> Slice {
        let appended = Slice(start: UInt32(batch.keyValues.count), count: slice.count)
        for place in slice.range {
            var keyValue = trace.batches[number].keyValues[place]
            keyValue.key = key(keyValue.key, number, copy, &batch)
            keyValue.createRevision = revisions.number(keyValue.createRevision, copy: copy)
            keyValue.modRevision = revisions.number(keyValue.modRevision, copy: copy)
            keyValue.lease = leases.number(keyValue.lease, copy: copy)
            batch.keyValues.append(keyValue)
        }
        return appended
    }
}

extension CaptureTime {
    fileprivate func moved(by shift: Int64) -> CaptureTime {
        CaptureTime(nanoseconds: nanoseconds.advanced(clampedBy: shift))
    }
}
