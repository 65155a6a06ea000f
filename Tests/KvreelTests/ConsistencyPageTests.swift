import Foundation
import TestSupport
import Testing

@Suite("docs/consistency.md names seeds that fail")
struct ConsistencyPageTests {
    /// A command of the page, and the line below it: the first that it prints.
    struct Example: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var shown: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let examples: [Example] = {
        let page = try? String(contentsOf: Repository.root.appending(path: "docs/consistency.md"), encoding: .utf8)
        let lines = (page ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return zip(lines, lines.dropFirst()).filter { $0.0.hasPrefix("$ kvreel ") }
            .map { Example(arguments: $0.0.split(separator: " ").dropFirst(2).map(String.init), shown: $0.1) }
    }()

    @Test("every row that seeds find has one")
    func all() { #expect(Self.examples.count >= 10) }

    @Test("each is a violation today", arguments: examples)
    func fails(_ example: Example) throws {
        let run = try ProgramRun.kvreel(example.arguments)
        let first = String(run.output.split(separator: "\n").first ?? "")
        if run.status == 1, first == example.shown, first.hasPrefix("violation: ") { return }
        // Which seed shows it changes with the order in which numbers are drawn: name others.
        let series = try ProgramRun.kvreel(example.arguments.dropLast() + ["1", "--seeds", "400"])
        let others = series.output.split(separator: "\n").first { $0.hasPrefix("failing seeds") } ?? "no seed fails"
        Issue.record("it printed: \(first)\nOf seeds 1 to 400: \(others)")
    }
}
