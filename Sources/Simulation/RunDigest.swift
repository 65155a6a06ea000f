import Wire

/// A number that tells two runs apart: over every event and every byte delivered, in order.
package struct RunDigest: Equatable, Sendable {
    package private(set) var value: UInt64 = 0x9e37_79b9_7f4a_7c15

    package init() {}

    @inline(__always)
    package mutating func add(_ number: UInt64) {
        // One round of multiply and fold, as in SplitMix64: every bit of the past reaches every bit of the value.
        value = (value ^ number) &* 0xbf58_476d_1ce4_e5b9
        value ^= value >> 32
    }

    @inline(__always)
    mutating func add(_ event: Event) {
        add(event.time ^ UInt64(event.kind.rawValue) << 60 ^ UInt64(event.station) << 44)
    }

    @inline(__always)
    mutating func add(_ bytes: Span<UInt8>) {
        var offset = 0
        while offset + 8 <= bytes.count {
            add(bytes.bigEndian64(at: offset))
            offset += 8
        }
        while offset < bytes.count {
            add(UInt64(bytes[offset]))
            offset += 1
        }
    }

    /// `0x` and sixteen digits.
    package var text: String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
