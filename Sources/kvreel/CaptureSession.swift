import Analysis
import CaptureFiles
import Etcd
import Packets
import Recording
import Trace
import Wire

/// One run of `capture`: packets from the source to the trace, and what is said about it.
struct CaptureSession: ~Copyable {
    private var source: PacketSource
    private var recorder: TraceRecorder
    private var keyLog: KeyLogFile?
    private var writer: TraceWriter
    private let options: Options
    private var series: TraceSeries?
    private var progress: ProgressBar
    /// Of the file that is written now, and of those that are finished.
    private var coverage = Coverage()
    private var finishedCoverage = Coverage()
    private var finishedBytes: Int64 = 0
    private var packets: Int64 = 0
    private var losses = PacketSource.Losses()
    private var lastFlush: UInt64

    struct Options {
        var ports: [UInt16]
        var output: String
        var force: Bool
        /// Set if the recording goes on in another file now and then; `output` stands for their names.
        var rotation: TraceSeries.Limits?
        var quiet: Bool
        var packetLimit: Int64?
        /// What the user named as the source, for messages.
        var sourceName: String
        var meta: TraceMeta
        /// The file with the secrets of TLS connections, if one was named.
        var keyLog: String?

        /// What that file of several says of itself; the description as it is where there is one file only.
        func meta(file: Int?) -> TraceMeta {
            var meta = meta
            meta["part"] = file.map(String.init)
            return meta
        }

        /// A file ends with a whole block, so blocks are small where files are.
        var limits: RecordingLimits {
            var limits = RecordingLimits()
            if let bytes = rotation?.bytes {
                // An operation takes about 12 bytes: a block is at most about a quarter of a file.
                limits.batchOperations = Int(min(max(bytes / 48, 512), Int64(limits.batchOperations)))
            }
            return limits
        }
    }

    /// The trace of a live recording or of a pipe grows at least this often, so that it is of use before its end.
    private static let flushInterval: UInt64 = 10_000_000_000

    init(source: consuming PacketSource, options: Options) throws {
        let inputs = source.regularFiles
        self.source = source
        self.options = options
        keyLog = try options.keyLog.map { try KeyLogFile(path: $0) }
        series = options.rotation.map { TraceSeries(path: options.output, limits: $0) }
        do {
            writer = try TraceWriter(
                path: series?.next() ?? options.output, force: options.force, inputs: inputs,
                meta: options.meta(file: series?.fileCount))
        } catch { throw Failure(error) }
        recorder = TraceRecorder(
            pipeline: RecordingPipeline(ports: options.ports, limits: options.limits), writer: writer)
        progress = ProgressBar(quiet: options.quiet)
        lastFlush = SystemCalls.monotonicNanoseconds()
    }

    /// Runs to the end of the source, its limits or an interruption. Throws a `Failure`, or `ExitStatus.interrupted`
    /// after a clean end.
    mutating func run(until interruption: Interruption) throws {
        let start = SystemCalls.monotonicNanoseconds()
        var failure: Failure?
        do {
            // A failure of the input comes after what was decoded before it is safe.
            do { try decode(until: interruption) } catch let error as Failure { failure = error }
            try finish(interruption, after: failure)
        } catch let error as TraceError {
            progress.clear()
            // The reader of our output is satisfied; what it got is a valid trace.
            if error.kind == .closedPipe { return }
            if writer.operationsWritten == 0 { writer.discard() }
            throw Failure(error)
        }
        report(seconds: Double(SystemCalls.monotonicNanoseconds() - start) / 1e9)
        if var failure {
            let kept = "The trace holds what was decoded before that."
            failure.remedy = failure.remedy.map { "\($0) \(kept)" } ?? kept
            throw failure
        }
        if interruption.isRequested { throw ExitStatus.interrupted }
    }

    private mutating func decode(until interruption: Interruption) throws {
        var batch = PacketBatch()
        var isStopping = false
        if source.isLive, !options.quiet {
            StandardError.write("kvreel: listening on \(options.sourceName); Ctrl-C ends the recording\n")
        }
        try readKeyLog()
        while try source.next(into: &batch, isStopping: isStopping || interruption.isRequested) {
            if let limit = options.packetLimit, packets + Int64(batch.packets.count) >= limit {
                batch.packets.removeLast(batch.packets.count - Int(limit - packets))
                isStopping = true
            }
            packets += Int64(batch.packets.count)
            try receive(batch)
            if isStopping, !source.isLive { break }
            if isStopping, packets >= options.packetLimit ?? .max { break }
            progress.update(
                done: source.progress.done, total: source.progress.total, packets: packets,
                operations: recorder.operationCount)
        }
    }

    /// Tells the trace what the source lost, when that has changed.
    private mutating func noteLosses() {
        let now = source.losses
        if now == losses { return }
        losses = now
        recorder.setCaptureHealth(now.recordingHealth)
    }

