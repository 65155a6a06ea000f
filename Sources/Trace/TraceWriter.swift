package import Etcd
package import Wire

/// Writes a trace, block by block: whatever was written is a valid trace.
///
/// Nothing is written before the first batch or `finish`, so that a recording without operations leaves an existing
/// file as it was.
package final class TraceWriter {
    private var file: TraceFile
    private var encoder: BlockEncoder
    private let zstandard: Zstandard
    private var state = State.opened
    private var buffer: [UInt8] = []
    private var index = BlockIndex()
    private let path: String
    /// Whether there was no such file before.
    private let isNew: Bool
    private let kind: TraceFile.Kind
    /// What is written at the start of the trace; changes after the first `write` are written by `finish`.
    package var meta: TraceMeta
    private var writtenMeta = TraceMeta()

    package private(set) var bytesWritten: Int64 = 0
    package private(set) var operationsWritten: Int64 = 0

    private enum State { case opened, begun, ended }

    /// Opens the output. `-` is standard output. An existing regular file is replaced only by `force`, and never if it
    /// is one of `inputs`, the files that are read for the trace, or another process writes it; devices and pipes are
    /// written as they are.
    package init(
        path: String, force: Bool, inputs: [FileIdentity] = [], meta: TraceMeta,
        level: Int32 = TraceLimits.recommendedLevel
    ) throws(TraceError) {
        self.path = path
        self.meta = meta
        encoder = BlockEncoder(level: level)
        zstandard = Zstandard(level: level)
        if path == "-" {
            file = TraceFile.standardOutput()
            isNew = false
            kind = .other
            try Self.refuse(file, among: inputs)
            return
        }
        do {
            file = try TraceFile.create(path)
            isNew = true
            kind = .regular
        } catch {
            guard error.isExisting else { throw Self.failure("cannot create the trace", path, error) }
            do {
                file = try TraceFile.open(forWriting: path)
                kind = try file.kind()
            } catch { throw Self.failure("cannot write the trace", path, error) }
            isNew = false
            try Self.refuse(file, among: inputs)
            if kind == .regular, !force {
                throw TraceError(
                    .output, what: "cannot write the trace", location: path, why: "the file exists",
                    remedy: "Choose another name, or replace it with --force.")
            }
        }
        if kind == .regular {
            do { try file.lock() } catch {
                throw TraceError(
                    .output, what: "cannot write the trace", location: path, why: "another process is writing it",
                    remedy: "Wait until that ends, or choose another name.")
            }
        }
    }

    private static func refuse(_ file: borrowing TraceFile, among inputs: [FileIdentity]) throws(TraceError) {
        guard let identity = file.regularIdentity(), inputs.contains(identity) else { return }
        throw TraceError(
            .output, what: "cannot write the trace", location: file.name, why: "it is the capture that is read",
            remedy: "Choose another name for the trace.")
    }

    /// Appends a block of the batch's records, or several where they are more than a block holds or should.
    /// Precondition: `finish` and `discard` were not called.
    package func write(_ batch: borrowing OperationBatch) throws(TraceError) {
        precondition(state != .ended, "a finished trace takes no more batches")
        try begin()
        if RecordCopy.isModest(batch), try writeBlock(batch) { return }
        var division = BatchDivision()
        var part = OperationBatch()
        while division.next(of: batch, into: &part) {
            if try writeBlock(part) { continue }
            throw TraceError(
                .output, what: "cannot write the trace", location: file.name,
                why: "an operation with \(part.keyValues.count) key-values is beyond what a block holds")
        }
    }

    /// False, and nothing is written, when the batch is beyond what a block holds.
    private func writeBlock(_ batch: borrowing OperationBatch) throws(TraceError) -> Bool {
        let entry = BlockIndex.Entry(batch, offset: bytesWritten)
        buffer.removeAll(keepingCapacity: true)
        guard encoder.encode(batch, number: UInt32(index.entries.count), into: &buffer) else { return false }
        try flush()
        index.entries.append(entry)
        operationsWritten += Int64(batch.operations.count)
        return true
    }

    /// Writes the index and the trailer and closes the file. To be called once.
    package func finish() throws(TraceError) {
        precondition(state != .ended, "a trace is finished once")
        try begin()
        if meta != writtenMeta { try writeMeta() }
        let offset = bytesWritten
        buffer.removeAll(keepingCapacity: true)
        var header = BlockHeader(type: .index, number: UInt32(index.entries.count))
        header.records = UInt32(index.entries.count)
        var payload: [UInt8] = []
        index.append(to: &payload)
        if BlockEncoder.seal(&header, payload: payload, boundaries: [], zstandard, into: &buffer) {
            Trailer.append(indexOffset: UInt64(offset), to: &buffer)
            try flush()
        }
        state = .ended
        do { try file.close() } catch { throw Self.failure("cannot close the trace", file.name, error) }
    }

    /// Gives the trace up: removes the file if this writer made or replaced it. Devices, pipes and files that were not
    /// yet written to stay.
    package func discard() {
        let hasReplaced = kind == .regular && state != .opened
        state = .ended
        if isNew || hasReplaced { TraceFile.remove(path) }
    }

    private func begin() throws(TraceError) {
        if state != .opened { return }
        state = .begun
        if kind == .regular, !isNew {
            do { try file.empty() } catch { throw Self.failure("cannot replace the trace", path, error) }
        }
        buffer.removeAll(keepingCapacity: true)
        FileHeader.append(to: &buffer)
        try flush()
        try writeMeta()
    }

    private func writeMeta() throws(TraceError) {
        var payload: [UInt8] = []
        meta.append(to: &payload)
        let offset = bytesWritten
        buffer.removeAll(keepingCapacity: true)
        var header = BlockHeader(type: .meta, number: UInt32(index.entries.count))
        guard payload.count <= TraceLimits.metaBytes,
            BlockEncoder.seal(&header, payload: payload, boundaries: [], zstandard, into: &buffer)
        else {
            throw TraceError(
                .output, what: "cannot write the trace", location: file.name,
                why: "its description takes \(payload.count) bytes, more than \(TraceLimits.metaBytes)")
        }
        try flush()
        writtenMeta = meta
        index.entries.append(BlockIndex.Entry(type: BlockType.meta.rawValue, offset: offset))
    }

    /// A block that does not fit on the disk is taken back: what remains is a valid trace.
    private func flush() throws(TraceError) {
        do { try file.write(buffer) } catch {
            if kind == .regular { file.cut(to: bytesWritten) }
            throw Self.failure("cannot write the trace", file.name, error)
        }
        bytesWritten += Int64(buffer.count)
    }

    private static func failure(_ what: String, _ location: String, _ failure: TraceFile.Failure) -> TraceError {
        TraceError(
            failure.isClosedPipe ? .closedPipe : .output, what: what, location: location, why: failure.text,
            remedy: failure.remedy)
    }
}
