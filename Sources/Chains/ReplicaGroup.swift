/// A virtual group at one switch: the configuration it goes by.
struct ReplicaGroup: Sendable {
    enum State: UInt8, Sendable {
        /// Nothing is held of the group.
        case unknown
        /// Being copied to; answers nothing.
        case joining
        /// Between two configurations; answers nothing, changes nothing.
        case sealed
        case active
    }

    var state = State.unknown
    /// 0 while unknown; never falls.
    var epoch: UInt32 = 0
    /// The attempt to join that it takes copies of.
    var joinNumber: UInt32 = 0
    /// Addresses from head to tail.
    var chain: [UInt32] = []
    /// This switch's place in it.
    var position = 0
    /// Neighbours in the chain; 0 where there is none.
    var predecessor: UInt32 = 0
    var successor: UInt32 = 0
    /// Reads are answered before this time.
    var leaseEnd: UInt64 = 0
    var comparesAndSets = false
    /// Ascending; their requests are refused in every epoch.
    var closedSlots: [UInt32] = []

    var isHead: Bool { position == 0 }
    var isTail: Bool { position == chain.count - 1 }
    var isActive: Bool { state.rawValue == State.active.rawValue }
}
