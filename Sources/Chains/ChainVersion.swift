/// Which write of a key a value is from: the epoch its head served in, and the number the head gave it.
///
/// Ordered by epoch first, so that whatever a new head assigns exceeds all that any head before it did, also what that
/// one never passed on. NetChain has a session number for the same end (NSDI 2018 §5.2).
package struct ChainVersion: Hashable, Comparable, BitwiseCopyable, Sendable {
    package var epoch: UInt32
    /// Counts the writes of one key within an epoch, from 1.
    package var number: UInt64

    package init(epoch: UInt32, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }

    /// The version of a key that was never written.
    package static let none = ChainVersion(epoch: 0, number: 0)

    package static func < (left: ChainVersion, right: ChainVersion) -> Bool {
        left.epoch != right.epoch ? left.epoch < right.epoch : left.number < right.number
    }

    package static func == (left: ChainVersion, right: ChainVersion) -> Bool {
        left.epoch == right.epoch && left.number == right.number
    }
}

extension ChainVersion: CustomStringConvertible {
    /// `3.9`: number 9 of epoch 3.
    package var description: String { "\(epoch).\(number)" }
}
