import ChainRuntime
import Chains

/// What `kvreel serve` prints for people.
enum ServeText {
    /// Where each node listens.
    static func nodes(_ addresses: [NodeAddress]) -> String {
        addresses.enumerated()
            .map { index, address in
                "node \(index + 1): requests \(address.request), frames \(address.fabric)\n"
            }
            .joined()
    }

    /// What happened, so many nanoseconds after the start.
    static func line(_ event: String, after time: UInt64) -> String {
        let micros = String(time / 1000 % 1_000_000)
        let seconds = "\(time / 1_000_000_000)." + String(repeating: "0", count: 6 - micros.count) + micros
        return "\(seconds) \(event)\n"
    }

    /// Streams of the control interface that were closed, if any were.
    static func closedStreams(_ counts: ControlCounts) -> String {
        let reasons = [
            ("malformed", counts.malformed), ("too many", counts.refused), ("silent", counts.silent),
            ("not reading", counts.slow),
        ]
        let said = reasons.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
        return said.isEmpty ? "" : "control streams closed: " + said.joined(separator: ", ") + "\n"
    }

    /// The nodes' counters as another process told them.
    static func table(_ counts: [NodeCounts], _ addresses: [NodeAddress]) -> String {
        table(counts.map { NodeStatistics($0.counts) ?? NodeStatistics() }, addresses)
    }

    /// The nodes' counters, a column a node.
    static func table(_ statistics: [NodeStatistics], _ addresses: [NodeAddress]) -> String {
        var rows = [["node"] + addresses.map { Endpoint.text(of: $0.address) }]
        func row(_ name: String, _ value: (NodeStatistics) -> Int, isAlwaysShown: Bool = true) {
            let values = statistics.map(value)
            if isAlwaysShown || values.contains(where: { $0 != 0 }) { rows.append([name] + values.map(String.init)) }
        }
        row("packets in") { $0.machine.packetsIn }
        row("packets out") { $0.machine.packetsOut }
        row("reads clean") { $0.machine.readsClean }
        row("reads dirty") { $0.machine.readsDirty }
        row("writes") { $0.machine.writes }
        row("processor ms") { Int($0.processorTime / 1_000_000) }
        // Whatever was not handled, by reason, where there was any.
        row("malformed", { $0.machine.malformed }, isAlwaysShown: false)
        row("too long", { $0.tooLong }, isAlwaysShown: false)
        row("foreign", { $0.machine.foreign + $0.foreignFabric }, isAlwaysShown: false)
        row("over the limit", { $0.overLimit }, isAlwaysShown: false)
        row("dropped by the system", { $0.systemDrops }, isAlwaysShown: false)
        row("not sent", { $0.sends.failed + $0.sends.dropped }, isAlwaysShown: false)
        row("unknown keys", { $0.machine.unknownKeys }, isAlwaysShown: false)
        row("out of versions", { $0.machine.versionOverflows }, isAlwaysShown: false)
        row("stale writes", { $0.machine.writesStale }, isAlwaysShown: false)
        row("stopped", { $0.machine.stopped }, isAlwaysShown: false)
        row("nowhere to go", { $0.machine.unroutable + $0.machine.expired }, isAlwaysShown: false)
        row("rejections", { $0.machine.rejections }, isAlwaysShown: false)
        row("sent again", { $0.machine.resent }, isAlwaysShown: false)
        row("other epochs", { $0.machine.otherEpochs }, isAlwaysShown: false)
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { cells in
            cells.enumerated()
                .map { column, cell in
                    let space = String(repeating: " ", count: widths[column] - cell.count)
                    return column == 0 ? cell + space : "  " + space + cell
                }
                .joined() + "\n"
        }
        .joined()
    }
}
