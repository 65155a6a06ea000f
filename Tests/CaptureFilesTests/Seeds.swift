import Foundation

/// The SplitMix64 generator (Steele, Lea and Flood, 2014): the same numbers for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

enum Seeds {
    /// The seeds of the property tests: a fixed list, and `KVREEL_SEED` (decimal, or hexadecimal with 0x) if it is set.
    static let all: [UInt64] = {
        let text = ProcessInfo.processInfo.environment["KVREEL_SEED"] ?? ""
        let own = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        return [1, 0x9f31_c2d4, 0xdead_beef_0042] + (own.map { [$0] } ?? [])
    }()
}
