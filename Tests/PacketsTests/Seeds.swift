import Foundation

/// A repeatable random source (SplitMix64).
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

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// A fixed list, and what `KVREEL_SEED` names, so that a failure can be repeated.
enum Seeds {
    static let all: [UInt64] = {
        var seeds: [UInt64] = Array(1...24)
        if let text = ProcessInfo.processInfo.environment["KVREEL_SEED"] {
            let digits = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
            if let digits { seeds.append(digits) }
        }
        return seeds
    }()
}
