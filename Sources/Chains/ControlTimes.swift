/// The times that controller and switches agree on, in nanoseconds.
package struct ControlTimes: Sendable {
    /// Between two heartbeats of a switch.
    package var heartbeat: UInt64
    /// How long a lease lasts from the heartbeat that asked for it.
    package var lease: UInt64
    /// How much faster or slower two clocks may run, in millionths.
    package var driftPartsPerMillion: UInt64 = 1000
    /// Added to every wait for a lease's end.
    package var margin: UInt64 = 5_000_000
    /// A switch that is silent for this long is suspected.
    package var suspicion: UInt64
    /// A switch that does not answer SEAL for this long is taken for failed too.
    package var sealing: UInt64

    /// Those that go with a lease: five heartbeats at least, suspicion after four fifths of it, two fifths for a seal.
    package init(lease: UInt64 = 50_000_000) {
        self.lease = lease
        heartbeat = min(lease / 5, 10_000_000)
        suspicion = lease / 5 * 4
        sealing = lease / 5 * 2
    }

    /// How long after the last grant a lease is surely over, by the controller's clock.
    package var leaseWait: UInt64 { lease + lease / 1_000_000 * driftPartsPerMillion + margin }
}
