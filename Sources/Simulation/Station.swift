/// What it costs a station to handle a packet, and how many may wait.
package struct ServiceModel: Equatable, Sendable {
    /// Nanoseconds a packet.
    package var perPacket: UInt64
    /// Picoseconds a payload byte.
    package var perByte: UInt64
    /// Packets that wait at most; one more is dropped.
    package var queueLimit: Int
    /// Whether replies, those that only pass through too, cost as much as requests, or nothing.
    package var chargesReplies: Bool
    /// Whether the tail's acknowledgements cost as much as requests, or nothing.
    package var chargesAcknowledgements: Bool
    /// Bytes that every packet costs as much as, whatever its own; nil: its own.
    package var assumedBytes: Int?

    package init(
        perPacket: UInt64, perByte: UInt64, queueLimit: Int, chargesReplies: Bool = true,
        chargesAcknowledgements: Bool = true
    ) {
        self.perPacket = perPacket
        self.perByte = perByte
        self.queueLimit = queueLimit
        self.chargesReplies = chargesReplies
        self.chargesAcknowledgements = chargesAcknowledgements
    }

    /// Takes no time.
    package static let instant = ServiceModel(perPacket: 0, perByte: 0, queueLimit: SimulationLimits.queuedPackets)

    @inline(__always)
    func cost(of packet: Packet) -> UInt64 {
        switch packet.kind {
        case .request: break
        case .reply: if !chargesReplies { return 0 }
        case .acknowledgement: if !chargesAcknowledgements { return 0 }
        }
        return perPacket + UInt64(assumedBytes ?? packet.payloadBytes) * perByte / 1000
    }
}

/// A queue with one server: a switch, or the host of a client.
package struct Station: Sendable {
    package internal(set) var service: ServiceModel
    /// The shared processors it needs one of to serve; -1: it has its own.
    var processors = -1

    /// Ends of the list of waiting packets, linked in the pool; -1 where empty.
    var first = -1
    var last = -1
    package internal(set) var waiting = 0
    /// The packet being served; -1 where idle.
    var serving = -1
    /// Next of the stations that wait for a processor; -1 at the end.
    var nextForProcessor = -1
    var waitsForProcessor = false

    package internal(set) var isDown = false
    /// Until then it does nothing, though packets go on arriving.
    package internal(set) var pausedUntil: UInt64 = 0
    /// Grows with every crash, so that events of an earlier life are told apart.
    var life: UInt32 = 0
    /// When the next deadline event stands in the queue; .max where none does.
    var deadlineAt = UInt64.max
    /// How much faster than the run's time its clock goes, in millionths, and where it started.
    var clockDrift: Int64 = 0
    var clockStart: UInt64 = 0

    package internal(set) var counts = StationCounts()

    init(service: ServiceModel) { self.service = service }

    /// What its own clock shows at `time` of the run.
    @inline(__always)
    func clock(at time: UInt64) -> UInt64 {
        if clockDrift == 0 { return clockStart &+ time }
        let drift = Int64(truncatingIfNeeded: time / 1000) * clockDrift / 1000
        return UInt64(bitPattern: Int64(bitPattern: clockStart &+ time) &+ drift)
    }

    /// The time of the run at which its clock shows `reading`, a little late at most.
    func time(ofClock reading: UInt64) -> UInt64 {
        if reading <= clockStart { return 0 }
        let since = reading - clockStart
        if clockDrift == 0 { return since }
        // In microseconds, so that hours times a million fit.
        let time = Int64(truncatingIfNeeded: since / 1000) * 1_000_000 / (1_000_000 + clockDrift)
        return UInt64(max(0, time + 2)) * 1000
    }
}

/// What a station has done.
package struct StationCounts: Equatable, Sendable {
    /// Packets served, those that only pass through too.
    package var served = 0
    /// Dropped since the queue was full.
    package var overflows = 0
    /// Lost since the station was down.
    package var lostWhileDown = 0
    /// Nanoseconds of service.
    package var busy: UInt64 = 0
    package var waitingMax = 0
}

/// k processors that several stations share: each serves only while it has one of them.
struct SharedProcessors: Sendable {
    var free: Int
    /// Ends of the list of stations that wait for one.
    var first = -1
    var last = -1
}
