/// Which keys are worth their place in the switches: NetCRAQ's scheduler keeps the most-read ones there. The paper
/// gives no formula; this one takes the most reads a cell, and changes nothing for a small gain.
package struct PlacementPlan: Sendable {
    /// A key and what was asked of it in the last window.
    package struct Candidate: Sendable {
        package var name: [UInt8]
        /// Reads of this key alone, at all nodes.
        package var reads: UInt64
        /// Of its value, with what the hybrid store puts before it.
        package var valueBytes: Int
        /// Whether it may be placed: not if it expires with an etcd lease, which no write announces, nor if it is read
        /// in ranges and transactions alone, which etcd answers.
        package var isEligible: Bool

        package init(name: [UInt8], reads: UInt64, valueBytes: Int, isEligible: Bool = true) {
            self.name = name
            self.reads = reads
            self.valueBytes = valueBytes
            self.isEligible = isEligible
        }
    }

    /// Cells of 16 bytes that all placed keys may take together.
    package var budget: Int
    /// Version cells a key.
    package var versions = 8
    /// What replaces others must have this many hundredths of their reads.
    package var gainHundredths: UInt64 = 125
    /// Keys placed and taken out by one plan.
    package var movesMax = 32

    package init(budget: Int) { self.budget = budget }

    package struct Moves: Sendable {
        /// Taken out first, in this order.
        package var evicted: [[UInt8]] = []
        package var placed: [(name: [UInt8], width: WidthClass)] = []

        package var count: Int { evicted.count + placed.count }
    }

    /// Cells that a key takes; nil if no class has room for its value.
    package func cost(valueBytes: Int) -> Int? {
        WidthClass.fitting(valueBytes).map { versions * $0.byteCount / 16 }
    }

    /// What to change, given the keys that are placed and those that are not.
    package func moves(placed: [Candidate], others: [Candidate]) -> Moves {
        var moves = Moves()
        var kept = ranked(placed)
        var free = budget - kept.reduce(0) { $0 + $1.cost }
        for newcomer in ranked(others) where newcomer.reads > 0 {
            var victims = 0
            var room = free
            var lost: UInt64 = 0
            while room < newcomer.cost, victims < kept.count {
                let victim = kept[kept.count - 1 - victims]
                room += victim.cost
                lost = lost.addingReportingOverflow(victim.reads).partialValue
                victims += 1
            }
            let isWorth = victims == 0 || isAtLeast(newcomer.reads, gainHundredths, hundredthsOf: lost)
            guard room >= newcomer.cost, isWorth, moves.count + victims + 1 <= movesMax else { continue }
            for _ in 0..<victims { moves.evicted.append(kept.removeLast().name) }
            moves.placed.append((newcomer.name, newcomer.width))
            free = room - newcomer.cost
        }
        return moves
    }

    private struct Ranked {
        var name: [UInt8]
        var reads: UInt64
        var cost: Int
        var width: WidthClass
    }

    /// Those that may be placed, by reads a cell, the best first; equal ones by name.
    private func ranked(_ candidates: [Candidate]) -> [Ranked] {
        candidates.compactMap { candidate in
            guard candidate.isEligible, let cost = cost(valueBytes: candidate.valueBytes),
                let width = WidthClass.fitting(candidate.valueBytes)
            else { return nil }
            return Ranked(name: candidate.name, reads: candidate.reads, cost: cost, width: width)
        }
        .sorted { left, right in
            let a = left.reads.multipliedFullWidth(by: UInt64(right.cost))
            let b = right.reads.multipliedFullWidth(by: UInt64(left.cost))
            if a != b { return a > b }
            return left.name.lexicographicallyPrecedes(right.name)
        }
    }

    private func isAtLeast(_ reads: UInt64, _ hundredths: UInt64, hundredthsOf lost: UInt64) -> Bool {
        reads.multipliedFullWidth(by: 100) >= lost.multipliedFullWidth(by: hundredths)
    }
}
