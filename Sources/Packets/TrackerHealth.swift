package import Wire

/// What a `ConnectionTracker` saw and lost, counted from its start. Names as in a recording's health.
package struct TrackerHealth: Sendable, Equatable {
    package var packets = 0
    /// Bytes of them on the wire.
    package var packetBytes = 0
    /// Packets of which fewer bytes were captured than were on the wire.
    package var packetsCut = 0
    /// Packets that are no TCP of a watched port.
    package var packetsOfOthers = 0
    /// Packets whose link, IP or TCP header is damaged or cut.
    package var packetsUndecodable = 0
    /// Packets of a link type that is not known, and the first such type.
    package var packetsOfUnknownLink = 0
    package var unknownLink: LinkType?

    /// IP fragments that became part of a whole datagram.
    package var fragmentsJoined = 0
    /// IP fragments whose datagram was never complete. The bytes are counted in `lostBytes` by the stream that misses
    /// them.
    package var fragmentsLost = 0

    /// Connections with payload.
    package var connections = 0
    /// Those of them whose start was not seen.
    package var connectionsMidway = 0
    /// Connections dropped because there were too many.
    package var connectionsEvicted = 0
    /// Payload bytes handed on.
    package var payloadBytes = 0
    /// Payload bytes that were there before.
    package var retransmittedBytes = 0
    /// Payload bytes known to be missing.
    package var lostBytes = 0
    /// Holes given up. Bytes cut by a snap length are no hole.
    package var gaps = 0

    /// Bytes that two copies of a segment, both held, disagree about; the first copy was taken.
    package var overlapDiffers = 0
    /// Segments too far from what was expected.
    package var straySegments = 0
    /// Times that memory for out-of-order data ran out and a hole was given up for it.
    package var heldBytesExceeded = 0

    package init() {}
}
