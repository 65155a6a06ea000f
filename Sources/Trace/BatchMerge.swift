package import Etcd
import Wire

/// Makes one trace's batches of those of several, its sources: recordings of one store, or shards of one replay.
///
/// Operations stand in the order of their ends, as if one recorder had seen them all; those of one source keep theirs,
/// and of operations that ended at once the first source's comes first. Each source has one batch in memory at a time.
/// Connections get new numbers, since those of two sources are not the same; totals add up.
package struct BatchMerge {
    /// What is told of the store's content before the recordings.
    package enum Observed: Sendable {
        /// What the operations of all show together: one source may show what another one changed before.
        case anew
        /// What the sources say, since they know it otherwise than from their operations.
        case asGiven
    }

    private var batches: [OperationBatch]
    private var copies: [RecordCopy]
    private var sources: [Source]
    private var numbers = ConnectionNumbers()
    private let observed: Observed
    private var state = ObservedState()
    private var writtenHealth: RecordingHealth?
    private var isBegun = false
    private var isFinished = false

    private struct Source {
        /// The operation of its batch that comes next.
        var next = 0
        /// Where that one stands: the latest end until then, nanoseconds since the epoch.
        var place = Int64.min
        var health = RecordingHealth()
        var hasEnded = false
    }

    package init(sources count: Int, observed: Observed) {
        batches = Array(repeating: OperationBatch(), count: count)
        copies = Array(repeating: RecordCopy(), count: count)
        sources = Array(repeating: Source(), count: count)
        self.observed = observed
    }

    /// Replaces the batch's content by the next operations of all; false when there is nothing left.
    ///
    /// - Parameter read: replaces the content of a batch by the next one of that source, from 0; false at its end. Its
    ///   health is the source's until there.
    package mutating func next(
        into merged: inout OperationBatch, read: (Int, inout OperationBatch) throws -> Bool
    ) throws -> Bool {
        merged.removeAll()
        for source in batches.indices { copies[source].begin(batches[source]) }
        if !isBegun {
            isBegun = true
            for source in sources.indices { try load(source, into: &merged, read) }
        }
        while RecordCopy.hasRoom(merged), let source = first() {
            // A batch is a replay's or a recording's.
            if !merged.operations.isEmpty, merged.replays.isEmpty != batches[source].replays.isEmpty { break }
            try take(source, into: &merged)
            if sources[source].next == batches[source].operations.count { try load(source, into: &merged, read) }
        }
        let isLast = sources.allSatisfy(\.hasEnded)
        observe(&merged, isLast: isLast)
        merged.health = sources.reduce(RecordingHealth()) { $0 + $1.health }
        if case .anew = observed { merged.health[.observedKeysDropped] = state.droppedFacts }
        if merged.operations.isEmpty, merged.connections.isEmpty, merged.observed.isEmpty,
            merged.health == writtenHealth || isFinished
        {
            return false
        }
        isFinished = isLast
        writtenHealth = merged.health
        return true
    }

    private mutating func observe(_ merged: inout OperationBatch, isLast: Bool) {
        guard case .anew = observed, !isFinished else { return }
        // A replay shows what its preload wrote.
        if merged.replays.isEmpty { state.observe(&merged, from: 0) }
        if isLast { state.finish(&merged) }
    }

    // MARK: Sources

    /// Reads the source's next batch with operations, and takes what else is in those until there.
    private mutating func load(
        _ source: Int, into merged: inout OperationBatch, _ read: (Int, inout OperationBatch) throws -> Bool
    ) throws {
        sources[source].next = 0
        repeat {
            guard try read(source, &batches[source]) else {
                batches[source].removeAll()
                sources[source].hasEnded = true
                return
            }
            sources[source].health = batches[source].health
            copies[source].begin(batches[source])
            for index in batches[source].connections.indices {
                var record = batches[source].connections[index]
                record.number = try number(record.number, of: source)
                copies[source].append(record, of: batches[source], to: &merged)
            }
            guard case .asGiven = observed else { continue }
            for index in batches[source].observed.indices {
                copies[source].append(batches[source].observed[index], of: batches[source], to: &merged)
            }
        } while batches[source].operations.isEmpty
        sources[source].place = max(sources[source].place, batches[source].operations[0].end)
    }

    /// The source of which an operation comes next; nil when all are at their end.
    private func first() -> Int? {
        var first: Int?
        for source in sources.indices where !sources[source].hasEnded {
            if let earlier = first, sources[earlier].place <= sources[source].place { continue }
            first = source
        }
        return first
    }

    /// Takes operations of the source's batch until one of another source comes first, or the merged batch is full.
    private mutating func take(_ source: Int, into merged: inout OperationBatch) throws {
        var before = Int64.max
        var upTo = Int64.max
        for other in sources.indices where other != source && !sources[other].hasEnded {
            if other < source { before = min(before, sources[other].place) }
            if other > source { upTo = min(upTo, sources[other].place) }
        }
        let count = batches[source].operations.count
        repeat {
            let place = sources[source].next
            var operation = batches[source].operations[place]
            operation.connection = try number(operation.connection, of: source)
            copies[source].append(operation, of: batches[source], to: &merged)
            if !batches[source].replays.isEmpty { merged.replays.append(batches[source].replays[place]) }
            sources[source].next += 1
            if sources[source].next == count { return }
            sources[source].place = max(sources[source].place, batches[source].operations[sources[source].next].end)
        } while sources[source].place < before && sources[source].place <= upTo && RecordCopy.hasRoom(merged)
    }

    /// A lone source's connections keep their numbers.
    private mutating func number(_ number: UInt32, of source: Int) throws -> UInt32 {
        sources.count == 1 ? number : try numbers.number(of: number, source: source)
    }
}

/// The numbers in a merged trace of the connections of its sources, in the order in which they appear.
private struct ConnectionNumbers {
    private var numbers: [UInt64: UInt32] = [:]
    private var last: (key: UInt64, number: UInt32) = (.max, 0)

    mutating func number(of number: UInt32, source: Int) throws -> UInt32 {
        let key = UInt64(source) << 32 | UInt64(number)
        if key == last.key { return last.number }
        let known = numbers[key] ?? UInt32(numbers.count)
        if known == numbers.count {
            guard numbers.count < TraceLimits.mergedConnections else {
                throw TraceError(
                    .input, what: "cannot merge", location: "all traces together",
                    why: "they have more than \(TraceLimits.mergedConnections) connections")
            }
            numbers[key] = known
        }
        last = (key, known)
        return known
    }
}

extension Operation {
    /// Nanoseconds since the epoch at which the last of it was seen.
    fileprivate var end: Int64 {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(max(requestEnd, responseStart, responseEnd, 0))
        return overflow ? .max : sum
    }
}
