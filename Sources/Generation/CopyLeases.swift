import Etcd
import Wire

/// Numbers of the leases of copies: those of the first are the recorded ones, the others' are new.
struct CopyLeases {
    /// The recorded ones, ascending.
    private let recorded: [Int64]
    /// The lowest of the new ones.
    private let base: Int64

    /// - Parameter numbers: the leases that the trace names, in any order and number.
    init(_ numbers: [Int64], copies: Int, limits: GenerationLimits) throws(GenerationError) {
        var distinct: [Int64] = []
        for number in numbers.sorted() where number != 0 && number != distinct.last { distinct.append(number) }
        recorded = distinct
        let (needed, overflow) = distinct.count.multipliedReportingOverflow(by: copies)
        guard !overflow, needed <= limits.leases else {
            throw GenerationError(why: "\(copies) times its \(distinct.count) leases are too many to be told apart")
        }
        // Above the recorded ones, which hold their order then; else below, where etcd's rarely are.
        let (above, isTooHigh) = (distinct.last ?? 0).addingReportingOverflow(Int64(needed) + 1)
        let lowest = max(distinct.first ?? 1, 1)
        if !isTooHigh {
            base = max(above - Int64(needed), 1)
        } else if lowest > Int64(needed) {
            base = lowest - Int64(needed)
        } else {
            throw GenerationError(why: "its lease numbers leave no room for those of copies")
        }
    }

    var isEmpty: Bool { recorded.isEmpty }

    /// Whether the trace names that lease.
    func contains(_ lease: Int64) -> Bool { place(of: lease) != nil }

    /// The copy's number of a recorded lease; 0, no lease, stays 0.
    func number(_ lease: Int64, copy: Int) -> Int64 {
        if lease == 0 || copy == 0 { return lease }
        guard let place = place(of: lease) else { return lease }
        return base + Int64(copy - 1) * Int64(recorded.count) + Int64(place)
    }

    private func place(of lease: Int64) -> Int? {
        let place = recorded.partitioningIndex { $0 >= lease }
        return place < recorded.count && recorded[place] == lease ? place : nil
    }
}
