import Packets
import Testing
import Wire

/// Runs a tracker and keeps what it says, as a consumer would see it.
struct Listener {
    /// One connection, from `.opened` to `.closed`.
    struct Heard: Equatable {
        var number = 0
        /// The bytes at their offsets; nil where a gap was named.
        var request: [UInt8?] = []
        var response: [UInt8?] = []
        var finished: [Direction] = []
        var wasReset = false
        var atClose: TrackedConnection?
        /// `source` of the data events.
        var sources: [StreamEvent.Source] = []
        var gaps: [Int] = []

        subscript(direction: Direction) -> [UInt8?] {
            get { direction == .request ? request : response }
            set { if direction == .request { request = newValue } else { response = newValue } }
        }
    }

    var tracker: ConnectionTracker
    /// In the order of `.opened`.
    var heard: [Heard] = []
    var pendingBytesMax = 0
    private var bySlot: [Int: Int] = [:]
    private var time = CaptureTime(nanoseconds: 0)

    init(ports: [UInt16] = [2379], limits: TrackerLimits = TrackerLimits()) {
        tracker = ConnectionTracker(ports: ports, limits: limits)
    }

    mutating func receive(_ packet: TestPacket) {
        var events: [StreamEvent] = []
        tracker.receive(
            packet.bytes.span, originalLength: packet.originalLength, linkType: packet.linkType, at: packet.time,
            into: &events)
        time = packet.time
        note(events, packet.bytes)
        pendingBytesMax = max(pendingBytesMax, tracker.pendingBytes)
    }

    mutating func receive(_ packets: [TestPacket]) {
        for packet in packets { receive(packet) }
    }

    mutating func finish() {
        var events: [StreamEvent] = []
        tracker.finish(at: time, into: &events)
        note(events, [])
        #expect(bySlot.isEmpty, "finish closes every connection")
        #expect(tracker.pendingBytes == 0, "finish lets go of all that was held")
        #expect(tracker.openConnections == 0)
    }

    private mutating func note(_ events: [StreamEvent], _ packet: [UInt8]) {
        let released = tracker.released
        for event in events {
            if event.kind == .opened {
                #expect(bySlot[event.slot] == nil, "a slot is opened only when it is free")
                bySlot[event.slot] = heard.count
                heard.append(Heard(number: tracker.connection(event.slot).number))
                continue
            }
            guard let index = bySlot[event.slot] else {
                Issue.record("\(event.kind) of slot \(event.slot), which is not open")
                return
            }
            switch event.kind {
            case .opened: break
            case .data:
                let source = event.source == .packet ? packet : released
                heard[index][event.direction] += source[event.bytes].map { $0 }
                heard[index].sources.append(event.source)
            case .gap:
                #expect(event.count > 0)
                heard[index][event.direction] += Array(repeating: nil, count: event.count)
                heard[index].gaps.append(event.count)
            case .finished: heard[index].finished.append(event.direction)
            case .reset: heard[index].wasReset = true
            case .closed:
                let connection = tracker.connection(event.slot)
                #expect(
                    connection.number == heard[index].number,
                    "a closed connection is readable until its slot is reopened")
                heard[index].atClose = connection
                bySlot[event.slot] = nil
            }
        }
    }
}

/// `abc..f` for bytes a, b, c, two missing ones and f. Only for short streams.
func text(_ bytes: [UInt8?]) -> String {
    guard bytes.count <= 100 else { return "\(bytes.count) bytes, \(bytes.count { $0 == nil }) missing" }
    return String(decoding: bytes.map { $0 ?? UInt8(ascii: ".") }, as: UTF8.self)
}
