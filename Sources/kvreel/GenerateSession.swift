import Analysis
import Etcd
import Trace
import Wire

/// Writes a generated trace, batch by batch.
final class GenerateSession {
    private let output: String
    private let force: Bool
    private let inputs: [FileIdentity]
    private let meta: TraceMeta
    private var coverage = Coverage()
    private var operations: Int64 = 0
    private var bytes: Int64 = 0

    init(output: String, force: Bool, inputs: [FileIdentity], meta: TraceMeta) {
        self.output = output
        self.force = force
        self.inputs = inputs
        self.meta = meta
    }

    /// Writes all that `next` gives. Throws `ExitStatus.interrupted` after a clean end.
    func run(until interruption: Interruption, next: (inout OperationBatch) -> Bool) throws {
        var batch = OperationBatch()
        do throws(TraceError) {
            let writer = try TraceWriter(path: output, force: force, inputs: inputs, meta: meta)
            while !interruption.isRequested, next(&batch) {
                coverage.add(batch)
                do throws(TraceError) { try writer.write(batch) } catch {
                    if writer.operationsWritten == 0, error.kind != .closedPipe { writer.discard() }
                    throw error
                }
            }
            try writer.finish()
            operations = writer.operationsWritten
            bytes = writer.bytesWritten
        } catch {
            // Who reads our output has enough.
            if error.kind == .closedPipe { return }
            throw Failure(error)
        }
        if interruption.isRequested { throw ExitStatus.interrupted }
    }

    /// Says what was made, and the coverage of what it was made of.
    func report(quiet: Bool, words: String) {
        if !quiet {
            StandardError.write(
                "\(output): \(Terminal.counted(operations, "operation")), \(Terminal.counted(bytes, "byte"))\n" + words)
        }
        StandardError.write(coverage.line + "\n")
    }
}
