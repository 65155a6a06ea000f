import Analysis
import Etcd
import Trace

/// What `info` says of a trace that is a replay.
struct ReplayFacts {
    /// Calls and messages with a record, of the first time that the plan was run: later ones meet another store.
    private var compared = 0
    private var different = 0
    private var hasRecords = false

    mutating func add(_ batch: borrowing OperationBatch) {
        if batch.replays.isEmpty { return }
        hasRecords = true
        for (place, record) in batch.replays.enumerated() where record.loop == 0 {
            if case .event = batch.operations[place].role { continue }
            compared += 1
            if record.difference != 0 { different += 1 }
        }
    }

    func isReplay(_ meta: TraceMeta) -> Bool { hasRecords || meta.isOfReplay }

    /// Writes the member `replay`; nothing for a recording.
    func write(to json: inout JSONWriter, meta: TraceMeta) {
        if !isReplay(meta) { return }
        json.name("replay")
        json.beginObject()
        if let traces = meta[.traces] {
            json.name("of")
            json.beginArray()
            for trace in traces.split(separator: "\n") { json.value(String(trace)) }
            json.endArray()
        }
        let members: [(TraceMeta.ReplayEntry, String)] = [
            (.backend, "backend"), (.schedule, "schedule"), (.order, "order"), (.verdict, "verdict"), (.rule, "rule"),
            (.fidelity, "fidelity"),
        ]
        for (entry, name) in members { if let value = meta[entry] { json.member(name, value) } }
        json.member("outcomes", compared)
        json.member("different", different)
        json.endObject()
    }

    /// For the text: label and value; empty for a recording.
    func rows(_ meta: TraceMeta) -> [(String, String)] {
        if !isReplay(meta) { return [] }
        let traces = meta[.traces]?.split(separator: "\n").joined(separator: ", ")
        var rows = [("replay of", Terminal.printable(traces ?? "a trace that it does not name"))]
        let named: [(TraceMeta.ReplayEntry, String)] = [
            (.backend, "on"), (.schedule, "schedule"), (.order, "order"), (.fidelity, "fidelity"),
        ]
        for (entry, label) in named { if let value = meta[entry] { rows.append((label, Terminal.printable(value))) } }
        rows.append(
            (
                "outcomes",
                "\(Terminal.grouped(compared - different)) as recorded, \(Terminal.grouped(different)) different"
            ))
        let verdict = meta[.verdict] ?? "none: the replay did not come to its end"
        rows.append(("verdict", Terminal.printable(verdict + (meta[.rule].map { ": " + $0 } ?? ""))))
        return rows
    }

    static func isReplayEntry(_ name: String) -> Bool { TraceMeta.ReplayEntry(rawValue: name) != nil }
}
