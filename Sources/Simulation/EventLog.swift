import Chains

/// What happened in a run, a line each, in text that a person reads. The legend is in docs/simulate.md.
package struct EventLog: Sendable {
    package enum Entry: String, Sendable {
        case sent = "send"
        case received = "recv"
        case lost
        case dropped = "drop"
        case crashed = "crash"
        case restarted = "restart"
        case paused = "pause"
    }

    /// The lines so far. The owner may take them and empty this.
    package var text: [UInt8] = []
    private let switchCount: Int

    package init(switchCount: Int) { self.switchCount = switchCount }

    private func name(of station: Int) -> String {
        station < switchCount ? "S\(station)" : "C\(station - switchCount)"
    }

    private mutating func line(_ time: UInt64, _ words: String) {
        let micros = String(time % 1_000_000_000 / 1000)
        let nanos = String(time % 1000)
        let padded = String(repeating: "0", count: 6 - micros.count) + micros
        let rest = String(repeating: "0", count: 3 - nanos.count) + nanos
        text.append(contentsOf: "\(time / 1_000_000_000).\(padded)\(rest) \(words)\n".utf8)
    }

    mutating func add(
        _ entry: Entry, at time: UInt64, from: Int, to: Int, packet: Packet, in pool: PacketPool, _ index: Int
    ) {
        let range = pool.range(of: index)
        let start = range.upperBound - packet.payloadBytes
        var hex = ""
        for byte in pool.bytes[start..<range.upperBound] {
            hex += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
        }
        let way = "\(name(of: from))>\(name(of: to))"
        line(time, "\(entry.rawValue) \(way) \(packet.kind) \(packet.client) \(packet.payloadBytes) \(hex)")
    }

    mutating func add(_ entry: Entry, at time: UInt64, station: Int) {
        line(time, "\(entry.rawValue) \(name(of: station))")
    }

    /// A line of the owner's: an operation begins or ends, the controller acts.
    package mutating func note(_ words: String, at time: UInt64) { line(time, words) }
}
