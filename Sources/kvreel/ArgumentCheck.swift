import ArgumentParser

/// What is wrong with the arguments that the parser would not say, or not as helpfully: mistyped names, options given
/// twice, empty names.
struct ArgumentCheck {
    /// The arguments up to `--`, without the program's name.
    private let arguments: [String]
    private let verb: (any ParsableCommand.Type)?

    /// Options that may be given more than once.
    private static let repeatable: Set<String> = ["--read", "--port", "--key", "--at"]
    /// Options of the root that the parser answers and the help leaves out.
    private static let unlisted: Set<String> = [
        "--help-hidden", "--generate-completion-script", "--experimental-dump-help",
    ]

    private static let verbs = Kvreel.configuration.subcommands

    init(_ arguments: [String]) {
        self.arguments = Array(arguments.prefix { $0 != "--" })
        verb = arguments.first.flatMap(Self.verb(named:))
    }

    private static func verb(named name: String) -> (any ParsableCommand.Type)? {
        verbs.first { $0.configuration.commandName == name }
    }

    func run() throws(Failure) {
        if let number = SystemCalls.firstArgumentNotUTF8() {
            throw Failure(
                .usage, "argument \(number) is not UTF-8: \(CommandLine.arguments[number])",
                remedy: "Give the file on standard input: kvreel ... - < FILE")
        }
        try checkVerb()
        try checkOptions()
    }

    /// Wrong usage, with the page of help that tells more.
    func failure(_ message: String) -> Failure {
        let page = verb?.configuration.commandName.map { "\($0) --help" } ?? "--help"
        return Failure(.usage, message, remedy: "See 'kvreel \(page)'.")
    }

    private func checkVerb() throws(Failure) {
        guard var name = arguments.first, verb == nil, !name.hasPrefix("-") else { return }
        if name == "help" {
            guard arguments.count > 1, !arguments[1].hasPrefix("-"), Self.verb(named: arguments[1]) == nil else {
                return
            }
            name = arguments[1]
        }
        let names = Self.verbs.filter { $0.configuration.shouldDisplay }.compactMap { $0.configuration.commandName }
        throw failure("unknown command '\(name)'" + suggestion(name, among: names))
    }

    private func checkOptions() throws(Failure) {
        let groups = optionGroups()
        let names = Set(groups.joined()).union(Self.unlisted)
        var seen: Set<[String]> = []
        for argument in arguments {
            if argument.isEmpty { throw failure("an argument is empty: ''") }
            guard argument.hasPrefix("-"), argument != "-" else { continue }
            let name = String(argument.prefix { $0 != "=" })
            if argument == name + "=" { throw failure("the value of \(name) is empty") }
            if name.hasPrefix("--") {
                if !names.contains(name) { throw failure("unknown option '\(name)'" + suggestion(name, among: names)) }
            } else if name.dropFirst().first?.isNumber == true {
                throw failure("'\(name)' is no option; numbers are not negative, and such a file is named ./\(name)")
            } else if name.count > 2, names.contains("-" + name) {
                throw failure("unknown option '\(name)': did you mean '-\(name)'?")
            } else if !names.contains(String(name.prefix(2))) {
                throw failure("unknown option '\(name)'")
            }
            if let group = groups.first(where: { $0.contains(name) }), let word = group.last,
                !Self.repeatable.contains(word), group.first != "-h", !seen.insert(group).inserted
            {
                throw failure("\(word) is given twice")
            }
        }
    }

    /// The names of each option of the verb, as its help lists them: `["-o", "-w", "--output"]`.
    private func optionGroups() -> [[String]] {
        let help = verb.map { Kvreel.helpMessage(for: $0, columns: 200) } ?? Kvreel.helpMessage(columns: 200)
        return help.split(separator: "\n").filter { $0.hasPrefix("  -") }.map { line in
            line.split(separator: " ").prefix { $0.hasPrefix("-") }.map { String($0.prefix { $0 != "," }) }
        }
    }

    private func suggestion(_ name: String, among names: some Sequence<String>) -> String {
        if let longer = names.filter({ $0.hasPrefix(name) && name.count > 2 }).min() {
            return ": did you mean '\(longer)'?"
        }
        let nearest = names.map { (distance: Self.distance(name, $0), name: $0) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let nearest, nearest.distance <= max(1, name.count / 3) else { return "" }
        return ": did you mean '\(nearest.name)'?"
    }

    /// Letters to insert, to delete, to replace or to swap with their neighbour (optimal string alignment).
    private static func distance(_ first: String, _ second: String) -> Int {
        let (left, right) = (Array(first), Array(second))
        var rows = [Array(0...right.count)]
        for (i, letter) in left.enumerated() {
            var row = [i + 1]
            for (j, other) in right.enumerated() {
                var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
                if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
