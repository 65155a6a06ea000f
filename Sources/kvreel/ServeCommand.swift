import ArgumentParser
import ChainRuntime
import Chains

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a chain of NetCRAQ or NetChain switches over UDP on this machine.",
        discussion: """
              kvreel serve netcraq:4 --shell
              kvreel serve netchain:3 --key config --rate 20k

            Each node is a thread with an address of the loopback, 127.0.0.10 and so on, or the next free block; it \
            takes requests at UDP port 8888 and frames of the other nodes at 8890. A controller in the same process \
            forms the chain, takes failed nodes out and brings them back; its events go to standard error. At the \
            end the nodes' statistics are printed.

            With --shell, commands are read from standard input, a line each: get KEY, put KEY VALUE, \
            cas KEY VERSION VALUE (VERSION - : if the key is absent), delete KEY, stats, kill N, start N, help, quit. \
            Page: docs/serve.md

            Exit status: 0 the shell ended; 1 the shell read from a file or pipe had a command that failed; 2 wrong \
            usage; 4 sockets or threads failed; 130 interrupted, ended cleanly.
            """)

    @Option(name: .long, help: "A key that is served from the start; several allowed.")
    var key: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Bytes that values have room for: 16, 128 or 1024. (default: 16)", valueName: "n"),
        transform: OptionValue.valueBytes)
    var valueBytes: WidthClass = .bytes16

    @Option(
        name: .long,
        help: ArgumentHelp(
            "NetCRAQ: versions of a key that a node holds, 2 to 16: writes under way at once, and the committed one. "
                + "(default: 8)", valueName: "n"), transform: OptionValue.versions)
    var versions: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Packets a second that each node takes, as a switch of that capacity; what is over is dropped.",
            valueName: "n"), transform: OptionValue.packetRate)
    var rate: Int?

    @Flag(name: .long, help: "Keep each node's thread on a core of its own, as far as there are enough.")
    var pin = false

    @Option(
        name: .long,
        help: ArgumentHelp("Where clients may be; others get no answer. (default: 127.0.0.0/8)", valueName: "network"),
        transform: OptionValue.network)
    var clientsNetwork = IPv4Network(address: 0x7f00_0000, prefixLength: 8)

    @Flag(name: .long, help: "Read commands from standard input.")
    var shell = false

    @Flag(help: "No addresses, no events, no statistics at the end.")
    var quiet = false

    @Argument(help: "netcraq:N or netchain:N, N nodes, 1 to 9.", transform: ChainOption.init)
    var chain: ChainOption

    func validate() throws {
        if chain.format == .ncx, versions != nil {
            throw ValidationError("--versions is for netcraq: a NetChain node holds one version of a key")
        }
        if shell, !clientsNetwork.contains(ChainShell.address) {
            throw ValidationError("the shell is a client at 127.0.0.1, which --clients-network leaves out")
        }
        if let long = key.first(where: { $0.utf8.count > ControllerLimits().nameBytes }) {
            throw ValidationError("a key has at most \(ControllerLimits().nameBytes) bytes, not \(long.utf8.count)")
        }
        if Set(key).count < key.count { throw ValidationError("a key is given twice with --key") }
    }

    mutating func run() throws {
        do {
            try serve()
        } catch let error as SystemError {
            throw Failure(error)
        }
    }

    private func serve() throws {
        let interruption = Interruption.watch()
        let input = ShellInput(try Mailbox())
        interruption.onRequest { input.interrupt() }
        var configuration = LocalChainConfiguration(chain.format, nodes: chain.nodes)
        configuration.clients = clientsNetwork
        if let versions { configuration.versions = versions }
        configuration.rate = rate
        configuration.isPinned = pin
        let start = SystemClock.monotonic
        let isQuiet = quiet
        let local = try LocalChain(configuration) { event, time in
            if !isQuiet { StandardError.write(ServeText.line(event, after: time &- start)) }
        }
        if !quiet { StandardError.write(ServeText.nodes(local.addresses)) }
        for name in key where !local.controller.place(Array(name.utf8), width: valueBytes) {
            local.stop()
            throw Failure(.system, "cannot serve: key \(name): there is no room for it")
        }
        var isWhole = true
        if shell {
            let session = try ChainShell(local, width: valueBytes)
            isWhole = try session.run(input)
        } else {
            if !quiet { StandardError.write("Ctrl-C ends it.\n") }
            input.waitForInterruption()
        }
        let statistics = local.stop()
        if !quiet { try StandardOutput.print(ServeText.table(statistics, local.addresses)) }
        if let failure = statistics.lazy.compactMap(\.failure).first { throw Failure(failure) }
        if interruption.isRequested { throw ExitStatus.interrupted }
        if !isWhole { throw ExitStatus.untrusted }
    }
}
