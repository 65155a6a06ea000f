/// The addresses whose first bits are given.
package struct IPv4Network: Equatable, BitwiseCopyable, Sendable {
    package var address: UInt32
    /// Bits that count, 0...32.
    package var prefixLength: UInt8

    package init(address: UInt32, prefixLength: UInt8) {
        self.address = address
        self.prefixLength = prefixLength
    }

    package func contains(_ other: UInt32) -> Bool {
        // A shift by 32 or more answers 0: every address is inside.
        (address ^ other) >> UInt32(32 - min(32, prefixLength)) == 0
    }
}
