import Etcd

// What the calls ask.
extension PlanBuilder {
    /// What a call or message asks, its keys, parts and compares the plan's.
    mutating func request(
        of operation: Operation, of batch: borrowing OperationBatch
    ) -> PlannedRequest {
        let body = operation.body
        switch body.kind {
        case .range:
            var range = RangeRequest(key: key(body.key, of: batch), flags: body.flags)
            range.rangeEnd = key(body.rangeEnd, of: batch)
            range.revision = body.revision
            range.limit = body.limit
            range.count = body.count
            range.sortOrder = body.sortOrder
            range.sortTarget = body.sortTarget
            return .range(range)
        case .put:
            var put = PutRequest(key: key(body.key, of: batch), flags: body.flags)
            put.lease = body.lease
            put.valueSize = body.valueSize
            return .put(put)
        case .delete:
            var delete = DeleteRangeRequest(key: key(body.key, of: batch), flags: body.flags)
            delete.rangeEnd = key(body.rangeEnd, of: batch)
            delete.count = body.count
            return .delete(delete)
        case .txn: return .txn(transaction(of: operation, of: batch))
        case .watchCreate:
            var create = WatchCreateRequest(key: key(body.key, of: batch), flags: body.flags)
            create.rangeEnd = key(body.rangeEnd, of: batch)
            create.revision = body.revision
            create.watchID = operation.watchID
            return .watchCreate(create)
        case .none:
            var other = OtherRequest()
            other.key = key(operation.key, of: batch)
            other.lease = operation.lease
            other.ttl = operation.ttl
            other.revision = operation.revision
            other.watchID = operation.watchID
            return .other(other)
        }
    }

    /// Copies parts and compares behind those of the plan, compares of nested transactions behind the call's own.
    private mutating func transaction(
        of call: Operation, of batch: borrowing OperationBatch
    ) -> TxnRequest {
        let firstCompare = UInt32(plan.compares.count)
        let own = copy(call.body.compares, of: batch)
        let parts = Slice(start: UInt32(plan.parts.count), count: call.parts.count)
        for place in call.parts.range {
            var part = batch.parts[place]
            part.key = key(part.key, of: batch)
            part.rangeEnd = key(part.rangeEnd, of: batch)
            part.keyValues = Slice()
            part.compares = copy(part.compares, of: batch)
            plan.parts.append(part)
        }
        return TxnRequest(
            parts: parts, compares: Slice(start: firstCompare, count: UInt32(plan.compares.count) - firstCompare),
            ownCompareCount: own.count, flags: call.body.flags)
    }

    private mutating func copy(_ compares: Slice, of batch: borrowing OperationBatch) -> Slice {
        let copied = Slice(start: UInt32(plan.compares.count), count: compares.count)
        for place in compares.range {
            var compare = batch.compares[place]
            compare.key = key(compare.key, of: batch)
            compare.rangeEnd = key(compare.rangeEnd, of: batch)
            plan.compares.append(compare)
        }
        return copied
    }
}
