import TLSRecords
import Wire

/// A TLS connection as the machine hears it, and what it said.
struct Listener {
    enum Heard: Equatable {
        case started(Direction)
        case data(Direction, [UInt8])
        case gap(Direction, Int, isExact: Bool)
    }

    let limits: TLSLimits
    var log: KeyLog
    var connection: TLSConnection
    private var budget: TrialBudget
    private var output = TLSOutput()
    private(set) var heard: [Heard] = []
    private(set) var times: [Int64] = []
    private var now: Int64 = 0

    init(keyLog: String = "", limits: TLSLimits = TLSLimits()) {
        self.limits = limits
        log = KeyLog(limits: limits)
        connection = TLSConnection(limits: limits)
        budget = TrialBudget(limits: limits)
        receive(keyLog: keyLog)
    }

    mutating func receive(keyLog text: String) {
        var reader = KeyLogText(limits: limits)
        reader.receive(Array(text.utf8).span, into: &log)
        reader.finish(into: &log)
        connection.receiveSecrets(log: &log, budget: &budget, into: &output)
        take()
    }

    /// Each call is a moment later than the one before; the first is 1.
    mutating func receive(_ bytes: [UInt8], _ direction: Direction) {
        now += 1
        connection.receive(
            bytes.span, direction, at: CaptureTime(nanoseconds: now), log: &log, budget: &budget, into: &output)
        take()
    }

    /// The same in pieces of the given sizes, over and over.
    mutating func receive(_ bytes: [UInt8], _ direction: Direction, pieces: [Int]) {
        var offset = 0
        var index = 0
        while offset < bytes.count {
            let end = min(offset + max(1, pieces[index % pieces.count]), bytes.count)
            receive(Array(bytes[offset..<end]), direction)
            offset = end
            index += 1
        }
    }

    mutating func finish() {
        connection.finish(at: CaptureTime(nanoseconds: now + 1), into: &output)
        take()
    }

    private mutating func take() {
        for event in output.events {
            switch event.kind {
            case .started: heard.append(.started(event.direction))
            case .gap: heard.append(.gap(event.direction, event.count, isExact: event.isExact))
            case .data:
                heard.append(.data(event.direction, Array(output.plaintext[event.bytes])))
                times.append(event.time.nanoseconds)
            }
        }
        output.removeAll()
    }

    /// All data of a direction.
    func data(_ direction: Direction) -> [UInt8] {
        heard.flatMap { heard -> [UInt8] in
            if case .data(direction, let bytes) = heard { return bytes }
            return []
        }
    }

    /// What was said of one direction.
    func heard(_ direction: Direction) -> [Heard] {
        heard.filter {
            switch $0 {
            case .started(let other), .data(let other, _), .gap(let other, _, _): other == direction
            }
        }
    }
}
