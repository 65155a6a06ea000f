import Foundation

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func number(below limit: Int) -> Int {
        limit <= 1 ? 0 : Int(truncatingIfNeeded: next() % UInt64(limit))
    }

    mutating func chance(_ share: Double) -> Bool { Double(next() >> 11) / Double(1 << 53) < share }
}

/// Seeds of a test: those named, and the one in `KVREEL_SEED` if it is set.
func seeds(_ fixed: UInt64...) -> [UInt64] {
    guard let text = ProcessInfo.processInfo.environment["KVREEL_SEED"] else { return fixed }
    let seed = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    return fixed + (seed.map { [$0] } ?? [])
}
