/// The moment a packet was captured: nanoseconds since the Unix epoch, as the recorder's clock said.
///
/// The clock may step backwards between packets; nothing may take the difference of two times for elapsed time
/// without allowing for that. Covers the years 1678 to 2262; readers clamp what lies outside.
public struct CaptureTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (left: CaptureTime, right: CaptureTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Nanoseconds from `earlier` to this moment; negative when the clock stepped back, clamped on overflow.
    @inlinable public func nanoseconds(since earlier: CaptureTime) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? (nanoseconds < earlier.nanoseconds ? .min : .max) : difference
    }
}
