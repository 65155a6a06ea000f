package import Etcd
import Wire

/// A trace enlarged: several copies of it at once, as one history of one store.
///
/// Each copy has keys, connections and leases of its own, and comes a little later than the first, by less than the
/// mean gap between two requests. The revisions of all become one sequence (`CopyRevisions`). Outcomes, counts, sizes
/// and latencies are the recorded ones. What concerns the cluster as a whole, a compaction above all, is the first
/// copy's only.
package struct Enlargement: Sendable {
    let trace: RecordedTrace
    let copies: Int
    let leases: CopyLeases
    let revisions: CopyRevisions
    /// Nanoseconds by which each copy comes later; the first by none.
    package let shifts: [Int64]
    private var heap = CopyHeap()
    private var cursors: [Cursor]
    var keys: CopyKeys
    var name: [UInt8] = []
    /// The key that was named last, and what it is in the current output.
    var lastKey = NamedKey()
    private var health = RecordingHealth()
    /// Calls that were not multiplied, of all copies but the first.
    package private(set) var leftOut = 0

    /// Where a copy stands in the trace.
    private struct Cursor {
        var batch = 0
        var operation = 0
        /// The latest end of its operations so far: it never goes back.
        var time = Int64.min
    }

    struct NamedKey {
        var copy = -1
        var batch = -1
        var recorded: KeyNumber = 0
        var number: KeyNumber = 0
    }

    /// - Parameter copies: as the trace was made for.
    package init(
        _ recorded: consuming RecordedTrace, copies: Int, seed: UInt64, limits: GenerationLimits = GenerationLimits()
    ) throws(GenerationError) {
        guard (1...limits.copies).contains(copies) else {
            throw GenerationError(why: "a trace can be enlarged up to \(limits.copies) times")
        }
        var trace = recorded
        trace.resolve()
        var draws = SplitMix64(seed: seed)
        let gap = Int(clamping: trace.meanGap)
        shifts = (0..<copies).map { $0 == 0 ? 0 : Int64(draws.below(gap)) }
        leases = try CopyLeases(trace.leases, copies: copies, limits: limits)
        revisions = try CopyRevisions(
            revisions: trace.revisions, sightings: trace.sightings, start: trace.start, shifts: shifts, limits: limits)
        guard (UInt64(trace.highestConnection) + 1) * UInt64(copies) <= UInt64(UInt32.max) else {
            throw GenerationError(why: "\(copies) times its connections are too many to be numbered")
        }
        guard trace.addresses.count * copies <= Self.addresses else {
            throw GenerationError(
                why: "\(copies) times its \(trace.addresses.count) addresses are more than \(Self.addresses)")
        }
        keys = trace.keys
        self.copies = copies
        self.trace = trace
        for batch in trace.batches { health = batch.health }
        health = health.multiplied(by: Int64(copies))
        cursors = Array(repeating: Cursor(), count: copies)
        for copy in 0..<copies where advance(copy) { heap.add(copy, at: time(of: copy)) }
    }

    /// Clients of copies have addresses of 198.18.0.0/15, which is kept for measurements (RFC 2544, appendix C.2.2).
    private static let addresses = 1 << 17

    /// Replaces the batch's content by the next operations, in the order in which they end; false when all are done.
    package mutating func next(into batch: inout OperationBatch) -> Bool {
        batch.removeAll()
        lastKey = NamedKey()
        batch.health = health
        while let copy = heap.first, batch.operations.count < Self.batchOperations, batch.byteCount < Self.batchBytes {
            let cursor = cursors[copy]
            if cursor.operation == 0 { appendRecords(ofBatch: cursor.batch, copy, to: &batch) }
            if cursor.operation < trace.batches[cursor.batch].operations.count {
                if copy > 0, trace.batches[cursor.batch].operations[cursor.operation].isOfWholeCluster {
                    leftOut += 1
                } else {
                    append(cursor.operation, ofBatch: cursor.batch, copy, to: &batch)
                }
            }
            cursors[copy].operation += 1
            heap.replaceFirst(advance(copy) ? time(of: copy) : nil)
        }
        return !batch.operations.isEmpty || !batch.connections.isEmpty || !batch.observed.isEmpty
    }

    private static let batchOperations = 1 << 16
    private static let batchBytes = 32 << 20

    /// Moves the copy on to what it has to append next; false if there is nothing left.
    private mutating func advance(_ copy: Int) -> Bool {
        // A batch without operations is stood before once, for its records.
        while cursors[copy].batch < trace.batches.count {
            let count = trace.batches[cursors[copy].batch].operations.count
            if cursors[copy].operation < max(count, 1) {
                if cursors[copy].operation < count {
                    let end = trace.batches[cursors[copy].batch].operations[cursors[copy].operation].lastTime
                    cursors[copy].time = max(cursors[copy].time, end)
                }
                return true
            }
            cursors[copy].batch += 1
            cursors[copy].operation = 0
        }
        return false
    }

    private func time(of copy: Int) -> Int64 { cursors[copy].time.advanced(clampedBy: shifts[copy]) }

    /// The bytes by which each key is longer, and where they stand: `-3` behind the first segment, or `3/` before all.
    package var keyBytesAdded: Int { keys.addedBytes }
    package var isNumberedInFirstSegment: Bool { keys.form == .inFirstSegment }
}

extension Operation {
    /// What concerns the whole cluster, not the keys of one of its users.
    fileprivate var isOfWholeCluster: Bool {
        switch kind {
        case .compact, .auth, .cluster, .alarm, .maintenance: true
        default: false
        }
    }
}

extension RecordingHealth {
    fileprivate func multiplied(by factor: Int64) -> RecordingHealth {
        var product = self
        for field in Field.allCases {
            let (total, overflow) = self[field].multipliedReportingOverflow(by: factor)
            product[field] = overflow ? (self[field] < 0 ? .min : .max) : total
        }
        return product
    }
}
