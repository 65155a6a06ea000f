/// Why a shard does not begin.
package enum ShardGateFailure: Equatable, Sendable {
    /// The store holds so many keys, and shard 1 was not told to write there all the same.
    case notEmpty(keys: Int64)
    /// Another shard 1, or what it left, is at the store.
    case otherRun
    /// Another process is the same shard.
    case otherShard
    /// What of the identity differs from that of shard 1.
    case otherIdentity(String)
    /// Shard 1 never came.
    case noFirstShard
    /// Shard 1 gave up or was killed when this one was ready.
    case firstShardGone
    /// The preload did not end in time.
    case noPreload
    /// Shards that never came, in ascending order; asked of shard 1.
    case missing([Int])
    /// Shard 1 named no start in time, though this one was ready.
    case noStart
    /// The start was so many nanoseconds ago when this shard knew of it, or was ready for it.
    case late(by: Int64)
    /// This shard's clock is at least so many nanoseconds ahead of that of shard 1; negative where it is behind.
    case clock(ahead: Int64)
    /// A key of the gate says what none does.
    case strangeKey(String)
    /// The keys that this shard kept at the store are gone.
    case leaseLost
    /// gRPC status and text of what the store answered, and to what.
    case store(String, status: UInt32, text: String)
    /// The preload failed after so many keys.
    case preload(status: UInt32, text: String, written: Int)
    case interrupted
}
