/// An IPv4 or IPv6 address. IPv4 is kept as the IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), which no packet on a
/// wire carries as its own.
package struct IPAddress: Hashable, Sendable {
    /// The first eight bytes, in network order.
    package var high: UInt64
    /// The last eight bytes, in network order.
    package var low: UInt64

    @inlinable package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable package init(v4 address: UInt32) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(address))
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }
}

extension IPAddress: CustomStringConvertible {
    /// `10.0.0.1`, or the text of RFC 5952: lower case, no leading zeros, the longest run of zero groups as `::`.
    package var description: String {
        if isIPv4 {
            return [24, 16, 8, 0].map { (shift: UInt64) in String(low >> shift & 0xff) }.joined(separator: ".")
        }
        let groups: [UInt64] = (0..<8).map { index in
            let half = index < 4 ? high : low
            return half >> UInt64(48 - index % 4 * 16) & 0xffff
        }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > longest.count { longest = start..<end }
            start = end + 1
        }
        func text(_ part: Range<Int>) -> String {
            part.map { String(groups[$0], radix: 16) }.joined(separator: ":")
        }
        guard longest.count > 1 else { return text(0..<8) }
        return text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }
}

/// One end of a TCP connection.
package struct Endpoint: Hashable, Sendable {
    package var address: IPAddress
    package var port: UInt16

    @inlinable package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension Endpoint {
    /// Appends the description to `text`; of IPv4 without making a String of it.
    package func appendText(to text: inout [UInt8]) {
        guard address.isIPv4 else { return text.append(contentsOf: "[\(address)]:\(port)".utf8) }
        var shift: UInt64 = 32
        while shift > 0 {
            shift -= 8
            append(decimal: UInt32(truncatingIfNeeded: address.low >> shift & 0xff), to: &text)
            text.append(shift == 0 ? UInt8(ascii: ":") : UInt8(ascii: "."))
        }
        append(decimal: UInt32(port), to: &text)
    }

    private func append(decimal number: UInt32, to text: inout [UInt8]) {
        var power: UInt32 = 10_000
        while power > max(number, 1) { power /= 10 }
        while power > 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / power % 10))
            power /= 10
        }
    }
}

extension Endpoint: CustomStringConvertible {
    /// `10.0.0.1:2379` or `[::1]:2379`.
    package var description: String {
        var text: [UInt8] = []
        appendText(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
