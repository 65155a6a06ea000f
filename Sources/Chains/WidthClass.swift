/// How many bytes a key's values have room for: fixed for the life of the key.
package enum WidthClass: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// No value in this packet. No key has this class.
    case none = 0
    case bytes16 = 1
    case bytes128 = 2
    case bytes1024 = 3

    package var byteCount: Int {
        switch self {
        case .none: 0
        case .bytes16: 16
        case .bytes128: 128
        case .bytes1024: 1024
        }
    }

    /// This class in the bitmap of a HELLO: bit 0 for 16 bytes, 1 for 128, 2 for 1024.
    package var bit: UInt16 { self == .none ? 0 : 1 << UInt16(rawValue - 1) }

    /// All classes as a bitmap.
    package static let allBits: UInt16 = 0b111

    /// The narrowest class with room for `byteCount` bytes; nil beyond the widest.
    package static func fitting(_ byteCount: Int) -> WidthClass? {
        allCases.first { $0 != .none && $0.byteCount >= byteCount }
    }
}
