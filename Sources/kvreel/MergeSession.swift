import Analysis
import Etcd
import Report
import Trace
import Wire

/// Merges recordings, or the shards of a replay, into one trace, batch by batch.
struct MergeSession {
    private let files: [MergeFile]
    private let sources: [MergeSource]
    private let isReplay: Bool
    private let meta: TraceMeta
    private let output: String
    private let force: Bool

    init(_ traces: [String], output: String, force: Bool) throws {
        let files = try traces.map { try MergeFile($0) }
        let isReplay = files[0].isReplay
        self.files = files
        self.isReplay = isReplay
        self.output = output
        self.force = force
        var identities: Set<FileIdentity> = []
        for file in files {
            if let identity = file.identity, !identities.insert(identity).inserted {
                throw Failure(
                    .usage, "\(file.path) is named twice: every operation of it would count twice",
                    remedy: "Name each trace once.")
            }
        }
        if let other = files.first(where: { $0.isReplay != isReplay }) {
            throw Failure(
                .input,
                "cannot merge: \(other.path): it is a \(isReplay ? "recording" : "replay"), and \(files[0].path) is a "
                    + (isReplay ? "replay" : "recording"),
                remedy: "Merge recordings with recordings, and shards of one replay with each other.")
        }
        if isReplay {
            sources = files.map { MergeSource([$0]) }
            do throws(ShardError) {
                meta = try RunShards(files.map { RunShards.Shard(name: $0.path, meta: $0.meta) }).meta
            } catch { throw Failure(.input, "cannot merge: \(error.name): \(error.why)", remedy: error.remedy) }
        } else {
            sources = try MergeSource.sources(of: files)
            var meta = TraceMeta.merged(sources.map { $0.files[0].meta })
            meta["merged"] = "\(files.count)"
            self.meta = meta
        }
        if sources.count > TraceLimits.mergedSources {
            throw Failure(
                .input,
                "cannot merge: \(Terminal.counted(sources.count, isReplay ? "shard" : "recording")), at most "
                    + "\(TraceLimits.mergedSources) at a time",
                remedy: "Merge some of them first, and then what came of it.")
        }
    }

    /// Throws `ExitStatus.untrusted` where something is missing, and `ExitStatus.interrupted`.
    func run(until interruption: Interruption, quiet: Bool) throws {
        var coverage = Coverage()
        let writer: TraceWriter
        do throws(TraceError) {
            writer = try TraceWriter(
                path: output, force: force, inputs: files.compactMap(\.identity), meta: meta)
        } catch { throw Failure(error) }
        do { try merge(into: writer, until: interruption, &coverage) } catch let error as TraceError {
            // Who reads our output has enough.
            if error.kind == .closedPipe { return }
            if writer.operationsWritten == 0 { writer.discard() }
            throw Failure(error)
        } catch {
            if writer.operationsWritten == 0 { writer.discard() }
            throw error
        }
        if interruption.isRequested {
            writer.discard()
            throw ExitStatus.interrupted
        }
        if !quiet {
            let name = output == "-" ? "standard output" : Terminal.printable(output)
            StandardError.write(
                "\(name): \(Terminal.counted(writer.operationsWritten, "operation")) of "
                    + "\(Terminal.counted(files.count, "trace")), \(Terminal.counted(writer.bytesWritten, "byte"))\n")
        }
        StandardError.write(coverage.line + "\n")
        let missing = ShardSet(meta[.shard] ?? "")?.missing ?? []
        if !missing.isEmpty {
            StandardError.warn(
                "\(output) is a part of a run: without \(missing.count == 1 ? "shard" : "shards") "
                    + missing.map { "\($0)" }.joined(separator: ", "))
        }
        if !missing.isEmpty || sources.contains(where: \.isIncomplete) { throw ExitStatus.untrusted }
    }

    private func merge(
        into writer: TraceWriter, until interruption: Interruption, _ coverage: inout Coverage
    ) throws {
        // Of what was never recorded, only its maker knows what was there before.
        let isGiven = isReplay || files.contains { $0.meta["generated"] != nil }
        var merge = BatchMerge(sources: sources.count, observed: isGiven ? .asGiven : .anew)
        var batch = OperationBatch()
        while !interruption.isRequested,
            try merge.next(into: &batch, read: { try sources[$0].next(into: &$1) })
        {
            coverage.add(batch)
            try writer.write(batch)
        }
        if !interruption.isRequested { try writer.finish() }
    }
}
