package import Etcd
import Wire

/// What a whole trace does to each of its keys: whether a chain can have the key as it is. To be learned before the
/// first call is expressed, since a key that is skipped at one time cannot be compared at another.
///
/// Reads over ranges, reads at a revision and watches change nothing: they are no reason against the keys they show.
package struct ChainSurvey: Sendable {
    private let abilities: ChainAbilities
    private let limits: PlanLimits
    /// Keys with something against them, and the ends of deleted ranges.
    private var keys = ByteTable()
    /// By number of the key.
    private var obstacles: [ObstacleSet] = [[]]
    private var ranges: [DeletedRange] = []
    private var known: Set<DeletedRange> = []

    /// A range in which something was deleted; `end` 0 is no end.
    private struct DeletedRange: Hashable, Sendable {
        var start: KeyNumber
        var end: KeyNumber
    }

    package init(_ abilities: ChainAbilities, limits: PlanLimits = PlanLimits()) {
        self.abilities = abilities
        self.limits = limits
    }

    package mutating func add(_ batch: borrowing OperationBatch) throws(PlanError) {
        guard keys.bytes.count <= limits.keyBytes - batch.keys.bytes.count else {
            throw PlanError(why: "its keys take more than \(limits.keyBytes) bytes")
        }
        for operation in batch.operations where operation.role == .call && operation.isWhole {
            if operation.isRefused { continue }
            switch operation.kind {
            case .put, .delete: try take(operation.body, isAnswered: true, of: batch)
            case .txn: try take(transaction: operation, of: batch)
            default: break
            }
        }
        for seen in batch.keyValues where seen.kind != .deleteEvent {
            add(shown(lease: seen.lease, valueSize: seen.valueSize), seen.key, of: batch)
        }
        for seen in batch.observed where seen.kind == .present {
            add(shown(lease: seen.lease, valueSize: seen.valueSize), seen.key, of: batch)
        }
    }

    private func shown(lease: Int64, valueSize: Int64) -> ObstacleSet {
        var obstacles: ObstacleSet = lease == 0 ? [] : .lease
        if valueSize > abilities.valueBytes { obstacles.insert(.valueTooLarge) }
        return obstacles
    }

    private mutating func take(transaction call: Operation, of batch: borrowing OperationBatch) throws(PlanError) {
        let isTold = call.body.flags.contains(.answered)
        for place in call.parts.range {
            let part = batch.parts[place]
            try take(part, isAnswered: !isTold || part.flags.contains(.answered), of: batch)
        }
        let reason: ObstacleSet =
            switch abilities.obstacle(of: call, in: batch) {
            case .transaction: .transaction
            case .compare: .compare
            case .noCompare: .noCompare
            default: []
            }
        // One that only reads leaves its keys as they are.
        guard !reason.isEmpty, call.parts.range.contains(where: { batch.parts[$0].isWrite }) else { return }
        add(reason, compares: call.body.compares, of: batch)
        for place in call.parts.range {
            let part = batch.parts[place]
            add(reason, compares: part.compares, of: batch)
            if part.isWrite { add(reason, part.key, of: batch) }
        }
    }

    private mutating func add(_ reason: ObstacleSet, compares: Slice, of batch: borrowing OperationBatch) {
        for place in compares.range { add(reason, batch.compares[place].key, of: batch) }
    }

    /// - Parameter isAnswered: whether it was executed, as far as its answer tells.
    private mutating func take(
        _ body: RequestOp, isAnswered: Bool, of batch: borrowing OperationBatch
    ) throws(PlanError) {
        if body.kind == .put { add(abilities.obstacles(ofPut: body), body.key, of: batch) }
        guard body.kind == .delete else { return }
        if !body.flags.contains(.hasRangeEnd) {
            if !abilities.hasCompare { add(.noCompare, body.key, of: batch) }
        } else if isAnswered, body.count > 0 || !body.flags.contains(.answered) {
            let end = RangeTree.isOpen(body.rangeEnd, batch.keys) ? 0 : number(body.rangeEnd, of: batch)
            let range = DeletedRange(start: number(body.key, of: batch), end: end)
            guard known.insert(range).inserted else { return }
            guard ranges.count < limits.deletedRanges else {
                throw PlanError(why: "it deletes in more than \(limits.deletedRanges) ranges")
            }
            ranges.append(range)
        }
    }

    private mutating func number(_ key: KeyNumber, of batch: borrowing OperationBatch) -> KeyNumber {
        let number = keys.number(of: batch.keys.bytes.span.extracting(batch.keys.range(of: key)))
        while obstacles.count <= Int(number) { obstacles.append([]) }
        return number
    }

    private mutating func add(_ reason: ObstacleSet, _ key: KeyNumber, of batch: borrowing OperationBatch) {
        if reason.isEmpty || key == 0 { return }
        let number = number(key, of: batch)
        obstacles[Int(number)].formUnion(reason)
    }

    // MARK: Answers

    /// Joins the deleted ranges. To be called after the last batch.
    package mutating func finish() {
        var joined: [DeletedRange] = []
        for range in ranges.sorted(by: { keys.precedes($0.start, $1.start) }) {
            guard let last = joined.last, last.end == 0 || !keys.precedes(last.end, range.start) else {
                joined.append(range)
                continue
            }
            if last.end != 0, range.end == 0 || keys.precedes(last.end, range.end) {
                joined[joined.count - 1].end = range.end
            }
        }
        ranges = joined
    }

    /// What stands against a key of a batch. Precondition: `finish` was called.
    func obstacles(against key: KeyNumber, of batch: borrowing OperationBatch) -> ObstacleSet {
        if key == 0 { return [] }
        let text = batch.keys.bytes.span.extracting(batch.keys.range(of: key))
        var found = obstacles[Int(keys.existingNumber(of: text))]
        // The last range that begins at or before the key.
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if text.precedes(keys.bytes.span.extracting(keys.range(of: ranges[middle].start))) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        if low > 0 {
            let end = ranges[low - 1].end
            if end == 0 || text.precedes(keys.bytes.span.extracting(keys.range(of: end))) {
                found.insert(.deletedRange)
            }
        }
        return found
    }
}

extension Operation {
    /// Whether the whole request is known, and was the store's to answer.
    var isWhole: Bool {
        evidence != .ambiguous
            && completeness.isDisjoint(with: [.withdrawn, .requestDamaged, .requestUndecoded, .keyLost, .openedBefore])
    }
}

extension RequestOp {
    /// Whether it may change something.
    var isWrite: Bool { kind == .put || kind == .delete }
}
