import ChainRuntime

/// Why a command of a shell could not be done.
struct ShellComplaint: Error {
    var text: String

    init(_ text: String) { self.text = text }
}

/// A shell that obeys a line at a time.
protocol LineShell: AnyObject {
    /// What to print; throws a `ShellComplaint` for a line that cannot be done.
    func obey(_ line: String) throws -> String
}

extension LineShell {
    /// Does what the lines say until the input ends, somebody quits or a signal comes. False: a command of an input
    /// that is no terminal failed.
    func run(_ input: ShellInput) throws -> Bool {
        let isTerminal = ShellInput.isTerminal
        var isWhole = true
        input.read()
        while true {
            if isTerminal { StandardError.write("> ") }
            for event in input.next() {
                guard case .line(let line, let gate) = event else { return isWhole || isTerminal }
                let words = line.split(separator: " ", maxSplits: 1).map(String.init)
                if words.first == "quit" || words.first == "exit" { return isWhole || isTerminal }
                do {
                    try StandardOutput.print(try obey(line))
                } catch let complaint as ShellComplaint {
                    StandardError.write("kvreel: " + Terminal.printable(complaint.text) + "\n")
                    isWhole = false
                }
                gate.open()
            }
        }
    }

    /// The `index`-th word of a line, which has `count` of them if that is given.
    func word(_ index: Int, of words: [String], _ usage: String, count: Int? = nil) throws -> String {
        guard words.count > index, count.map({ words.count == $0 }) ?? true else {
            throw ShellComplaint("usage: \(usage)")
        }
        return words[index]
    }

    /// What follows the first `count` words: a value may have spaces inside.
    func rest(of line: String, after count: Int, _ usage: String) throws -> [UInt8] {
        let parts = line.split(separator: " ", maxSplits: count)
        guard parts.count > count else { throw ShellComplaint("usage: \(usage)") }
        return Array(parts[count].utf8)
    }

    /// The place of a node that people number from 1.
    func place(_ text: String, of count: Int) throws -> Int {
        guard let number = Int(text), (1...count).contains(number) else {
            throw ShellComplaint("nodes are 1 to \(count)")
        }
        return number - 1
    }
}
