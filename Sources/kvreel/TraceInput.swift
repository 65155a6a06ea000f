import Etcd
import Trace
import Wire

/// A trace that a command reads, with what must be said when part of it is lost.
struct TraceInput {
    let path: String
    private let reader: TraceReader

    init(_ path: String) throws {
        self.path = path
        do { reader = try TraceReader(path: path) } catch { throw Failure(error) }
    }

    /// Reads a trace that lies in memory; `name` stands for its path in messages.
    init(bytes: [UInt8], name: String) throws {
        path = name
        do { reader = try TraceReader(bytes: bytes, name: name) } catch { throw Failure(error) }
    }

    var identity: FileIdentity? { reader.identity }
    var meta: TraceMeta { reader.meta }
    var summary: TraceSummary { reader.summary }
    var damage: TraceDamage { reader.damage }

    /// Reads the next block's operations in place of those in the batch; false at the end.
    func next(into batch: inout OperationBatch) throws -> Bool {
        do { return try reader.next(into: &batch) } catch { throw Failure(error) }
    }

    /// After the end: warns of what was lost. Returns whether blocks from within the trace are missing, so that results
    /// must not be trusted; a trace that is merely cut short, as by a crash, holds for the time until then, unless
    /// nothing is left of it.
    func warnOfDamage() -> Bool {
        let damage = damage
        if damage.isNone { return false }
        if damage.isCutShort {
            StandardError.warn(
                "\(path) is cut short: the recording was interrupted or is still going on; what it holds covers "
                    + Terminal.counted(summary.operations, "operation")
                    + (damage.bytesAtEnd > 0
                        ? ", without \(Terminal.counted(damage.bytesAtEnd, "byte")) at its end" : ""))
            let isNothingLeft = summary.operations == 0 && damage.unreadableBytes > 0
            if damage.newerBlocks == 0, !damage.isWithin { return isNothingLeft }
        }
        if damage.newerBlocks > 0 {
            StandardError.warn(
                "\(path): left out \(Terminal.counted(damage.newerBlocks, "block")) of a newer version of kvreel")
        }
        // Of a whole trace nothing may be missing at the end either.
        let lostBlocks = damage.lostBlocks - (damage.isCutShort ? damage.blocksAtEnd : 0)
        let lostBytes = damage.unreadableBytes - (damage.isCutShort ? damage.bytesAtEnd : 0)
        if lostBlocks > 0 || lostBytes > 0 {
            StandardError.warn(
                "\(path) is damaged, without \(Terminal.counted(lostBlocks, "block")) "
                    + "(\(Terminal.counted(lostBytes, "byte"))): figures are too small")
        }
        return true
    }
}
