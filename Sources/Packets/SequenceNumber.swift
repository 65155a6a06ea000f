/// A TCP sequence number; all arithmetic is modulo 2^32 (RFC 9293 §3.4).
public struct SequenceNumber: Hashable, Sendable {
    public var value: UInt32

    @inlinable public init(_ value: UInt32) { self.value = value }

    /// The number `count` bytes further on (or back).
    @inlinable public func advanced(by count: Int) -> SequenceNumber {
        SequenceNumber(value &+ UInt32(truncatingIfNeeded: count))
    }

    /// Bytes from `other` to this number on the shorter way round: -2^31 ..< 2^31. Two numbers exactly half the
    /// circle apart are -2^31 from each other both ways.
    @inlinable public func distance(from other: SequenceNumber) -> Int {
        Int(Int32(truncatingIfNeeded: value &- other.value))
    }
}
