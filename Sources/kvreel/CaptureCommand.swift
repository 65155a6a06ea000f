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
        usage: """
            kvreel capture --read <file> ... --output <trace> [<options>]
            kvreel capture --interface <if> --output <trace> [<options>]
            """,
        discussion: """
              kvreel capture --read etcd.pcap.zst -o etcd.kvr
              kvreel capture --interface lo --duration 60s -o etcd.kvr
              kvreel capture --read tls.pcapng --keylog keys.log -o etcd.kvr

            Reads pcap and pcapng, plain or compressed by zstd or gzip; several files are read in order, - is standard \
            input. A capture that ends within a packet or lost packets is decoded as far as it goes, and the coverage \
            line says what is missing. TLS 1.2 and 1.3 are decrypted with the secrets of a key log, which is followed \
            while it grows, or of a pcapng file. Values and secrets are never stored. Live recording needs root or \
            CAP_NET_RAW; Ctrl-C ends it cleanly. Page: docs/capture.md

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
    var output: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("TCP port of etcd; may be given again (default: 2379).", valueName: "n"),
        transform: OptionValue.port)
    var port: [UInt16] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Secrets of TLS connections, as SSLKEYLOGFILE names it.", valueName: "file"))
    var keylog: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("End a live recording after this time: 30s, 5m, 2h.", valueName: "time"),
        transform: OptionValue.duration)
    var duration: UInt64?

    @Option(
        name: [.customShort("s"), .customLong("snapshot-length"), .customLong("snaplen")],
        help: ArgumentHelp("Live: bytes kept of each packet (default: 262144).", valueName: "bytes"),
        transform: OptionValue.snapshotLength)
    var snapshotLength: Int?

    @Option(
        name: [.customShort("B"), .customLong("buffer-size")],
        help: ArgumentHelp(
            "Live: KiB of packets that the kernel holds, and as many that wait to be decoded (default: 65536).",
            valueName: "kib"),
        transform: OptionValue.bufferSize)
    var bufferSize: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Go on in another file at this size: 100M, 2G. Files are numbered: etcd-000001.kvr.", valueName: "size"),
        transform: OptionValue.fileSize)
    var rotateSize: Int64?

    @Option(
        name: .long,
        help: ArgumentHelp("Go on in another file after this time: 3600, 10m, 1h.", valueName: "time"),
        transform: OptionValue.rotationTime)
    var rotateTime: Int64?

    @Option(
        name: .long,
        help: ArgumentHelp("With these: keep the newest n finished files of that name.", valueName: "n"),
        transform: OptionValue.files)
    var keep: Int?

    @Option(
        name: [.customShort("c"), .customLong("count")],
        help: ArgumentHelp("End after this many packets.", valueName: "n"),
        transform: OptionValue.count)
    var count: Int64?

    @Flag(name: .long, help: "Replace an existing trace.")
    var force = false

    @Flag(name: [.short, .long], help: "No progress and no summary, only warnings, errors and the coverage line.")
    var quiet = false

    /// For a better word than the parser's.
    @Argument(help: .hidden)
    var unnamed: [String] = []

    func validate() throws {
        if let name = unnamed.first {
            throw ValidationError("captures are named with --read: kvreel capture --read \(name) -o TRACE.kvr")
        }
        if !read.isEmpty, interface != nil { throw ValidationError("--read and --interface exclude each other") }
        if read.isEmpty, interface == nil {
            throw ValidationError("name captures with --read, or an interface with --interface")
        }
        if output == nil { throw ValidationError("name the trace to write with --output (-o)") }
        if output == "json" || output == "jsonl" {
            throw ValidationError(
                "-o names the trace file; for JSON use 'kvreel cat --json' or 'kvreel analyze --json'")
        }
        if output == "-", SystemCalls.isTerminal(1) {
            throw ValidationError("a trace is no text for a terminal: name a file with -o, or send -o - into one")
        }
        if interface == nil, duration != nil {
            throw ValidationError("--duration is for live recordings; a file ends by itself (--count stops earlier)")
        }
        if interface == nil, snapshotLength != nil {
            throw ValidationError("--snapshot-length is for live recordings; a file's packets are cut already")
        }
        if interface == nil, bufferSize != nil {
            throw ValidationError("--buffer-size is for live recordings; a file waits until it is read")
        }
        if rotation == nil, keep != nil {
            throw ValidationError("--keep is for recordings in several files (--rotate-size, --rotate-time)")
        }
        if rotation != nil, output == "-" {
            throw ValidationError("standard output cannot be rotated; name a file with --output (-o)")
        }
        if rotation != nil, force {
            throw ValidationError("numbered files are never written over: --force has no use with --rotate-...")
        }
    }

    mutating func run() throws {
        guard let output else { return }
        let interruption = Interruption.watch()
        let ports = port.isEmpty ? [2379] : port
        let source: PacketSource
        if let interface {
            var live = PacketSource.Live(interface: interface, ports: ports, nanoseconds: duration)
            if let snapshotLength { live.snapshotLength = snapshotLength }
            if let bufferSize { live.bufferBytes = bufferSize }
            source = try PacketSource(live)
        } else {
            source = try PacketSource(files: read)
        }
        if let interrupter = source.interrupter { interruption.onRequest { interrupter.interrupt() } }
        let name = interface ?? (read.count == 1 ? read[0] == "-" ? "standard input" : read[0] : "\(read.count) files")
        var session = try CaptureSession(
            source: source,
            options: CaptureSession.Options(
                ports: ports, output: output, force: force, rotation: rotation, quiet: quiet, packetLimit: count,
                sourceName: name, meta: meta(ports), keyLog: keylog))
        try session.run(until: interruption)
    }

    private var rotation: TraceSeries.Limits? {
        if rotateSize == nil, rotateTime == nil { return nil }
        return TraceSeries.Limits(bytes: rotateSize, nanoseconds: rotateTime, files: keep)
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
