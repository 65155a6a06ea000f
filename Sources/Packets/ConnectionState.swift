import Wire

/// What the tracker keeps of a connection beside its two reassemblers.
struct ConnectionState {
    var key: ConnectionKey
    var number: Int
    var isOpen = true
    var startSeen = false
    var wasReset = false
    /// FIN seen, a bit for each direction.
    var fins: UInt8 = 0
    /// Counted in `TrackerHealth.connections`, and in `connectionsMidway`.
    var isCounted = false
    var isCountedMidway = false
    var packets = 0
    var firstTime: CaptureTime
    var lastTime: CaptureTime
    /// The tracker's clock and count of packets at the first packet,
    var firstElapsed: Int64
    var firstPacket: Int
    /// and when the connection was over, or brought new data after that.
    var overElapsed: Int64 = 0
    var overPacket = 0
    /// Neighbours in the order of use; -1: none.
    var newer = -1
    var older = -1

    mutating func notePacket(at time: CaptureTime) {
        packets += 1
        // On the numbers: the generic comparison of another module costs a call.
        if time.nanoseconds > lastTime.nanoseconds { lastTime = time }
    }

    var isOver: Bool { wasReset || fins == 3 }
}