    private mutating func receive(_ batch: borrowing PacketBatch) throws {
        var coverage = coverage
        defer { self.coverage = coverage }
        noteLosses()
        // Before, for what was logged while the packets came; behind, for what they showed to be missing.
        if source.isStream { try readKeyLog() }
        recorder.receiveSecrets(of: batch)
        var index = 0
        while index < batch.packets.count {
            let beyond = series?.firstPacketBeyond(batch.packets[index...])
            index = try recorder.receive(batch, from: index, to: beyond ?? batch.packets.count) { coverage.add($0) }
            if isFileFull || index == beyond && series?.passes(batch.packets[index].time) == true {
                try rotate(&coverage)
            }
        }
        if recorder.pipeline.isWaitingForSecrets { try readKeyLog() }
        guard source.isStream else { return }
        // In quiet times no packet says that a file's time is over; those on their way are less than a second late.
        if source.isLive, batch.packets.isEmpty, series?.passes(SystemCalls.realTime(minus: 1_000_000_000)) == true {
            try rotate(&coverage)
        }
        let now = SystemCalls.monotonicNanoseconds()
        if recorder.pipeline.pendingOperations > 0, now - lastFlush >= Self.flushInterval {
            try recorder.flush { coverage.add($0) }
            lastFlush = now
        }
    }

    private var isFileFull: Bool { series?.limits.bytes.map { writer.bytesWritten >= $0 } ?? false }

    /// Finishes the file and goes on in the next one, unless there is no operation for it: a file without any says
    /// nothing that the next one cannot.
    private mutating func rotate(_ coverage: inout Coverage) throws {
        guard writer.operationsWritten > 0 || recorder.pipeline.pendingOperations > 0 else { return }
        try recorder.endPart { coverage.add($0) }
        finishedBytes += writer.bytesWritten
        finishedCoverage = finishedCoverage + coverage
        coverage = Coverage()
        series?.removeOldest()
        guard let path = series?.next() else { return }
        writer = try TraceWriter(path: path, force: false, meta: options.meta(file: series?.fileCount))
        recorder.beginPart(writer)
        lastFlush = SystemCalls.monotonicNanoseconds()
    }

    /// Reads what the key log has become.
    private mutating func readKeyLog() throws {
        while let bytes = try keyLog?.next() { recorder.receiveKeyLog(bytes) }
    }

    /// Ends the trace; without an operation in it, throws why there is none.
    private mutating func finish(_ interruption: Interruption, after inputFailure: Failure?) throws {
        var coverage = coverage
        noteLosses()
        if inputFailure == nil { try readKeyLog() }
        recorder.finishKeyLog()
        try recorder.endInput { coverage.add($0) }
        if recorder.operationCount == 0 {
            if let failure = inputFailure ?? unusable(isInterrupted: interruption.isRequested) {
                progress.clear()
                writer.discard()
                throw failure
            }
        }
        defer { self.coverage = coverage }
        if let series, series.fileCount > 1, writer.operationsWritten == 0, recorder.pipeline.isPartEmpty {
            return writer.discard()
        }
        try recorder.flush { coverage.add($0) }
        try writer.finish()
        series?.removeOldest()
    }

    /// Why a recording without a single operation is no recording; nil where HTTP/2 was there but nobody asked
    /// anything.
    private func unusable(isInterrupted: Bool) -> Failure? {
        let pipeline = recorder.pipeline
        let name = options.sourceName
        let tracker = pipeline.trackerHealth
        let ports = options.ports.map(String.init).joined(separator: ", ")
        if isInterrupted, !source.isLive { return nil }
        if pipeline.sawHTTP2 { return nil }
        if let link = tracker.unknownLink, tracker.packetsOfUnknownLink == tracker.packets {
            return Failure(CaptureError.unsupportedLinkType(link, path: name))
        }
        if packets == 0 {
            return Failure(
                .input, "nothing to decode: \(name): no packets",
                remedy: source.isLive
                    ? "Is etcd's client port \(ports)? Say --port N, or --interface any."
                    : "The capture holds no packet; was it stopped before anything was sent?")
        }
        if pipeline.connectionsEncrypted > 0 {
            return Failure(
                .input,
                "nothing to decode: \(name): only TLS without keys, on "
                    + Terminal.counted(pipeline.connectionsEncrypted, "connection"),
                remedy: remedyForTLS)
        }
        if let limit = options.packetLimit, packets >= limit {
            return Failure(
                .input,
                "nothing to decode: \(name): --count ended it after \(Terminal.counted(limit, "packet")), "
                    + "before any request",
                remedy: "Say a larger --count, or none.")
        }
        return Failure(
            .input,
            "nothing to decode: \(name): no etcd traffic on port \(ports) in \(Terminal.counted(packets, "packet"))",
            remedy:
                "If etcd's clients use another port, say --port N. The recording must hold TCP payload, not headers "
                + "only."
        )
    }

