import Wire

/// One representation of a field block (RFC 7541 §6), taken apart but not yet looked up: strings are still coded.
///
///       0   1   2   3   4   5   6   7
///     +---+---+---+---+---+---+---+---+
///     | 1 |        index (7+)         |   indexed field
///     | 0 | 1 |     index (6+)        |   literal with incremental indexing
///     | 0 | 0 | 1 |   size (5+)       |   dynamic table size update
///     | 0 | 0 | 0 | n |  index (4+)   |   literal without indexing, or never indexed
///     +---+---+---+---+---+---+---+---+
package struct FieldLine {
    enum Kind: UInt8 {
        case indexed, incremental, notIndexed, sizeUpdate
    }

    /// A string literal (RFC 7541 §5.2): where its octets lie in the block.
    struct Literal {
        var bytes: Range<Int> = 0..<0
        var isHuffman = false
    }

    var kind: Kind
    /// The table index of the field or of its name (0: the name is a literal), or the new table size.
    var number: Int
    var name = Literal()
    var value = Literal()

    /// Takes the representation at `offset` of `block` and moves `offset` behind it; nil when the block ends within it
    /// or it is none. Precondition: `offset` lies in the block.
    @inline(__always)
    static func next(in block: Span<UInt8>, at offset: inout Int) -> FieldLine? {
        let first = block[offset]
        if first & 0x80 != 0 {
            guard let index = integer(in: block, at: &offset, prefix: 7), index != 0 else { return nil }
            return FieldLine(kind: .indexed, number: index)
        }
        if first & 0xe0 == 0x20 {
            guard let size = integer(in: block, at: &offset, prefix: 5) else { return nil }
            return FieldLine(kind: .sizeUpdate, number: size)
        }
        let incremental = first & 0x40 != 0
        guard let index = integer(in: block, at: &offset, prefix: incremental ? 6 : 4) else { return nil }
        var line = FieldLine(kind: incremental ? .incremental : .notIndexed, number: index)
        if index == 0 {
            guard let name = literal(in: block, at: &offset) else { return nil }
            line.name = name
        }
        guard let value = literal(in: block, at: &offset) else { return nil }
        line.value = value
        return line
    }

    /// RFC 7541 §5.1. Nil when the block ends within the integer or it does not fit 28 bits, far above any length or
    /// index that a field block can use.
    @inline(__always)
    package static func integer(in block: Span<UInt8>, at offset: inout Int, prefix: UInt8) -> Int? {
        guard offset < block.count else { return nil }
        let mask = UInt8(1) << prefix &- 1
        let head = block[offset] & mask
        offset &+= 1
        if head < mask { return Int(head) }
        return longInteger(in: block, at: &offset, head: Int(head))
    }

    private static func longInteger(in block: Span<UInt8>, at offset: inout Int, head: Int) -> Int? {
        var value = head
        var shift = 0
        while shift <= 28 {
            guard offset < block.count else { return nil }
            let byte = block[offset]
            offset &+= 1
            value &+= Int(byte & 0x7f) << shift
            shift &+= 7
            if byte & 0x80 == 0 { return value < 1 << 28 ? value : nil }
        }
        return nil
    }

    @inline(__always)
    private static func literal(in block: Span<UInt8>, at offset: inout Int) -> Literal? {
        guard offset < block.count else { return nil }
        let isHuffman = block[offset] & 0x80 != 0
        guard let length = integer(in: block, at: &offset, prefix: 7), length <= block.count &- offset else {
            return nil
        }
        let start = offset
        offset &+= length
        return Literal(bytes: start..<offset, isHuffman: isHuffman)
    }

    /// Whether `block` can be a whole field block: representations that tile it, size updates first, no index above
    /// `indexLimit`, names without capitals. For bytes of which it is not known whether they are a field block.
    static func plausible(_ block: Span<UInt8>, indexLimit: Int) -> Bool {
        var offset = 0
        var fields = 0
        while offset < block.count {
            guard let line = next(in: block, at: &offset) else { return false }
            if line.kind == .sizeUpdate {
                guard fields == 0, line.number <= indexLimit &* 32 else { return false }
                continue
            }
            fields &+= 1
            guard line.number <= indexLimit else { return false }
            if line.kind != .indexed {
                if line.number == 0, !plausibleText(block, line.name, isName: true) { return false }
                if !plausibleText(block, line.value, isName: false) { return false }
            }
        }
        return fields > 0
    }

    private static func plausibleText(_ block: Span<UInt8>, _ text: Literal, isName: Bool) -> Bool {
        if isName, text.bytes.isEmpty { return false }
        if text.isHuffman { return true }
        for offset in text.bytes {
            let byte = block[offset]
            if byte < 0x20 || byte == 0x7f || (isName && byte >= 0x41 && byte <= 0x5a) { return false }
        }
        return true
    }
}
