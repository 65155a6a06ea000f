import Consistency
import Foundation
import Testing

/// A history in `Cases/good` or `Cases/bad`, named for what it shows.
struct CaseFile: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]

    var testDescription: String { name }

    static func all(in folder: String) -> [CaseFile] {
        let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Cases/\(folder)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: cases.path)) ?? []
        return names.sorted()
            .map { name in
                CaseFile(name: name, bytes: Array((try? Data(contentsOf: cases.appending(path: name))) ?? Data()))
            }
    }

    func history() throws -> History { try History.parsed(bytes) }
}

extension History {
    /// Reads JSON Lines that are handed over in pieces of `piece` bytes.
    static func parsed(_ bytes: [UInt8], piece: Int = .max) throws(HistoryError) -> History {
        var parser = HistoryParser()
        var start = 0
        while start < bytes.count {
            let end = start + min(piece, bytes.count - start)
            try parser.receive(bytes.span.extracting(start..<end))
            start = end
        }
        return try parser.finish()
    }

    static func parsed(_ text: String) throws(HistoryError) -> History { try parsed(Array(text.utf8)) }

    /// As JSON Lines.
    var lines: String {
        var writer = HistoryWriter()
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
