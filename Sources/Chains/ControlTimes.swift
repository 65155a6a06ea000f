/// The times that controller and switches agree on, in nanoseconds.
package struct ControlTimes: Sendable {
    /// Between two heartbeats of a switch.
    package var heartbeat: UInt64 = 10_000_000
    /// How long a lease lasts from the heartbeat that asked for it.
    package var lease: UInt64 = 50_000_000
    /// How much faster or slower two clocks may run, in millionths.
    package var driftPartsPerMillion: UInt64 = 1000
    /// Added to every wait for a lease's end.
    package var margin: UInt64 = 5_000_000
    /// A switch that is silent for this long is suspected.
    package var suspicion: UInt64 = 40_000_000
    /// A switch that does not answer SEAL for this long is taken for failed too.
    package var sealing: UInt64 = 20_000_000

    package init() {}

    /// How long after the last grant a lease is surely over, by the controller's clock.
    package var leaseWait: UInt64 { lease + lease / 1_000_000 * driftPartsPerMillion + margin }
}
