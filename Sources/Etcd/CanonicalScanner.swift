/// Says whether bytes are a message of a schema as encoders write it: known fields in ascending order with the right
/// wire types, no empty scalars, shortest varints. What encoders of all languages write is; what another message's
/// bytes are is rarely. Without allocation; nesting is bounded.
struct CanonicalScanner: Sendable {
    /// What a scan met, for rules between fields and between messages.
    struct Found: Sendable {
        /// A bit for each field number below 64.
        var fields: UInt64 = 0
        /// Contents of the length-delimited fields 1 and 2.
        var first = 0..<0
        var second = 0..<0
        /// Values of the varint fields 1 to 4; 0 where absent.
        var value1: UInt64 = 0
        var value2: UInt64 = 0
        var value3: UInt64 = 0
        var value4: UInt64 = 0
        /// Fields met, repetitions too.
        var count = 0
        /// No required field is missing, here and in sub-messages.
        var isComplete = true

        func has(_ number: Int) -> Bool { fields >> UInt64(number) & 1 != 0 }
    }

    /// Messages within messages that are followed: transactions nest.
    static let depthLimit = 24

    private var fields: [MessageSchema.Field] = []
    /// Of each schema by its raw value.
    private var places: [Range<Int>] = []
    private var required: [UInt64] = []

    init() {
        for schema in MessageSchema.allCases {
            let own = schema.fields
            places.append(fields.count..<fields.count + own.count)
            required.append(own.reduce(0) { $1.isRequired ? $0 | 1 << UInt64($1.number) : $0 })
            fields.append(contentsOf: own)
        }
    }

    /// The message in `range`; nil if it is not one of the schema.
    func scan(_ schema: MessageSchema, _ bytes: Span<UInt8>, _ range: Range<Int>, depth: Int = 0) -> Found? {
        guard depth < Self.depthLimit else { return nil }
        let own = places[Int(schema.rawValue)]
        var found = Found()
        var place = own.lowerBound
        var offset = range.lowerBound
        var last: UInt64 = 0
        while offset < range.upperBound {
            guard let tag = Self.varint(bytes, at: &offset, end: range.upperBound) else { return nil }
            let number = tag >> 3
            guard number >= last else { return nil }
            while place < own.upperBound, UInt64(fields[place].number) < number { place += 1 }
            guard place < own.upperBound, UInt64(fields[place].number) == number,
                number > last || fields[place].isRepeated
            else { return nil }
            last = number
            found.count += 1
            if number < 64 { found.fields |= 1 << number }
            guard take(fields[place], wireType: tag & 7, bytes, &offset, end: range.upperBound, &found, depth: depth)
            else { return nil }
        }
        let missing = required[Int(schema.rawValue)]
        if found.fields & missing != missing { found.isComplete = false }
        return keepsRules(of: schema, found, bytes, depth: depth) ? found : nil
    }

    private func take(
        _ field: MessageSchema.Field, wireType: UInt64, _ bytes: Span<UInt8>, _ offset: inout Int, end: Int,
        _ found: inout Found, depth: Int
    ) -> Bool {
        switch field.content {
        case .number, .natural, .word, .flag, .choice:
            guard wireType == 0, let value = Self.varint(bytes, at: &offset, end: end) else { return false }
            switch field.number {
            case 1: found.value1 = value
            case 2: found.value2 = value
            case 3: found.value3 = value
            case 4: found.value4 = value
            default: break
            }
            guard value != 0 || field.mayBeEmpty else { return false }
            return switch field.content {
            case .natural: value <= UInt64(Int64.max)
            case .word: value <= UInt64(UInt32.max)
            case .flag: value == 1
            case .choice: value <= UInt64(field.limit)
            default: true
            }
        case .packed:
            guard wireType == 2 else {
                return wireType == 0 && Self.varint(bytes, at: &offset, end: end).map { $0 <= 1 } ?? false
            }
            guard let content = Self.content(bytes, at: &offset, end: end) else { return false }
            for place in content where bytes[place] > 1 { return false }
            return true
        case .bytes, .text, .message, .header:
            guard wireType == 2, let content = Self.content(bytes, at: &offset, end: end) else { return false }
            if field.number == 1 { found.first = content } else if field.number == 2 { found.second = content }
            switch field.content {
            case .bytes: return !content.isEmpty || field.mayBeEmpty || field.isRepeated
            case .text:
                guard !content.isEmpty || field.isRepeated else { return false }
                return (try? UTF8Span(validating: bytes.extracting(content))) != nil
            default:
                guard let inner = scan(field.schema, bytes, content, depth: depth + 1) else { return false }
                if !inner.isComplete { found.isComplete = false }
                return true
            }
        }
    }

    /// Rules between the fields of one message.
    private func keepsRules(of schema: MessageSchema, _ found: Found, _ bytes: Span<UInt8>, depth: Int) -> Bool {
        switch schema {
        case .rangeRequest, .deleteRequest:
            // A range end is the zero byte ("to the end") or behind the key, or etcd has nothing to look at.
            if found.second.isEmpty { return true }
            let end = bytes.extracting(found.second)
            return end.count == 1 && end[0] == 0 || bytes.extracting(found.first).precedes(end)
        case .requestOp, .responseOp, .watchRequest:
            return found.count == 1
        case .compare:
            // The only operand is the target's: 4 version, 5 create, 6 mod, 7 value, 8 lease.
            let operands = found.fields & 0b1_1111_0000
            return operands & ~(1 << (found.value2 + 4)) == 0
        case .responseHeader:
            // etcd fills all four (the revision is never 0); kine the revision only, and so does etcd within a
            // transaction's response, where a header may be empty too.
            let isWhole = found.fields & 0b10110 == 0b10110
            return isWhole || found.fields == 0b1000 || found.fields == 0 && depth > 1
        default:
            return true
        }
    }

    /// Whether a response of that schema must begin with a header.
    func hasHeader(_ schema: MessageSchema) -> Bool {
        let own = places[Int(schema.rawValue)]
        return !own.isEmpty && fields[own.lowerBound].content == .header
    }

    // MARK: Bytes

    /// A varint of the fewest bytes that hold its value.
    static func varint(_ bytes: Span<UInt8>, at offset: inout Int, end: Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return byte == 0 && shift > 0 ? nil : value }
            shift += 7
        }
        return nil
    }

    private static func content(_ bytes: Span<UInt8>, at offset: inout Int, end: Int) -> Range<Int>? {
        guard let length = varint(bytes, at: &offset, end: end), length <= UInt64(end - offset) else { return nil }
        let start = offset
        offset += Int(length)
        return start..<offset
    }
}
