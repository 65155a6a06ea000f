import Foundation
import TestSupport
import Testing

@Suite("Pages are true")
struct PagesTests {
    @Test("links inside the repository lead somewhere", arguments: RepositoryFile.pages)
    func links(_ page: RepositoryFile) throws {
        let folder = Repository.root.appending(path: page.path).deletingLastPathComponent()
        for match in try #require(page.text).matches(of: /\]\(([^)\s]+)\)/) {
            let target = String(match.1.split(separator: "#").first ?? "")
            guard !target.isEmpty, !target.contains("://"), !match.1.hasPrefix("#") else { continue }
            let path = folder.appending(path: target).standardizedFileURL.path
            #expect(FileManager.default.fileExists(atPath: path), "\(page.path): \(target)")
        }
    }

    /// A `kvreel …` command line of a page.
    struct Command: Sendable, Hashable, CustomTestStringConvertible {
        var page: String
        var line: Int
        var words: [String]
        var verb: String { words.first ?? "" }
        var options: [String] {
            words.dropFirst().filter { $0.hasPrefix("-") && $0.count > 1 }
                .map { String($0.split(separator: "=").first ?? "") }
        }
        var testDescription: String { "\(page):\(line) kvreel \(words.joined(separator: " "))" }
    }

    /// Command lines in blocks of code and in `kvreel …` spans, of the pages and of the demo.
    static let commands: [Command] = RepositoryFile.all.filter { $0.name.hasSuffix(".md") || $0.path == "scripts/demo" }
        .flatMap { file in
            (file.lines ?? []).enumerated()
                .flatMap { index, line in
                    line.matches(of: /(?:^|[ `(])kvreel ([a-z][a-z-]*(?: +[^ `|&;#)]+)*)/)
                        .filter { isCommand($0.output.0, line, file) }
                        .map { match in
                            Command(
                                page: file.path, line: index + 1,
                                words: match.1.split(separator: " ").map(String.init))
                        }
                }
        }

    /// Prose says "kvreel reads"; a command stands at a line's start, after `$`, `sudo`, `&&` or `|`, or in backticks.
    private static func isCommand(_ match: Substring, _ line: Substring, _ file: RepositoryFile) -> Bool {
        if match.hasPrefix("`") { return true }
        let before = line[..<match.startIndex].trimmingPrefix(while: \.isWhitespace)
        let leads = ["$", "sudo", "run", "&&", "|"].contains { before.hasSuffix($0) }
        let isIndented = before.isEmpty && (line.hasPrefix("    ") || line.hasPrefix("  kvreel"))
        return leads || isIndented
    }

    @Test("the pages show commands")
    func commandsAreFound() {
        #expect(Set(Self.commands.map(\.verb)).isSuperset(of: ["capture", "info", "cat", "analyze"]))
    }

    @Test("a command in a page names a verb and options that exist", arguments: Self.commands)
    func commandsExist(_ command: Command) throws {
        let manual = try ProgramRun.kvreel([command.verb, "--help"])
        try #require(manual.status == 0, "no such verb")
        let known = Set(manual.output.matches(of: /--?[A-Za-z][a-z-]*/).map { String($0.0) })
        for option in command.options { #expect(known.contains(option), "no option \(option)") }
    }

    @Test("every counter of a recording's health is explained in docs/oddities.md")
    func countersAreExplained() throws {
        let source = try #require(RepositoryFile.named("Sources/Etcd/RecordingHealth.swift")?.text)
        let page = try #require(RepositoryFile.named("docs/oddities.md")?.text)
        let counters = source.matches(of: /case ([a-zA-Z0-9]+) = [0-9]+/).map { $0.1 }
        #expect(counters.count > 20)
        for counter in counters { #expect(page.contains("`\(counter)`"), "\(counter)") }
    }

    @Test("the README shows what the demo prints")
    func demoIsTrue() throws {
        let readme = try #require(RepositoryFile.named("README.md")?.lines)
        let shown = readme.drop { !$0.hasPrefix("<!-- demo") }.prefix { !$0.hasPrefix("<!-- /demo") }.dropFirst()
            .filter { !$0.hasPrefix("```") && !$0.allSatisfy(\.isWhitespace) }
        #expect(shown.count >= 10, "the block between the demo comments is too short")
        let demo = try ProgramRun.run(
            Repository.root.appending(path: "scripts/demo").path, [],
            environment: ["KVREEL_BUILD": Repository.tool.deletingLastPathComponent().path])
        try #require(demo.status == 0, "\(demo.errors)")
        var lines = demo.output.split(separator: "\n", omittingEmptySubsequences: false)[...]
        for line in shown {
            let place = lines.firstIndex(of: line)
            #expect(place != nil, "the demo does not print, here: \(line)")
            if let place { lines = lines[(place + 1)...] }
        }
    }
}
