import Packets
import TLSRecords
import Wire

/// The TLS connections of a recording, and what they share: secrets, bounds of trials, where plaintext goes.
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
    /// By the tracker's slots; not in `RecordedConnection`, since it is large and most have none.
    private var connections: [TLSConnection] = []
    /// Slots whose connection is TLS.
    private var isOpen: [Bool] = []
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

    // MARK: Connections

    /// The connection of that slot turned out to be TLS. `midway` are the directions of which bytes went before.
    mutating func begin(_ slot: Int, midway: [Direction]) {
        while connections.count <= slot {
            connections.append(TLSConnection(limits: limits))
            isOpen.append(false)
        }
        isOpen[slot] = true
        var connection = TLSConnection(limits: limits)
        for direction in midway { connection.joinMidway(direction) }
        connections[slot] = connection
    }

    /// Tells, before the first byte of `direction`, that it is not the first of the connection.
    mutating func joinMidway(_ slot: Int, _ direction: Direction) { connections[slot].joinMidway(direction) }

    /// Decrypts the bytes of `event` into `output`.
    mutating func receive(_ bytes: Span<UInt8>, _ event: StreamEvent) {
        connections[event.slot].receive(
            bytes, event.direction, at: event.time, log: &log, budget: &budget, into: &output)
    }

    mutating func receiveGap(_ event: StreamEvent) {
        connections[event.slot].receiveGap(event.count, event.direction)
    }

    /// Tries again what waits for secrets.
    mutating func receiveSecrets(_ slot: Int) {
        connections[slot].receiveSecrets(log: &log, budget: &budget, into: &output)
    }

    /// Lets go of what the connection holds.
    mutating func forget(_ slot: Int) { connections[slot].forget() }

    /// The connection is over; what it still said is in `output`.
    mutating func finish(_ slot: Int, at time: CaptureTime) {
        connections[slot].finish(at: time, into: &output)
        ended.add(connections[slot])
        connections[slot] = TLSConnection(limits: limits)
        isOpen[slot] = false
    }

    /// Whether records of it were opened.
    func isReadable(_ slot: Int) -> Bool { connections[slot].isReadable }
    func memoryBytes(_ slot: Int) -> Int { connections[slot].memoryBytes }

    /// Slots of connections with protected records for which secrets are missing.
    var waiting: [Int] { connections.indices.filter { connections[$0].isWaiting } }
    var isWaiting: Bool { !waiting.isEmpty }

    /// Totals of the connections that are over and of those that are open.
    var totals: Totals {
        var totals = ended
        for slot in connections.indices where isOpen[slot] { totals.add(connections[slot]) }
        return totals
    }
}
