/// The 16-byte key of a NetChain packet as a number; NetCRAQ has the low 32 bits of it (its KEY_ID).
package struct ChainKey: Hashable, Comparable, BitwiseCopyable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64 = 0, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func < (left: ChainKey, right: ChainKey) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    package static func == (left: ChainKey, right: ChainKey) -> Bool {
        left.high == right.high && left.low == right.low
    }
}

extension ChainKey: CustomStringConvertible {
    package var description: String { high == 0 ? "\(low)" : "\(high):\(low)" }
}
