package import Wire

/// Packets from capture files, one file after the other.
///
/// Files are pcap or pcapng, plain or compressed by zstd or gzip, recognised by their first bytes; `-` is standard
/// input. They are read as streams into the storage of a batch that the caller owns and hands in again and again;
/// besides that storage and a decompressor nothing is held, whatever the files' sizes.
package struct CaptureReader: ~Copyable {
    private struct Input {
        /// `nil` for standard input.
        var path: String?
        var name: String
        /// Bytes of a regular file; `nil` for a pipe.
        var byteCount: Int?
        /// Which file it is, if it is a regular one.
        var identity: FileIdentity?
    }

    private let limits: CaptureLimits
    private let inputs: [Input]
    /// Number of the input that is read, or that is to be opened next.
    private var index = 0
    private var source: ByteSource?
    private var parser: CaptureParser
    /// Bytes of the batch's storage that are filled but not read yet: the beginning of the next packet.
    private var rest = 0..<0
    /// The same between two calls: each may come with another batch.
    private var kept: [UInt8] = []
    private var finishedHealth = CaptureHealth()
    /// What is known of the files that were read to their ends.
    package private(set) var finishedFiles: [FileHealth] = []

    /// What is known of one of the files.
    package struct FileHealth: Sendable {
        /// The file as the user named it.
        package var name: String
        package var health: CaptureHealth

        package init(name: String, health: CaptureHealth) {
            self.name = name
            self.health = health
        }
    }

    /// Takes the files' paths in the order in which they are to be read.
    ///
    /// Each path is looked at, so that one that is missing, a directory or not readable is known before work is done,
    /// and of several also what is no capture; the files are opened when their turn comes. Throws also if there is no
    /// path, or `-` twice.
    package init(paths: [String], limits: CaptureLimits = CaptureLimits()) throws(CaptureError) {
        guard !paths.isEmpty else {
            throw CaptureError(kind: .usage, what: "cannot read", path: "capture", why: "no file is named")
        }
        var inputs: [Input] = []
        for path in paths {
            let input = try Self.examine(path)
            if input.path == nil, inputs.contains(where: { $0.path == nil }) {
                throw CaptureError(
                    kind: .usage, what: "cannot read", path: input.name, why: "it is named twice",
                    remedy: "Name - once; several captures cannot follow each other on it.")
            }
            inputs.append(input)
        }
        // The first one is read at once.
        for input in inputs.dropFirst() where input.byteCount != nil { try Self.tryReading(input, limits) }
        self.init(inputs: inputs, limits: limits)
    }

    private init(inputs: [Input], limits: CaptureLimits) {
        self.inputs = inputs
        self.limits = limits
        parser = CaptureParser(limits: limits)
    }

    /// Reads a regular file up to its first packets.
    private static func tryReading(_ input: Input, _ limits: CaptureLimits) throws(CaptureError) {
        var limits = limits
        limits.chunkBytes = min(limits.chunkBytes, 64 << 10)
        var reader = CaptureReader(inputs: [input], limits: limits)
        var batch = PacketBatch()
        _ = try reader.next(into: &batch)
    }

    /// Reads the next packets, about a mebibyte of them, into `batch` in place of those that it holds.
    ///
    /// Returns `false` when all files are read; the batch is empty then. Every batch but that has a packet or secrets,
    /// unless a pipe brought nothing for 100 ms, and all its packets are of one file.
    ///
    /// Throws when a file is of no use at all, or cannot be read further; then the next call goes on with the file
    /// after it. A file that is damaged or cut further on is no error: see `health`.
    package mutating func next(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        batch.packets.removeAll(keepingCapacity: true)
        batch.secrets.removeAll(keepingCapacity: true)
        rest = 0..<kept.count
        batch.storage.grow(to: kept.count)
        batch.storage.replaceSubrange(rest, with: kept)
        defer {
            kept.removeAll(keepingCapacity: true)
            kept.append(copying: batch.storage.span.extracting(rest))
        }
        while index < inputs.count {
            if source == nil { try openInput() }
            if try !readPortion(into: &batch) { return true }
            if !batch.packets.isEmpty || !batch.secrets.isEmpty { return true }
        }
        return false
    }

    /// Bytes read so far from all files, compressed as they are.
    package private(set) var bytesRead = 0

    /// Bytes of all files together; `nil` if one is a pipe.
    package var totalBytes: Int? {
        var sum = 0
        for input in inputs {
            guard let count = input.byteCount else { return nil }
            sum += count
        }
        return sum
    }

    /// What is known of each of them.
    package var fileHealth: [FileHealth] { finishedFiles + (openFile.map { [$0] } ?? []) }

    /// What is known of the file that is read now.
    package var openFile: FileHealth? {
        source == nil ? nil : FileHealth(name: currentName, health: parser.health)
    }

    /// Whether one of the inputs may bring nothing for long: a pipe, a terminal, standard input.
    package var hasStreams: Bool { inputs.contains { $0.byteCount == nil } }

    /// The regular files among the inputs, so that none of them is written to.
    package var regularFiles: [FileIdentity] { inputs.compactMap(\.identity) }

    /// What is known of the files read so far, the present one included.
    package var health: CaptureHealth {
        var sum = finishedHealth
        sum.add(parser.health)
        return sum
    }

    /// The file that the last batch came from, as the user named it.
    package private(set) var currentName = ""
}

