import Wire

/// How packets travel from one station to the next.
package struct LinkModel: Equatable, Sendable {
    /// Nanoseconds from the last byte sent to the last byte received.
    package var delay: UInt64
    /// Most nanoseconds that chance adds to `delay`, packets staying in order.
    package var jitter: UInt64
    /// Picoseconds a byte: 80 on 100 Gbit/s, 0 for no limit.
    package var perByte: UInt64

    package init(delay: UInt64 = 0, jitter: UInt64 = 0, perByte: UInt64 = 0) {
        self.delay = delay
        self.jitter = jitter
        self.perByte = perByte
    }
}

/// What links do to packets that they should not.
package struct LinkFaults: Equatable, Sendable {
    /// Shares of the packets on each link, 0 to 1.
    package var loss: Double
    package var duplication: Double
    /// Share that is held back by up to `holdMax`, so that others overtake.
    package var reordering: Double
    /// Nanoseconds.
    package var holdMax: UInt64

    package static let none = LinkFaults()

    package init(loss: Double = 0, duplication: Double = 0, reordering: Double = 0, holdMax: UInt64 = 0) {
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.holdMax = holdMax
    }

    package var isNone: Bool { loss == 0 && duplication == 0 && reordering == 0 }
}

/// Which way packets go.
package enum Topology: Equatable, Sendable {
    /// Switches in a line in the order of the chain, each client at one of them; a packet to a switch further away and
    /// a reply pass all those between.
    case line
    /// Every station sends to every other at once: the deployment on loopback.
    case direct
}

/// Packets and payload bytes, in both ways of counting.
package struct TrafficCounts: Equatable, Sendable {
    /// DIRECT: a packet for each datagram sent.
    package var datagrams = 0
    package var datagramBytes = 0
    /// LINE: a packet for each link crossed, clients' links included.
    package var crossings = 0
    package var crossingBytes = 0
    package var lost = 0
    package var duplicated = 0
    package var reordered = 0

    package init() {}

    package static func + (left: TrafficCounts, right: TrafficCounts) -> TrafficCounts {
        var sum = left
        sum.datagrams += right.datagrams
        sum.datagramBytes += right.datagramBytes
        sum.crossings += right.crossings
        sum.crossingBytes += right.crossingBytes
        sum.lost += right.lost
        sum.duplicated += right.duplicated
        sum.reordered += right.reordered
        return sum
    }

    package static func - (left: TrafficCounts, right: TrafficCounts) -> TrafficCounts {
        var difference = left
        difference.datagrams -= right.datagrams
        difference.datagramBytes -= right.datagramBytes
        difference.crossings -= right.crossings
        difference.crossingBytes -= right.crossingBytes
        difference.lost -= right.lost
        difference.duplicated -= right.duplicated
        difference.reordered -= right.reordered
        return difference
    }
}
