import Foundation

/// A program of the system, run to its end.
enum Tool {
    struct Missing: Error {
        var name: String
    }

    static func exists(_ name: String) -> Bool { path(name) != nil }

    /// Its standard output.
    @discardableResult
    static func run(_ name: String, _ arguments: [String]) throws -> String {
        guard let path = path(name) else { throw Missing(name: name) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func path(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"].map { $0 + name }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
