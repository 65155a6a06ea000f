import Analysis
import ArgumentParser
import CaptureFiles
import Etcd
import Recording
import Trace
import Wire

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Decode packets, from files or from an interface, into a trace.",
        discussion: """
              kvreel capture --read etcd.pcap.zst -o etcd.kvr
              kvreel capture --interface lo --duration 60s -o etcd.kvr

            Reads pcap and pcapng, plain or compressed by zstd or gzip; several files are read in order, - is standard \
            input. A capture that ends within a packet or lost packets is decoded as far as it goes, and the coverage \
            line says what is missing. Values are never stored. Live recording needs root or CAP_NET_RAW; Ctrl-C ends \
            it cleanly. Page: docs/capture.md

            Exit status: 0 done; 2 wrong usage; 3 the input is unusable (no capture, nothing of etcd in it, only TLS); \
            4 output or system failed; 130 interrupted after a clean end.
            """)

    @Option(
        name: [.customShort("r"), .long], parsing: .upToNextOption,
        help: ArgumentHelp("Capture files, read in order; - is standard input.", valueName: "file"))
    var read: [String] = []

    @Option(
        name: [.short, .long], help: ArgumentHelp("Record from this interface (any: all of them).", valueName: "if"))
    var interface: String?

    @Option(
        name: [.customShort("o"), .customLong("output"), .customShort("w")],
        help: ArgumentHelp("The trace to write; - is standard output.", valueName: "trace"))
    var output: String

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("TCP port of etcd; may be given again (default: 2379).", valueName: "n"))
    var port: [UInt16] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("End a live recording after this time: 30s, 5m, 2h.", valueName: "time"))
    var duration: Span?

    @Option(
        name: [.customShort("s"), .customLong("snapshot-length")],
        help: ArgumentHelp("Live: bytes kept of each packet (default: 262144).", valueName: "bytes"))
    var snapshotLength: Int?

    @Option(
        name: [.customShort("c"), .customLong("count")],
        help: ArgumentHelp("End after this many packets.", valueName: "n"))
    var count: Int64?

    @Flag(name: .long, help: "Replace an existing trace.")
    var force = false

    @Flag(name: [.short, .long], help: "No progress and no summary, only warnings, errors and the coverage line.")
    var quiet = false

    /// A length of time as people write it.
    struct Span: ExpressibleByArgument {
        var nanoseconds: UInt64

        init?(argument: String) {
            let units: [(String, Double)] = [("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)]
            let (suffix, scale) = units.first { argument.hasSuffix($0.0) } ?? ("", 1e9)
            guard let number = Double(argument.dropLast(suffix.count)), number > 0, number * scale < 9e18 else {
                return nil
            }
            nanoseconds = UInt64(number * scale)
        }
    }

    func validate() throws {
        if read.isEmpty == (interface == nil) {
            throw ValidationError("name either files with --read or an interface with --interface")
        }
        if interface == nil, duration != nil {
            throw ValidationError("--duration is for live recordings; a file ends by itself (--count stops earlier)")
        }
        if interface == nil, snapshotLength != nil {
            throw ValidationError("--snapshot-length is for live recordings; a file's packets are cut already")
        }
        if let snapshotLength, !(96...262_144).contains(snapshotLength) {
            throw ValidationError("--snapshot-length must be between 96 and 262144 bytes")
        }
        if let count, count <= 0 { throw ValidationError("--count must be at least 1") }
        if output == "json" || output == "jsonl" {
            throw ValidationError(
                "-o names the trace file; for JSON use 'kvreel cat --json' or 'kvreel analyze --json'")
        }
        if port.contains(0) { throw ValidationError("--port 0 is no port") }
    }

    mutating func run() throws {
        let interruption = Interruption.watch()
        let ports = port.isEmpty ? [2379] : port
        let source: PacketSource
        if let interface {
            source = try PacketSource(
                interface: interface, ports: ports, snapshotLength: snapshotLength ?? 262_144,
                nanoseconds: duration?.nanoseconds)
        } else {
            source = try PacketSource(files: read)
        }
        if let interrupter = source.interrupter { interruption.onRequest { interrupter.interrupt() } }
        let name = interface ?? (read.count == 1 ? read[0] == "-" ? "standard input" : read[0] : "\(read.count) files")
        var session = try CaptureSession(
            source: source,
            options: CaptureSession.Options(
                ports: ports, output: output, force: force, quiet: quiet, packetLimit: count, sourceName: name,
                meta: meta(ports)))
        try session.run(until: interruption)
    }

    /// What the trace says of how it was made. Names of files without their folders: those say more about the machine
    /// than about the recording.
    private func meta(_ ports: [UInt16]) -> TraceMeta {
        var meta = TraceMeta()
        meta.tool = "kvreel \(Kvreel.version)"
        meta.captures =
            interface.map { ["interface \($0)"] } ?? read.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        meta["ports"] = ports.map(String.init).joined(separator: " ")
        meta["values"] = "none"
        meta["keys"] = "plain"
        return meta
    }
}
