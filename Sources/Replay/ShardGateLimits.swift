/// What a gate of shards waits for, and what it takes.
package struct ShardGateLimits: Sendable {
    /// Nanoseconds between two looks at what the others have written.
    package var pollInterval: Int64 = 100_000_000
    /// Seconds for which the keys of a shard stay behind it when it is killed. Above the time that shard 1 takes to
    /// make its engine ready, in which it keeps no lease alive.
    package var leaseTTL: Int64 = 30
    /// Nanoseconds for which a shard waits for keys to vanish that a killed one may have left: the lease's time, and
    /// what etcd takes to notice.
    package var remainsPatience: Int64 = 35_000_000_000
    /// Nanoseconds for which reads may fail one after the other, as they do while a store elects a leader.
    package var storePatience: Int64 = 10_000_000_000
    /// Nanoseconds from the moment when all are ready to the start: many looks of the others.
    package var lead: Int64 = 3_000_000_000
    /// Nanoseconds before the start by which the gate's keys are removed: more than a removal takes.
    package var removalLead: Int64 = 500_000_000
    /// Nanoseconds before the start by which the gate hands over to the engine.
    package var handover: Int64 = 50_000_000
    /// Nanoseconds by which a shard's wall clock may be shown to differ from that of shard 1. It is what NTP keeps far
    /// below, and above the time that a store takes for a put.
    package var clockDifference: Int64 = 1_000_000_000
    /// Nanoseconds after its writing at which a start may be at most: a year. What is beyond is no start.
    package var startAhead: Int64 = 365 * 86_400 * 1_000_000_000
    /// Nanoseconds for which a gate that gives up waits for its keys to be removed.
    package var farewell: Int64 = 2_000_000_000
    /// Bytes of a shard's identity.
    package var identityBytes = 4096
    /// Bytes of the outcome of a preload in one key: far below what etcd takes in a request (1.5 MiB).
    package var chunkBytes = 32_768

    package init() {}
}
