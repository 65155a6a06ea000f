import Packets
import TLSRecords
import Wire

/// What the pipeline shares between TLS connections: the secrets, the bounds of trials, and where plaintext goes.
struct Decryption {
    /// Counts of connections that are over, or of all.
    struct Totals {
        var connections = 0
        var health = TLSHealth()

        mutating func add(_ connection: TLSConnection) {
            if connection.isReadable { connections += 1 }
            health = health + connection.health
        }
    }

    private let limits: TLSLimits
    private(set) var log: KeyLog
    private var followed: KeyLogText
    private var budget: TrialBudget
    private var ended = Totals()
    var output = TLSOutput()

    init(limits: TLSLimits) {
        self.limits = limits
        log = KeyLog(limits: limits)
        followed = KeyLogText(limits: limits)
        budget = TrialBudget(limits: limits)
    }

    mutating func receiveKeyLog(_ bytes: Span<UInt8>) { followed.receive(bytes, into: &log) }

    mutating func finishKeyLog() { followed.finish(into: &log) }

    mutating func receiveKeyLog(block bytes: Span<UInt8>) {
        var text = KeyLogText(limits: limits)
        text.receive(bytes, into: &log)
        text.finish(into: &log)
    }

    /// Decrypts the bytes of `event` into `output`.
    mutating func receive(_ bytes: Span<UInt8>, _ event: StreamEvent, _ tls: inout TLSConnection?) {
        tls?.receive(bytes, event.direction, at: event.time, log: &log, budget: &budget, into: &output)
    }

    /// Tries again what waits for secrets.
    mutating func receiveSecrets(_ tls: inout TLSConnection?) {
        tls?.receiveSecrets(log: &log, budget: &budget, into: &output)
    }

    /// The connection is over.
    mutating func finish(_ tls: inout TLSConnection?, at time: CaptureTime) {
        tls?.finish(at: time, into: &output)
        if let tls { ended.add(tls) }
    }

    /// Totals of the connections that are over and of those that are open.
    func ended(with open: [RecordedConnection]) -> Totals {
        var totals = ended
        for connection in open where connection.isOpen {
            if let tls = connection.tls { totals.add(tls) }
        }
        return totals
    }
}
