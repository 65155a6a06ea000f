import ArgumentParser
import Replay

/// Values of options, from the words people write; what cannot be read says what can.
enum OptionValue {
    static func port(_ text: String) throws -> UInt16 {
        guard let port = UInt16(text), port > 0 else { throw ValidationError("a port is 1 to 65535") }
        return port
    }

    /// Nanoseconds.
    static func duration(_ text: String) throws -> UInt64 {
        let units: [(String, Double)] = [("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)]
        let (suffix, scale) = units.first { text.hasSuffix($0.0) } ?? ("", 1e9)
        guard let number = Double(text.dropLast(suffix.count)), number * scale >= 1, number * scale < 9e18 else {
            throw ValidationError("a time is such as 500ms, 30s, 5m, 2h")
        }
        return UInt64(number * scale)
    }

    static func snapshotLength(_ text: String) throws -> Int {
        try number(text, 96...262_144, "a snapshot length is 96 to 262144 bytes")
    }

    /// Bytes, from KiB as in `tcpdump -B`.
    static func bufferSize(_ text: String) throws -> Int {
        try number(text, 256...1_048_576, "a buffer size is 256 to 1048576 KiB") << 10
    }

    /// Bytes; K, M and G are powers of 1024.
    static func fileSize(_ text: String) throws -> Int64 {
        let units: [Character: Int64] = ["k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
        let unit = text.last.flatMap { units[Character($0.lowercased())] }
        let (bytes, overflow) = (Int64(unit == nil ? text[...] : text.dropLast()) ?? -1)
            .multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, bytes >= 1 << 12 else {
            throw ValidationError("a size of files is such as 100M or 2G, at least 4K")
        }
        return bytes
    }

    /// Nanoseconds.
    static func rotationTime(_ text: String) throws -> Int64 {
        let nanoseconds = Int64(try duration(text))
        guard nanoseconds >= 1_000_000_000 else { throw ValidationError("files are of a second at least") }
        return nanoseconds
    }

    static func files(_ text: String) throws -> Int { try number(text, 1...1_000_000, "it is 1 to 1000000") }

    static func count(_ text: String) throws -> Int64 {
        try number(text, 1...Int64.max, "a count is a number above 0")
    }

    static func hotKeys(_ text: String) throws -> Int { try number(text, 1...100, "it is 1 to 100") }

    static func connections(_ text: String) throws -> Int { try number(text, 1...10_000, "it is 1 to 10000") }

    static func outstanding(_ text: String) throws -> Int { try number(text, 1...1_000_000, "it is 1 to 1000000") }

    static func loops(_ text: String) throws -> UInt32 { try number(text, 1...1_000_000, "it is 1 to 1000000") }

    /// `500` or `10k` calls, or a time.
    static func warmUp(_ text: String) throws -> Schedule.WarmUp {
        if let last = text.last, "smh".contains(last) {
            return .nanoseconds(Int64(clamping: try duration(text)))
        }
        let (digits, scale) = text.hasSuffix("k") ? (text.dropLast(), 1_000) : (text[...], 1)
        guard let count = Int(digits), (1...1_000_000_000).contains(count) else {
            throw ValidationError("a warm-up is so many calls, 500 or 10k, or a time such as 500ms or 2s")
        }
        return .calls(count * scale)
    }

    static func seed(_ text: String) throws -> UInt64 { try number(text, 0...UInt64.max, "a seed is a number") }

    static func speed(_ text: String) throws -> Schedule.Ratio {
        let digits = text.hasSuffix("x") ? text.dropLast() : text[...]
        guard let ratio = ratio(digits, scale: 1) else {
            throw ValidationError("a speed is such as 10, 2x or 0.5, with at most six decimals")
        }
        return ratio
    }

    /// `500`, `2.5k`, `20k/s`.
    static func callRate(_ text: String) throws -> Schedule.Ratio {
        var digits = text.hasSuffix("/s") ? text.dropLast(2) : text[...]
        var scale: UInt64 = 1
        if digits.last == "k" { (digits, scale) = (digits.dropLast(), 1_000) }
        guard let ratio = ratio(digits, scale: scale) else {
            throw ValidationError("a rate is such as 500, 20k or 0.5/s, below 1000000k")
        }
        return ratio
    }

    /// A decimal number, exactly; nil if it is none, not above 0, or too large.
    private static func ratio(_ text: Substring, scale: UInt64) -> Schedule.Ratio? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count == 2 ? halves[1] : ""
        guard let whole = halves.first, !whole.isEmpty, (whole + fraction).allSatisfy({ ("0"..."9").contains($0) }),
            halves.count == 1 || !fraction.isEmpty, fraction.count <= 6, whole.count <= 9,
            var numerator = UInt64(whole + fraction)
        else { return nil }
        var denominator: UInt64 = 1
        for _ in fraction { denominator *= 10 }
        numerator *= scale
        while numerator > Schedule.Ratio.range.upperBound, numerator % 10 == 0, denominator % 10 == 0 {
            numerator /= 10
            denominator /= 10
        }
        guard Schedule.Ratio.range.contains(numerator) else { return nil }
        return Schedule.Ratio(numerator, denominator)
    }

    private static func number<Number: FixedWidthInteger>(
        _ text: String, _ range: ClosedRange<Number>, _ words: String
    ) throws -> Number {
        guard let number = Number(text), range.contains(number) else { throw ValidationError(words) }
        return number
    }
}
