import ChainRuntime
import Chains
import Wire

/// The shell of `kvreel serve --variant paper`: a client that has no more than the papers give it.
final class PaperShell<Control: PaperControl>: LineShell where Control.Switch: NodeMachine {
    private static var help: String {
        """
        get KEY                  the value; KEY is a number
        put KEY VALUE            write, up to 16 bytes
        delete KEY               write the value that stands for none
        get@N KEY, put@N ...     the same, asked of node N
        stats                    what each node has seen and done
        kill N                   end node N as a crash does
        start N                  start it again, filled from its neighbour
        quit                     end the chain

        """
    }

    private let chain: LocalPaperChain<Control>
    private let connection: PaperConnection

    init(_ chain: LocalPaperChain<Control>) throws {
        self.chain = chain
        connection = try PaperConnection(to: chain.addresses, chain.speech, address: ChainShell.address)
    }

    func obey(_ line: String) throws -> String {
        let words = line.split(separator: " ").map(String.init)
        guard let first = words.first, !first.hasPrefix("#") else { return "" }
        let parts = first.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let asked = parts.count == 2 ? try place(parts[1], of: chain.addresses.count) : nil
        switch (parts[0], asked) {
        case ("get", _):
            let key = try key(try word(1, of: words, "get KEY", count: 2))
            let result = try result(connection.read(key, at: asked))
            return result.value == 0 ? "absent\n" : Self.text(result.value)
        case ("put", _):
            let key = try key(try word(1, of: words, "put KEY VALUE"))
            let value = try value(try rest(of: line, after: 2, "put KEY VALUE"))
            _ = try result(connection.write(key, value, at: asked))
            return "ok\n"
        case ("delete", _):
            let key = try key(try word(1, of: words, "delete KEY", count: 2))
            _ = try result(connection.write(key, 0, at: asked))
            return "ok\n"
        case ("stats", nil): return ServeText.table(chain.statistics(), chain.addresses)
        case ("kill", nil):
            let node = try node(words, "kill N")
            guard chain.isRunning[node] else { throw ShellComplaint("node \(node + 1) does not run") }
            chain.kill(node)
            return "node \(node + 1) ended\n"
        case ("start", nil):
            let node = try node(words, "start N")
            guard !chain.isRunning[node] else { throw ShellComplaint("node \(node + 1) runs") }
            guard try chain.restart(node) else {
                throw ShellComplaint("no node is left that has what the chain held: quit, and serve it again")
            }
            return "node \(node + 1) started\n"
        case ("help", nil): return Self.help
        case ("cas", _): throw ShellComplaint("the published packets have no compare-and-set")
        default: throw ShellComplaint("no such command: \(first): help lists them")
        }
    }

    // What a line says.

    private func key(_ text: String) throws -> UInt32 {
        let last = chain.configuration.keys
        guard let key = UInt32(text), (1...last).contains(Int(key)) else {
            throw ShellComplaint("keys are the numbers 1 to \(last): \(text)")
        }
        return key
    }

    /// Left-aligned and filled up with zeros: the length of a value is not in the packets.
    private func value(_ bytes: [UInt8]) throws -> UInt128 {
        guard bytes.count <= 16 else { throw ShellComplaint("the value has \(bytes.count) bytes, the packets 16") }
        return (bytes + Array(repeating: 0, count: 16 - bytes.count)).span.bigEndian128(at: 0)
    }

    private static func text(_ value: UInt128) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.storeBigEndian128(value, at: 0)
        while bytes.last == 0 { bytes.removeLast() }
        return Terminal.printable(String(decoding: bytes, as: UTF8.self)) + "\n"
    }

    private func node(_ words: [String], _ usage: String) throws -> Int {
        try place(try word(1, of: words, usage, count: 2), of: chain.addresses.count)
    }

    private func result(_ id: UInt64?) throws -> PaperResult {
        guard let id else { throw ShellComplaint("the request cannot be made") }
        let result = try connection.result(of: id)
        guard result.isAnswered else { throw ShellComplaint("no answer: what became of it is not known") }
        return result
    }
}
