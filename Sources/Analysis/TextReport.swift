/// An analysis as text for people: no colour, no control characters, the same for the same report and width.
package struct TextReport: Sendable {
    private let report: WorkloadReport
    private let width: Int
    private let cutsKeys: Bool
    private let hotKeys: Int
    private var text = ""

    /// `width` in columns; below 60 the text is laid out for 60. `cutsKeys`: whether what is too long for a table is
    /// cut to the width, or stands whole whatever its length. `hotKeys`: how many keys each list names at most.
    package init(_ report: WorkloadReport, width: Int = 80, cutsKeys: Bool = true, hotKeys: Int = 25) {
        self.report = report
        self.width = max(60, width)
        self.cutsKeys = cutsKeys
        self.hotKeys = hotKeys
    }

    package func render() -> String {
        var copy = self
        copy.writeOpening()
        copy.writeMethods()
        // Without a single operation the tables would compare nothing with the papers.
        guard report.window != nil else { return copy.text }
        copy.writeEdgeTable()
        copy.writeChainTable()
        copy.writeHotKeys()
        copy.writePatterns()
        copy.writeWatches()
        copy.writeLeases()
        copy.writeValues()
        copy.writeDropped()
        return copy.text
    }

    // MARK: What this is

    private mutating func writeOpening() {
        let coverage = report.coverage
        if let window = report.window {
            let rate = window.seconds > 0 ? Double(coverage.requests) / window.seconds : .nan
            paragraph(
                "From the first operation to the last \(Figures.duration(nanoseconds: window.nanoseconds)): "
                    + "\(Figures.counted(coverage.requests, "request")), \(Figures.decimal(rate, places: 1)) a second, "
                    + "on \(Figures.counted(coverage.connections, "connection")).")
        } else {
            paragraph("No operation is in it, of \(Figures.counted(coverage.connections, "connection")).")
        }
        text += coverage.line + "\n"
    }

    private mutating func writeMethods() {
        heading("Operations by method")
        guard !report.methods.isEmpty else { return paragraph("No call of a known method was seen.") }
        paragraph(
            "Calls that began inside the recording, how many of them ended, how many ended in an error, and the "
                + "messages to etcd and from it. A stream is one call with many messages.")
        var table = TextTable(columns: [
            .left("method"), .right("requests"), .right("ended"), .right("errors"), .right("to etcd"),
            .right("from etcd"),
        ])
        let methods = report.methods.sorted { ($1.requests, $0.path) < ($0.requests, $1.path) }
        for method in methods {
            table.rows.append([
                EdgeTable.shortName(of: method.path), Figures.count(method.requests),
                Figures.count(method.completed), method.errors.map(Figures.count) ?? "-",
                Figures.count(method.requestMessages), Figures.count(method.responseMessages),
            ])
        }
        write(table)
        let unknown = methods.reduce(0) { $0 + $1.unknownOutcomes }
        if unknown > 0 {
            paragraph(
                "\(Figures.counted(unknown, "call")) that ended \(unknown == 1 ? "is" : "are") of unknown outcome: "
                    + "the status could not be read. \"errors\" counts the others, and is \"-\" where there are none.")
        }
    }

    // MARK: The papers

    private mutating func writeEdgeTable() {
        heading("edge-table1: what the API server asks of etcd")
        paragraph(
            "Jeffery et al. (EdgeSys '21, Table 1) counted what a Kubernetes API server asked of etcd while one "
                + "deployment was created with 3 pods, scaled to 10, to 5, and deleted. \"requested\" counts all that "
                + "a transaction lists, as the paper did; \"executed\" only the branch that ran. \"points\" is our "
                + "requested share less the paper's, in percentage points.")
        let edge = EdgeTable(runs: [report])
        write(edge.table)
        if !edge.omittedText.isEmpty { paragraph(edge.omittedText) }
        let total = edge.total
        let puts = (
            Double(report.requested.puts + report.put.requests), Double(report.executed.puts + report.put.requests)
        )
        paragraph(
            "Puts: \(percent(puts.0, total.requested)) % of what was requested, \(percent(puts.1, total.executed)) "
                + "% of what was executed; the paper says about 30 %.")
        if report.txn.requests > 0 { paragraph(shapeCheck) }
    }

    private func percent(_ part: Double, _ whole: Double) -> String { Figures.percent(whole > 0 ? part / whole : 0) }

    /// What an API server sends: creates, guarded updates and deletes (`storage/etcd3`), and the compactor's turn.
    private static let serverShapes: Set<String> = [
        "mod_revision= | put | -", "mod_revision= | put | range", "mod_revision= | delete | range",
        "mod_revision= | delete | -", "version= | put | range",
    ]

    /// Whether the figures are those of an API server at all.
    private var shapeCheck: String {
        let others = report.patterns.filter { !Self.serverShapes.contains($0.text) }.reduce(0) { $0 + $1.requests }
        let all = Figures.counted(report.txn.requests, "transaction")
        if others == 0 {
            let haveShape = report.txn.requests == 1 ? "the one transaction has" : "all \(all) have"
            return "Check: \(haveShape) a shape that an API server sends."
        }
        return "Check: \(Figures.count(others)) of \(all) \(others == 1 ? "has" : "have") a shape that no API server "
            + "sends: this is not (only) an API server's traffic."
    }

    private mutating func writeChainTable() {
        heading("netcraq-IID: reads, writes and hot keys")
        paragraph(
            "Sagkriotis and Pezaros (NetCRAQ, section II.D) counted what reached etcd while 2 pods were scaled to "
                + "25 and deleted, on 4 nodes. A write is a call that can change a key; the write share is of "
                + "single-key reads and writes together; proposals are the calls that etcd puts to consensus. Timers "
                + "make counts depend on the length of a recording: compare shares and rates.")
        write(ChainTable(report).table)
        paragraph(
            "API servers ask for keys that never exist: health checks, to see that etcd answers, and rv-probes, "
                + "to learn its current revision.")
    }

    // MARK: Keys

    private mutating func writeHotKeys() {
        writeKeys("reads", report.topReads, report.readSkew)
        writeKeys("writes", report.topWrites, report.writeSkew)
    }

    private mutating func writeKeys(_ what: String, _ keys: [WorkloadReport.KeyCount], _ skew: ZipfFit?) {
        heading("Hot keys by \(what)")
        guard !keys.isEmpty else { return paragraph("No key has \(what).") }
        let shown = keys.prefix(hotKeys)
        paragraph(
            "The \(Figures.counted(shown.count, "key")) with most \(what), of \(Figures.count(report.distinctKeys)) "
                + "that were read or written."
                + (skew.map { " Zipf exponent of all \(what): \(Figures.decimal($0.exponent, places: 2))." } ?? ""))
        var table = TextTable(columns: [.right(what), .left("kind"), .left("key")])
        for key in shown {
            table.rows.append([
                Figures.count(key.count), KeyText.harmless(key.identity.label),
                KeyText.terminalText(of: key.key),
            ])
        }
        write(table)
    }

    // MARK: Transactions, streams, values

    private mutating func writePatterns() {
        heading("Transactions")
        guard report.txn.requests > 0 else { return paragraph("None.") }
        paragraph(
            "\(Figures.counted(report.txn.requests, "transaction")) by shape: what is compared, what is done if that "
                + "holds, and what if not.")
        var table = TextTable(columns: [.right("requests"), .right("succeeded"), .right("failed"), .left("shape")])
        for pattern in report.patterns.prefix(20) {
            table.rows.append([
                Figures.count(pattern.requests), Figures.count(pattern.succeeded), Figures.count(pattern.failed),
                pattern.text,
            ])
        }
        write(table)
        let rest = report.patterns.dropFirst(20)
        if !rest.isEmpty {
            let requests = rest.reduce(0) { $0 + $1.requests }
            paragraph(
                "\(Figures.counted(rest.count, "more shape")), of \(Figures.counted(requests, "transaction")).")
        }
        let unanswered = report.txn.requests - report.txn.succeeded - report.txn.failed
        if unanswered > 0 {
            paragraph(
                "\(Figures.counted(unanswered, "transaction")) neither succeeded nor failed: etcd refused, or no "
                    + "answer could be read.")
        }
    }

    private mutating func writeWatches() {
        let watch = report.watch
        heading("Watches")
        guard watch != WorkloadReport.WatchCounts() else { return paragraph("None.") }
        paragraph(
            "Asked for: \(Figures.counted(watch.creates, "watch", plural: "watches")), "
                + "\(Figures.counted(watch.cancels, "cancellation")), "
                + "\(Figures.counted(watch.progress, "progress notice")). Answered: "
                + "\(Figures.count(watch.created)) created, \(Figures.count(watch.canceled)) cancelled. etcd sent "
                + "\(Figures.counted(watch.responses, "message")) with "
                + Figures.counted(watch.putEvents, "put event") + " and "
                + Figures.counted(watch.deleteEvents, "delete event") + "."
        )
    }

    private mutating func writeLeases() {
        let lease = report.lease
        heading("Leases")
        guard lease != WorkloadReport.LeaseCounts() else { return paragraph("None.") }
        paragraph(
            "\(Figures.count(lease.grants)) granted, \(Figures.count(lease.revokes)) revoked, "
                + "\(Figures.count(lease.keepAlives)) kept alive (request messages).")
    }

    private mutating func writeValues() {
        let values = report.values
        heading("Values written")
        guard values.count > 0 else { return paragraph("None.") }
        paragraph(
            "\(Figures.counted(values.count, "value")) of puts, in any branch, "
                + "\(Figures.counted(values.bytes, "byte")) together: "
                + "\(Figures.counted(values.smallest, "byte")) the smallest, \(Figures.count(values.median)) the "
                + "median, \(Figures.count(values.largest)) the largest.")
    }

    private mutating func writeDropped() {
        let dropped = report.dropped
        guard !dropped.isEmpty else { return }
        heading("Not in these tables")
        paragraph(
            "Limits of the analysis kept out "
                + "\(Figures.counted(dropped.keyUses, "read or write", plural: "reads and writes")) of further keys, "
                + "\(Figures.counted(dropped.patterns, "transaction")) of further shapes and "
                + "\(Figures.counted(dropped.methodCalls, "call")) of further methods; all other figures include them.")
    }

    // MARK: Layout

    private mutating func heading(_ title: String) { text += "\n\(title)\n" }

    private mutating func write(_ table: TextTable) { text += table.text(width: cutsKeys ? width : nil) }

    /// Words filled into lines of the width, two spaces before each line but the opening's.
    private mutating func paragraph(_ words: String) {
        let indent = text.isEmpty ? "" : "  "
        var line = indent
        for word in words.split(separator: " ") {
            if line.count > indent.count, line.count + 1 + word.count > width {
                text += line + "\n"
                line = indent
            }
            line += line.count > indent.count ? " " + word : String(word)
        }
        text += line + "\n"
    }
}
