/// Operations of a history in words.
struct OperationWords: Sendable {
    private let values: NameTable
    private let hasVersions: Bool
    /// Longer values are cut, with an ellipsis.
    private let width: Int

    init(_ history: borrowing History, width: Int = 40) {
        values = history.values
        hasVersions = history.kindOfValues == .versions
        self.width = width
    }

    func value(_ value: Int64) -> String {
        if value == 0 { return "absence" }
        return hasVersions ? "revision \(value)" : quoted(value)
    }

    /// The value's text; in quotes if it would not stand out as a value, without characters that steer a terminal.
    private func quoted(_ value: Int64) -> String {
        let text = String(decoding: values.text(Int(value)), as: UTF8.self)
        var safe = ""
        for scalar in text.unicodeScalars.prefix(width) {
            let isPlain = (0x21..<0x7f).contains(scalar.value) || scalar.value >= 0xa1 && scalar.properties.isAlphabetic
            safe.unicodeScalars.append(isPlain || scalar == " " ? scalar : "?")
        }
        if text.unicodeScalars.count > width { safe += "..." }
        return safe.isEmpty || safe.contains(" ") || safe == "absence" ? "'\(safe)'" : safe
    }

    /// `read v1`, `cas v1 > v2 failed`, for the drawing.
    func label(_ operation: HistoryOperation) -> String {
        let value = short(operation.value)
        switch operation.kind {
        case .read: return "read \(value)"
        case .write: return "write \(value)" + ending(operation)
        case .delete: return "delete" + (hasVersions ? " \(operation.value)" : "") + ending(operation)
        case .cas: return "cas \(short(operation.expect)) > \(value)" + ending(operation)
        }
    }

    private func short(_ value: Int64) -> String {
        value == 0 ? "absent" : hasVersions ? "\(value)" : quoted(value)
    }

    private func ending(_ operation: HistoryOperation) -> String {
        if operation.outcome == .failed { return " failed" }
        return operation.mayHaveChanged ? " ?" : ""
    }

    /// `client 2's read found v1`.
    func sentence(_ operation: HistoryOperation) -> String {
        let client = "client \(operation.client)'s"
        switch operation.kind {
        case .read: return "\(client) read found \(value(operation.value))"
        case .write: return "\(client) write wrote \(value(operation.value))"
        case .delete: return "\(client) delete deleted the key"
        case .cas where operation.outcome == .failed:
            return "\(client) cas did not find \(value(operation.expect))"
        case .cas:
            return "\(client) cas found \(value(operation.expect)) and replaced it by \(value(operation.value))"
        }
    }

    /// `client 2's read of v1`.
    func noun(_ operation: HistoryOperation) -> String {
        let client = "client \(operation.client)'s"
        switch operation.kind {
        case .read: return "\(client) read of \(value(operation.value))"
        case .write: return "\(client) write of \(value(operation.value))"
        case .delete: return "\(client) delete" + (hasVersions ? " at revision \(operation.value)" : "")
        case .cas: return "\(client) cas from \(value(operation.expect)) to \(value(operation.value))"
        }
    }
}
