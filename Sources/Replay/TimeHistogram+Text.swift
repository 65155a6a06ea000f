import Histogram

// As traces hold it: each time that was measured, and how often.
extension TimeHistogram {
    /// Times in rising order, each as the nanoseconds since the one before, and behind a colon how often it was
    /// measured if that is not once: `1200 8:3 16`. Empty where nothing was measured.
    ///
    /// A histogram that takes these times shows the same percentiles, minimum and maximum.
    package var text: String {
        var times: [(time: UInt64, count: UInt64)] = []
        histogram.recordedValues().forEach { times.append((Swift.min($0.value, max), $0.count)) }
        if count > 1, !times.isEmpty {
            // Of the outermost times more is known than of the others: the time itself.
            times[0].count -= 1
            times[times.count - 1].count -= 1
            times.insert((min, 1), at: 0)
            times.append((max, 1))
        }
        var words: [String] = []
        var before: UInt64 = 0
        for (time, count) in times where count > 0 {
            words.append("\(time - before)" + (count == 1 ? "" : ":\(count)"))
            before = time
        }
        return words.joined(separator: " ")
    }

    /// Nil if the text is not as above.
    package init?(text: String) {
        self.init()
        var time: UInt64 = 0
        var total: UInt64 = 0
        for word in text.split(separator: " ") {
            let halves = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let step = UInt64(halves[0]), let count = halves.count == 1 ? 1 : UInt64(halves[1]),
                step <= Self.longest - time, count > 0, count <= Self.mostOften - total
            else { return nil }
            time += step
            total += count
            record(time, count: count)
        }
    }

    /// Measurements that a text may name: a million a second for years.
    private static let mostOften: UInt64 = 1 << 48
}
