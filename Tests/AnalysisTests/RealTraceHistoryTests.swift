import Analysis
import Consistency
import Etcd
import Foundation
import Testing
import Trace
import Wire

@Suite("Histories of real traces, changed")
struct RealTraceHistoryTests {
    private static func mapped(_ name: String) throws -> TraceHistory {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let bytes = try Data(contentsOf: root.appending(path: "traces/format-1/\(name).kvr"))
        let reader = try TraceReader(bytes: Array(bytes), name: name)
        var mapping = TraceHistory()
        var batch = OperationBatch()
        while try reader.next(into: &batch) { mapping.add(batch) }
        mapping.finish()
        return mapping
    }

    @Test(
        "with the answers of two reads exchanged, a history is no longer linearizable",
        arguments: ["netcraq-scale", "netcraq-uncached"])
    func exchangedReads(_ name: String) throws {
        let history = try Self.mapped(name).history
        #expect(HistoryCheck(history).verdict == .linearizable)
        var random = SplitMix64(seed: 9)
        // Pairs of reads of a key, one after the other, that found different revisions.
        let reads = history.operations.indices.filter {
            history.operations[$0].kind == .read && history.operations[$0].value > 0
        }
        let byKey = Dictionary(grouping: reads) { history.operations[$0].key }.values
            .map { $0.sorted { history.operations[$0].call < history.operations[$1].call } }
            .sorted { ($0.first ?? 0) < ($1.first ?? 0) }
        var tried = 0
        for _ in 0..<200 {
            let ofKey = byKey[random.below(byKey.count)]
            let (first, second) = (ofKey[random.below(ofKey.count)], ofKey[random.below(ofKey.count)])
            let (one, other) = (history.operations[first], history.operations[second])
            guard one.return < other.call, one.value != other.value else { continue }
            tried += 1
            var changed = history
            (changed.operations[first].value, changed.operations[first].expect) = (other.value, other.expect)
            (changed.operations[second].value, changed.operations[second].expect) = (one.value, one.expect)
            let check = HistoryCheck(changed)
            #expect(check.verdict == .violation)
            #expect(check.counterexample?.operations.count ?? 9 <= 3)
            // A read moved behind one that found a later revision.
            changed = history
            let length = one.return - one.call
            changed.operations[first].call = other.return + 1
            changed.operations[first].return = other.return + 1 + length
            #expect(HistoryCheck(changed).verdict == .violation)
        }
        #expect(tried >= 10, "\(tried)")
    }
}
