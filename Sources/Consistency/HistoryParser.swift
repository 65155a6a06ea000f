import Wire

/// Reads a history from JSON Lines, an operation a line, handed over in pieces of any size.
///
/// Strict: every line is one object with the members that `docs/check.md` names, each once, in any order; integers are
/// written without fraction and exponent; lines of white space alone are passed over.
package struct HistoryParser: Sendable {
    private var history = History()
    private let limits: ConsistencyLimits
    /// The start of a line whose end is not there yet.
    private var carried: [UInt8] = []
    private var line = 0
    private var record = HistoryRecord()

    package init(limits: ConsistencyLimits = ConsistencyLimits()) { self.limits = limits }

    /// Takes the next bytes.
    package mutating func receive(_ bytes: Span<UInt8>) throws(HistoryError) {
        var start = 0
        var end = 0
        while end < bytes.count {
            if bytes[end] == UInt8(ascii: "\n") {
                let rest = bytes.extracting(start..<end)
                if carried.isEmpty {
                    try read(rest)
                } else {
                    try carry(rest)
                    let whole = carried
                    try read(whole.span)
                    carried.removeAll(keepingCapacity: true)
                }
                start = end + 1
            }
            end += 1
        }
        if start < end { try carry(bytes.extracting(start..<end)) }
    }

    /// The history, after the last bytes.
    package mutating func finish() throws(HistoryError) -> History {
        let rest = carried
        carried = []
        if !rest.isEmpty { try read(rest.span) }
        return history
    }

    private mutating func carry(_ bytes: Span<UInt8>) throws(HistoryError) {
        guard carried.count + bytes.count <= limits.lineBytes else { throw tooLong() }
        carried.append(copying: bytes)
    }

    private func tooLong() -> HistoryError {
        HistoryError(line: line + 1, column: 0, why: "the line has more than \(limits.lineBytes) bytes")
    }

    private mutating func read(_ text: Span<UInt8>) throws(HistoryError) {
        if text.count > limits.lineBytes { throw tooLong() }
        line += 1
        do {
            guard try record.read(text) else { return }
            try Self.keep(record, in: &history, limits)
        } catch {
            throw HistoryError(line: line, column: error.offset < 0 ? 0 : error.offset + 1, why: error.why)
        }
    }

    private static func keep(
        _ record: HistoryRecord, in history: inout History, _ limits: ConsistencyLimits
    ) throws(JSONError) {
        guard history.operations.count < limits.operations else {
            throw JSONError(offset: -1, why: "there are more than \(limits.operations) operations")
        }
        var operation = record.operation
        operation.key = UInt32(history.keys.number(of: record.key.span))
        if !record.isValueNull { operation.value = Int64(history.values.number(of: record.value.span)) }
        if !record.isExpectNull { operation.expect = Int64(history.values.number(of: record.expect.span)) }
        guard history.keys.byteCount <= limits.nameBytes, history.values.byteCount <= limits.nameBytes else {
            throw JSONError(offset: -1, why: "keys or values have more than \(limits.nameBytes) bytes in all")
        }
        history.operations.append(operation)
    }
}

/// One line of a history, read. The arrays are used again for the next.
struct HistoryRecord: Sendable {
    private(set) var operation = HistoryOperation(client: 0, key: 0, kind: .read, call: 0)
    private(set) var key: [UInt8] = []
    private(set) var value: [UInt8] = []
    private(set) var expect: [UInt8] = []
    private(set) var isValueNull = true
    private(set) var isExpectNull = true
    private var word: [UInt8] = []

    /// Members by bits: those read until now.
    private enum Member: UInt8, CaseIterable {
        case client = 1
        case key = 2
        case op = 4
        case value = 8
        case expect = 16
        case ok = 32
        case call = 64
        case `return` = 128

        var name: String { "\(self)" }
    }

    /// Names of members, at the number of their bit.
    private static let names = Member.allCases.map { Array($0.name.utf8) }

