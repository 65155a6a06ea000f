/// How a request ended, or why it was not handled.
package enum ChainStatus: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case ok = 0
    /// A read: no value. A write: no such key here.
    case notFound = 1
    /// All but one of the key's version cells hold uncommitted writes.
    case outOfVersions = 2
    /// The value is wider than the key's class.
    case tooLarge = 3
    /// The request was of another epoch; the reply has the switch's.
    case staleEpoch = 4
    /// Not the node of the chain that answers this.
    case wrongRole = 5
    /// The group is sealed, or the node's lease ran out.
    case paused = 6
    /// CAS: the expected version is not the current one, which the reply has.
    case mismatch = 7
    case unsupported = 8
    /// CAS: the key has an uncommitted version.
    case busy = 9
    /// The slot was closed; whatever it sends is refused in every epoch.
    case closed = 10
}
