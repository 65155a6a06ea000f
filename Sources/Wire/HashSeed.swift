/// What hashes of input are keyed with, so that nobody can make a capture of which all entries of a table meet at one
/// place.
///
/// The order of a table's entries is that of their appearance, so nothing that comes out depends on the seed.
public enum HashSeed {
    /// Another one in every process: what the standard library keys its own tables with.
    public static let process = UInt64(bitPattern: Int64(Hasher().finalize()))

    /// The odd number that a seed multiplies with: were it known, so would be the differences that it keeps.
    @inlinable public static func factor(_ seed: UInt64) -> UInt64 {
        (seed.byteSwapped &* 0x9e37_79b9_7f4a_7c15) ^ 0xe703_7ed1_a0b4_28db | 1
    }

    /// Both halves of the product, folded: every bit of `value` changes every bit of the result.
    @inlinable public static func mixed(_ value: UInt64, _ factor: UInt64) -> UInt64 {
        let (high, low) = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: factor)
        return high ^ low
    }
}
