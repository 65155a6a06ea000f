/// Writes operations of a history as JSON, the form that `HistoryParser` reads.
package struct HistoryWriter: Sendable {
    /// What was written; the owner may take it and empty it.
    package var bytes: [UInt8] = []

    package init() {}

    /// Appends the whole history, an operation a line. Of one with versions the values are the versions.
    package mutating func write(_ history: borrowing History) {
        for operation in history.operations {
            write(operation, of: history)
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// Appends one operation, as an object on one line without a line feed.
    package mutating func write(_ operation: HistoryOperation, of history: borrowing History) {
        let hasVersions = history.kindOfValues == .versions
        append("{\"client\":\(operation.client),\"key\":")
        quote(history.keys.text(Int(operation.key)))
        append(",\"op\":\"\(operation.kind)\",\"value\":")
        writeValue(operation.kind == .delete ? 0 : operation.value, history, hasVersions)
        append(",\"expect\":")
        writeValue(operation.kind == .cas ? operation.expect : 0, history, hasVersions)
        switch operation.outcome {
        case .ok: append(",\"ok\":true,\"call\":")
        case .failed: append(",\"ok\":false,\"call\":")
        case .unknown: append(",\"ok\":null,\"call\":")
        }
        append("\(operation.call),\"return\":")
        append(operation.return == HistoryOperation.noReturn ? "null}" : "\(operation.return)}")
    }

    private mutating func writeValue(_ value: Int64, _ history: borrowing History, _ hasVersions: Bool) {
        if value == 0 { return append("null") }
        if hasVersions { return append("\"\(value)\"") }
        quote(history.values.text(Int(value)))
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func quote(_ text: [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7f:
                append("\\u00")
                bytes.append(Self.digit(byte >> 4))
                bytes.append(Self.digit(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func digit(_ number: UInt8) -> UInt8 {
        number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "a") + (number - 10)
    }
}
