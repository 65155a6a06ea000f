/// Keys and other bytes of the wire as text: UTF-8 as it is, every byte that is not valid UTF-8 as `\xNN` in lower
/// case, a backslash as `\\`, so that different bytes never look alike (`docs/analyze.md`).
package enum KeyText {
    /// Appends the text. Control characters are kept: JSON escapes them, terminals are given `terminalText`.
    package static func append(_ key: Span<UInt8>, to text: inout [UInt8]) {
        var offset = 0
        while offset < key.count {
            let byte = key[offset]
            if byte < 0x80 {
                if byte == UInt8(ascii: "\\") { text.append(byte) }
                text.append(byte)
                offset += 1
                continue
            }
            let length = scalarLength(of: key, at: offset)
            if length == 0 {
                text.append(UInt8(ascii: "\\"))
                text.append(UInt8(ascii: "x"))
                text.append(hexDigit(byte >> 4))
                text.append(hexDigit(byte & 15))
                offset += 1
            } else {
                for _ in 0..<length {
                    text.append(key[offset])
                    offset += 1
                }
            }
        }
    }

    package static func text(of key: [UInt8]) -> String {
        var text: [UInt8] = []
        append(key.span, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// As `text(of:)`, with control characters as `\xNN` too: nothing of a capture may steer a terminal.
    package static func terminalText(of key: [UInt8]) -> String { harmless(text(of: key)) }

    /// Text without control characters and changes of writing direction, which stand as `\xNN`.
    static func harmless(_ text: String) -> String {
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7f:
                safe += "\\x" + hex(UInt8(scalar.value))
            case 0x80..<0xa0, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
                for byte in String(scalar).utf8 { safe += "\\x" + hex(byte) }
            default:
                safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    /// Bytes of the well-formed sequence that begins at `offset` (Unicode 16, table 3-7), 0 if there is none.
    /// Precondition: the byte there is 0x80 or above.
    private static func scalarLength(of key: Span<UInt8>, at offset: Int) -> Int {
        let first = key[offset]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0:
            length = 3
            second = 0xa0...0xbf
        case 0xed:
            length = 3
            second = 0x80...0x9f
        case 0xe1...0xef: length = 3
        case 0xf0:
            length = 4
            second = 0x90...0xbf
        case 0xf4:
            length = 4
            second = 0x80...0x8f
        case 0xf1...0xf3: length = 4
        default: return 0
        }
        guard key.count - offset >= length, second.contains(key[offset + 1]) else { return 0 }
        for next in 2..<max(length, 2) where key[offset + next] & 0xc0 != 0x80 { return 0 }
        return length
    }

    private static func hex(_ byte: UInt8) -> String {
        String(decoding: [hexDigit(byte >> 4), hexDigit(byte & 15)], as: UTF8.self)
    }

    static func hexDigit(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + (digit - 10)
    }
}
