package import Etcd

/// How much of what was on the wire the figures stand on: shown with every result.
package struct Coverage: Sendable, Equatable {
    /// Calls that began inside the recording, by how their method is known.
    package var seen = 0
    package var inferred = 0
    package var ambiguous = 0
    /// Requests with a known method of whose message bytes were lost, so that its details are not known.
    package var lost = 0
    /// Requests with a known method whose message is malformed, too large or cannot be inflated.
    package var undecoded = 0
    /// Requests whose answer was not seen whole, though neither side broke them off: none of the open streams.
    package var unanswered = 0
    /// Holes given up, and TCP payload bytes known to be missing.
    package var gaps = 0
    package var lostBytes = 0
    /// Packets that a live recording dropped: the kernel's buffer, or the ring behind it, was full.
    package var droppedPackets = 0
    /// TCP connections with payload, and those of them that are encrypted, without keys.
    package var connections = 0
    package var encryptedConnections = 0

    package init() {}

    package var requests: Int { seen + inferred + ambiguous }
    /// Requests of which both the method and the message are known.
    package var decoded: Int { max(0, seen + inferred - lost - undecoded) }

    /// Takes the totals of the recording, in place of earlier ones.
    package mutating func take(_ health: RecordingHealth) {
        gaps = max(0, Int(health[.gaps]))
        lostBytes = max(0, Int(health[.lostBytes]))
        droppedPackets = max(
            0,
            Self.clampedSum(
                Int(health[.packetsDroppedByKernel]), Int(health[.packetsDroppedByRing])))
        connections = max(0, Int(health[.connections]))
        encryptedConnections = max(0, Int(health[.connectionsEncrypted]))
    }

    /// Counts a batch's calls and takes its totals: all that the coverage line needs, without an analysis.
    package mutating func add(_ batch: borrowing OperationBatch) {
        // By index: operations are large, and of each only a few fields are read.
        for index in batch.operations.indices
        where batch.operations[index].role == .call && !batch.operations[index].completeness.has(.openedBefore) {
            count(batch.operations[index])
        }
        take(batch.health)
    }

    /// Counts one call that began inside the recording.
    @inline(__always)
    mutating func count(_ call: Operation) {
        switch call.evidence {
        case .seen: seen += 1
        case .inferred: inferred += 1
        case .ambiguous: ambiguous += 1
        }
        let flags = call.completeness
        if call.evidence != .ambiguous {
            if flags.has(.requestDamaged) || flags.has(.keyLost) {
                lost += 1
            } else if flags.has(.requestUndecoded) {
                undecoded += 1
            }
        }
        if flags.has(.responseDamaged) {
            unanswered += 1
        } else if !flags.has(.completed), !flags.has(.resetByClient), !flags.has(.resetByServer) {
            // Streams are open as long as their client likes.
            if (MethodCatalogue.method(call.method)?.streaming ?? .unary) == .unary { unanswered += 1 }
        }
    }

    /// The coverage line: one line, one form. Rounds down, so that it says 100.00 % only when nothing is missing.
    package var line: String {
        var line = "coverage: "
        if requests == 0 {
            line += "no requests"
            if gaps > 0 { line += " (\(Figures.counted(gaps, "gap")))" }
        } else {
            let hundredths = Int((Int64(decoded) * 10_000) / Int64(requests))
            line += "\(hundredths / 100).\(Figures.twoDigits(hundredths % 100)) % of "
            line += Figures.counted(requests, "request") + " decoded (\(Figures.count(lost)) lost to "
            // Cut packets, fragments and damaged frames leave no gap, and cost requests all the same.
            line += gaps == 0 && lost > 0 ? "cut or damaged packets" : Figures.counted(gaps, "gap")
            line += ", \(Figures.count(ambiguous)) ambiguous"
            if inferred > 0 { line += ", \(Figures.count(inferred)) inferred" }
            if undecoded > 0 { line += ", \(Figures.count(undecoded)) undecodable" }
            if unanswered > 0 { line += ", \(Figures.count(unanswered)) without a whole answer" }
            line += ")"
        }
        if lostBytes > 0 { line += ", \(Figures.counted(lostBytes, "byte")) missing" }
        if droppedPackets > 0 { line += ", \(Figures.counted(droppedPackets, "packet")) dropped" }
        line += ", \(Figures.count(encryptedConnections)) of \(Figures.counted(connections, "connection"))"
        line += " encrypted without keys"
        return line
    }

    private static func clampedSum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    package static func + (left: Coverage, right: Coverage) -> Coverage {
        var sum = left
        sum.seen += right.seen
        sum.inferred += right.inferred
        sum.ambiguous += right.ambiguous
        sum.lost += right.lost
        sum.undecoded += right.undecoded
        sum.unanswered += right.unanswered
        // A trace may say what it likes of these: no operation stands behind them.
        sum.gaps = clampedSum(left.gaps, right.gaps)
        sum.lostBytes = clampedSum(left.lostBytes, right.lostBytes)
        sum.droppedPackets = clampedSum(left.droppedPackets, right.droppedPackets)
        sum.connections = clampedSum(left.connections, right.connections)
        sum.encryptedConnections = clampedSum(left.encryptedConnections, right.encryptedConnections)
        return sum
    }
}
