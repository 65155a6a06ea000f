import Wire

/// Changes inputs as a fuzzer does, but repeatably and without looking at what comes of it.
struct Mutator {
    private var numbers: SplitMix64

    init(seed: UInt64) { numbers = SplitMix64(seed: seed) }

    /// A few changes of `input`; what is inserted comes from `others` where it is not made up.
    mutating func change(_ input: [UInt8], with others: [[UInt8]]) -> [UInt8] {
        var bytes = input
        for _ in 0...numbers.below(4) { changeOnce(&bytes, with: others) }
        return bytes
    }

    private mutating func changeOnce(_ bytes: inout [UInt8], with others: [[UInt8]]) {
        guard bytes.count > 1 else { return bytes.append(UInt8(numbers.below(256))) }
        let place = numbers.below(bytes.count)
        switch numbers.below(8) {
        case 0: bytes[place] ^= 1 << UInt8(numbers.below(8))
        case 1: bytes[place] = UInt8(numbers.below(256))
        case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)]
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + numbers.below(16)))
        case 4: bytes.insert(contentsOf: (0...numbers.below(8)).map { _ in UInt8(numbers.below(256)) }, at: place)
        case 5: bytes.insert(contentsOf: piece(of: bytes), at: place)
        case 6: bytes.insert(contentsOf: piece(of: others[numbers.below(others.count)]), at: place)
        default: bytes.removeLast(numbers.below(bytes.count))
        }
    }

    private mutating func piece(of bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard !bytes.isEmpty else { return [] }
        let start = numbers.below(bytes.count)
        return bytes[start..<min(bytes.count, start + 1 + numbers.below(200))]
    }
}
