import Foundation
import TestSupport
import Testing

/// A file of this repository, named by its path from the root.
struct RepositoryFile: Sendable, CustomTestStringConvertible {
    var path: String
    var size: Int

    var testDescription: String { path }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var isSwift: Bool { name.hasSuffix(".swift") }
    /// Written by a program: formatted and worded by it.
    var isGenerated: Bool { name.hasSuffix(".pb.swift") || name.hasSuffix(".generated.swift") }
    /// The module of a file below `Sources`; nil for all others.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
    /// The whole file as text; nil when it is none.
    var text: String? {
        try? String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
    }
    /// The lines of the text; a line's number is its index plus one.
    var lines: [Substring]? {
        text?.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// What a build and the tools leave behind, as `.gitignore` names it.
    private static let notOurs: Set<String> = [".git", ".build", "out", "Package.resolved", ".swiftpm"]

    /// All files, in the order of their paths.
    static let all: [RepositoryFile] = {
        var found: [RepositoryFile] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let names =
                (try? FileManager.default.contentsOfDirectory(atPath: Repository.root.appending(path: folder).path))
                ?? []
            for name in names where !notOurs.contains(name) && !name.hasSuffix(".tmp") && name != "__pycache__" {
                let path = folder.isEmpty ? name : folder + "/" + name
                let attributes = try? FileManager.default.attributesOfItem(
                    atPath: Repository.root.appending(path: path).path)
                switch attributes?[.type] as? FileAttributeType {
                case .typeDirectory: folders.append(path)
                case .typeRegular: found.append(RepositoryFile(path: path, size: (attributes?[.size] as? Int) ?? 0))
                default: break
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }()

    static func named(_ path: String) -> RepositoryFile? { all.first { $0.path == path } }

    static let swiftFiles = all.filter { $0.isSwift && !$0.isGenerated }
    static let sources = swiftFiles.filter { $0.module != nil }
    /// Pages, scripts, sources and settings: what people read.
    static let texts = all.filter { file in
        let readable = [".swift", ".md", ".json", ".txt", ".h", ".modulemap", ".py", ".yaml", ".yml"]
        let folders = ["scripts/", ".ci/", ".githooks/"]
        return
            (readable.contains { file.path.hasSuffix($0) } || folders.contains { file.path.hasPrefix($0) }
            || file.name == "Makefile") && !file.path.hasPrefix("traces/") && !file.isGenerated
    }
    static let pages = all.filter { $0.name.hasSuffix(".md") }
}
