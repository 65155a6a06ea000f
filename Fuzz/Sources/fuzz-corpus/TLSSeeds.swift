import Foundation
import FuzzLaws
import Packets
import Wire

/// What encrypted connections of a recording carried, with the lines of a key log beside it, as inputs of
/// `tls-records`.
struct TLSSeeds {
    /// The bytes of one connection as they came, until there are enough.
    private struct Connection {
        var input: TLSInput
        var isWhole = false
    }

    /// Certificates of both sides alone are more than other targets' seeds.
    private static let seedBytes = 4 * SeedCutter.seedBytes

    private(set) var inputs: [[UInt8]] = []
    /// Lines of the key log, by the client random that they name.
    private let lines: [Substring: [UInt8]]
    private var tracker = ConnectionTracker(ports: [2379])
    private var connections: [Int: Connection] = [:]

    init(keyLog: URL) throws {
        var lines: [Substring: [UInt8]] = [:]
        for line in try String(contentsOf: keyLog, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            // Exporter secrets open no records.
            guard words.count == 3, !words[0].hasPrefix("EXPORTER") else { continue }
            lines[words[1], default: []] += Array("\(line)\n".utf8)
        }
        self.lines = lines
    }

    mutating func read(_ packets: [SeedCutter.Packet]) {
        var events: [StreamEvent] = []
        for packet in packets {
            tracker.receive(
                packet.bytes.span, originalLength: packet.bytes.count, linkType: packet.linkType, at: packet.time,
                into: &events)
            for event in events where event.kind == .data {
                take(Array((event.source == .packet ? packet.bytes : tracker.released)[event.bytes]), event)
            }
            events.removeAll(keepingCapacity: true)
        }
    }

    private mutating func take(_ bytes: [UInt8], _ event: StreamEvent) {
        if connections[event.slot] == nil {
            // A ClientHello (RFC 8446 §4): its random lies behind the headers and the version.
            guard event.direction == .request, bytes.count > 43, bytes[0] == 22, bytes[5] == 1 else { return }
            let random = bytes[11..<43].map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            var input = TLSInput(isFromStart: true)
            input.append(.keyLog, .request, lines[random[...]] ?? [])
            connections[event.slot] = Connection(input: input)
        }
        guard var connection = connections[event.slot], !connection.isWhole else { return }
        connections[event.slot] = nil
        let room = Self.seedBytes - connection.input.bytes.count - TLSInput.headerBytes
        if room > 0 { connection.input.append(.bytes, event.direction, Array(bytes.prefix(room))) }
        if room <= bytes.count {
            connection.isWhole = true
            inputs.append(connection.input.bytes)
        }
        connections[event.slot] = connection
    }

    // MARK: What no recording holds

    /// Connections of the peer whose secrets are constants.
    static let ofPeer: [[UInt8]] = [
        talk(isFromStart: true, isTLS12: false), talk(isFromStart: true, isTLS12: true),
        talk(isFromStart: false, isTLS12: false), earlyData(), lateSecrets(),
    ]

    /// Details of sealed records, as `TLSInput.Kind.sealed` has them.
    private enum Sealed {
        static let data: UInt8 = 0
        static let handshake: UInt8 = 1
        static let earlyData: UInt8 = 2
        static let keyUpdate: UInt8 = 4
        static let endOfEarlyData: UInt8 = 6
        static let ticket: UInt8 = 8
        static let padded: UInt8 = 12
    }

    private static let allSecrets: UInt8 = 15

    private static func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(0x61 + $0 % 26) } }

    private static func begin(_ input: inout TLSInput) {
        input.append(.hello, .request)
        input.append(.hello, .response)
        input.append(.sealed, .response, detail: Sealed.handshake, text(60))
        input.append(.sealed, .request, detail: Sealed.handshake, text(30))
    }

    private static func talk(isFromStart: Bool, isTLS12: Bool) -> [UInt8] {
        var input = TLSInput(isFromStart: isFromStart, isTLS12: isTLS12)
        input.append(.secrets, .request, detail: allSecrets)
        if isFromStart { begin(&input) }
        input.append(.sealed, .response, detail: Sealed.ticket, text(20))
        for count in [5, 40, 3, 100] {
            input.append(.sealed, .request, detail: Sealed.data, text(count))
            input.append(.sealed, .response, detail: Sealed.data, text(2 * count))
        }
        input.append(loss: 70, .request)
        input.append(.sealed, .request, detail: Sealed.data, text(60))
        for direction in Direction.allCases {
            input.append(.sealed, direction, detail: Sealed.data, text(9))
            input.append(.sealed, direction, detail: Sealed.keyUpdate)
            input.append(.sealed, direction, detail: Sealed.data, text(12))
            input.append(.sealed, direction, detail: Sealed.padded, text(7))
        }
        return input.bytes
    }

    private static func earlyData() -> [UInt8] {
        var input = TLSInput(isFromStart: true)
        input.append(.secrets, .request, detail: allSecrets)
        input.append(.hello, .request, detail: 1)
        input.append(.sealed, .request, detail: Sealed.earlyData, text(30))
        input.append(.sealed, .request, detail: Sealed.earlyData, text(20))
        input.append(.hello, .response)
        input.append(.sealed, .request, detail: Sealed.endOfEarlyData)
        input.append(.sealed, .request, detail: Sealed.handshake, text(30))
        input.append(.sealed, .request, detail: Sealed.data, text(10))
        return input.bytes
    }

    private static func lateSecrets() -> [UInt8] {
        var input = TLSInput(isFromStart: true)
        begin(&input)
        for direction in Direction.allCases { input.append(.sealed, direction, detail: Sealed.data, text(10)) }
        input.append(.secrets, .request, detail: allSecrets)
        for direction in Direction.allCases { input.append(.sealed, direction, detail: Sealed.data, text(20)) }
        return input.bytes
    }
}
