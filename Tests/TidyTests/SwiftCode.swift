/// Swift source without its comments and without what stands in its string literals: what a rule about code may look
/// at. Interpolations go with their literals. Line numbers are kept.
struct SwiftCode {
    /// The code of every line, in order; a line's number is its index plus one.
    private(set) var lines: [Substring] = []

    init(_ source: String) {
        lines = String(decoding: Self.stripped(Array(source.utf8)), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The words (identifiers, keywords, attributes without `@`) of every line, with the line's number.
    var words: [(word: Substring, line: Int)] {
        lines.enumerated().flatMap { index, line in
            line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map { ($0, index + 1) }
        }
    }

    /// The modules that are imported, with the line's number.
    var imports: [(module: String, line: Int)] {
        lines.enumerated().compactMap { index, line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias"]
            let name = words[(keyword + 1)...].first { !kinds.contains($0) } ?? ""
            return (String(name.split(separator: ".").first ?? ""), index + 1)
        }
    }

    private static func stripped(_ source: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\""), hash = UInt8(ascii: "#"), slash = UInt8(ascii: "/"), star = UInt8(ascii: "*")
        let backslash = UInt8(ascii: "\\"), newline = UInt8(ascii: "\n")
        var code: [UInt8] = []
        var index = 0
        func byte(_ offset: Int) -> UInt8 { index + offset < source.count ? source[index + offset] : 0 }

        while index < source.count {
            if byte(0) == slash, byte(1) == slash {
                while index < source.count, byte(0) != newline { index += 1 }
            } else if byte(0) == slash, byte(1) == star {
                var depth = 0
                repeat {
                    if byte(0) == slash, byte(1) == star {
                        depth += 1
                        index += 2
                    } else if byte(0) == star, byte(1) == slash {
                        depth -= 1
                        index += 2
                    } else {
                        if byte(0) == newline { code.append(newline) }
                        index += 1
                    }
                } while depth > 0 && index < source.count
            } else if byte(0) == quote || byte(0) == hash {
                var hashes = 0
                while byte(hashes) == hash { hashes += 1 }
                guard byte(hashes) == quote else {
                    code.append(byte(0))
                    index += 1
                    continue
                }
                let isLong = byte(hashes + 1) == quote && byte(hashes + 2) == quote
                let quotes = isLong ? 3 : 1
                index += hashes + quotes
                var depth = 0  // of parentheses within an interpolation
                while index < source.count {
                    let escape = byte(0) == backslash && (0..<hashes).allSatisfy { byte(1 + $0) == hash }
                    if depth > 0 {
                        if byte(0) == UInt8(ascii: "(") { depth += 1 }
                        if byte(0) == UInt8(ascii: ")") { depth -= 1 }
                    } else if escape, byte(1 + hashes) == UInt8(ascii: "(") {
                        depth = 1
                        index += 1 + hashes
                    } else if escape {
                        index += 1 + hashes
                    } else if (0..<quotes).allSatisfy({ byte($0) == quote }),
                        (0..<hashes).allSatisfy({ byte(quotes + $0) == hash })
                    {
                        index += quotes + hashes
                        break
                    }
                    if byte(0) == newline { code.append(newline) }
                    index += 1
                }
                code.append(UInt8(ascii: " "))
            } else {
                code.append(byte(0))
                index += 1
            }
        }
        return code
    }
}