extension CaptureReader {
    private static func examine(_ path: String) throws(CaptureError) -> Input {
        let name = path == "-" ? "standard input" : path
        let file = path == "-" ? nil : path
        let facts: FileFacts
        do {
            facts = try FileFacts(path: file)
        } catch {
            throw unreadable(name, error)
        }
        switch facts.kind {
        // Standard input may be a file that others have read the front of, so its size says nothing.
        case .regular:
            return Input(
                path: file, name: name, byteCount: file == nil ? nil : facts.byteCount, identity: facts.identity)
        case .stream: return Input(path: file, name: name, byteCount: nil)
        case .directory:
            throw CaptureError(
                kind: .directory, what: "cannot read", path: name, why: "it is a directory",
                remedy: "Name the capture files in it: \(name)/*.pcap")
        }
    }

    private static func unreadable(_ name: String, _ failure: SystemFailure) -> CaptureError {
        CaptureError(
            kind: failure.isMissing ? .missing : .unreadable, what: "cannot read", path: name, why: failure.words)
    }

    private mutating func openInput() throws(CaptureError) {
        let input = inputs[index]
        parser = CaptureParser(limits: limits)
        currentName = input.name
        rest = 0..<0
        do {
            source = try ByteSource(path: input.path, isStream: input.byteCount == nil, limits: limits)
        } catch {
            index += 1
            throw Self.unreadable(input.name, error)
        }
    }

    /// Reads bytes behind the rest of the last portion, and the packets in both. False if a pipe has nothing now.
    private mutating func readPortion(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        batch.storage.moveToFront(rest)
        rest = 0..<rest.count
        batch.storage.grow(to: max(limits.chunkBytes, parser.wantedBytes))
        let outcome: ByteSource.Outcome
        do {
            guard let result = try source?.read(into: &batch.storage, from: rest.upperBound) else { return true }
            outcome = result
            bytesRead += source?.takeBytesRead() ?? 0
        } catch {
            finishInput()
            throw Self.unreadable(currentName, error)
        }
        if case .bytes(let count) = outcome {
            let filled = 0..<rest.upperBound + count
            rest = parser.receive(filled, of: &batch)..<filled.upperBound
            if let error = failure(in: batch.storage.span.extracting(filled)) { throw error }
            return true
        }
        if outcome == .nothingYet { return false }
        try readEnd(outcome, of: &batch)
        return true
    }

    /// The file ended in one of several ways.
    private mutating func readEnd(
        _ outcome: ByteSource.Outcome, of batch: inout PacketBatch
    ) throws(CaptureError) {
        parser.finish(rest, of: &batch)
        switch outcome {
        case .bytes, .nothingYet, .end: break
        case .cut: parser.sourceWasCut()
        case .damaged(let reason): parser.sourceIsDamaged(reason)
        case .windowTooLarge:
            finishInput()
            throw CaptureError(
                kind: .windowTooLarge, what: "cannot unpack", path: currentName,
                why: "its zstd window is larger than \(1 << (limits.zstdWindowLog - 20)) MiB",
                remedy: "Unpack it by hand: zstd -d --long=31 -c \(currentName) | kvreel capture --read - ...")
        }
        if let error = failure(in: batch.storage.span.extracting(rest)) { throw error }
        finishInput()
    }

    /// Why the present file cannot be read, if it cannot. `head`: the bytes that were read last.
    private mutating func failure(in head: Span<UInt8>) -> CaptureError? {
        guard let failure = parser.failure else { return nil }
        let error = CaptureError(failure, path: currentName, head: head)
        finishInput()
        return error
    }

    private mutating func finishInput() {
        finishedHealth.add(parser.health)
        finishedFiles.append(FileHealth(name: currentName, health: parser.health))
        parser = CaptureParser(limits: limits)
        source = nil
        rest = 0..<0
        index += 1
    }
}

extension Array<UInt8> {
    /// Makes it at least so long.
    fileprivate mutating func grow(to wanted: Int) {
        if count < wanted { append(contentsOf: repeatElement(0, count: wanted - count)) }
    }
}

extension CaptureError {
    /// What `failure` means to someone who named the file `path`.
    init(_ failure: CaptureParser.Failure, path: String, head: Span<UInt8>) {
        let what = "cannot read"
        switch failure {
        case .empty:
            self.init(
                kind: .empty, what: what, path: path, why: "it is empty",
                remedy: "Record again, for example: tcpdump -i any -w capture.pcap port 2379")
        case .notACapture:
            let signature = FileSignature(of: head, path: path)
            self.init(
                kind: .notACapture, what: what, path: path,
                why: "not a packet capture; it looks like \(signature.name)", remedy: signature.remedy)
        case .version(let major, let minor):
            self.init(
                kind: .notACapture, what: what, path: path, offset: 4,
                why: "it is pcap of version \(major).\(minor), expected 2.4")
        case .endsInHeader:
            self.init(kind: .damaged, what: what, path: path, why: "it ends within its header")
        case .compressionCut:
            self.init(
                kind: .damaged, what: what, path: path, why: "the compressed file ends before its first packet",
                remedy: "It was not copied or written to its end; get it again.")
        case .damaged(let damage):
            self.init(
                kind: .damaged, what: what, path: path, offset: damage.offset,
                why: "\(damage.reason), and no packet before it")
        }
    }
}
