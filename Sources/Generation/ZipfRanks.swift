import Wire

/// Ranks from 0 by Zipf's law: rank r is drawn in proportion to (r + 1)^-s.
struct ZipfRanks: Sendable {
    /// Weights of the ranks up to each one.
    private var sums: [Double] = []
    /// For each of as many equal parts of the whole weight, the first rank that reaches into it: a draw begins there
    /// and rarely goes far (Chen and Asau, "On generating random variates from an empirical distribution", 1974).
    private var guide: [UInt32] = []

    /// Precondition: at least one rank, and fewer than 2^32.
    init(count: Int, exponent: Double) {
        var sum = 0.0
        sums.reserveCapacity(count)
        for rank in 1...count {
            let weight =
                exponent == 0
                ? 1
                : ElementaryFunctions.exponential(-exponent * ElementaryFunctions.logarithm(Double(rank)))
            sum += weight
            sums.append(sum)
        }
        guide.reserveCapacity(count)
        var rank = 0
        for part in 0..<count {
            let weight = sum * Double(part) / Double(count)
            while rank < count - 1, sums[rank] <= weight { rank += 1 }
            guide.append(UInt32(rank))
        }
    }

    func next(_ draws: inout SplitMix64) -> Int {
        let share = Double(draws.next() >> 11) / Double(1 << 53)
        let weight = share * sums[sums.count - 1]
        var rank = Int(guide[Int(share * Double(guide.count))])
        while rank < sums.count - 1, sums[rank] <= weight { rank += 1 }
        return rank
    }
}
