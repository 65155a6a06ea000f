import Foundation
package import Wire

/// The seeds of a property test: those named, else four (in a soak 200), and the one in `KVREEL_SEED` if it is set, so
/// that a failure can be repeated and a run can try a fresh one.
package func seeds(_ fixed: UInt64...) -> [UInt64] {
    if !fixed.isEmpty { return withOwn(fixed) }
    return withOwn(isSoak ? Array(1...200) : [1, 2, 3, 0x9f31_c2d4])
}

package func seeds(_ fixed: ClosedRange<UInt64>) -> [UInt64] { withOwn(Array(fixed)) }

/// Whether there is an hour for it (`make soak`).
package let isSoak = ProcessInfo.processInfo.environment["KVREEL_SOAK"] != nil

private func withOwn(_ seeds: [UInt64]) -> [UInt64] {
    guard let text = ProcessInfo.processInfo.environment["KVREEL_SEED"] else { return seeds }
    let seed = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    return seeds + (seed.map { [$0] } ?? [])
}

extension SplitMix64 {
    /// True once in `count` times.
    package mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    package mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
        bytes(Int.random(in: count, using: &self))
    }

    /// A number of any magnitude, 0 and negative ones too.
    package mutating func int64() -> Int64 {
        let value = Int64(bitPattern: next()) >> Int64(below(64))
        return oneIn(4) ? 0 : value
    }
}
