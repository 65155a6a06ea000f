import Consistency
import TestSupport
import Testing
import Wire

@Suite("Histories as JSON Lines")
struct HistoryFormTests {
    private static let line =
        #"{"client":1,"key":"k","op":"write","value":"v","expect":null,"ok":true,"call":5,"return":9}"#

    @Test("a line is read member for member")
    func members() throws {
        let history = try History.parsed(Self.line)
        #expect(history.operations.count == 1)
        #expect(
            history.operations.first
                == HistoryOperation(client: 1, key: 1, kind: .write, value: 1, call: 5, return: 9))
        #expect(history.keys.text(1) == Array("k".utf8) && history.values.text(1) == Array("v".utf8))
    }

    @Test("order of members, space, blank lines and absent nulls do not matter")
    func freedom() throws {
        let loose =
            "\r\n \n { \"return\" : 9 ,\t\"op\":\"write\",\"call\":5,\"key\":\"\\u006b\",\"value\":\"v\",\"ok\":true,"
            + "\"client\":1 } \r\n\n"
        #expect(try History.parsed(loose).operations == History.parsed(Self.line).operations)
    }

    @Test("texts come through: escapes, pairs of surrogates, UTF-8, the empty text")
    func texts() throws {
        let text = #""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀""#
        let history = try History.parsed(Self.line.replacing("\"v\"", with: text))
        #expect(history.values.text(1) == Array("a\"\\/\u{8}\u{c}\n\r\té😀é😀".utf8))
        let empty = try History.parsed(Self.line.replacing("\"v\"", with: "\"\""))
        #expect(empty.operations.first?.value == 1 && empty.values.text(1).isEmpty && empty.values.count == 1)
    }

    @Test("what is written is read again as it was", arguments: seeds(31, 32))
    func roundTrip(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        for number in 0..<300 {
            var history = random.next()
            _ = history.keys.number(of: "\u{1}\u{7f} \"\\ ü \(number)")
            for index in history.operations.indices where history.operations[index].kind != .cas {
                history.operations[index].expect = 0
            }
            let text = history.lines
            let again = try History.parsed(Array(text.utf8), piece: 1 + number % 50)
            #expect(again.lines == text)
            #expect(HistoryCheck(again).verdict == HistoryCheck(history).verdict)
        }
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        var from: String
        var to: String
        var column: Int
        var why: String
        var testDescription: String { to }
    }

    @Test(
        "a mistake is named with its line and column",
        arguments: [
            Mistake(from: "\"call\":5", to: "\"call\":5.0", column: 79, why: "the number must be an integer"),
            Mistake(from: "\"call\":5", to: "\"call\":05", column: 79, why: "does not begin with 0"),
            Mistake(from: "\"call\":5", to: "\"call\":-", column: 79, why: "expected an integer"),
            Mistake(from: "\"call\":5", to: "\"call\":9223372036854775808", column: 79, why: "does not fit 64 bits"),
            Mistake(from: "\"call\":5", to: "\"call\":10", column: 0, why: "it returned before it was called"),
            Mistake(from: "\"call\":5,", to: "", column: 0, why: "\"call\" is missing"),
            Mistake(from: "\"call\":5", to: "\"key\":\"x\"", column: 72, why: "\"key\" is there twice"),
            Mistake(from: "\"call\":5", to: "\"cell\":5", column: 72, why: "no member"),
            Mistake(from: "\"write\"", to: "\"swap\"", column: 28, why: "read, write, cas or delete"),
            Mistake(from: "\"v\"", to: "null", column: 0, why: "a write needs a value"),
            Mistake(from: "\"v\"", to: "7", column: 44, why: "expected a string"),
            Mistake(from: "\"v\"", to: #""\ud800""#, column: 51, why: "expected \\u and four"),
            Mistake(from: "\"v\"", to: #""\udc00""#, column: 45, why: "half of a surrogate pair"),
            Mistake(from: "\"v\"", to: #""\x""#, column: 45, why: "no such escape"),
            Mistake(from: "\"v\"", to: "\"\u{1}\"", column: 45, why: "a control character"),
            Mistake(from: "\"op\":\"write\"", to: "\"op\":\"delete\"", column: 0, why: "a delete has no value"),
            Mistake(from: "\"expect\":null", to: "\"expect\":\"e\"", column: 0, why: "only a cas expects something"),
            Mistake(from: "true", to: "yes", column: 67, why: "expected true, false or null"),
            Mistake(from: "}", to: "} x", column: 93, why: "no more"),
            Mistake(from: "}", to: "", column: 91, why: "expected '}'"),
            Mistake(from: "{", to: "[", column: 1, why: "expected '{'"),
        ])
    func mistakes(_ mistake: Mistake) throws {
        let text = Self.line + "\n" + Self.line.replacing(mistake.from, with: mistake.to)
        let error = #expect(throws: HistoryError.self) { try History.parsed(text) }
        #expect(error?.line == 2)
        #expect(error?.column == mistake.column)
        #expect(error?.why.contains(mistake.why) == true, "\(error?.why ?? "")")
    }

    @Test("bytes that are not UTF-8 are refused")
    func notUTF8() {
        var bytes = Array(Self.line.utf8)
        let place = bytes.firstIndex(of: UInt8(ascii: "v")) ?? 0
        bytes[place + 9] = 0xff
        #expect(throws: HistoryError.self) { try History.parsed(bytes) }
    }

    @Test("changed bytes are read or refused, the same whatever the pieces", arguments: seeds(41, 42))
    func changedBytes(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var histories = RandomHistory(seed: seed)
        for _ in 0..<3_000 {
            var bytes = Array(histories.next(most: 3).lines.utf8)
            for _ in 0..<1 + random.below(3) where !bytes.isEmpty {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8(random.below(256)), at: place)
                default: bytes.removeLast(bytes.count - place)
                }
            }
            let whole = Result { () throws(HistoryError) in try History.parsed(bytes).lines }
            let inPieces = Result { () throws(HistoryError) in
                try History.parsed(bytes, piece: 1 + random.below(9)).lines
            }
            #expect(whole == inPieces)
        }
    }

    @Test("lines, operations and names have limits")
    func limits() throws {
        var limits = ConsistencyLimits()
        limits.lineBytes = 50
        var parser = HistoryParser(limits: limits)
        let error = #expect(throws: HistoryError.self) { try parser.take(Self.line) }
        #expect(error?.why.contains("more than 50 bytes") == true)
        limits = ConsistencyLimits()
        limits.operations = 1
        parser = HistoryParser(limits: limits)
        try parser.take(Self.line + "\n")
        #expect(throws: HistoryError.self) { try parser.take(Self.line + "\n") }
        limits = ConsistencyLimits()
        limits.nameBytes = 0
        parser = HistoryParser(limits: limits)
        #expect(throws: HistoryError.self) { try parser.take(Self.line + "\n") }
    }
}

extension HistoryParser {
    fileprivate mutating func take(_ text: String) throws(HistoryError) {
        let bytes = Array(text.utf8)
        try receive(bytes.span)
    }
}
