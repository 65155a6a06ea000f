/// What a client knows of the chains.
package struct ClientDirectory: Sendable {
    struct Node: Sendable {
        var address: UInt32
        /// Bitmap of the width classes it takes; 16 bytes need no word of it.
        var classes: UInt16 = 0
    }

    private var groups: [GroupEntry] = []
    private var keys: [[UInt8]: PlacedKey] = [:]
    private var nodes: [Node] = []

    package init() {}

    /// The key of that name, if the chains serve it.
    package func key(named name: [UInt8]) -> PlacedKey? { keys[name] }

    package var keyCount: Int { keys.count }

    /// All keys that the chains serve, in the order of their numbers.
    package var allKeys: [PlacedKey] { keys.values.sorted { $0.key < $1.key } }

    /// Nodes of active chains that have not said which classes they take.
    var ungreeted: [UInt32] {
        groups.filter { $0.state == .active }.flatMap(\.chain).filter { classes(of: $0) == 0 }
    }

    package func group(_ number: UInt16) -> GroupEntry? {
        // Groups are numbered from 0 without a hole, so the place is the number in all but a strange directory.
        if Int(number) < groups.count, groups[Int(number)].group == number { return groups[Int(number)] }
        return groups.first { $0.group == number }
    }

    /// Takes an update; answers the groups that are active in a newer epoch than before. An older configuration of a
    /// group than the known one is not taken.
    mutating func take(_ update: DirectoryUpdate) -> [UInt16] {
        var renewed: [UInt16] = []
        for entry in update.groups {
            if let place = groups.firstIndex(where: { $0.group == entry.group }) {
                let known = groups[place]
                let isNewer =
                    entry.epoch > known.epoch
                    || entry.epoch == known.epoch && entry.state == .active && known.state == .sealed
                guard isNewer else { continue }
                groups[place] = entry
            } else {
                groups.append(entry)
            }
            if entry.state == .active { renewed.append(entry.group) }
            for address in entry.chain where !isNode(address) { nodes.append(Node(address: address)) }
        }
        if update.isWhole { keys.removeAll(keepingCapacity: true) }
        for key in update.keys { keys[key.name] = key }
        for name in update.removed { keys[name] = nil }
        return renewed
    }

    func isNode(_ address: UInt32) -> Bool { nodes.contains { $0.address == address } }

    func classes(of address: UInt32) -> UInt16 { nodes.first { $0.address == address }?.classes ?? 0 }

    mutating func setClasses(_ classes: UInt16, of address: UInt32) {
        if let place = nodes.firstIndex(where: { $0.address == address }) { nodes[place].classes = classes }
    }
}
