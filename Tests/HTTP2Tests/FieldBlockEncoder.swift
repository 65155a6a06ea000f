import HTTP2

/// One field as text.
struct TextField: Equatable, Hashable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

/// An HPACK encoder that behaves as Go's does (look the table up, insert everything), or chooses at random.
struct FieldBlockEncoder {
    /// Newest entry first.
    private(set) var table: [TextField] = []
    private(set) var sizeMax = 4096
    /// Insertions so far.
    private(set) var inserted = 0
    var huffman = true
    private var pendingSizes: [Int] = []

    /// Tells of the change in the next block (RFC 7541 §6.3).
    mutating func resize(to size: Int) {
        pendingSizes.append(size)
        sizeMax = size
        evict(until: size)
    }

    /// Encodes as Go's encoder; `choose` may ask for another representation than the default.
    mutating func encode(_ fields: [TextField], choose: (() -> Representation)? = nil) -> [UInt8] {
        var block: [UInt8] = []
        for size in pendingSizes { appendInteger(size, prefix: 5, first: 0x20, to: &block) }
        pendingSizes = []
        for field in fields {
            let wanted = choose?() ?? .indexed
            if wanted == .indexed, let index = index(of: field) {
                appendInteger(index, prefix: 7, first: 0x80, to: &block)
                continue
            }
            let nameIndex = wanted == .newName ? 0 : index(ofName: field.name) ?? 0
            switch wanted {
            case .withoutIndexing: appendInteger(nameIndex, prefix: 4, first: 0, to: &block)
            case .neverIndexed: appendInteger(nameIndex, prefix: 4, first: 0x10, to: &block)
            case .indexed, .newName: appendInteger(nameIndex, prefix: 6, first: 0x40, to: &block)
            }
            if nameIndex == 0 { appendString(field.name, to: &block) }
            appendString(field.value, to: &block)
            if wanted == .indexed || wanted == .newName { insert(field) }
        }
        return block
    }

    enum Representation: CaseIterable {
        case indexed, newName, withoutIndexing, neverIndexed
    }

    /// The number of the insertion that the entry for `field` came from, counted from 0.
    func serial(of field: TextField) -> Int? { table.firstIndex(of: field).map { inserted - 1 - $0 } }

    private mutating func insert(_ field: TextField) {
        let size = Self.size(field)
        evict(until: sizeMax - size)
        guard size <= sizeMax else { return }
        table.insert(field, at: 0)
        inserted += 1
    }

    private mutating func evict(until limit: Int) {
        var total = table.reduce(0) { $0 + Self.size($1) }
        while total > limit, let last = table.popLast() { total -= Self.size(last) }
    }

    private static func size(_ field: TextField) -> Int { field.name.utf8.count + field.value.utf8.count + 32 }

    private func index(of field: TextField) -> Int? {
        if let place = Self.staticTable.firstIndex(of: field) { return place + 1 }
        return table.firstIndex(of: field).map { $0 + 62 }
    }

    private func index(ofName name: String) -> Int? {
        if let place = Self.staticTable.lastIndex(where: { $0.name == name }) { return place + 1 }
        return table.firstIndex { $0.name == name }.map { $0 + 62 }
    }

    private func appendString(_ text: String, to block: inout [UInt8]) {
        let plain = Array(text.utf8)
        let code = Self.huffmanCode(plain)
        if huffman, code.count < plain.count {
            appendInteger(code.count, prefix: 7, first: 0x80, to: &block)
            block += code
        } else {
            appendInteger(plain.count, prefix: 7, first: 0, to: &block)
            block += plain
        }
    }

    private func appendInteger(_ value: Int, prefix: Int, first: UInt8, to block: inout [UInt8]) {
        block += Self.integer(value, prefix: prefix, first: first)
    }

    static func integer(_ value: Int, prefix: Int, first: UInt8) -> [UInt8] {
        let mask = (1 << prefix) - 1
        if value < mask { return [first | UInt8(value)] }
        var bytes = [first | UInt8(mask)]
        var rest = value - mask
        while rest >= 128 {
            bytes.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func huffmanCode(_ text: [UInt8]) -> [UInt8] {
        var code: [UInt8] = []
        var window: UInt64 = 0
        var bits = 0
        for byte in text {
            window = window << UInt64(HuffmanTable.lengths[Int(byte)]) | UInt64(HuffmanTable.codes[Int(byte)])
            bits += Int(HuffmanTable.lengths[Int(byte)])
            while bits >= 8 {
                code.append(UInt8(truncatingIfNeeded: window >> UInt64(bits - 8)))
                bits -= 8
            }
        }
        if bits > 0 {
            code.append(UInt8(truncatingIfNeeded: window << UInt64(8 - bits)) | UInt8((1 << (8 - bits)) - 1))
        }
        return code
    }

    /// The part of RFC 7541 Appendix A that the tests use, at its places.
    static let staticTable: [TextField] = {
        var table = Array(repeating: TextField("-", "-"), count: 61)
        for (index, name, value) in [
            (1, ":authority", ""), (2, ":method", "GET"), (3, ":method", "POST"), (4, ":path", "/"),
            (5, ":path", "/index.html"), (6, ":scheme", "http"), (7, ":scheme", "https"), (8, ":status", "200"),
            (9, ":status", "204"), (14, ":status", "500"), (31, "content-type", ""), (58, "user-agent", ""),
        ] {
            table[index - 1] = TextField(name, value)
        }
        return table
    }()
}
