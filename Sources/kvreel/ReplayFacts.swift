import Analysis
import Etcd
import Trace

/// What `info` says of a trace that is a replay.
struct ReplayFacts {
    /// Calls and messages with a record, of the first time that the plan was run: later ones meet another store.
    private var calls = 0
    private var different = 0
    private var hasRecords = false

    mutating func add(_ batch: borrowing OperationBatch) {
        if batch.replays.isEmpty { return }
        hasRecords = true
        for (place, record) in batch.replays.enumerated() where record.loop == 0 {
            if case .event = batch.operations[place].role { continue }
            calls += 1
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
        for entry in TraceMeta.ReplayEntry.allCases where entry != .traces && entry.isWords {
            if let value = meta[entry] { json.member(entry.name, value) }
        }
        json.member("calls", calls)
        json.member("different", different)
        json.endObject()
    }

    /// For the text: label and value; empty for a recording.
    func rows(_ meta: TraceMeta) -> [(String, String)] {
        if !isReplay(meta) { return [] }
        var rows = [("replay of", Self.line(meta[.traces]) ?? "a trace that it does not name")]
        let apart: Set<TraceMeta.ReplayEntry> = [.traces, .verdict, .rule]
        for entry in TraceMeta.ReplayEntry.allCases where entry.isWords && !apart.contains(entry) {
            if let value = Self.line(meta[entry]) { rows.append((entry == .backend ? "on" : entry.name, value)) }
        }
        rows.append(
            ("outcomes", "\(Terminal.grouped(different)) of \(Terminal.grouped(calls)) differ from the recorded ones"))
        let verdict = Self.line(meta[.verdict]) ?? "none: the replay did not come to its end"
        rows.append(("verdict", verdict + (Self.line(meta[.rule]).map { ": " + $0 } ?? "")))
        return rows
    }

    private static func line(_ text: String?) -> String? {
        text.map { Terminal.printable($0.split(separator: "\n").joined(separator: ", ")) }
    }

    static func isReplayEntry(_ name: String) -> Bool { TraceMeta.ReplayEntry(rawValue: name) != nil }
}

extension TraceMeta.ReplayEntry {
    /// The part behind `replay.`.
    fileprivate var name: String { String(rawValue.dropFirst("replay.".count)) }
}