    /// Reads a line; false if there is nothing but white space in it.
    mutating func read(_ text: Span<UInt8>) throws(JSONError) -> Bool {
        var scanner = JSONScanner()
        scanner.skipSpace(text)
        if scanner.offset == text.count { return false }
        operation = HistoryOperation(client: 0, key: 0, kind: .read, call: 0)
        (isValueNull, isExpectNull) = (true, true)
        var members: UInt8 = 0
        try scanner.expect(UInt8(ascii: "{"), in: text)
        if !scanner.take(UInt8(ascii: "}"), in: text) {
            repeat { try readMember(text, &scanner, &members) } while scanner.take(UInt8(ascii: ","), in: text)
            try scanner.expect(UInt8(ascii: "}"), in: text)
        }
        scanner.skipSpace(text)
        guard scanner.offset == text.count else { throw scanner.error("a line holds one object and no more") }
        try check(members)
        return true
    }

    private mutating func readMember(
        _ text: Span<UInt8>, _ scanner: inout JSONScanner, _ members: inout UInt8
    ) throws(JSONError) {
        scanner.skipSpace(text)
        let start = scanner.offset
        try scanner.string(text, into: &word)
        guard let member = Self.member(word) else {
            throw JSONError(offset: start, why: "no member of a history's operation has this name")
        }
        guard members & member.rawValue == 0 else {
            throw JSONError(offset: start, why: "\"\(member.name)\" is there twice")
        }
        members |= member.rawValue
        try scanner.expect(UInt8(ascii: ":"), in: text)
        scanner.skipSpace(text)
        switch member {
        case .client: operation.client = try scanner.integer(text)
        case .key: try scanner.string(text, into: &key)
        case .op: try readKind(text, &scanner)
        case .value: isValueNull = try !scanner.stringOrNull(text, into: &value)
        case .expect: isExpectNull = try !scanner.stringOrNull(text, into: &expect)
        case .ok:
            switch try scanner.boolOrNull(text) {
            case true?: operation.outcome = .ok
            case false?: operation.outcome = .failed
            case nil: operation.outcome = .unknown
            }
        case .call: operation.call = try scanner.integer(text)
        case .return:
            operation.return = try scanner.integerOrNull(text) ?? HistoryOperation.noReturn
        }
    }

    /// The member of that name. Told by its first letter and its length, then compared.
    private static func member(_ name: [UInt8]) -> Member? {
        guard let first = name.first else { return nil }
        let member: Member
        switch (first, name.count) {
        case (UInt8(ascii: "c"), 6): member = .client
        case (UInt8(ascii: "c"), 4): member = .call
        case (UInt8(ascii: "k"), 3): member = .key
        case (UInt8(ascii: "o"), 2): member = name[1] == UInt8(ascii: "p") ? .op : .ok
        case (UInt8(ascii: "v"), 5): member = .value
        case (UInt8(ascii: "e"), 6): member = .expect
        case (UInt8(ascii: "r"), 6): member = .return
        default: return nil
        }
        return name == names[member.rawValue.trailingZeroBitCount] ? member : nil
    }

    private static let kinds = HistoryOperation.Kind.allCases.map { Array("\($0)".utf8) }

    private mutating func readKind(_ text: Span<UInt8>, _ scanner: inout JSONScanner) throws(JSONError) {
        let start = scanner.offset
        try scanner.string(text, into: &word)
        guard let number = Self.kinds.firstIndex(of: word) else {
            throw JSONError(offset: start, why: "\"op\" is read, write, cas or delete")
        }
        operation.kind = HistoryOperation.Kind.allCases[number]
    }

    private func check(_ members: UInt8) throws(JSONError) {
        for member in [Member.client, .key, .op, .ok, .call, .return] where members & member.rawValue == 0 {
            throw JSONError(offset: -1, why: "\"\(member.name)\" is missing")
        }
        if operation.return < operation.call { throw JSONError(offset: -1, why: "it returned before it was called") }
        if operation.call == .min || operation.call == .max || operation.return == .min {
            throw JSONError(offset: -1, why: "a time is out of range")
        }
        switch operation.kind {
        case .write where isValueNull:
            throw JSONError(offset: -1, why: "a write needs a value: what makes a key absent is a delete")
        case .delete where !isValueNull: throw JSONError(offset: -1, why: "a delete has no value")
        case .cas: break
        default:
            if !isExpectNull { throw JSONError(offset: -1, why: "only a cas expects something") }
        }
    }
}
