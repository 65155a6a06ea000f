package import Chains

/// A key's version on a chain as the number that etcd's mod revision is: `epoch << 40 | number`, 0 for a key that was
/// never written. Of two versions of one key the later one has the greater number; those of two keys say nothing.
package enum ChainRevision {
    /// Writes of one key in an epoch that can be told apart: a key written a million times a second gets there after
    /// twelve days.
    private static let numberBits: UInt64 = 40
    private static let numbers: UInt64 = 1 << numberBits - 1
    /// Epochs: nodes that fail once a second get there after a hundred days.
    private static let epochs: UInt32 = 1 << 23 - 1

    package static func revision(of version: ChainVersion) -> Int64 {
        Int64(UInt64(min(version.epoch, epochs)) << numberBits | min(version.number, numbers))
    }

    /// The version of that revision; nil for a number that is none.
    package static func version(of revision: Int64) -> ChainVersion? {
        guard let bits = UInt64(exactly: revision) else { return nil }
        return ChainVersion(epoch: UInt32(bits >> numberBits), number: bits & numbers)
    }
}
