/// Rules of the default machines that can be left out, each of them a mistake on purpose.
///
/// They exist so that a checker can be shown to find what it is there to find: a run with one of them must end in a
/// violation, a run with none never. Empty unless a test or `kvreel simulate` asks for one.
package struct Mutations: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Replicas store whatever arrives, older versions too.
    package static let storesOlder = Mutations(rawValue: 1 << 0)
    /// The head takes a retry for a new write.
    package static let forgetsRequests = Mutations(rawValue: 1 << 1)
    /// A COMMIT drops all uncommitted versions, as NetCRAQ's ACKNOWLEDGE does (Algorithm 1, lines 31-32).
    package static let commitResets = Mutations(rawValue: 1 << 2)
    /// A COMMIT may lower the committed version.
    package static let commitLowers = Mutations(rawValue: 1 << 3)
    /// Reads are answered from the committed version although newer ones are stored.
    package static let readsDirtyKeys = Mutations(rawValue: 1 << 4)
    /// Packets of other switches are handled whatever their epoch.
    package static let ignoresEpochs = Mutations(rawValue: 1 << 5)
    /// A switch answers without a lease.
    package static let ignoresLeases = Mutations(rawValue: 1 << 6)
    /// A joining switch is not given what the others hold.
    package static let skipsCopies = Mutations(rawValue: 1 << 7)
    /// Only the head keeps what became of a request.
    package static let dedupesAtHeadOnly = Mutations(rawValue: 1 << 8)
    /// A client believes a rejection although it sent the request in other epochs too.
    package static let believesRejections = Mutations(rawValue: 1 << 9)
    /// CAS is judged against a version that is not committed yet.
    package static let comparesUncommitted = Mutations(rawValue: 1 << 10)
    /// Versions are sent again without their owner.
    package static let resendsWithoutOwner = Mutations(rawValue: 1 << 11)
    /// Versions have no epoch; with `ignoresEpochs`, nothing tells two heads apart.
    package static let numbersWithoutEpoch = Mutations(rawValue: 1 << 12)
    /// A new tail serves reads with its uncommitted versions still uncommitted.
    package static let tailKeepsDirty = Mutations(rawValue: 1 << 13)
    /// Replicas drop an older version instead of passing it on.
    package static let dropsOlder = Mutations(rawValue: 1 << 14)
    /// The chain is activated from head to tail.
    package static let activatesHeadFirst = Mutations(rawValue: 1 << 15)
    /// A lease counts from the receipt of the grant.
    package static let leaseFromReceipt = Mutations(rawValue: 1 << 16)
    /// A write without a free version cell is dropped without an answer.
    package static let dropsSilently = Mutations(rawValue: 1 << 17)
    /// What became of a request is overwritten by an older one's.
    package static let dedupeFalls = Mutations(rawValue: 1 << 18)
    /// A switch that joins again keeps what it held.
    package static let rejoinsWithState = Mutations(rawValue: 1 << 19)
    /// The number of a key that is no longer placed is given to the next one.
    package static let reusesKeys = Mutations(rawValue: 1 << 20)
}
