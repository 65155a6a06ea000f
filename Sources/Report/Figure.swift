import Analysis

/// A figure of a column: of one run, or of repeated ones.
struct Figure {
    var spread: Spread
    var unit: Unit
    /// Stands behind the number.
    var note = ""

    enum Unit {
        /// Whole of one run; the median of an even number of them may end in a half.
        case count
        /// So many a second.
        case rate
        /// Nanoseconds, as a time that is short.
        case time
        /// Nanoseconds, as a time that may be long.
        case duration
        /// Per cent of a processor.
        case busy
        /// From 0 to 1, with five decimals.
        case share
    }

    /// `1.05 ms`; of several runs that differ, as far as digits show it, `1.05 ms [1.00 .. 1.10]`, of five or more
    /// `1.05 ms [1.00 (1.03 .. 1.07) 1.10]`. Bounds of times are in the unit of the median.
    var text: String {
        let median = unit == .time ? Figures.latency(nanoseconds: Int64(spread.median)) : bound(spread.median)
        let (least, greatest) = (bound(spread.least), bound(spread.greatest))
        guard least != greatest else { return median + unit.suffix + note }
        let middle = spread.quartiles.map { "(\(bound($0.lowerBound)) .. \(bound($0.upperBound)))" } ?? ".."
        return "\(median)\(unit.suffix)\(note) [\(least) \(middle) \(greatest)]"
    }

    private func bound(_ number: Double) -> String {
        switch unit {
        case .count: return Figures.decimal(number, places: number == number.rounded() ? 0 : 1)
        case .rate, .busy: return Figures.decimal(number, places: 1)
        case .share: return Figures.decimal(number, places: 5)
        case .duration: return Figures.duration(nanoseconds: Int64(number))
        case .time:
            let median = spread.median
            if median < 1e3 { return Figures.decimal(number, places: 0) }
            let scale = median < 1e6 ? 1e3 : median < 1e9 ? 1e6 : 1e9
            return Figures.decimal(number / scale, places: median < 9.995 * scale ? 2 : median < 99.95 * scale ? 1 : 0)
        }
    }
}

extension Figure.Unit {
    fileprivate var suffix: String { self == .busy ? " % busy" : "" }
}
