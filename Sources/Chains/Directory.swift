/// What clients know of the chains. An update replaces the groups and keys it names; a whole one replaces everything.
package struct DirectoryUpdate: Equatable, Sendable {
    /// Grows with every update of one controller's life.
    package var serial: UInt64
    /// Whether what is not named is gone.
    package var isWhole: Bool
    package var groups: [GroupEntry]
    package var keys: [PlacedKey]
    /// Names of keys that are no longer placed.
    package var removed: [[UInt8]]

    package init(serial: UInt64, isWhole: Bool, groups: [GroupEntry], keys: [PlacedKey], removed: [[UInt8]]) {
        self.serial = serial
        self.isWhole = isWhole
        self.groups = groups
        self.keys = keys
        self.removed = removed
    }
}

/// A virtual group's configuration as the controller stores and publishes it.
package struct GroupEntry: Equatable, Sendable {
    package enum State: UInt8, Sendable {
        /// Between two configurations: nobody answers.
        case sealed
        case active
    }

    package var group: UInt16
    package var epoch: UInt32
    package var state: State
    /// Addresses from head to tail.
    package var chain: [UInt32]
    package var comparesAndSets: Bool

    package init(group: UInt16, epoch: UInt32, state: State, chain: [UInt32], comparesAndSets: Bool) {
        self.group = group
        self.epoch = epoch
        self.state = state
        self.chain = chain
        self.comparesAndSets = comparesAndSets
    }
}

/// A key that the chains serve.
package struct PlacedKey: Hashable, Sendable {
    /// The key's name: bytes, as in etcd.
    package var name: [UInt8]
    package var key: ChainKey
    package var group: UInt16
    package var width: WidthClass

    package init(name: [UInt8], key: ChainKey, group: UInt16, width: WidthClass) {
        self.name = name
        self.key = key
        self.group = group
        self.width = width
    }
}
