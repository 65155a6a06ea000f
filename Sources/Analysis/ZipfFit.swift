import Wire

/// How uneven uses of keys are: the exponent s of Zipf's law, by which the key of rank r has uses in proportion to
/// r^-s; 0 where all have the same.
///
/// The fit is the least-squares line of ln(rank − 1/2) over ln(uses), whose slope is −1/s: Gabaix and Ibragimov,
/// "Rank − 1/2: a simple way to improve the OLS estimation of tail exponents" (JBES 29, 2011). Every key weighs the
/// same, so it says how uses are spread over keys, and hardly changes where every key is there several times; maximum
/// likelihood over uses would be ruled by the few hottest keys.
package struct ZipfFit: Sendable, Equatable {
    package var exponent: Double
    /// Keys with a use.
    package var keys: Int

    /// Nil with fewer than two keys that are used.
    init?(_ uses: [Int]) {
        let sorted = uses.filter { $0 > 0 }.sorted(by: >)
        guard sorted.count > 1 else { return nil }
        keys = sorted.count
        // Equal counts share one logarithm; there are few different ones.
        var (previous, x) = (0, 0.0)
        var (sumX, sumY, sumXX, sumXY) = (0.0, 0.0, 0.0, 0.0)
        for (place, count) in sorted.enumerated() {
            if count != previous { (previous, x) = (count, ElementaryFunctions.logarithm(Double(count))) }
            let y = ElementaryFunctions.logarithm(Double(place) + 0.5)
            sumX += x
            sumY += y
            sumXX += x * x
            sumXY += x * y
        }
        let n = Double(sorted.count)
        let covariance = sumXY - sumX * sumY / n
        let variance = sumXX - sumX * sumX / n
        exponent = sorted[0] == previous ? 0 : -variance / covariance
    }
}
