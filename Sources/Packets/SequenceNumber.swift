/// A TCP sequence number; all arithmetic is modulo 2^32 (RFC 9293 §3.4).
package struct SequenceNumber: Hashable, Sendable {
    package var value: UInt32

    @inlinable package init(_ value: UInt32) { self.value = value }

    /// The number `count` bytes further on (or back).
    @inlinable package func advanced(by count: Int) -> SequenceNumber {
        SequenceNumber(value &+ UInt32(truncatingIfNeeded: count))
    }

    /// Bytes from `other` to this number on the shorter way round: -2^31 ..< 2^31. Two numbers exactly half the
    /// circle apart are -2^31 from each other both ways.
    @inlinable package func distance(from other: SequenceNumber) -> Int {
        Int(Int32(truncatingIfNeeded: value &- other.value))
    }
}
