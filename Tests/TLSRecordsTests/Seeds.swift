import Foundation

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}

/// The fixed seeds of every property test, more of them in a soak, and the one in KVREEL_SEED if there is one.
let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    let fixed: [UInt64] = environment["KVREEL_SOAK"] == nil ? [1, 2, 3, 0x9f31_c2d4] : Array(1...200)
    guard let text = environment["KVREEL_SEED"] else { return fixed }
    let digits = text.hasPrefix("0x") ? text.dropFirst(2) : Substring(text)
    return fixed + [UInt64(digits, radix: text.hasPrefix("0x") ? 16 : 10)].compactMap(\.self)
}()

/// The bytes that `text` spells in hexadecimal digits; everything else in it is passed over.
func bytes(hex text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
