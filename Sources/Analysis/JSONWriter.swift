/// Writes JSON (RFC 8259) into a buffer, members in the order in which they are given.
///
/// Nothing checks that names and values alternate: the caller writes well-formed documents.
package struct JSONWriter: Sendable {
    package enum Style: Sendable {
        /// Two spaces a level, one member a line; ends with a line feed when the outermost value ends.
        case pretty
        /// Everything on one line; the caller adds the line feed.
        case line
    }

    /// What was written. The owner may take it and empty it between documents.
    package var bytes: [UInt8] = []
    private let style: Style
    private var depth = 0
    /// Whether the next value or member is the first of its array or object.
    private var isFirst = true
    /// Whether a name was written whose value comes next.
    private var hasName = false
    /// Depth from which on members stand on one line.
    private var compactDepth = Int.max
    /// Where text is unfolded before it is escaped.
    private var scratch: [UInt8] = []

    package init(style: Style) { self.style = style }

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// An object whose members stand on one line, in the pretty style too.
    package mutating func beginCompactObject() {
        beginObject()
        compactDepth = min(compactDepth, depth)
    }

    package mutating func name(_ name: String) {
        separate()
        quote(name.utf8)
        bytes.append(UInt8(ascii: ":"))
        if style == .pretty { bytes.append(UInt8(ascii: " ")) }
        hasName = true
    }

    package mutating func value(_ text: String) {
        separate()
        quote(text.utf8)
    }

    /// A key, or other bytes of the wire: see `KeyText`.
    package mutating func value(_ key: Span<UInt8>) {
        separate()
        scratch.removeAll(keepingCapacity: true)
        KeyText.append(key, to: &scratch)
        quote(scratch)
    }

    package mutating func value(_ number: Int) { value(Int64(number)) }

    package mutating func value(_ number: Int64) {
        separate()
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        append(digitsOf: number.magnitude)
    }

    package mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// A share from 0 to 1, with nine decimals.
    package mutating func value(share: Double) { value(decimal: min(max(share, 0), 1)) }

    /// A number from 0 to a billion, clamped, with nine decimals.
    package mutating func value(decimal number: Double) {
        separate()
        let billionths = number.isFinite ? UInt64(min(max(number, 0), 1e9) * 1e9 + 0.5) : 0
        append(digitsOf: billionths / 1_000_000_000)
        bytes.append(UInt8(ascii: "."))
        var divisor: UInt64 = 100_000_000
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(billionths / divisor % 10))
            divisor /= 10
        }
    }

    package mutating func member(_ name: String, _ text: String) {
        self.name(name)
        value(text)
    }

    package mutating func member(_ name: String, _ key: Span<UInt8>) {
        self.name(name)
        value(key)
    }

    package mutating func member(_ name: String, _ number: Int) {
        self.name(name)
        value(number)
    }

    package mutating func member(_ name: String, _ number: Int64) {
        self.name(name)
        value(number)
    }

    package mutating func member(_ name: String, _ flag: Bool) {
        self.name(name)
        value(flag)
    }

    package mutating func member(_ name: String, share: Double) {
        self.name(name)
        value(share: share)
    }

    package mutating func member(_ name: String, decimal: Double) {
        self.name(name)
        value(decimal: decimal)
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        isFirst = true
    }

    private mutating func end(_ bracket: UInt8) {
        let isEmpty = isFirst
        let isCompact = depth >= compactDepth
        if depth == compactDepth { compactDepth = .max }
        depth -= 1
        isFirst = false
        if style == .pretty {
            if isCompact { if !isEmpty { bytes.append(UInt8(ascii: " ")) } } else if !isEmpty { breakLine() }
        }
        bytes.append(bracket)
        if style == .pretty, depth == 0 { bytes.append(UInt8(ascii: "\n")) }
        if depth == 0 { isFirst = true }
    }

    private mutating func separate() {
        if hasName {
            hasName = false
            return
        }
        guard depth > 0 else { return }
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        guard style == .pretty else { return }
        if depth >= compactDepth { bytes.append(UInt8(ascii: " ")) } else { breakLine() }
    }

    private mutating func breakLine() {
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth * 2 { bytes.append(UInt8(ascii: " ")) }
    }

    private mutating func append(digitsOf number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    /// Precondition: the bytes are valid UTF-8. What some readers of lines take for the end of one is escaped, though
    /// JSON does not ask for it: U+0085, U+2028 and U+2029.
    private mutating func quote(_ text: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"):
                bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\t"):
                bytes.append(contentsOf: "\\t".utf8)
            case UInt8(ascii: "\r"):
                bytes.append(contentsOf: "\\r".utf8)
            case 0..<0x20, 0x7f:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(KeyText.hexDigit(byte >> 4))
                bytes.append(KeyText.hexDigit(byte & 15))
            case 0x85 where bytes.last == 0xc2:
                bytes.removeLast()
                bytes.append(contentsOf: "\\u0085".utf8)
            case 0xa8...0xa9 where bytes.suffix(2).elementsEqual([0xe2, 0x80]):
                bytes.removeLast(2)
                bytes.append(contentsOf: (byte == 0xa8 ? "\\u2028" : "\\u2029").utf8)
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
