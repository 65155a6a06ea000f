import Etcd
import Replay
import Wire

/// Who waits for whom by the rule of docs/replay.md ("What a call waits for"), looked up pair by pair in a trace whose
/// operations are calls in the order of their sending.
struct PlaceRule {
    /// What a call waits for, itself or through others.
    private(set) var waits: [Set<Int>] = []

    /// The keys from `first` up to `end`, which is outside; nil for the end of the key space.
    private struct Access {
        var first: [UInt8]
        var end: [UInt8]?
        var isWrite: Bool

        func meets(_ other: Access) -> Bool {
            // The larger of the two first keys lies in both, if any key does.
            let key = first.lexicographicallyPrecedes(other.first) ? other.first : first
            return holds(key) && other.holds(key)
        }

        private func holds(_ key: [UInt8]) -> Bool {
            !key.lexicographicallyPrecedes(first) && (end.map { key.lexicographicallyPrecedes($0) } ?? true)
        }
    }

    private let batch: OperationBatch
    private var accesses: [[Access]] = []
    /// 2 r of what changed something at revision r, 2 r + 1 of what saw the store between r and r + 1; nil for what has
    /// no place.
    private var places: [Int?] = []
    private var isOfThePast: [Bool] = []

    /// - Parameter sources: of each call those that its numbers are learned from.
    init(_ batch: OperationBatch, sources: [[Int]]) {
        self.batch = batch
        let writes = Set(batch.operations.filter { Self.hasChanged($0, batch) }.map(\.headerRevision))
        for call in batch.operations.indices {
            accesses.append(accesses(of: call))
            places.append(place(of: batch.operations[call], writes))
        }
        for call in batch.operations.indices { isOfThePast.append(isOfThePast(call)) }
        lend(sources)
        addWaits(sources)
    }

    private static func hasChanged(_ call: Operation, _ batch: OperationBatch) -> Bool {
        switch call.kind {
        case .put: true
        case .delete: call.body.count > 0
        case .txn: batch.parts[call.parts.range].contains(where: hasChanged)
        default: false
        }
    }

    private static func hasChanged(_ part: RequestOp) -> Bool {
        part.flags.contains(.answered) && (part.kind == .put || part.kind == .delete && part.count > 0)
    }

    private func place(of call: Operation, _ writes: Set<Int64>) -> Int? {
        let revision = Int(call.headerRevision)
        switch call.kind {
        case .range: return 2 * (call.body.revision > 0 ? Int(call.body.revision) : revision) + 1
        case .put, .delete, .txn: return 2 * revision + (Self.hasChanged(call, batch) ? 0 : 1)
        // Its answer does not tell whether it deleted keys: it did, unless another call had the revision.
        case .leaseRevoke: return 2 * revision + (writes.contains(call.headerRevision) ? 1 : 0)
        default: return nil
        }
    }

    private func accesses(of number: Int) -> [Access] {
        let call = batch.operations[number]
        switch call.kind {
        case .range: return [access(call.body, isWrite: false)]
        case .put, .delete: return [access(call.body, isWrite: Self.hasChanged(call, batch))]
        case .txn:
            let executed = batch.parts[call.parts.range].filter { $0.flags.contains(.answered) }
            return batch.compares[call.body.compares.range].map { access(of: $0.key, end: nil, isWrite: false) }
                + executed.map { access($0, isWrite: Self.hasChanged($0)) }
        case .leaseRevoke:
            // All keys that had been put with it.
            return batch.operations[..<number].filter { $0.kind == .put && $0.body.lease == call.lease }
                .map { access($0.body, isWrite: true) }
        default: return []
        }
    }

    private func access(_ body: RequestOp, isWrite: Bool) -> Access {
        access(of: body.key, end: body.flags.contains(.hasRangeEnd) ? body.rangeEnd : nil, isWrite: isWrite)
    }

    private func access(of key: KeyNumber, end: KeyNumber?, isWrite: Bool) -> Access {
        let first = batch.keys.string(key)
        guard let end else { return Access(first: first, end: first + [0], isWrite: isWrite) }
        let last = batch.keys.string(end)
        return Access(first: first, end: last == [0] ? nil : last, isWrite: isWrite)
    }

    /// It asked for an old state, or saw one that had been replaced before it was sent.
    private func isOfThePast(_ number: Int) -> Bool {
        guard let place = places[number] else { return false }
        let call = batch.operations[number]
        if call.kind == .range, call.body.revision > 0 { return true }
        if call.kind == .leaseRevoke || Self.hasChanged(call, batch) { return false }
        return batch.operations.contains {
            Self.hasChanged($0, batch) && 2 * Int($0.headerRevision) > place && $0.answer < call.time.nanoseconds
        }
    }

    /// A call that tells the revision of a range stands where it would if it had read that range itself.
    private mutating func lend(_ sources: [[Int]]) {
        for call in batch.operations.indices where batch.operations[call].kind == .range {
            guard batch.operations[call].body.revision > 0, batch.operations[call].status == 0 else { continue }
            for source in sources[call] { accesses[source].append(access(batch.operations[call].body, isWrite: false)) }
        }
    }

    private mutating func addWaits(_ sources: [[Int]]) {
        waits = sources.map { Set($0) }
        for later in batch.operations.indices {
            for earlier in batch.operations.indices where earlier != later && isBefore(earlier, later) {
                if isOfThePast[earlier] { continue }
                let meet = accesses[earlier].contains { one in
                    accesses[later].contains { (one.isWrite || $0.isWrite) && one.meets($0) }
                }
                if meet { waits[later].insert(earlier) }
            }
        }
        // What they wait for in turn, until there is nothing new.
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            for call in waits.indices {
                var all = waits[call]
                for before in waits[call] { all.formUnion(waits[before]) }
                if all.count > waits[call].count {
                    waits[call] = all
                    hasGrown = true
                }
            }
        }
    }

    /// Revocations that deleted nothing share their places with others; those go in the order of their sending.
    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        guard let left = places[one], let right = places[other] else { return false }
        return left == right ? one < other : left < right
    }
}

extension Operation {
    fileprivate var answer: Int64 { time.nanoseconds + responseEnd }
}
