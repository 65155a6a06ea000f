import Consistency
import Foundation

/// A file that is to be checked: a trace or a history, told apart by its first bytes.
struct CheckInput {
    enum Content {
        case history
        case trace(TraceInput)
    }

    let content: Content
    private let path: String
    private let handle: FileHandle
    /// What was read to tell what it is.
    private let head: [UInt8]
    private static let pieceBytes = 1 << 20

    init(_ path: String) throws {
        self.path = path
        if path == "-" {
            handle = FileHandle.standardInput
        } else {
            switch SystemCalls.openForReading(path) {
            case .failed(let why): throw Self.unreadable(path, why)
            case .file(let descriptor, _): handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            }
        }
        head = try Self.read(handle, path)
        if Self.isHistory(head) {
            content = .history
        } else if path == "-" {
            var whole = head
            while case let piece = try Self.read(handle, path), !piece.isEmpty { whole += piece }
            content = .trace(try TraceInput(bytes: whole, name: "standard input"))
        } else {
            content = .trace(try TraceInput(path))
        }
    }

    /// Reads the history.
    func history() throws -> History {
        var parser = HistoryParser()
        do {
            try parser.receive(head.span)
            while case let piece = try Self.read(handle, path), !piece.isEmpty { try parser.receive(piece.span) }
            return try parser.finish()
        } catch let error as HistoryError {
            let place = error.column > 0 ? "line \(error.line), column \(error.column)" : "line \(error.line)"
            throw Failure(
                .input, "cannot read the history: \(path), \(place): \(error.why)",
                remedy: "A line is one operation; docs/check.md says how it is written.")
        }
    }

    /// JSON Lines begin with a brace, or with nothing at all. No trace does.
    private static func isHistory(_ head: [UInt8]) -> Bool {
        let space: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        guard let first = head.first(where: { !space.contains($0) }) else { return true }
        return first == UInt8(ascii: "{")
    }

    private static func read(_ handle: FileHandle, _ path: String) throws -> [UInt8] {
        do {
            return try handle.read(upToCount: pieceBytes).map { Array($0) } ?? []
        } catch {
            throw unreadable(path, "it cannot be read")
        }
    }

    private static func unreadable(_ path: String, _ why: String) -> Failure {
        Failure(.input, "cannot read the history: \(path): \(why)")
    }
}
