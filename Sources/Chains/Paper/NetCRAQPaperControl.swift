/// NetCRAQ's control plane (§V): roles, tail address, forwarding, multicast group at the start, and again when a node
/// fails or comes back. Who has failed is told to it; it asks nobody and waits for nobody.
package struct NetCRAQPaperControl: Sendable {
    /// The nodes in service, head first.
    package private(set) var chain: [UInt32]
    private var keys: [UInt32] = []

    package init(chain: [UInt32]) { self.chain = chain }

    /// Writes every node's place.
    package func start(_ switches: inout [NetCRAQPaperSwitch]) {
        for position in switches.indices { switches[position].join(chain) }
    }

    /// Gives `key` cells in every node of the chain; false when one of them had none left.
    package mutating func insert(_ key: UInt32, into switches: inout [NetCRAQPaperSwitch]) -> Bool {
        var isEverywhere = true
        for position in switches.indices where chain.contains(switches[position].network.own) {
            let isAdded = switches[position].insert(key)
            isEverywhere = isEverywhere && isAdded
        }
        if !keys.contains(key) { keys.append(key) }
        return isEverywhere
    }

    /// Takes `key` off every switch.
    package mutating func remove(_ key: UInt32, from switches: inout [NetCRAQPaperSwitch]) {
        for position in switches.indices { _ = switches[position].remove(key) }
        keys.removeAll { $0 == key }
    }

    /// The chain goes on without `failed`: roles, next hops, tail addresses and multicast groups change. What is dirty
    /// stays so: nothing is said of it. A node that is not in the chain is passed by.
    package mutating func failOver(of failed: UInt32, _ switches: inout [NetCRAQPaperSwitch]) {
        guard chain.count > 1, let place = chain.firstIndex(of: failed) else { return }
        chain.remove(at: place)
        start(&switches)
    }

    /// Recovery, first half: the whole chain drops writes while the new node is offline and being filled.
    package func stopWrites(_ switches: inout [NetCRAQPaperSwitch]) {
        for position in switches.indices { switches[position].takesWrites = false }
    }

    /// Recovery, second half: `node` gets the registers of its neighbour, then its place, the `position`-th of the
    /// chain, and writes go on. The neighbour is the successor, or the predecessor of a new tail; which one is not said
    /// in the paper, CRAQ (ATC 2009 §3.3) has this. Nothing happens when `node` is in the chain.
    package mutating func join(_ node: UInt32, at position: Int, _ switches: inout [NetCRAQPaperSwitch]) {
        guard !chain.contains(node), (0...chain.count).contains(position),
            let target = switches.firstIndex(where: { $0.network.own == node })
        else { return }
        let neighbour = position < chain.count ? chain[position] : chain[position - 1]
        guard let source = switches.firstIndex(where: { $0.network.own == neighbour }) else { return }
        for key in keys {
            _ = switches[target].insert(key)
            if let entry = switches[source].entry(of: key) { _ = switches[target].restore(entry, of: key) }
        }
        chain.insert(node, at: position)
        start(&switches)
        for position in switches.indices { switches[position].takesWrites = true }
    }
}
