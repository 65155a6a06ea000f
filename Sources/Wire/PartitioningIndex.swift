extension RandomAccessCollection {
    /// The place of the first element for which the condition holds; `endIndex` if there is none. Found in logarithmic
    /// time. Precondition: it holds for all behind one for which it does.
    @inlinable
    package func partitioningIndex(where condition: (Element) -> Bool) -> Index {
        var low = startIndex
        var remaining = count
        while remaining > 0 {
            let half = remaining / 2
            let middle = index(low, offsetBy: half)
            if condition(self[middle]) {
                remaining = half
            } else {
                low = index(after: middle)
                remaining -= half + 1
            }
        }
        return low
    }
}
