import Analysis
import Etcd
import Wire

/// One operation as one line for people: when, who, what, and what came of it.
enum OperationText {
    static func line(_ operation: Operation, of batch: OperationBatch, names: ConnectionNames) -> String {
        var words = [
            time(operation.time.nanoseconds), names.client(operation.connection) ?? "?", name(operation, batch),
        ]
        if operation.key != 0 {
            let isWatched = operation.role == .call && operation.completeness.contains(.openedBefore)
            words.append((isWatched ? "at least " : "") + key(operation.key, batch))
        }
        if operation.completeness.contains(.keyLost) { words.append("(key lost)") }
        words += request(operation, batch)
        let answer = answer(operation, batch)
        // A progress request asks for no answer of its own.
        if !answer.isEmpty || operation.kind != .watchProgress {
            words.append(answer.isEmpty ? "-> ?" : "-> " + answer.joined(separator: " "))
        }
        var flags = operation.completeness.words
        if operation.role == .call, operation.inference != .none {
            flags.insert("inferred from \(operation.inference.phrase)", at: 0)
        }
        if !flags.isEmpty { words.append("[" + flags.joined(separator: ", ") + "]") }
        return words.joined(separator: " ") + "\n"
    }

    /// `2026-11-21T03:20:07.123456789Z`: no time zone but UTC, so that lines of many machines sort.
    static func time(_ nanoseconds: Int64) -> String {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let whole = rest < 0 ? seconds - 1 : seconds
        let fraction = rest < 0 ? rest + 1_000_000_000 : rest
        let days = whole >= 0 ? whole / 86_400 : (whole - 86_399) / 86_400
        let (year, month, day) = civilDate(days)
        let second = whole - days * 86_400
        let date = [Terminal.padded(year, to: 4), Terminal.padded(month, to: 2), Terminal.padded(day, to: 2)]
        let clock = [second / 3600, second / 60 % 60, second % 60].map { Terminal.padded($0, to: 2) }
        return date.joined(separator: "-") + "T" + clock.joined(separator: ":") + "."
            + Terminal.padded(fraction, to: 9) + "Z"
    }

    /// The proleptic Gregorian date of a number of days since 1970-01-01 (H. Hinnant's algorithm).
    private static func civilDate(_ days: Int64) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        return (Int(yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)), Int(calendarMonth), Int(day))
    }

    private static func name(_ operation: Operation, _ batch: OperationBatch) -> String {
        guard let method = MethodName.text(operation, in: batch) else { return candidates(operation) }
        let short = String(method.drop { $0 == "/" })
        if operation.role == .call { return short }
        return short + ":" + operation.kind.word
    }

    /// What a call without a name can be, as long as that is worth a line.
    private static func candidates(_ operation: Operation) -> String {
        let names = operation.candidates.numbers.compactMap {
            MethodCatalogue.method($0)?.path.split(separator: "/").last
        }
        guard !names.isEmpty, names.count <= 4 else { return "(unknown method)" }
        return "(" + names.joined(separator: " or ") + ")"
    }

    /// The key, in quotes if it would not be seen where it ends.
    private static func key(_ number: KeyNumber, _ batch: OperationBatch) -> String {
        let bytes = batch.keys.string(number)
        let text = KeyText.terminalText(of: bytes)
        let isPlain = !bytes.isEmpty && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") }
        return isPlain
            ? text
            : "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
    }

    private static func request(_ operation: Operation, _ batch: OperationBatch) -> [String] {
        let body = operation.body
        var words: [String] = []
        if body.flags.contains(.hasRangeEnd) { words.append("to " + key(body.rangeEnd, batch)) }
        if body.limit != 0 { words.append("limit \(body.limit)") }
        if body.revision != 0 {
            words.append("\(operation.kind == .watchCreate ? "from" : "at") revision \(body.revision)")
        }
        if body.flags.contains(.countOnly) { words.append("count only") }
        if body.flags.contains(.keysOnly) { words.append("keys only") }
        if body.flags.contains(.serializable) { words.append("serializable") }
        if body.kind == .put { words.append("\(body.valueSize) byte" + (body.valueSize == 1 ? "" : "s")) }
        if body.kind == .txn { words.append(TransactionShape.text(of: operation, in: batch)) }
        if body.lease != 0 { words.append("lease \(body.lease)") }
        if operation.lease != 0 { words.append("lease \(operation.lease)") }
        if operation.ttl != 0 { words.append("ttl \(operation.ttl) s") }
        if operation.kind.isOfWatch { words.append("watch \(operation.watchID)") }
        return words
    }

    private static func answer(_ operation: Operation, _ batch: OperationBatch) -> [String] {
        var words: [String] = []
        if let status = operation.status { words.append(status == 0 ? "ok" : "status \(status)") }
        if operation.errorText != 0 {
            words.append("\"" + KeyText.terminalText(of: batch.texts.string(operation.errorText)) + "\"")
        }
        let body = operation.body
        if body.flags.contains(.answered) {
            switch body.kind {
            case .range: words.append("\(body.keyValues.count) of \(body.count) key" + (body.count == 1 ? "" : "s"))
            case .delete: words.append("\(body.count) deleted")
            case .txn: words.append(body.flags.contains(.succeeded) ? "succeeded" : "failed")
            default: break
            }
        }
        if !operation.events.isEmpty {
            let events = batch.keyValues[operation.events.range].filter { $0.kind != .previous }
            let shown = events.prefix(3).map { "\($0.kind.word) \(key($0.key, batch))" }
            words.append(shown.joined(separator: ", ") + (events.count > 3 ? ", \(events.count - 3) more" : ""))
        }
        if operation.headerRevision != 0 { words.append("revision \(operation.headerRevision)") }
        if operation.responseEnd != Operation.absent, operation.role != .event {
            words.append(Terminal.decimal(Double(operation.responseEnd) / 1e6, places: 3) + " ms")
        }
        return words
    }
}
