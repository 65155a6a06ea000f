/// How far apart the same figure of repeated runs lies.
///
/// Between two values median and quartiles are interpolated linearly, as R and NumPy do by default (Hyndman and Fan,
/// Sample Quantiles in Statistical Packages, 1996, definition 7).
package struct Spread: Equatable, Sendable {
    /// Runs that have the figure: 1 at least.
    package let count: Int
    package let least: Double
    package let median: Double
    package let greatest: Double
    /// The middle half of the runs; nil of fewer than five, where quartiles are hardly more than least and greatest.
    package let quartiles: ClosedRange<Double>?

    package static let runsForQuartiles = 5

    /// Nil of no values. They are finite.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        count = sorted.count
        least = first
        greatest = last
        median = Self.quantile(0.5, of: sorted)
        quartiles =
            sorted.count < Self.runsForQuartiles
            ? nil : Self.quantile(0.25, of: sorted)...Self.quantile(0.75, of: sorted)
    }

    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[below] }
        let (low, high) = (sorted[below], sorted[below + 1])
        return low + (high - low) * (place - Double(below))
    }

    /// Whether the medians differ, but not by more than the runs of either do among themselves: from least to greatest
    /// they have values in common. Of two single runs nothing is known.
    package func mayBeNoise(beside other: Spread) -> Bool {
        median != other.median && (count > 1 || other.count > 1) && least <= other.greatest && other.least <= greatest
    }
}
