import Consistency
import Foundation
import TestSupport

/// docs/consistency.md, with what the schedules show today in the places where it shows it.
///
/// A line `<!-- schedule NAME SETTING... -->` stands before a block of code: the smallest failing history of that run.
/// A row of a table that names a schedule ends with its outcomes, one for each value of the setting that the table's
/// head names.
struct ConsistencyPage {
    static let url = Repository.root.appending(path: "docs/consistency.md")

    let lines: [String]
    /// The same, as it should be.
    private(set) var expected: [String] = []
    /// Runs that are drawn, by their descriptions.
    private(set) var drawn: [String] = []
    /// Schedules in the rows of tables.
    private(set) var listed: [String] = []

    struct Trouble: Error, CustomStringConvertible { var description: String }

    init(text: String) throws {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var columns: [[String]] = []
        var index = 0
        while index < lines.count {
            let line = lines[index]
            expected.append(line)
            index += 1
            if let marker = line.wholeMatch(of: /<!-- schedule ([a-z0-9-]+) (.*) -->/) {
                let run = try Self.run(String(marker.1), marker.2.split(separator: " ").map(String.init))
                drawn.append(run.testDescription)
                expected += ["```"] + (try Self.drawing(of: run)) + ["```"]
                guard index < lines.count, lines[index] == "```" else {
                    throw Trouble(description: "no block: \(line)")
                }
                index = (lines[(index + 1)...].firstIndex(of: "```") ?? lines.count - 1) + 1
            } else if line.hasPrefix("| row |") {
                columns = line.matches(of: /`([a-z]+=[0-9]+)`/).map { [String($0.1)] }
            } else if line.isEmpty {
                columns = []
            } else if !columns.isEmpty, let name = line.firstMatch(of: /\[`(n[cq]-[a-z0-9-]+)`\]/) {
                listed.append(String(name.1))
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropLast(columns.count + 1)
                let outcomes = try columns.map { " \(try Self.outcome(of: String(name.1), with: $0)) " }
                expected[expected.count - 1] = (cells.map(String.init) + outcomes + [""]).joined(separator: "|")
            }
        }
    }

    private static func runs(_ name: String) throws -> [ScriptRun] {
        let runs = ScriptRun.all.filter { $0.script.name == name }
        if runs.isEmpty { throw Trouble(description: "no schedule \(name)") }
        return runs
    }

    private static func run(_ name: String, _ settings: [String]) throws -> ScriptRun {
        guard let run = try runs(name).first(where: { $0.has(settings) }) else {
            throw Trouble(description: "\(name) has no run with \(settings)")
        }
        return run
    }

    /// The sentence and the drawing that `kvreel check` prints, the sentence in lines.
    private static func drawing(of run: ScriptRun) throws -> [String] {
        let history = try run.played().history
        guard let example = HistoryCheck(history).counterexample else {
            throw Trouble(description: "\(run) is no violation")
        }
        let drawing = HistoryDrawing(example.operations, of: history, width: 100).text
        return wrapped(example.reason) + [""] + drawing.split(separator: "\n").map(String.init)
    }

    /// In lines of 100 columns, as the drawing at most has.
    private static func wrapped(_ sentence: String) -> [String] {
        var lines = [""]
        for word in sentence.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count <= 100 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// `violation`, `linearizable`, or with which further setting it is a violation; a dash without such a run.
    private static func outcome(of name: String, with settings: [String]) throws -> String {
        let runs = try runs(name).filter { $0.has(settings) }
        let violations = try runs.filter { HistoryCheck(try $0.played().history).verdict == .violation }
        if runs.isEmpty { return "–" }
        if violations.isEmpty { return "linearizable" }
        if violations.count == runs.count { return "violation" }
        let names = Set(runs.flatMap { $0.settings.map { "\($0.key)=\($0.value)" } }).sorted()
        let telling = names.first { name in
            runs.allSatisfy { run in
                run.has([name]) == violations.contains { $0.testDescription == run.testDescription }
            }
        }
        guard let telling else { throw Trouble(description: "\(name): no one setting tells when it is a violation") }
        return "violation if `\(telling)`"
    }
}
