import Packets
import Wire

/// Link layers, IP and TCP: the input is a `PacketInput`.
///
/// Not covered: that the bytes are the right ones. What that means for damaged packets no one can say; for packets
/// that are only jostled, repeated and lost the property tests of `Packets` hold it against the truth.
struct PacketLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        var reader = InputReader(bytes)
        let options = reader.byte(bytes)
        var laws = PacketLaws(limits: options & PacketInput.smallLimits != 0 ? smallLimits : TrackerLimits())
        while !reader.isAtEnd {
            let record = PacketInput.Record(&reader, bytes)
            try laws.receive(record, bytes.extracting(record.bytes))
        }
        try laws.finish()
    }

    private static let smallLimits: TrackerLimits = {
        var limits = TrackerLimits()
        limits.connections = 4
        limits.lingering = 2
        limits.heldBytesTotal = 4096
        limits.heldBytes = 2048
        limits.heldBlocks = 8
        limits.suspectedPackets = 8
        limits.waitingPackets = 16
        limits.waitingBytes = 2048
        limits.settlingPackets = 4
        limits.fragmentedDatagrams = 3
        limits.fragmentBytes = 4096
        limits.fragmentsPerDatagram = 8
        limits.fragmentPackets = 32
        return limits
    }()

    /// What was said of a connection between `.opened` and `.closed`.
    private struct Heard {
        var isOpen = false
        var dataBytes = [0, 0]
        var missingBytes = [0, 0]
        var gaps = [0, 0]
    }

    private let limits: TrackerLimits
    private var tracker: ConnectionTracker
    private var heard: [Heard] = []
    private var time = CaptureTime(nanoseconds: 1_700_000_000_000_000_000)
    private var packetCount = 0
    private var opened = 0
    private var dataBytes = 0
    private var missingBytes = 0
    private var events: [StreamEvent] = []

    private init(limits: TrackerLimits) {
        self.limits = limits
        tracker = ConnectionTracker(ports: [2379, 2380], limits: limits)
    }

    private mutating func receive(_ record: PacketInput.Record, _ packet: Span<UInt8>) throws(BrokenLaw) {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(record.step)
        time = CaptureTime(nanoseconds: overflow ? .max : sum)
        tracker.receive(
            packet, originalLength: record.originalLength, linkType: record.linkType, at: time, into: &events)
        packetCount += 1
        try note(packetBytes: packet.count)
        try BrokenLaw.unless(
            tracker.openConnections <= limits.connections, "no more connections than the limit",
            "\(tracker.openConnections)")
        // Beside what the limits name: one block of bookkeeping and one datagram that is being joined.
        let most = limits.heldBytesTotal + limits.fragmentBytes + 2 * 65_536
        try BrokenLaw.unless(
            tracker.pendingBytes >= 0 && tracker.pendingBytes <= most, "held bytes stay within the limits",
            "\(tracker.pendingBytes) of \(most)")
    }

    private mutating func finish() throws(BrokenLaw) {
        tracker.finish(at: time, into: &events)
        try note(packetBytes: 0)
        try BrokenLaw.unless(heard.allSatisfy { !$0.isOpen }, "every connection is closed at the end", "one is not")
        try BrokenLaw.unlessEqual(tracker.openConnections, 0, "no connection is open at the end")
        try BrokenLaw.unlessEqual(tracker.pendingBytes, 0, "nothing is held at the end")
        let health = tracker.health
        try BrokenLaw.unlessEqual(health.packets, packetCount, "every packet is counted")
        try BrokenLaw.unlessEqual(health.payloadBytes, dataBytes, "payload bytes are those handed on")
        try BrokenLaw.unlessEqual(health.lostBytes, missingBytes, "lost bytes are those of the gaps")
        try BrokenLaw.unless(
            health.connections <= opened && health.connectionsMidway <= health.connections,
            "connections with payload are some of all, those joined midway some of these", "\(health)")
        try BrokenLaw.unless(
            health.packetsOfOthers + health.packetsUndecodable + health.packetsOfUnknownLink <= packetCount,
            "a packet is of one kind", "\(health)")
    }

    private mutating func note(packetBytes: Int) throws(BrokenLaw) {
        let releasedBytes = tracker.released.count
        var slotsClosed: [Int] = []
        for event in events {
            let side = Int(event.direction.rawValue)
            if event.kind == .opened {
                try BrokenLaw.unless(
                    event.slot <= heard.count && !slotsClosed.contains(event.slot),
                    "slots are dense, and not used again in the same call", "\(event.slot) of \(heard.count)")
                if event.slot == heard.count { heard.append(Heard()) }
                try BrokenLaw.unless(!heard[event.slot].isOpen, "a slot is opened when it is free", "\(event.slot)")
                heard[event.slot] = Heard(isOpen: true)
                try BrokenLaw.unlessEqual(
                    tracker.connection(event.slot).number, opened, "connections are numbered as they appear")
                opened += 1
                continue
            }
            try BrokenLaw.unless(
                event.slot < heard.count && heard[event.slot].isOpen, "events are of open connections", "\(event)")
            switch event.kind {
            case .opened: break
            case .data:
                let most = event.source == .packet ? packetBytes : releasedBytes
                try BrokenLaw.unless(
                    !event.bytes.isEmpty && event.bytes.lowerBound >= 0 && event.bytes.upperBound <= most,
                    "data lies in its source", "\(event.bytes) of \(most)")
                heard[event.slot].dataBytes[side] += event.bytes.count
                dataBytes += event.bytes.count
            case .gap:
                try BrokenLaw.unless(event.count > 0, "a gap misses something", "\(event.count)")
                heard[event.slot].missingBytes[side] += event.count
                heard[event.slot].gaps[side] += 1
                missingBytes += event.count
            case .finished, .reset: break
            case .closed:
                try checkClosed(event.slot)
                heard[event.slot].isOpen = false
                slotsClosed.append(event.slot)
            }
        }
        events.removeAll(keepingCapacity: true)
    }

    /// What the tracker knows of the connection is the sum of what it said.
    private func checkClosed(_ slot: Int) throws(BrokenLaw) {
        let connection = tracker.connection(slot)
        for direction in Direction.allCases {
            let side = Int(direction.rawValue)
            let flow = connection[direction]
            try BrokenLaw.unlessEqual(
                flow.payloadBytes, heard[slot].dataBytes[side], "a flow's payload is what was handed on")
            try BrokenLaw.unlessEqual(
                flow.lostBytes, heard[slot].missingBytes[side], "a flow's lost bytes are those of its gaps")
            try BrokenLaw.unless(
                flow.gaps <= heard[slot].gaps[side], "a flow's holes are gaps", "\(flow.gaps) of \(heard[slot].gaps)")
        }
    }
}
