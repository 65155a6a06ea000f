import Foundation

/// Changes inputs as a fuzzer does, but repeatably and without looking at what comes of it.
struct Mutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A few changes of `input`; what is inserted comes from `others` where it is not made up.
    mutating func change(_ input: [UInt8], with others: [[UInt8]]) -> [UInt8] {
        var bytes = input
        for _ in 0...below(4) { changeOnce(&bytes, with: others) }
        return bytes
    }

    private mutating func changeOnce(_ bytes: inout [UInt8], with others: [[UInt8]]) {
        guard bytes.count > 1 else { return bytes.append(UInt8(below(256))) }
        let place = below(bytes.count)
        switch below(8) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = UInt8(below(256))
        case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][below(5)]
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(16)))
        case 4: bytes.insert(contentsOf: (0...below(8)).map { _ in UInt8(below(256)) }, at: place)
        case 5: bytes.insert(contentsOf: piece(of: bytes), at: place)
        case 6: bytes.insert(contentsOf: piece(of: others[below(others.count)]), at: place)
        default: bytes.removeLast(below(bytes.count))
        }
    }

    private mutating func piece(of bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard !bytes.isEmpty else { return [] }
        let start = below(bytes.count)
        return bytes[start..<min(bytes.count, start + 1 + below(200))]
    }

    private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// Fixed ones, and what `KVREEL_SEED` names, so that a failure can be repeated.
enum Seeds {
    static let all: [UInt64] = {
        var seeds: [UInt64] = [1, 2]
        if let text = ProcessInfo.processInfo.environment["KVREEL_SEED"] {
            let digits = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
            if let digits { seeds.append(digits) }
        }
        return seeds
    }()

    /// Inputs a seed and target.
    static let rounds = ProcessInfo.processInfo.environment["KVREEL_SOAK"] == nil ? 1_500 : 50_000
}
