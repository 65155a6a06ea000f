package import Foundation

/// Where the tests find real recordings and the tool itself.
package enum Repository {
    /// The folder that holds Package.swift.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The small recordings that belong to the repository.
    package static let traces = root.appending(path: "traces")

    /// The larger recordings beside the repository, with truths made by the server; nil where they are not.
    package static let captures: URL? = {
        let named = ProcessInfo.processInfo.environment["KVREEL_CAPTURES"].map { URL(fileURLWithPath: $0) }
        let folder = named ?? root.deletingLastPathComponent().appending(path: "shared/captures")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// In continuous integration nothing that is missing may be passed over.
    package static let isComplete = ProcessInfo.processInfo.environment["CI"] != nil

    /// Whether tests on the larger recordings run. Where they are required but missing, they run and fail.
    package static let hasCaptures = captures != nil || isComplete

    /// Recording live needs a privilege that not every developer has; continuous integration must have it.
    package static let canRecord = getuid() == 0 || isComplete

    /// Whether tests on a real etcd run: its server and client are installed, or required.
    package static let hasEtcd =
        isComplete || ["etcd", "etcdctl"].allSatisfy { (try? RunningProgram.find($0)) != nil }

    /// The folder of a recording; a test that gets here without the recordings fails by what it throws.
    package static func capture(_ name: String) throws -> URL {
        guard let captures else { throw Missing(what: "the recordings beside the repository (../shared/captures)") }
        return captures.appending(path: name)
    }

    /// The built tool, which lies beside the test bundle.
    package static let tool: URL = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [
            bundle.appending(path: "kvreel"), root.appending(path: ".build/release/kvreel"),
        ]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? candidates[1]
    }()

    package struct Missing: Error, CustomStringConvertible {
        package var what: String
        package init(what: String) { self.what = what }
        package var description: String { "\(what) is missing, and the tests need it" }
    }
}

/// A folder for one test's files; removed when the value goes away.
package final class TemporaryFolder {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "kvreel-test-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func path(_ name: String) -> String { url.appending(path: name).path }

    package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }
}
