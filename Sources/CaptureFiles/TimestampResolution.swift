import Wire

/// What one unit of an interface's timestamps is, and where they begin (pcapng §4.2, `if_tsresol`, `if_tsoffset`).
struct TimestampResolution: Sendable, Equatable {
    /// Units a second: 10^exponent or 2^exponent.
    var exponent: UInt8
    var isBinary: Bool
    /// Seconds that are added to every timestamp.
    var offsetSeconds: Int64

    /// Microseconds since the epoch, the format's default.
    static let microseconds = TimestampResolution(exponent: 6, isBinary: false, offsetSeconds: 0)

    init(exponent: UInt8, isBinary: Bool, offsetSeconds: Int64) {
        self.exponent = exponent
        self.isBinary = isBinary
        self.offsetSeconds = offsetSeconds
    }

    /// Takes the option's byte: the top bit says that the base is 2, the others are the exponent.
    mutating func setResolution(_ option: UInt8) {
        exponent = option & 0x7f
        isBinary = option & 0x80 != 0
    }

    /// The time of `units` since the interface's origin, rounded down to nanoseconds and clamped to what
    /// `CaptureTime` holds.
    func time(units: UInt64) -> CaptureTime {
        if !isBinary, exponent == 6 || exponent == 9, offsetSeconds == 0, units <= 1 << 53 || exponent == 9 {
            // The two common cases: 2^53 microseconds are below 2^63 nanoseconds.
            return CaptureTime(nanoseconds: exponent == 6 ? Int64(units) * 1000 : Int64(clamping: units))
        }
        let nanoseconds = Int128(wholeNanoseconds(units)) + Int128(offsetSeconds) * 1_000_000_000
        return CaptureTime(nanoseconds: Int64(clamping: nanoseconds))
    }

    /// `units` is below 2^64 and a second has below 2^30 nanoseconds, so no product reaches 2^94.
    private func wholeNanoseconds(_ units: UInt64) -> UInt128 {
        if isBinary { return (UInt128(units) * 1_000_000_000) >> UInt128(exponent) }
        if exponent <= 9 { return UInt128(units) * Self.powerOfTen(9 - exponent) }
        // 10^20 exceeds every 64-bit count of units.
        return exponent - 9 >= 20 ? 0 : UInt128(units) / Self.powerOfTen(exponent - 9)
    }

    private static func powerOfTen(_ exponent: UInt8) -> UInt128 {
        var power: UInt128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }
}
