import Glibc

/// Results on standard output, buffered. A reader that went away is no error: `isClosed` tells, and the command ends.
struct StandardOutput: ~Copyable {
    private var buffer: [UInt8] = []
    private(set) var isClosed = false
    /// Enough that system calls do not matter, little enough to stay in the cache.
    private static let flushSize = 1 << 16

    init() { buffer.reserveCapacity(Self.flushSize * 2) }

    mutating func write(_ text: String) throws { try write(Array(text.utf8)) }

    mutating func write(_ bytes: [UInt8]) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.flushSize { try flush() }
    }

    mutating func flush() throws {
        if isClosed { return buffer.removeAll(keepingCapacity: true) }
        switch SystemCalls.writeAll(buffer, to: STDOUT_FILENO) {
        case .written: break
        case .readerGone: isClosed = true
        case .failed(let why, let remedy):
            throw Failure(.system, "cannot write: standard output: \(why)", remedy: remedy)
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes a text at once.
    static func print(_ text: String) throws {
        var output = StandardOutput()
        try output.write(text)
        try output.flush()
    }
}

/// Messages, warnings and progress on standard error; nothing can be done if that fails.
enum StandardError {
    static func write(_ text: String) { _ = SystemCalls.writeAll(Array(text.utf8), to: STDERR_FILENO) }
    static func warn(_ text: String) { write("kvreel: warning: " + Terminal.printable(text) + "\n") }
}
