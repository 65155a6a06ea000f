import Etcd
import Wire

// Bodies and parts, compares and key-values.

/// What is known of the operation that key-values belong to.
struct KeyValueContext {
    /// Revision in the response header, 0 if there is none.
    var revision: Int64 = 0
    /// The key asked for.
    var key: KeyNumber = 0
    /// Whether others than that key may follow.
    var isList = true
}

extension BatchCodec {
    mutating func codeParts(before end: Int, revision: Int64, key: KeyNumber) {
        while codedParts < end {
            var part = Coder.encodes ? batch.parts[codedParts] : RequestOp()
            var shape = Coder.encodes ? Shape(part) : coder.nextShape(of: .body, from: .partShape)
            let number = coder.shapeNumber
            if !Coder.encodes, !part.take(shape) { coder.fail() }
            code(&part, revision: revision, key: key, shape: &shape)
            coder.write(shape, of: .body, to: .partShape)
            lastBodyShape = Coder.encodes ? coder.shapeNumber : number
            if !Coder.encodes { batch.parts.append(part) }
            codedParts += 1
        }
    }

    mutating func code(_ body: inout RequestOp, revision: Int64, key: KeyNumber, shape: inout Shape) {
        if shape.bodyHasKey { code(key: &body.key, predicted: key, .bodyKey, &shape.mask, 0) }
        if shape.bodyHasRangeEnd {
            let usual = keys[Int(body.key)].rangeEnd
            code(
                key: &body.rangeEnd, predicted: usual == 0 ? newestKey &+ 1 : usual, .bodyRangeEnd, &shape.mask, 1)
            keys[Int(body.key)].rangeEnd = body.rangeEnd
        }
        code(&body.limit, predicted: 0, .bodyLimit, &shape.mask, 2)
        code(&body.revision, predicted: 0, .bodyRevision, &shape.mask, 3)
        let isPut = shape.bodyIsPut
        let state = keys[Int(body.key)]
        code(&body.lease, predicted: isPut ? state.lease : 0, .bodyLease, &shape.mask, 4)
        code(&body.valueSize, predicted: isPut ? state.valueSize : 0, .bodyValueSize, &shape.mask, 5)
        let isAnsweredRange = shape.bodyIsRange && shape.bodyIsAnswered
        code(
            &body.keyValues, of: .keyValues, predictedCount: isAnsweredRange && body.rangeEnd == 0 ? 1 : 0,
            .bodyKeyValuesCount, .bodyKeyValuesStart, &shape.mask, 6)
        code(&body.count, predicted: Int64(body.keyValues.count), .bodyCount, &shape.mask, 8)
        code(
            &body.compares, of: .compares, predictedCount: shape.bodyIsTransaction ? 1 : 0, .bodyComparesCount,
            .bodyComparesStart, &shape.mask, 9)
        code(&body.nestedParts, predicted: 0, .bodyNestedParts, &shape.mask, 11)
        requestContent &+= Int64(batch.keys.range(of: body.key).count)
        requestContent &+= Int64(batch.keys.range(of: body.rangeEnd).count)
        requestContent &+= body.valueSize
        codeCompares(before: end(of: body.compares), key: key)
        if isPut, shape.bodyIsAnswered, body.key != 0 { put(body, revision: revision) }
        codeKeyValues(
            before: end(of: body.keyValues),
            context: KeyValueContext(revision: revision, key: body.key, isList: body.rangeEnd != 0))
    }

    private mutating func put(_ body: RequestOp, revision: Int64) {
        let place = Int(body.key)
        change(body.key)
        if keys[place].modRevision != revision {
            keys[place].version &+= 1
            if keys[place].version == 1 { keys[place].createRevision = revision }
            keys[place].modRevision = revision
        }
        keys[place].lease = body.lease
        keys[place].valueSize = body.valueSize
    }

    private mutating func change(_ key: KeyNumber) {
        changedKey = key
        stateBeforeChange = keys[Int(key)]
    }

