import Foundation

/// A TLS key log on disk, read as far as it goes and again whenever it may have grown.
///
/// A file that became shorter was begun anew and is read from its start. A pipe is read to its end at once.
struct KeyLogFile: ~Copyable {
    private let path: String
    private let handle: FileHandle
    private let isRegular: Bool
    private var offset: UInt64 = 0
    private static let pieceBytes = 1 << 20

    init(path: String) throws {
        self.path = path
        switch SystemCalls.openForReading(path) {
        case .failed(let why): throw Self.unreadable(path, why)
        case .file(let descriptor, let isRegular):
            handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            self.isRegular = isRegular
        }
    }

    /// The next bytes that were added, some of them; nil if there are none now.
    mutating func next() throws -> [UInt8]? {
        do {
            if isRegular {
                let end = try handle.seekToEnd()
                if end < offset { offset = 0 }
                if end == offset { return nil }
                try handle.seek(toOffset: offset)
            }
            guard let piece = try handle.read(upToCount: Self.pieceBytes), !piece.isEmpty else { return nil }
            offset += UInt64(piece.count)
            return Array(piece)
        } catch {
            throw Self.unreadable(path, "it cannot be read")
        }
    }

    private static func unreadable(_ path: String, _ why: String) -> Failure {
        Failure(
            .input, "cannot read the key log: \(path): \(why)",
            remedy: "Name the file that the client or the server writes its TLS secrets to (SSLKEYLOGFILE).")
    }
}
