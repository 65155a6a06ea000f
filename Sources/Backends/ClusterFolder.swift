import Foundation
import Replay

/// The folder of a local cluster's data and logs, removed with it.
///
/// A process that is killed cannot remove its folder. So each holds a lock while its owner lives, and whoever makes one
/// removes those of owners that are gone.
final class ClusterFolder: Sendable {
    static let prefix = "kvreel-etcd-"
    private static let lockName = "lock"

    let parent: String
    let path: String
    private let lock: Int32

    /// - Parameter parent: nil: `TMPDIR`, or `/tmp`.
    init(in parent: String?) throws(BackendError) {
        let parent = parent ?? FileManager.default.temporaryDirectory.path
        self.parent = parent
        path = parent + "/" + Self.prefix + UUID().uuidString.lowercased()
        do throws(SystemFailure) {
            try FolderCalls.create(path)
        } catch {
            throw Self.failure(error, at: parent)
        }
        do throws(SystemFailure) {
            // Under its name it is there only locked: nobody can take it for one of an owner that is gone.
            lock = try FolderCalls.createLocked(path + "/new-" + Self.lockName)
            try FolderCalls.rename(path + "/new-" + Self.lockName, to: path + "/" + Self.lockName)
        } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw Self.failure(error, at: parent)
        }
        Self.removeAbandoned(in: parent)
    }

    deinit { FolderCalls.close(lock) }

    private static func failure(_ failure: SystemFailure, at parent: String) -> BackendError {
        BackendError(
            .system, what: "cannot make a folder for etcd's data", location: parent, why: failure.words,
            remedy: "Choose another place for temporary files: TMPDIR=/path kvreel ...")
    }

    /// Removes the folder with all that is in it.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    private static func removeAbandoned(in parent: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let folder = parent + "/" + name
            if FolderCalls.isOwn(folder), FolderCalls.isUnlocked(folder + "/" + lockName) {
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
    }
}

/// The end of a member's log, for messages.
enum LogTail {
    /// What it ended of, or else the last lines, in words: of etcd's JSON lines the message and the error.
    static func words(of path: String) -> String {
        var lines = text(of: path).split(separator: "\n")
        if let reason = lines.lastIndex(where: isReason) {
            lines = Array(lines[reason...].prefix(1))
        } else {
            lines = lines.suffix(LocalClusterLimits.logLines)
        }
        return lines.map { String(words(line: $0).prefix(LocalClusterLimits.logLineLength)) }.joined(separator: "; ")
    }

    /// What stack traces and pages of help come after.
    private static func isReason(_ line: Substring) -> Bool {
        ["panic: ", "fatal error: ", "flag provided but not defined"].contains { line.hasPrefix($0) }
            || line.contains("\"level\":\"fatal\"") || line.contains("\"level\":\"panic\"")
    }

    static func text(of path: String) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "" }
        defer { try? file.close() }
        let end = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: end - min(end, UInt64(LocalClusterLimits.logBytes)))
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    }

    private static func words(line: Substring) -> String {
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        guard let object, let message = object["msg"] as? String else { return String(line) }
        return (object["error"] as? String).map { "\(message): \($0)" } ?? message
    }
}
