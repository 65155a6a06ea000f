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
              kvreel serve netcraq:4 --variant paper --reset 0 --shell
              kvreel serve netcraq:4 --processes --control 127.0.0.1:9000
              kvreel serve --connect 127.0.0.1:9000 --shell

            Each node is a thread with an address of the loopback, 127.0.0.10 and so on, or the next free block; it \
            takes requests at UDP port 8888 and frames of the other nodes at 8890. With --processes it is a process \
            of its own, which may be killed or stopped; one that ended is started again after a second. A controller \
            forms the chain, takes failed nodes out and brings them back; its events go to standard error. At the \
            end the nodes' statistics are printed.

            Other processes reach the controller at a TCP port, which is printed at the start. --connect is a client \
            of it: with --shell it takes commands, without it prints the nodes' statistics and ends.

            With --shell, commands are read from standard input, a line each: get KEY, put KEY VALUE, \
            cas KEY VERSION VALUE (VERSION - : if the key is absent), delete KEY, stats, kill N, start N, help, quit.

            --variant paper serves what was published, with its packets and its faults. Keys are the numbers 1 to \
            4096, or as many as --keys says; the shell has no cas, and get@N and put@N ask node N. There is no \
            controller that watches: what the published one does when a node fails is done at kill N and start N. \
            Page: docs/serve.md

            Exit status: 0 the shell ended; 1 the shell read from a file or pipe had a command that failed; 2 wrong \
            usage; 4 sockets or threads failed; 130 interrupted, ended cleanly.
            """)

    private static let loopback = IPv4Network(address: 0x7f00_0000, prefixLength: 8)

    @Option(name: .long, help: "A key that is served from the start; several allowed.")
    var key: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Bytes that values have room for: 16, 128 or 1024. (default: 16)", valueName: "n"),
        transform: OptionValue.valueBytes)
    var valueBytes: WidthClass?

    @OptionGroup var variant: VariantOptions
    @OptionGroup var lease: NodeLeaseOption

    @Option(
        name: .long,
        help: ArgumentHelp("paper: keys that are served, the numbers 1 to n. (default: 4096)", valueName: "n"),
        transform: OptionValue.paperKeys)
    var keys: Int?

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
    var clientsNetwork = Self.loopback

    @Flag(name: .long, help: "Run each node as a process of its own.")
    var processes = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where the control interface listens (default: 127.0.0.1, a port of the system's choice). Whoever "
                + "reaches it may read, write and place keys.", valueName: "address:port"),
        transform: OptionValue.endpoint)
    var control: Endpoint?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Serve nothing, but talk to the chain that another process serves, by its control interface.",
            valueName: "address:port"), transform: OptionValue.endpoint)
    var connect: Endpoint?

    @Flag(name: .long, help: "Read commands from standard input.")
    var shell = false

    @Flag(help: "No addresses, no events, no statistics at the end.")
    var quiet = false

    @Argument(help: "netcraq:N or netchain:N, N nodes, 1 to 9.", transform: ChainOption.init)
    var chain: ChainOption?

    func validate() throws {
        try validateConnect()
        guard let chain else { return }
        try variant.check(chain)
        try lease.check(variant)
        if variant.isPaper, !key.isEmpty { throw ValidationError("--key is for --variant default: see --keys") }
        if variant.isPaper, processes || control != nil {
            throw ValidationError("--processes and --control are for --variant default: paper has no such controller")
        }
        if variant.isPaper, valueBytes != nil {
            throw ValidationError("--value-bytes is for --variant default: the published packets have 16")
        }
        if !variant.isPaper, keys != nil { throw ValidationError("--keys is for --variant paper: see --key") }
        if shell, !clientsNetwork.contains(ChainShell.address) {
            throw ValidationError("the shell is a client at 127.0.0.1, which --clients-network leaves out")
        }
        if let long = key.first(where: { $0.utf8.count > ControllerLimits().nameBytes }) {
            throw ValidationError("a key has at most \(ControllerLimits().nameBytes) bytes, not \(long.utf8.count)")
        }
        if Set(key).count < key.count { throw ValidationError("a key is given twice with --key") }
    }

    private func validateConnect() throws {
        guard connect != nil else {
            if chain == nil { throw ValidationError(ChainOption.form) }
            return
        }
        if chain != nil { throw ValidationError("--connect talks to a chain that is there: it starts none") }
        let ignored = [
            ("--key", !key.isEmpty), ("--keys", keys != nil), ("--rate", rate != nil), ("--pin", pin),
            ("--clients-network", clientsNetwork != Self.loopback), ("--processes", processes),
            ("--control", control != nil),
        ]
        if let option = ignored.first(where: \.1)?.0 ?? variant.given ?? lease.given {
            throw ValidationError("\(option) is for who serves the chain, not with --connect")
        }
    }

    mutating func run() throws {
        do {
            if let connect {
                try talk(to: connect)
            } else if let chain {
                try serve(chain)
            }
        } catch let error as SystemError {
            guard connect != nil else { throw Failure(error) }
            throw Failure(.system, "cannot reach the chain: \(error.what): \(error.words)")
        }
    }

    /// Talks to a chain that another process serves.
    private func talk(to control: Endpoint) throws {
        let connection = try ChainShell.connect(to: control)
        guard shell else {
            return try StandardOutput.print(
                ServeText.table(try connection.statistics(), connection.description.nodes))
        }
        let interruption = Interruption.watch()
        let input = ShellInput(try Mailbox())
        interruption.onRequest { input.interrupt() }
        let isWhole = try ChainShell(connection, width: valueBytes ?? .bytes16).run(input)
        if interruption.isRequested { throw ExitStatus.interrupted }
        if !isWhole { throw ExitStatus.untrusted }
    }

    private func serve(_ chain: ChainOption) throws {
        let interruption = Interruption.watch()
        let input = ShellInput(try Mailbox())
        interruption.onRequest { input.interrupt() }
        let end = variant.isPaper ? try servePaper(chain, input) : try serveDefault(chain, input)
        if !quiet {
            try StandardOutput.print(ServeText.table(end.statistics, end.addresses))
            try StandardOutput.print(ServeText.closedStreams(end.streams))
        }
        if let failure = end.statistics.lazy.compactMap(\.failure).first { throw Failure(failure) }
        if interruption.isRequested { throw ExitStatus.interrupted }
        if !end.isWhole { throw ExitStatus.untrusted }
    }

    private func serveDefault(_ chain: ChainOption, _ input: ShellInput) throws -> ServeEnd {
        var configuration = LocalChainConfiguration(chain.format, nodes: chain.nodes)
        configuration.clients = clientsNetwork
        configuration.versions = variant.netCRAQ.versions
        configuration.times = lease.times
        configuration.rate = rate
        configuration.isPinned = pin
        configuration.control = control ?? Endpoint(address: ChainShell.address, port: 0)
        if processes { configuration.program = NodeProgram(path: "/proc/self/exe", arguments: ["serve-node"]) }
        let start = SystemClock.monotonic
        let isQuiet = quiet
        let local = try LocalChain(configuration) { event, time in
            if !isQuiet { StandardError.write(ServeText.line("\(event)", after: time &- start)) }
        } started: { number, process, time in
            if !isQuiet {
                StandardError.write(ServeText.line("node \(number) is process \(process)", after: time &- start))
            }
        }
        if !quiet, let control = local.control {
            StandardError.write(ServeText.nodes(local.addresses) + "control \(control.endpoint)\n")
        }
        let width = valueBytes ?? .bytes16
        for name in key where !local.controller.place(Array(name.utf8), width: width) {
            local.stop()
            throw Failure(.system, "cannot serve: key \(name): there is no room for it")
        }
        let isWhole = try serve(
            shell ? ChainShell(try ChainShell.connect(to: local), local, width: width) : nil, input)
        return ServeEnd(
            statistics: local.stop(), addresses: local.addresses, isWhole: isWhole,
            streams: local.control?.counts ?? ControlCounts())
    }

    /// Until the shell ends, or the signal comes. False: a command of an input that is no terminal failed.
    func serve(_ shell: (any LineShell)?, _ input: ShellInput) throws -> Bool {
        if let shell { return try shell.run(input) }
        if !quiet { StandardError.write("Ctrl-C ends it.\n") }
        input.waitForInterruption()
        return true
    }
}

/// What a chain that was served leaves.
struct ServeEnd {
    var statistics: [NodeStatistics]
    var addresses: [NodeAddress]
    var isWhole: Bool
    /// Of the control interface, if there is one.
    var streams = ControlCounts()
}
