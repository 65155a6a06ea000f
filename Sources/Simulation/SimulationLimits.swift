/// Bounds of a simulated world, with unit and reason.
package enum SimulationLimits {
    /// Switches, spare ones included: twice the longest chain that NetChain's packets can name.
    package static let switches = 18
    /// Client stations: as many as one /24 of loopback addresses holds.
    package static let clients = 250
    /// Packets that wait at a station where a model names no other bound: what a default socket buffer of 208 KiB
    /// holds of small datagrams.
    package static let queuedPackets = 256
    /// Bytes of the longest datagram: NetChain's extended format with nine words, a value of 16 bytes and the frame has
    /// 132.
    package static let datagramBytes = 160
    /// Events of a run: a run that needs more does not end by itself, which is a verdict too.
    package static let events: UInt64 = 5_000_000
}
