import Consistency
import Foundation
import TestSupport
import Testing

/// A schedule for a chain, one step a line, as in `Cases/*.txt`; what the steps mean is said in `Cases/README.md`.
struct ChainScript: Sendable {
    struct Line: Sendable {
        var number: Int
        var words: [String]
        /// What stands behind `->`.
        var expected: String?
        /// Settings in brackets in front: the step is for runs with these.
        var condition: [String]
    }

    var name: String
    /// What it shows: the first line.
    var title: String
    var runs: [[String]] = []
    var lines: [Line] = []

    init(name: String, text: String) {
        self.name = name
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        title = all.first.map { String($0.drop { $0 == "#" || $0 == " " }) } ?? ""
        for (index, whole) in all.enumerated() {
            var line = String(whole.prefix { $0 != "#" }).trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty else { continue }
            var condition: [String] = []
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                condition = line[..<end].dropFirst().split(separator: " ").map(String.init)
                line = String(line[line.index(after: end)...])
            }
            let parts = line.components(separatedBy: " -> ")
            let words = parts[0].split(separator: " ").map(String.init)
            if words.first == "run" {
                runs.append(Array(words.dropFirst()))
            } else {
                let expected = parts.count > 1 ? parts[1] : nil
                lines.append(Line(number: index + 1, words: words, expected: expected, condition: condition))
            }
        }
    }

    /// All case files, by name.
    static let all: [ChainScript] = {
        let folder = Repository.root.appending(path: "Tests/ChainsTests/Cases")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
            .compactMap { name in
                (try? String(contentsOf: folder.appending(path: name), encoding: .utf8))
                    .map { ChainScript(name: String(name.dropLast(4)), text: $0) }
            }
    }()
}

/// One script with one of its settings.
struct ScriptRun: Sendable, CustomTestStringConvertible {
    var script: ChainScript
    var variant: String
    var settings: [String: String]
    private var text: String

    init(script: ChainScript, words: [String]) {
        self.script = script
        variant = words.first ?? ""
        text = words.joined(separator: " ")
        settings = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            settings[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
    }

    var testDescription: String { "\(script.name): \(text)" }

    /// Whether this run has all of `settings`.
    func has(_ settings: some Sequence<some StringProtocol>) -> Bool {
        settings.allSatisfy { setting in
            let parts = String(setting).split(separator: "=", maxSplits: 1).map(String.init)
            return parts.count > 1 ? self.settings[parts[0]] == parts[1] : parts[0] == variant
        }
    }

    /// Of `v1 (reset=0), v0 (reset=1)` or `v1`, the part that is for this run.
    func choose(_ text: String) -> String? {
        for part in text.split(separator: ",") {
            let pieces = part.split(separator: "(")
            let value = pieces[0].trimmingCharacters(in: .whitespaces)
            let condition = pieces.count > 1 ? pieces[1].prefix { $0 != ")" }.split(separator: " ") : []
            if has(condition) { return value }
        }
        return nil
    }

    /// What came of it: outcomes asked for, and what clients asked and got.
    func played() throws -> (verdicts: Int, history: History) {
        switch variant {
        case NetChainPaperVariant.name: try played(NetChainPaperVariant.self)
        case NetCRAQPaperVariant.name: try played(NetCRAQPaperVariant.self)
        default: throw UnknownVariant(name: variant)
        }
    }

    private func played<Variant: ChainVariant>(_ type: Variant.Type) throws -> (verdicts: Int, history: History) {
        var player = try ScriptPlayer<Variant>(self)
        _ = try player.play()
        return (player.verdicts, player.history)
    }

    struct UnknownVariant: Error { var name: String }

    static let all = ChainScript.all.flatMap { script in script.runs.map { ScriptRun(script: script, words: $0) } }
}
