import Chains
import Replay

/// A chain of either variant as its user sees it: requests of one key each, many at a time, matched to their ends by a
/// tag. Keys are places in the list that it was opened with.
protocol SingleKeyClient: AnyObject {
    /// Bytes that a value has room for.
    var valueBytes: Int64 { get }
    var comparesAndSets: Bool { get }
    /// Whether what it calls revisions grow with the writes of a key.
    var revisionsAreOrdered: Bool { get }
    /// Bytes of a request or reply that has no value.
    var headerBytes: Int64 { get }
    /// Datagrams that were sent again.
    var retransmissions: Int { get }

    /// Starts or finds the chain, and has it serve those keys.
    func open(_ keys: [[UInt8]]) throws(BackendError)
    /// How many keys there are: those of `open` first, then others that the chain serves.
    func countKeys() -> Int
    /// Whether a read, or whatever changes a key, could begin at once.
    func canBegin(isRead: Bool) -> Bool
    /// Begins a request, which `flush` or `turn` sends; false: too many are under way. A value begins with `id`.
    func begin(_ step: SingleKeyStep, value: [UInt8]) -> Bool
    func flush()
    /// Waits until something came, or until `deadline`, and takes it.
    func turn(until deadline: UInt64) throws(BackendError)
    /// The next that has ended; nil: none since.
    func nextEnd() -> SingleKeyEnd?
    /// Ends what was started.
    func close()
}

/// One request to a chain.
struct SingleKeyStep {
    var kind: ClientRequest.Kind
    var key: Int
    /// Of a comparison: the revision that the key has to have; 0: it has to be absent.
    var expected: Int64
    /// What a value begins with, or would.
    var id: UInt64
    var tag: UInt64
}

/// How it ended.
struct SingleKeyEnd {
    enum Outcome: UInt8 {
        case ok
        /// A read found nothing.
        case absent
        /// A comparison failed.
        case mismatch
        /// It took no effect, and may be made again.
        case busy
        case tooLarge
        /// The chain does not serve the key, or not so.
        case refused
        /// No node answered in time. A write may have taken effect, or may yet.
        case late
        /// Nodes of an older and a newer chain were asked, and what the older one did is not known.
        case unknown
    }

    var tag: UInt64
    var outcome: Outcome
    /// Of the value read, of the write, or of what stood in a comparison's way; 0: none.
    var revision: Int64
    /// Bytes of the value read.
    var size: Int64
    /// The answer was there.
    var time: UInt64
}
