/// What controller, switches and clients tell each other beside the data packets. A stream keeps the order of the
/// messages of one pair; every answer names the group, the epoch and, of a join, the number that it answers to.
package enum ControlMessage: Equatable, Sendable {
    // A switch to the controller: of its own accord.
    case heartbeat(Heartbeat)
    // The controller to a switch, and its answer.
    case lease(Lease)
    case seal(GroupEpoch)
    case sealed(SealReport)
    /// Forget all that was held of the group, and be ready for `copyWrite` and `activate` of this epoch.
    case join(JoinTicket)
    case joined(JoinTicket)
    case copyRead(CopyRequest)
    case entries(CopyEntries)
    case copyWrite(CopyEntries)
    case copied(JoinTicket)
    case activate(Activation)
    case activated(GroupEpoch)
    case insert(KeyEntry)
    case inserted(KeyEntry)
    case remove(KeyEntry)
    case removed(KeyEntry)
    case counters(CountersRequest)
    case counts(KeyCounts)
    /// A switch did not do what it was told.
    case refused(Refusal)
    // A client to the controller, and what comes back.
    case subscribe
    case directory(DirectoryUpdate)
    case slotRequest
    case slot(UInt32)
}

/// A configuration of a virtual group.
package struct GroupEpoch: Hashable, Sendable {
    package var group: UInt16
    package var epoch: UInt32

    package init(group: UInt16, epoch: UInt32) {
        self.group = group
        self.epoch = epoch
    }
}

/// One attempt to bring a switch into a group's chain. An epoch may see several of the same switch, and what is said of
/// one must not be taken for another's.
package struct JoinTicket: Hashable, Sendable {
    package var group: UInt16
    package var epoch: UInt32
    /// Counts the attempts of a controller's life.
    package var number: UInt32

    package init(group: UInt16, epoch: UInt32, number: UInt32) {
        self.group = group
        self.epoch = epoch
        self.number = number
    }
}

/// HEARTBEAT: asks for a lease.
package struct Heartbeat: Equatable, Sendable {
    /// Address of the switch.
    package var node: UInt32
    /// Its own clock at sending, nanoseconds: the lease counts from here.
    package var clock: UInt64
    /// The groups it is active in, ascending.
    package var active: [GroupEpoch]

    package init(node: UInt32, clock: UInt64, active: [GroupEpoch]) {
        self.node = node
        self.clock = clock
        self.active = active
    }
}

/// LEASE: until `clock` + `duration` on the switch's own clock it may answer reads of these groups.
package struct Lease: Equatable, Sendable {
    /// The heartbeat's clock, echoed.
    package var clock: UInt64
    /// Nanoseconds.
    package var duration: UInt64
    /// The configurations it covers.
    package var groups: [GroupEpoch]

    package init(clock: UInt64, duration: UInt64, groups: [GroupEpoch]) {
        self.clock = clock
        self.duration = duration
        self.groups = groups
    }
}

/// SEALED: nothing of an earlier epoch changes this switch any more.
package struct SealReport: Equatable, Sendable {
    package var group: UInt16
    package var epoch: UInt32
    /// Keys of the group.
    package var keyCount: Int
    /// The highest version of any of them.
    package var highest: ChainVersion

    package init(group: UInt16, epoch: UInt32, keyCount: Int, highest: ChainVersion) {
        self.group = group
        self.epoch = epoch
        self.keyCount = keyCount
        self.highest = highest
    }
}

/// ACTIVATE: a switch's place in the chain of a new epoch.
package struct Activation: Equatable, Sendable {
    package var group: UInt16
    package var epoch: UInt32
    /// Addresses from head to tail, 1...9, each once.
    package var chain: [UInt32]
    /// Slots whose requests are refused from now on; those named before stay refused.
    package var closedSlots: [UInt32]
    /// NetChain: whether the tail tells the head what is committed, without which CAS is not supported.
    package var comparesAndSets: Bool

    package init(
        group: UInt16, epoch: UInt32, chain: [UInt32], closedSlots: [UInt32] = [], comparesAndSets: Bool = true
    ) {
        self.group = group
        self.epoch = epoch
        self.chain = chain
        self.closedSlots = closedSlots
        self.comparesAndSets = comparesAndSets
    }
}

/// INSERT, REMOVE and their answers: a key at one switch. A key's number is never given out twice.
package struct KeyEntry: Hashable, Sendable {
    package var key: ChainKey
    package var group: UInt16
    /// The configuration it counts in; a switch of another one refuses.
    package var epoch: UInt32
    package var width: WidthClass

    package init(key: ChainKey, group: UInt16, epoch: UInt32, width: WidthClass) {
        self.key = key
        self.group = group
        self.epoch = epoch
        self.width = width
    }
}

/// Why a switch refuses a control message.
package struct Refusal: Equatable, Sendable {
    package enum Reason: UInt8, Sendable {
        /// The group's epoch here is another, or its state does not allow it.
        case epoch
        /// One of `ReplicaLimits` is reached.
        case full
        /// What a delta copy needs to know is no longer known; begin with a whole copy.
        case forgotten
        /// The message makes no sense: a chain without this switch, a class without room, values too many.
        case invalid
    }

    /// What was asked.
    package enum Request: UInt8, Sendable {
        case seal, join, copyRead, copyWrite, activate, insert, remove
    }

    package var request: Request
    package var reason: Reason
    package var group: UInt16
    /// The epoch that was asked for.
    package var epoch: UInt32
    /// The attempt that a JOIN, COPY_READ or COPY_WRITE was part of, else 0.
    package var join: UInt32

    package init(_ request: Request, _ reason: Reason, group: UInt16, epoch: UInt32, join: UInt32 = 0) {
        self.request = request
        self.reason = reason
        self.group = group
        self.epoch = epoch
        self.join = join
    }
}
