/// What a plan holds at most. Beyond, it is refused: half a workload is another workload.
package struct PlanLimits: Sendable {
    /// Calls and messages, at some 300 bytes each: a trace of days is to be cut first.
    package var calls = 1 << 28
    /// Operations of transactions, and compares.
    package var parts = 1 << 29
    /// Bytes of distinct keys: below what a table's offsets reach.
    package var keyBytes = 3 << 30
    /// Bytes of a value that is written: well above what etcd takes (`--max-request-bytes`, 1.5 MiB by default).
    package var valueBytes: Int64 = 64 << 20
    /// Keys that stand for counted ones.
    package var fillers = 1 << 20
    /// Ranges in which something is deleted, of which a chain's survey keeps one each: what a cleaner of that many
    /// namespaces leaves.
    package var deletedRanges = 1 << 20
    /// What one call's unanswered writes are looked for among: times that a key was seen.
    package var sightings = 1 << 21

    /// Components and runs of keys that are looked at to join the keys of ranges for shards: some seconds. Ranges that
    /// come later, the widest, stay apart.
    package var shardSteps = 1 << 28

    package init() {}
}

/// Why there is no plan.
package struct PlanError: Error, Equatable, Sendable {
    package var why: String
    package var remedy: String?
}
