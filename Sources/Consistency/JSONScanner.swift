import Wire

/// What is wrong with a line, and at which of its bytes, from 0; −1 where it is about the whole.
struct JSONError: Error, Sendable, Equatable {
    var offset: Int
    var why: String
}

/// Reads values of JSON (RFC 8259) from a line, strictly: no more than histories need.
struct JSONScanner: Sendable {
    private(set) var offset = 0

    func error(_ why: String) -> JSONError { JSONError(offset: offset, why: why) }

    mutating func skipSpace(_ text: Span<UInt8>) {
        while offset < text.count {
            switch text[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): offset += 1
            default: return
            }
        }
    }

    /// Passes over the byte, with white space before it, if it is next.
    mutating func take(_ byte: UInt8, in text: Span<UInt8>) -> Bool {
        skipSpace(text)
        guard offset < text.count, text[offset] == byte else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ byte: UInt8, in text: Span<UInt8>) throws(JSONError) {
        guard take(byte, in: text) else { throw error("expected '\(Character(UnicodeScalar(byte)))'") }
    }

    /// `null`, `true`, `fals`: big-endian, as they stand in the text.
    private static let (null, true4, fals4): (UInt32, UInt32, UInt32) = (0x6e75_6c6c, 0x7472_7565, 0x6661_6c73)

    private func isNext(_ word: UInt32, in text: Span<UInt8>) -> Bool {
        text.count - offset >= 4 && text.bigEndian32(at: offset) == word
    }

    private mutating func takeNull(_ text: Span<UInt8>) -> Bool {
        guard isNext(Self.null, in: text) else { return false }
        offset += 4
        return true
    }

    mutating func boolOrNull(_ text: Span<UInt8>) throws(JSONError) -> Bool? {
        if takeNull(text) { return nil }
        if isNext(Self.true4, in: text) {
            offset += 4
            return true
        }
        if isNext(Self.fals4, in: text), text.count - offset >= 5, text[offset + 4] == UInt8(ascii: "e") {
            offset += 5
            return false
        }
        throw error("expected true, false or null")
    }

    mutating func integerOrNull(_ text: Span<UInt8>) throws(JSONError) -> Int64? {
        if takeNull(text) { return nil }
        return try integer(text)
    }

    mutating func integer(_ text: Span<UInt8>) throws(JSONError) -> Int64 {
        let start = offset
        var place = offset
        let isNegative = place < text.count && text[place] == UInt8(ascii: "-")
        if isNegative { place += 1 }
        let first = place
        var number: Int64 = 0
        while place < text.count, case let digit = text[place] &- UInt8(ascii: "0"), digit < 10 {
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.subtractingReportingOverflow(Int64(digit))
            if overflow || carries { throw JSONError(offset: start, why: "the number does not fit 64 bits") }
            number = sum
            place += 1
        }
        if place == first { throw error("expected an integer") }
        if place - first > 1, text[first] == UInt8(ascii: "0") {
            throw JSONError(offset: start, why: "a number does not begin with 0")
        }
        if place < text.count {
            switch text[place] {
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                throw JSONError(offset: start, why: "the number must be an integer, without fraction and exponent")
            default: break
            }
        }
        if !isNegative {
            if number == .min { throw JSONError(offset: start, why: "the number does not fit 64 bits") }
            number = -number
        }
        offset = place
        return number
    }

    /// False for null.
    mutating func stringOrNull(_ text: Span<UInt8>, into string: inout [UInt8]) throws(JSONError) -> Bool {
        if takeNull(text) { return false }
        try self.string(text, into: &string)
        return true
    }

    /// Reads a string in place of what is in `string`, as UTF-8.
    mutating func string(_ text: Span<UInt8>, into string: inout [UInt8]) throws(JSONError) {
        string.removeAll(keepingCapacity: true)
        guard offset < text.count, text[offset] == UInt8(ascii: "\"") else { throw error("expected a string") }
        let start = offset
        offset += 1
        // From where on bytes stand for themselves.
        var plain = offset
        var isASCII = true
        while offset < text.count {
            let byte = text[offset]
            switch byte {
            case UInt8(ascii: "\""):
                string.append(copying: text.extracting(plain..<offset))
                offset += 1
                if !isASCII, !Self.isUTF8(string) { throw JSONError(offset: start, why: "the string is not UTF-8") }
                return
            case UInt8(ascii: "\\"):
                string.append(copying: text.extracting(plain..<offset))
                try escape(text, into: &string)
                plain = offset
            case 0..<0x20: throw error("a control character in a string")
            default:
                if byte >= 0x80 { isASCII = false }
                offset += 1
            }
        }
        throw JSONError(offset: start, why: "the string has no end")
    }

    private mutating func escape(_ text: Span<UInt8>, into string: inout [UInt8]) throws(JSONError) {
        guard text.count - offset >= 2 else { throw error("the string has no end") }
        switch text[offset + 1] {
        case UInt8(ascii: "\""): string.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): string.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): string.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): string.append(8)
        case UInt8(ascii: "f"): string.append(12)
        case UInt8(ascii: "n"): string.append(10)
        case UInt8(ascii: "r"): string.append(13)
        case UInt8(ascii: "t"): string.append(9)
        case UInt8(ascii: "u"): return try escapedScalar(text, into: &string)
        default: throw error("no such escape")
        }
        offset += 2
    }

    private mutating func escapedScalar(_ text: Span<UInt8>, into string: inout [UInt8]) throws(JSONError) {
        let start = offset
        var code = try codeUnit(text)
        if code & 0xfc00 == 0xd800 {
            let low = try codeUnit(text)
            guard low & 0xfc00 == 0xdc00 else { throw JSONError(offset: start, why: "half of a surrogate pair") }
            code = 0x1_0000 + (code & 0x3ff) << 10 + low & 0x3ff
        }
        guard let scalar = UnicodeScalar(code) else { throw JSONError(offset: start, why: "half of a surrogate pair") }
        string.append(contentsOf: String(scalar).utf8)
    }

    /// The four digits of `\uNNNN`.
    private mutating func codeUnit(_ text: Span<UInt8>) throws(JSONError) -> UInt32 {
        guard text.count - offset >= 6, text[offset] == UInt8(ascii: "\\"), text[offset + 1] == UInt8(ascii: "u") else {
            throw error("expected \\u and four hexadecimal digits")
        }
        var code: UInt32 = 0
        for place in offset + 2..<offset + 6 {
            let digit: UInt8
            switch text[place] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = text[place] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = text[place] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = text[place] - UInt8(ascii: "A") + 10
            default: throw error("expected \\u and four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
        }
        offset += 6
        return code
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
}
