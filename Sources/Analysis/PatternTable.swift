import Etcd
import Wire

/// Counts by the shape of a transaction.
struct PatternTable: Sendable {
    private struct Counts: Sendable {
        var requests = 0
        var succeeded = 0
        var failed = 0
    }

    /// Transactions whose shape could not be kept.
    private(set) var dropped = 0
    private var shapes = ByteTable()
    /// `counts[n]` belongs to shape n; shapes are never empty.
    private var counts = [Counts()]

    /// `succeeded`: nil without an answer.
    mutating func count(_ shape: [UInt8], succeeded: Bool?, limits: AnalysisLimits) {
        guard let place = place(of: shape.span, limits) else {
            dropped += 1
            return
        }
        counts[place].requests += 1
        if let succeeded { if succeeded { counts[place].succeeded += 1 } else { counts[place].failed += 1 } }
    }

    private mutating func place(of shape: Span<UInt8>, _ limits: AnalysisLimits) -> Int? {
        guard shape.count <= limits.patternBytes else { return nil }
        guard shapes.count < limits.patterns else {
            // What is there goes on counting.
            let known = Int(shapes.existingNumber(of: shape))
            return known == 0 ? nil : known
        }
        let number = Int(shapes.number(of: shape))
        if number == counts.count { counts.append(Counts()) }
        return number
    }

    mutating func merge(_ other: borrowing PatternTable, limits: AnalysisLimits) {
        dropped += other.dropped
        for number in other.counts.indices.dropFirst() {
            let theirs = other.counts[number]
            guard
                let place = place(
                    of: other.shapes.bytes.span.extracting(other.shapes.range(of: UInt32(number))), limits)
            else {
                dropped += theirs.requests
                continue
            }
            counts[place].requests += theirs.requests
            counts[place].succeeded += theirs.succeeded
            counts[place].failed += theirs.failed
        }
    }

    /// By requests descending, then by text.
    func reports() -> [WorkloadReport.Pattern] {
        let reports = counts.indices.dropFirst().map { number in
            WorkloadReport.Pattern(
                text: TransactionShape.text(of: shapes.string(UInt32(number))), requests: counts[number].requests,
                succeeded: counts[number].succeeded, failed: counts[number].failed)
        }
        return reports.sorted {
            $0.requests != $1.requests
                ? $0.requests > $1.requests : $0.text.utf8.lexicographicallyPrecedes($1.text.utf8)
        }
    }
}
