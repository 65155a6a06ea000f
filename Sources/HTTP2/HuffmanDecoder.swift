import Wire

/// Decodes strings of HPACK's static Huffman code (RFC 7541 §5.2 and Appendix B).
///
/// Codes of up to nine bits, which is nearly all of what headers hold, take one look-up; longer ones are found by
/// comparing the next 32 bits with the last code of each length, as the code is canonical.
package enum HuffmanDecoder {
    /// The most bytes that `count` bytes of Huffman code can stand for: the shortest code has five bits.
    package static func bound(of count: Int) -> Int { count &* 2 }

    /// Decodes `code` into `bytes` from `start` on; returns the end of what was written, or nil when the code holds
    /// EOS, or is not padded with less than eight one bits. Precondition: `bound(of:)` bytes are free in `bytes` at
    /// `start`.
    package static func decode(_ code: Span<UInt8>, into bytes: inout MutableSpan<UInt8>, at start: Int) -> Int? {
        let short = HuffmanTable.short.span
        var end = start
        var window: UInt64 = 0  // the next `bits` bits, left-aligned
        var bits = 0
        var offset = 0
        while true {
            if bits <= 32 {
                if code.count &- offset >= 4 {
                    window |= UInt64(code.bigEndian32(at: offset)) << UInt64(32 &- bits)
                    bits &+= 32
                    offset &+= 4
                }
                while bits <= 56, offset < code.count {
                    window |= UInt64(code[offset]) << UInt64(56 &- bits)
                    bits &+= 8
                    offset &+= 1
                }
            }
            if bits < 5 { break }
            let entry = short[Int(truncatingIfNeeded: window >> 55)]
            var length = Int(entry & 15)
            var symbol = entry >> 4
            if length == 0 {
                (symbol, length) = longCode(UInt32(truncatingIfNeeded: window >> 32))
                if length <= bits, symbol > 255 { return nil }
            }
            if length > bits { break }
            bytes[end] = UInt8(truncatingIfNeeded: symbol)
            end &+= 1
            window <<= UInt64(length)
            bits &-= length
        }
        // RFC 7541 §5.2: padding is shorter than a byte and made of the most significant bits of EOS, which are ones.
        guard bits < 8, bits == 0 || window >> UInt64(64 &- bits) == (1 << UInt64(bits)) &- 1 else { return nil }
        return end
    }

    /// The symbol and length of the code longer than nine bits that `window` begins with.
    private static func longCode(_ window: UInt32) -> (symbol: UInt16, length: Int) {
        var length = 10
        while length < 30, window > HuffmanTable.last[length] { length &+= 1 }
        let place = Int(window >> UInt32(32 &- length)) &+ Int(HuffmanTable.bias[length])
        return (HuffmanTable.ordered[place], length)
    }
}
