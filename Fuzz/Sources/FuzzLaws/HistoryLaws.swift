import Consistency
import Foundation
import Wire

/// Histories as JSON Lines: the input is a file that `kvreel check` reads.
///
/// What is accepted is read a second time by Foundation, line by line. Not covered: whether everything that a history
/// may hold is accepted, and whether a verdict is right, which is for tests that try all orders.
enum HistoryLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let file = bytes.copied()
        var dice = InputDice(bytes)
        let limits = limits(&dice)
        let whole = try read(file, limits) { $0 }
        let pieces = try read(file, limits) { dice.piece(of: $0) }
        switch (whole, pieces) {
        case (.failure(let error), .failure(let other)):
            try BrokenLaw.unlessEqual(other, error, "any split fails alike")
            try check(error, of: file)
        case (.success(let history), .success(let other)):
            try BrokenLaw.unlessEqual(other.operations, history.operations, "any split gives the same operations")
            try BrokenLaw.unlessEqual(lines(other), lines(history), "any split gives the same texts")
            try check(history, limits)
            try compareWithFoundation(history, file)
            try checkWriting(history, limits)
            try judge(history, &dice)
        case (.failure(let error), .success), (.success, .failure(let error)):
            throw BrokenLaw(law: "any split is read or not read", found: "\(error)")
        }
    }

    /// Those of every user for most inputs; ones that an input can reach for some.
    private static func limits(_ dice: inout InputDice) -> ConsistencyLimits {
        var limits = ConsistencyLimits()
        if dice.oneIn(4) {
            limits.lineBytes = 60 + Int(dice.next() % 100)
            limits.operations = Int(dice.next() % 4)
            limits.nameBytes = Int(dice.next() % 40)
        }
        // An input must end soon.
        limits.positions = 500
        limits.shrinkingPositions = 200
        limits.shrinkingSteps = 5_000
        return limits
    }

    private static func read(
        _ file: [UInt8], _ limits: ConsistencyLimits, piece: (Int) -> Int
    ) throws(BrokenLaw) -> Result<History, HistoryError> {
        var parser = HistoryParser(limits: limits)
        do {
            var start = 0
            while start < file.count {
                let end = start + piece(file.count - start)
                // A copy of the piece alone: a look beyond it traps.
                let bytes = Array(file[start..<end])
                try parser.receive(bytes.span)
                start = end
            }
            return .success(try parser.finish())
        } catch {
            return .failure(error)
        }
    }

    private static func lines(_ history: History) -> [UInt8] {
        var writer = HistoryWriter()
        writer.write(history)
        return writer.bytes
    }

    /// Of an input, with what ends it: each line without its line feed.
    private static func texts(of file: [UInt8]) -> [ArraySlice<UInt8>] {
        file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    private static func check(_ error: HistoryError, of file: [UInt8]) throws(BrokenLaw) {
        let texts = texts(of: file)
        try BrokenLaw.unless(
            error.line >= 1 && error.line <= texts.count, "an error names a line of the file", "\(error)")
        try BrokenLaw.unless(
            error.column >= 0 && error.column <= texts[error.line - 1].count + 1, "an error names a byte of its line",
            "\(error)")
        try BrokenLaw.unless(!error.why.isEmpty, "an error says why", "\(error)")
    }

    private static func check(_ history: History, _ limits: ConsistencyLimits) throws(BrokenLaw) {
        try BrokenLaw.unless(
            history.operations.count <= limits.operations && history.keys.byteCount <= limits.nameBytes
                && history.values.byteCount <= limits.nameBytes, "limits hold", "\(history.operations.count)")
        for operation in history.operations {
            try BrokenLaw.unless(
                operation.key >= 1 && Int(operation.key) <= history.keys.count && operation.call <= operation.return
                    && operation.call != HistoryOperation.noReturn && named(operation.value, history)
                    && named(operation.expect, history), "an operation is whole", "\(operation)")
        }
    }

    private static func named(_ value: Int64, _ history: History) -> Bool {
        value >= 0 && value <= Int64(history.values.count)
    }

    // MARK: Another reader

    private struct Line: Decodable {
        var client: Int64
        var key: String
        var op: String
        var value: String?
        var expect: String?
        var ok: Bool?
        var call: Int64
        var `return`: Int64?
    }

    private static func compareWithFoundation(_ history: History, _ file: [UInt8]) throws(BrokenLaw) {
        let space: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        let texts = texts(of: file).filter { !$0.allSatisfy(space.contains) }
        try BrokenLaw.unlessEqual(history.operations.count, texts.count, "every line is an operation")
        for (operation, text) in zip(history.operations, texts) {
            let line = try? JSONDecoder().decode(Line.self, from: Data(text))
            guard let line else {
                throw BrokenLaw(law: "what is accepted is JSON", found: String(decoding: text, as: UTF8.self))
            }
            let outcome: HistoryOperation.Outcome =
                switch line.ok {
                case true?: .ok
                case false?: .failed
                case nil: .unknown
                }
            let isSame =
                operation.client == line.client && "\(operation.kind)" == line.op && operation.outcome == outcome
                && operation.call == line.call && operation.return == line.return ?? HistoryOperation.noReturn
                && history.keys.text(Int(operation.key)) == Array(line.key.utf8)
                && isSame(operation.value, line.value, history) && isSame(operation.expect, line.expect, history)
            try BrokenLaw.unless(
                isSame, "another reader reads the same", "\(operation), not \(String(decoding: text, as: UTF8.self))")
        }
    }

    private static func isSame(_ value: Int64, _ text: String?, _ history: History) -> Bool {
        guard let text else { return value == 0 }
        return value > 0 && history.values.text(Int(value)) == Array(text.utf8)
    }

    private static func checkWriting(_ history: History, _ limits: ConsistencyLimits) throws(BrokenLaw) {
        var limits = limits
        limits.lineBytes = .max
        let written = lines(history)
        guard case .success(let again) = try read(written, limits, piece: { $0 }) else {
            throw BrokenLaw(law: "what is written is read", found: String(decoding: written, as: UTF8.self))
        }
        try BrokenLaw.unlessEqual(again.operations, history.operations, "what is written reads the same")
        try BrokenLaw.unlessEqual(lines(again), written, "what is written has the same texts")
    }

    // MARK: The verdict

    private static func judge(_ history: History, _ dice: inout InputDice) throws(BrokenLaw) {
        let limits = limits(&dice)
        let check = HistoryCheck(history, limits: limits)
        let keys = Set(history.operations.map(\.key)).count
        try BrokenLaw.unlessEqual(check.keys.reduce(0, +), keys, "every key has a verdict")
        guard let example = check.counterexample else {
            try BrokenLaw.unless(check.verdict != .violation, "a violation is shown", "\(history.operations)")
            return
        }
        try BrokenLaw.unless(
            example.operations.allSatisfy { $0.key == example.key && history.operations.contains($0) },
            "what is shown is of the history", "\(example)")
        var alone = history
        alone.operations = example.operations
        try BrokenLaw.unlessEqual(
            HistoryCheck(alone).verdict, .violation, "what is shown is a violation by itself")
        let width = Int(dice.next() % 150)
        let drawing = HistoryDrawing(example.operations, of: history, width: width).text
        let isPrintable = drawing.unicodeScalars.allSatisfy {
            $0 == "\n" || $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value)
        }
        try BrokenLaw.unless(isPrintable && !drawing.isEmpty, "a drawing steers no terminal", drawing)
    }
}
