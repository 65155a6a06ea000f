import Wire

/// All that a controller must find again after a restart. The shell stores it whole, in etcd.
package struct ControllerRecord: Equatable, Sendable {
    package struct Group: Equatable, Sendable {
        /// While sealed, the chain is the one that was active last: those who hold the group's state.
        package var entry: GroupEntry
        /// Ascending.
        package var closedSlots: [UInt32] = []

        package init(entry: GroupEntry) { self.entry = entry }
    }

    package enum KeyState: UInt8, Sendable {
        /// Not yet at every node of the chain; clients do not know of it.
        case inserting
        case placed
        /// Clients have been told that it goes; those that have not heard yet may still use it.
        case withdrawn
        /// Being removed from the switches.
        case removing
    }

    package struct Key: Equatable, Sendable {
        package var placed: PlacedKey
        package var state: KeyState

        package init(placed: PlacedKey, state: KeyState) {
            self.placed = placed
            self.state = state
        }
    }

    package var groups: [Group] = []
    /// In the order of their placement.
    package var keys: [Key] = []
    /// Number of the next key. A number is given out once: a delayed packet of an earlier key would win over the next
    /// one's writes.
    package var nextKey: UInt64 = 1
    /// Sessions below this may have been given out.
    package var nextSlot: UInt32 = 1

    package init() {}
}

/// What a controller is started with.
package struct ControllerConfiguration: Sendable {
    /// Addresses of all switches that may be used.
    package var nodes: [UInt32]
    /// Virtual groups.
    package var groups = 16
    /// Nodes a chain has if there are enough: one more than the failures it survives.
    package var chainLength = 3
    /// Places of a switch on the ring by which groups get their chains (NSDI 2018 §4.1); 0 gives all groups the first
    /// `chainLength` nodes.
    package var virtualNodes = 0
    package var comparesAndSets = true
    /// How long clients may go by a directory entry that was withdrawn.
    package var directoryLease: UInt64 = 1_000_000_000
    package var times = ControlTimes()
    package var limits = ControllerLimits()
    package var mutations: Mutations = []

    package init(nodes: [UInt32]) { self.nodes = nodes }

    /// The chain that `group` would have with all of `alive`, head first.
    package func chain(of group: Int, among alive: [UInt32]) -> [UInt32] {
        guard virtualNodes > 0 else { return Array(nodes.filter(alive.contains).prefix(chainLength)) }
        var ring: [(point: UInt64, node: UInt32)] = []
        for node in nodes where alive.contains(node) {
            for copy in 0..<virtualNodes { ring.append((Self.point(UInt64(node) << 32 | UInt64(copy)), node)) }
        }
        ring.sort { ($0.point, $0.node) < ($1.point, $1.node) }
        let start = Self.point(UInt64(group))
        let first = ring.firstIndex { $0.point >= start } ?? 0
        var chain: [UInt32] = []
        for step in ring.indices {
            let node = ring[(first + step) % ring.count].node
            if chain.count < chainLength, !chain.contains(node) { chain.append(node) }
        }
        return chain
    }

    private static func point(_ value: UInt64) -> UInt64 {
        var numbers = SplitMix64(seed: value)
        return numbers.next()
    }
}

/// What a controller holds at most.
package struct ControllerLimits: Sendable {
    /// Placed keys, those on their way in and out included. A change looks through all of them and stores the record
    /// whole; the keys worth a place in a switch are few (25 take 55 % of the reads in NetCRAQ's workload).
    package var keys = 16_384
    /// Bytes of a key's name: etcd's keys are paths, seldom above 300 bytes.
    package var nameBytes = 4096
    /// Groups that are copied to a joining switch at the same time.
    package var joins = 4
    /// Sessions reserved by one store of the record.
    package var slotsPerStore: UInt32 = 64
    /// Subscribed clients.
    package var clients = 65_536

    package init() {}
}
