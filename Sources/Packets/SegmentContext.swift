import Wire

/// What a reassembler must know of the moment at which it works.
struct SegmentContext {
    var slot: Int
    var direction: Direction
    var time: CaptureTime
    /// Nanoseconds of capture time since the tracker's start; never runs backwards.
    var elapsed: Int64
    /// Packets of the connection so far, both directions.
    var connectionPackets: Int
    /// Whether the segment's bytes are the packet that was handed in, not a datagram joined from fragments.
    var isInPacket: Bool
}
