import ChainRuntime
import Chains

/// The shell of `kvreel serve`: a client of the chain that people talk to, a line at a time.
final class ChainShell: LineShell {
    static let address: UInt32 = 0x7f00_0001
    /// How long a new key, or the chain itself, is waited for: many times what a fail-over takes.
    private static let patience: UInt64 = 5_000_000_000

    private static let help = """
        get KEY                  the value and its version
        put KEY VALUE            write; a key that is not served yet is placed first
        cas KEY VERSION VALUE    write if the key's version is VERSION, or - if it has no value
        delete KEY               delete
        stats                    what each node has seen and done
        kill N                   end node N as a crash does
        start N                  start it again, empty
        quit                     end the chain

        """

    private let connection: ChainConnection
    /// The chain, if this process serves it.
    private let chain: LocalChain?
    private let width: WidthClass

    init(_ connection: ChainConnection, _ chain: LocalChain? = nil, width: WidthClass) {
        self.connection = connection
        self.chain = chain
        self.width = width
    }

    static func connect(to chain: LocalChain) throws -> ChainConnection {
        try ChainConnection(to: chain, address: address) { $0.patience = patience }
    }

    static func connect(to control: Endpoint) throws -> ChainConnection {
        try ChainConnection(control: control, address: address) { $0.patience = patience }
    }

    func obey(_ line: String) throws -> String {
        let words = line.split(separator: " ").map(String.init)
        guard let verb = words.first, !verb.hasPrefix("#") else { return "" }
        switch verb {
        case "get":
            let key = try word(1, of: words, "get KEY", count: 2)
            guard let placed = try placed(key) else { return "absent\n" }
            return text(try ask(.read, placed))
        case "put":
            let key = try word(1, of: words, "put KEY VALUE")
            let value = try value(of: line, after: 2, "put KEY VALUE")
            return text(try ask(.write, try place(key), value))
        case "cas":
            let usage = "cas KEY VERSION VALUE"
            let expected = try version(try word(2, of: words, usage))
            let key = try word(1, of: words, usage)
            let value = try value(of: line, after: 3, usage)
            return text(try ask(.compareAndSet, try place(key), value, expected: expected))
        case "delete":
            guard let placed = try placed(try word(1, of: words, "delete KEY", count: 2)) else { return "absent\n" }
            return text(try ask(.delete, placed))
        case "stats": return ServeText.table(try connection.statistics(), connection.description.nodes)
        case "kill":
            let (chain, node) = try node(words, "kill N")
            guard chain.isRunning[node] else { throw ShellComplaint("node \(node + 1) does not run") }
            chain.kill(node)
            return "node \(node + 1) ended\n"
        case "start":
            let (chain, node) = try node(words, "start N")
            guard !chain.isRunning[node] else { throw ShellComplaint("node \(node + 1) runs") }
            try chain.restart(node)
            return "node \(node + 1) started\n"
        case "help": return Self.help
        default: throw ShellComplaint("no such command: \(verb): help lists them")
        }
    }

    // What a line says.

    private func value(of line: String, after count: Int, _ usage: String) throws -> [UInt8] {
        let value = try rest(of: line, after: count, usage)
        guard value.count <= width.byteCount else {
            throw ShellComplaint(
                "the value has \(value.count) bytes, the key room for \(width.byteCount) (--value-bytes)")
        }
        return value
    }

    private func version(_ text: String) throws -> ChainVersion {
        if text == "-" { return .none }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = UInt32(parts[0]), let number = UInt64(parts[1]) else {
            throw ShellComplaint("a version is such as 1.3, as get and put show it, or - for no value: \(text)")
        }
        return ChainVersion(epoch: epoch, number: number)
    }

    private func node(_ words: [String], _ usage: String) throws -> (LocalChain, Int) {
        guard let chain else { throw ShellComplaint("nodes are ended and started where the chain is served") }
        return (chain, try place(try word(1, of: words, usage, count: 2), of: chain.addresses.count))
    }

    // What the chain does.

    /// The key, if the chain serves it; what `--key` named may still be on its way in.
    private func placed(_ name: String) throws -> PlacedKey? {
        let bytes = Array(name.utf8)
        _ = try connection.wait(atMost: Self.patience) { $0.group(0)?.state == .active }
        return connection.directory.key(named: bytes)
    }

    private func place(_ name: String) throws -> PlacedKey {
        let bytes = Array(name.utf8)
        if connection.directory.key(named: bytes) == nil { _ = try connection.place(bytes, width: width) }
        _ = try connection.wait(atMost: Self.patience) { $0.key(named: bytes) != nil }
        guard let key = connection.directory.key(named: bytes) else {
            throw ShellComplaint("the key cannot be placed now: \(name)")
        }
        return key
    }

    private func ask(
        _ kind: ClientRequest.Kind, _ key: PlacedKey, _ value: [UInt8] = [], expected: ChainVersion = .none
    ) throws -> ChainAnswer {
        let answer = try connection.perform(kind, key, value: value, expected: expected)
        guard let answer else { throw ShellComplaint("the request cannot be made") }
        if case .unknown = answer.outcome { throw ShellComplaint("no answer: what became of it is not known") }
        return answer
    }

    private func text(_ answer: ChainAnswer) -> String {
        switch answer.outcome {
        case .ok where answer.value.isEmpty: "ok, version \(answer.version)\n"
        case .ok: Terminal.printable(String(decoding: answer.value, as: UTF8.self)) + ", version \(answer.version)\n"
        case .absent: "absent\n"
        case .refused(.mismatch): "refused: the version is \(answer.version)\n"
        case .refused(let status): "refused: \(status)\n"
        case .unknown: "unknown\n"
        }
    }
}
