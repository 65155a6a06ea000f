/// What the records of a block so far show of a key: from it the next record of the key is predicted.
struct KeyState {
    var createRevision: Int64 = 0
    var modRevision: Int64 = 0
    var version: Int64 = 0
    var lease: Int64 = 0
    var valueSize: Int64 = 0
    /// The key that followed this one in the last list of key-values; 0 if none did.
    var successor: UInt32 = 0
    /// The range end that went with this key last; 0 if none did.
    var rangeEnd: UInt32 = 0
}
