package import Etcd
import Wire

/// One call of the etcd API, or one message of a stream, as a store is to be asked it: all numbers are the target's.
///
/// A backend owns one and has it filled again for each request.
package struct StoreRequest: Sendable {
    /// What the answer is told by; unique among the requests that are not yet answered.
    package var number: UInt32 = 0
    package var action: PlannedCall.Action = .call
    package var kind: OperationKind = .other
    package var method: MethodNumber = .unknown
    /// Number of the target's connection, from 0.
    package var connection: UInt32 = 0
    /// Number of the stream, for `.message` and `.endStream`; unique in the run.
    package var stream: UInt32 = 0
    /// Range, Put, DeleteRange, Txn, watch create; a transaction's operations are in `parts`, its compares and those
    /// of nested ones in `compares`, by the slices of their operations.
    package var body = RequestOp()
    package var parts: [RequestOp] = []
    package var compares: [Compare] = []
    /// The keys that `body`, `parts`, `compares` and `key` name.
    package var keys = KeyList()
    /// Lock, Unlock, Campaign, Leader: the name or key.
    package var key: KeyNumber = 0
    package var lease: Int64 = 0
    /// Seconds.
    package var ttl: Int64 = 0
    /// Compact, HashKV.
    package var revision: Int64 = 0
    package var watchID: Int64 = 0
    /// What the values that it writes begin with, 8 bytes; the place of the part is added to it.
    package var valueID: UInt64 = 0

    package init() {}

    /// Forgets all but the number, and keeps the memory.
    package mutating func removeAll() {
        action = .call
        body = RequestOp()
        parts.clear()
        compares.clear()
        keys.removeAll()
        stream = 0
        key = 0
        lease = 0
        ttl = 0
        revision = 0
        watchID = 0
        valueID = 0
    }
}
