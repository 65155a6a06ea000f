/// Bounds of what a trace may hold, and what a reader accepts before it allocates anything.
package enum TraceLimits {
    /// Bytes of a block's payload, before and after compression: 64 times the size recommended, so that one reply with
    /// very many keys still fits a block.
    package static let blockBytes = 64 << 20
    /// Operations of a block: four times what is recommended.
    package static let operations = 1 << 18
    /// Parts, compares, key-values, keys, texts, observed records and connections of a block, each. A reply of 2 Mi
    /// keys is beyond what etcd sends in one message.
    package static let records = 1 << 21
    /// Bytes of all keys, and of all texts, of a block: front coding could make them many more than the payload has.
    package static let stringBytes = 64 << 20
    /// Bytes of memory that the records of one decoded block may take.
    package static let decodedBytes = 256 << 20
    /// Numbers of one column: a record has at most one number in each.
    static let columnNumbers = 1 << 26
    /// Bytes of the key-value text of a meta block.
    static let metaBytes = 1 << 20
    /// Blocks that an index names, 2^22: four trillion operations at the recommended size.
    static let indexedBlocks = 1 << 22

    /// Recordings, or shards, that are merged at a time: each has a file open and a batch in memory, and a process may
    /// have 1024 files by default.
    package static let mergedSources = 128
    /// Connections of which a merge keeps the numbers, 16 bytes each twice over: years of a busy cluster's.
    package static let mergedConnections = 1 << 22

    /// Level of zstd: higher ones take much longer for little.
    package static let recommendedLevel: Int32 = 5

    /// A batch is best handed to the writer when it holds this many operations or key-values, ...
    package static let recommendedOperations = 1 << 16
    package static let recommendedKeyValues = 1 << 18
    /// ... or takes this much memory: blocks are then at most about 1 MiB.
    package static let recommendedBatchBytes = 48 << 20
    /// Bytes of a batch's keys and texts above which a writer makes several blocks of it: it holds them three times.
    package static let recommendedStringBytes = 8 << 20
}