    /// What to do about encrypted connections.
    private var remedyForTLS: String {
        guard let path = options.keyLog else {
            return "Give the key log of a client or the server with --keylog FILE: docs/capture.md says how to get one."
        }
        let known = recorder.pipeline.keyLogConnections
        if known == 0 { return "\(path) holds no TLS secrets; docs/capture.md says what it should look like." }
        return "\(path) holds the secrets of \(Terminal.counted(known, "connection")), none of which is one of these."
    }

    private mutating func report(seconds: Double) {
        progress.clear()
        warnOfLoss()
        if !options.quiet {
            let operations = recorder.operationCount
            let bytes = finishedBytes + writer.bytesWritten
            let perOperation = operations == 0 ? 0 : Double(bytes) / Double(operations)
            var line = "\(Terminal.counted(packets, "packet")) -> \(Terminal.counted(operations, "operation"))"
            line += " in \(Terminal.decimal(seconds, places: 2)) s; \(Terminal.printable(outputName)): "
            line += "\(Terminal.counted(bytes, "byte")), \(Terminal.decimal(perOperation, places: 1)) an operation\n"
            StandardError.write(line)
        }
        StandardError.write((finishedCoverage + coverage).line + "\n")
    }

    /// The trace, or the files that it is in.
    private var outputName: String {
        guard let series else { return options.output }
        // The last file was given up where nothing came for it.
        return series.names(series.fileCount - (writer.bytesWritten == 0 ? 1 : 0))
    }

    /// Warns of what the captures lack, each warning with the names of the files it is about.
    private func warnOfLoss() {
        if let path = options.keyLog {
            let malformed = recorder.pipeline.keyLogMalformedLines
            if malformed > 0 {
                StandardError.warn("\(path): \(Terminal.counted(malformed, "line")) malformed, passed over")
            }
        }
        let encrypted = recorder.pipeline.connectionsEncrypted
        if encrypted > 0 {
            StandardError.warn(
                "\(Terminal.counted(encrypted, "connection")) encrypted without keys, not decoded. \(remedyForTLS)")
        }
        let files = source.fileHealth(interface: options.sourceName)
        for file in files {
            if file.health.endsWithinPacket {
                StandardError.warn("\(file.name) ends within a packet; everything before it was decoded")
            }
            if let damage = file.health.firstDamage {
                StandardError.warn(
                    "\(file.name) is damaged at byte \(damage.offset): \(damage.reason); "
                        + "\(Terminal.counted(file.health.damagedBytes, "byte")) passed over")
            }
        }
        let capture = source.health
        if source.isLive {
            warnOfDrops(source.losses.recordingHealth)
        } else if capture.packetsDropped > 0 {
            StandardError.warn(
                Self.names(files.filter { $0.health.packetsDropped > 0 })
                    + ": \(Terminal.counted(capture.packetsDropped, "packet")) dropped before being recorded")
        }
        if capture.packetsCut > 0 {
            StandardError.warn(
                Self.names(files.filter { $0.health.packetsCut > 0 })
                    + ": \(Terminal.counted(capture.packetsCut, "packet")) cut by a snapshot length "
                    + "(tcpdump -s 0 keeps all)")
        }
        if let direction = recorder.pipeline.directionWithoutPayload {
            StandardError.warn(
                options.sourceName
                    + (direction == .request
                        ? " holds only what servers sent: what was asked is not known"
                        : " holds only what clients sent: no answer is known"))
        }
        let tracker = recorder.pipeline.trackerHealth
        if let link = tracker.unknownLink, tracker.packetsOfUnknownLink > 0 {
            StandardError.warn(
                "\(options.sourceName): \(Terminal.grouped(tracker.packetsOfUnknownLink)) of "
                    + "\(Terminal.counted(tracker.packets, "packet")) of link type \(link.rawValue), not decoded")
        }
    }

    /// Where a live recording lost packets tells what to change.
    private func warnOfDrops(_ health: RecordingHealth) {
        if health[.packetsDroppedByKernel] > 0 {
            StandardError.warn(
                "\(options.sourceName): \(Terminal.counted(health[.packetsDroppedByKernel], "packet")) dropped by the "
                    + "kernel, which could not hand them over in time; say a larger --buffer-size")
        }
        if health[.packetsDroppedByRing] > 0 {
            StandardError.warn(
                "\(options.sourceName): \(Terminal.counted(health[.packetsDroppedByRing], "packet")) dropped because "
                    + "decoding or the output was too slow; say a larger --buffer-size, or write to a faster disk")
        }
    }

    /// `a.pcap, b.pcap and 3 more`.
    private static func names(_ files: [CaptureReader.FileHealth]) -> String {
        let shown = files.prefix(2).map(\.name).joined(separator: ", ")
        return files.count > 2 ? "\(shown) and \(files.count - 2) more" : shown
    }
}
