/// What a controller is doing with a group. Nothing of it survives a restart; the record does.
struct GroupControl: Sendable {
    enum Phase: Sendable {
        /// Active, or never formed.
        case idle
        /// JOIN was sent to the nodes of a first, empty chain.
        case forming
        /// SEAL was sent to those who hold the group.
        case sealing
        /// Sealed; a joining node gets what changed.
        case copying
        /// Sealed; an excluded node may still have a lease.
        case leaving
        /// ACTIVATE was sent to the node at `activating`.
        case activating
    }

    /// A node on its way into the chain.
    struct Join: Sendable {
        enum Stage: Sendable {
            /// JOIN was sent.
            case asked
            /// Copying while the chain serves.
            case copying
            /// Copied; waits until the chain is sealed.
            case ready
            /// Copying what changed meanwhile.
            case copyingChanges
        }

        var node: UInt32
        var number: UInt32
        /// Place in the chain, nil for the one the configuration gives it.
        var position: Int?
        var source: UInt32
        var stage = Stage.asked
        /// The source's stamp when the copy began.
        var since: UInt64?
        /// Where the source goes on; nil at the end.
        var next: UInt64?
        var keyCount = 0
        var byteCount = 0
        var changedCount = 0
    }

    struct Grant: Sendable {
        var node: UInt32
        var time: UInt64
    }

    var phase = Phase.idle
    /// Who must still answer SEAL or JOIN.
    var awaiting: [UInt32] = []
    /// Who answered SEAL.
    var answered: [UInt32] = []
    /// When those who have not answered are given up; `UInt64.max`: never.
    var deadline = UInt64.max
    /// When no excluded node has a lease any more.
    var leasesEnd: UInt64 = 0
    /// Nodes of the next chain, head first, without a joining one.
    var target: [UInt32] = []
    var activating = 0
    var join: Join?
    /// When the last lease was granted that covers this group.
    var grants: [Grant] = []
    /// Since when nobody serves.
    var pausedAt: UInt64?
    var isUnreachableSaid = false

    func lastGrant(to node: UInt32) -> UInt64? { grants.first { $0.node == node }?.time }

    mutating func noteGrant(to node: UInt32, at now: UInt64) {
        if let place = grants.firstIndex(where: { $0.node == node }) {
            grants[place].time = now
        } else {
            grants.append(Grant(node: node, time: now))
        }
    }
}
