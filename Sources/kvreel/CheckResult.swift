import Analysis
import Consistency

/// What `check` found, as text and as JSON.
struct CheckResult {
    let history: History
    let check: HistoryCheck
    let verdict: Verdict
    /// Where the history comes from, if not from a file of its own.
    let trace: TraceHistory?

    init(history: History) {
        self.history = history
        check = HistoryCheck(history)
        verdict = check.verdict
        trace = nil
    }

    init(trace: TraceHistory) {
        history = trace.history
        let judged = TraceCheck(trace)
        check = judged.check
        verdict = judged.verdict
        self.trace = trace
    }

    /// Why there is nothing to check.
    var whyEmpty: String {
        trace == nil ? "there are no operations in it" : "no call in it tells the latest state of a key"
    }

    var operationCount: Int { history.operations.count }
    var keyCount: Int { check.keys.reduce(0, +) }
    var verdictWord: String { "\(verdict)" }
    var isLinearizable: Bool { verdict == .linearizable }
    var showsViolation: Bool { check.counterexample != nil }

    /// Of the trace of a replay on a store that nobody else writes to: revisions that were found, beside the first of
    /// each key, more than there are writes of which the outcome is not known.
    var strangeRevisions: Int { max(0, check.unrecordedVersions - (trace?.writesInDoubt ?? 0)) }

    // MARK: Text

    /// Lines for people. The coverage line ends every result of a trace.
    func text(isQuiet: Bool, width: Int) -> String {
        var lines = [summary]
        if !isQuiet {
            if let trace { lines += Self.leftOut(trace, check) }
            if let example = check.counterexample { lines += self.lines(of: example, width) }
        }
        if let trace { lines.append(trace.coverage.line) }
        return lines.joined(separator: "\n") + "\n"
    }

    private var summary: String {
        let count = Terminal.counted(operationCount, "operation")
        let keys = Terminal.counted(keyCount, "key")
        let clients = Terminal.counted(check.clients, trace == nil ? "client" : "connection")
        let all = "\(count) of \(clients) on \(keys)"
        let pending = check.pending > 0 ? ", \(Terminal.grouped(check.pending)) of unknown outcome" : ""
        switch verdict {
        case .linearizable: return "linearizable: \(all)\(pending)"
        case .violation:
            return "violation: on \(Terminal.grouped(check.keys[Int(Verdict.violation.rawValue)])) of \(keys): \(all)"
                + pending
        case .unknown where check.verdict == .violation:
            return
                "unknown: the recorder's clock went back by up to \(Terminal.grouped(trace?.clockError ?? 0)) ns, and "
                + "nothing further apart contradicts: \(all)\(pending)"
        case .unknown:
            return "unknown: the search reached its limit on "
                + "\(Terminal.grouped(check.keys[Int(Verdict.unknown.rawValue)])) of \(keys): \(all)\(pending)"
        }
    }

    private static func leftOut(_ trace: TraceHistory, _ check: HistoryCheck) -> [String] {
        var lines = ["from \(Terminal.counted(trace.calls, "call")) of Range, Put, DeleteRange and Txn"]
        let reasons = Exclusion.allCases.filter { trace.excluded[$0] > 0 }
            .map { "\(Terminal.grouped(trace.excluded[$0])) \($0.name.replacing("_", with: " "))" }
        if !reasons.isEmpty { lines.append("left out: " + reasons.joined(separator: ", ")) }
        if check.unrecordedVersions > 0 {
            let count = Terminal.counted(check.unrecordedVersions, "revision")
            lines.append("\(count) found that no recorded call wrote: taken for writes of others")
        }
        return lines
    }

    private func lines(of example: Counterexample, _ width: Int) -> [String] {
        let named = check.violatedKeys.map(keyText)
        let others = named.filter { $0 != keyText(example.key) }
        var lines = ["", "key \(keyText(example.key)): \(example.reason)", ""]
        let drawing = HistoryDrawing(example.operations, of: history, width: width)
        lines += drawing.text.split(separator: "\n").map(String.init)
        if !others.isEmpty { lines += ["", "also: " + others.joined(separator: ", ")] }
        return lines + [""]
    }

    private func keyText(_ key: UInt32) -> String {
        KeyText.terminalText(of: history.keys.text(Int(key)))
    }

    // MARK: JSON

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("schema", "kvreel.check/1")
        json.member("input", trace == nil ? "history" : "trace")
        json.member("verdict", "\(verdict)")
        json.member("operations", history.operations.count)
        json.member("clients", check.clients)
        json.member("pending", check.pending)
        json.member("silent", check.silent)
        json.name("keys")
        json.beginCompactObject()
        json.member("count", check.keys.reduce(0, +))
        for verdict in Verdict.allCases { json.member("\(verdict)", check.keys[Int(verdict.rawValue)]) }
        json.endObject()
        if let trace {
            json.member("calls", trace.calls)
            json.member("clock_error_ns", trace.clockError)
            json.member("unrecorded_revisions", check.unrecordedVersions)
            json.name("excluded")
            json.beginObject()
            for reason in Exclusion.allCases { json.member(reason.name, trace.excluded[reason]) }
            json.endObject()
        }
        if let example = check.counterexample {
            json.name("violated_keys")
            json.beginArray()
            for key in check.violatedKeys { json.value(key: key, of: history) }
            json.endArray()
            json.name("key")
            json.value(key: example.key, of: history)
            json.member("reason", example.reason)
            json.name("smallest")
            json.beginArray()
            for operation in example.operations { json.value(operation, of: history) }
            json.endArray()
        }
        json.endObject()
    }
}

extension JSONWriter {
    /// Keys of a history are text already.
    fileprivate mutating func value(key: UInt32, of history: History) {
        value(String(decoding: history.keys.text(Int(key)), as: UTF8.self))
    }

    /// An operation with the members of a line of a history.
    mutating func value(_ operation: HistoryOperation, of history: History) {
        beginCompactObject()
        member("client", operation.client)
        name("key")
        value(key: operation.key, of: history)
        member("op", "\(operation.kind)")
        name("value")
        value(named: operation.kind == .delete ? 0 : operation.value, of: history)
        name("expect")
        value(named: operation.kind == .cas ? operation.expect : 0, of: history)
        name("ok")
        switch operation.outcome {
        case .ok: value(true)
        case .failed: value(false)
        case .unknown: null()
        }
        member("call", operation.call)
        name("return")
        if operation.return == HistoryOperation.noReturn { null() } else { value(operation.return) }
        if history.kindOfValues == .versions, operation.kind == .delete { member("revision", operation.value) }
        endObject()
    }

    private mutating func value(named number: Int64, of history: History) {
        if number == 0 { return null() }
        value(
            history.kindOfValues == .versions
                ? "\(number)" : String(decoding: history.values.text(Int(number)), as: UTF8.self))
    }
}