    mutating func codeCompares(before end: Int, key: KeyNumber) {
        while codedCompares < end {
            var compare = Coder.encodes ? batch.compares[codedCompares] : Compare()
            var shape =
                Coder.encodes
                ? Shape(bytes: compare.target.rawValue, compare.relation.rawValue)
                : coder.nextShape(of: .compare, from: .compareShape)
            if !Coder.encodes {
                if let target = Compare.Target(rawValue: shape.byte(0)),
                    let relation = Compare.Relation(rawValue: shape.byte(1))
                {
                    compare.target = target
                    compare.relation = relation
                } else {
                    coder.fail()
                }
            }
            code(key: &compare.key, predicted: key, .compareKey, &shape.mask, 0)
            code(key: &compare.rangeEnd, predicted: 0, .compareRangeEnd, &shape.mask, 1)
            let state = keys[Int(compare.key)]
            let predicted =
                switch compare.target {
                case .version: state.version
                case .createRevision: state.createRevision
                case .modRevision: state.modRevision
                case .value: state.valueSize
                case .lease: state.lease
                }
            code(&compare.operand, predicted: predicted, .compareOperand, &shape.mask, 2)
            requestContent &+= Int64(batch.keys.range(of: compare.key).count)
            coder.write(shape, of: .compare, to: .compareShape)
            if !Coder.encodes { batch.compares.append(compare) }
            codedCompares += 1
        }
    }

    mutating func codeKeyValues(before end: Int, context: KeyValueContext) {
        var previous = KeyValueRecord()
        previous.key = context.key
        while codedKeyValues < end {
            var record = Coder.encodes ? batch.keyValues[codedKeyValues] : KeyValueRecord()
            var shape =
                Coder.encodes
                ? Shape(bytes: record.kind.rawValue) : coder.nextShape(of: .keyValue, from: .keyValueShape)
            if !Coder.encodes {
                if let kind = KeyValueRecord.Kind(rawValue: shape.byte(0)) { record.kind = kind } else { coder.fail() }
            }
            code(&record, kind: shape.byte(0), after: previous, context: context, mask: &shape.mask)
            previous = record
            coder.write(shape, of: .keyValue, to: .keyValueShape)
            if !Coder.encodes { batch.keyValues.append(record) }
            codedKeyValues += 1
        }
    }

    private mutating func code(
        _ record: inout KeyValueRecord, kind: UInt8, after previous: KeyValueRecord, context: KeyValueContext,
        mask: inout UInt64
    ) {
        let isPrevious = kind == 1
        var predictedKey = newestKey &+ 1
        if isPrevious || !context.isList {
            predictedKey = previous.key
        } else if keys[Int(previous.key)].successor != 0 {
            predictedKey = keys[Int(previous.key)].successor
        }
        code(key: &record.key, predicted: predictedKey, .keyValueKey, &mask, 0)
        let place = Int(record.key)
        if !isPrevious { keys[Int(previous.key)].successor = record.key }

        let state = isPrevious && changedKey == record.key ? stateBeforeChange : keys[place]
        let isDelete = kind == 3
        let isKnown = state.modRevision != 0
        let predictedMod = kind >= 2 ? context.revision : isKnown ? state.modRevision : previous.modRevision
        code(&record.modRevision, predicted: predictedMod, .modRevision, &mask, 1)
        let isSame = isKnown && record.modRevision == state.modRevision
        let predictedVersion = isDelete ? 0 : isSame ? state.version : state.version &+ 1
        code(&record.version, predicted: predictedVersion, .version, &mask, 2)
        let predictedCreate =
            isDelete
            ? 0 : record.version == 1 ? record.modRevision : isKnown ? state.createRevision : record.modRevision
        code(&record.createRevision, predicted: predictedCreate, .createRevision, &mask, 3)
        code(&record.lease, predicted: isDelete ? 0 : state.lease, .keyValueLease, &mask, 4)
        let predictedSize = isDelete ? 0 : isKnown ? state.valueSize : previous.valueSize
        code(&record.valueSize, predicted: predictedSize, .keyValueSize, &mask, 5)
        responseContent &+= Int64(batch.keys.range(of: record.key).count) &+ record.valueSize
        if isPrevious, isKnown { return }
        change(record.key)
        var known = keys[place]
        known.createRevision = record.createRevision
        known.modRevision = record.modRevision
        known.version = record.version
        known.lease = record.lease
        known.valueSize = record.valueSize
        keys[place] = known
    }
}
