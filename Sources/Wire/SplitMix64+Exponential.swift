extension SplitMix64 {
    /// A time with an exponential distribution: -`mean` ln u for u from 0 to 1. The same on every machine: only the
    /// four operations of IEEE 754 are used.
    package mutating func exponential(mean: Double) -> Double {
        // u = 2^-(zeros + 1) * fraction, with fraction from 1 to 2.
        let bits = next() | 1
        let zeros = UInt64(bits.leadingZeroBitCount)
        let fraction = Double((bits << zeros) >> 11) / Double(1 << 52)
        return mean
            * (Double(zeros + 1) * 0.693_147_180_559_945_3 - ElementaryFunctions.logarithm(significand: fraction))
    }
}
