/// NetChain's controller, as NSDI 2018 §5 and its source have it: what it writes into which switch. Who has failed
/// is told to it; it asks nobody and waits for nobody.
///
/// Clients keep their lists: a packet for a failed node meets a rule at whichever switch it passes. Every other switch
/// counts as a neighbour of the failed one, since each sends to each directly.
package struct NetChainPaperControl: Sendable {
    /// Ways in which NetChain's BMv2 source falls short of its paper; none is set unless asked for.
    package struct Quirks: OptionSet, BitwiseCopyable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Only the failed node's predecessor gets the rule of a fail-over.
        package static let onlyPredecessor = Quirks(rawValue: 1)
        /// The rule for a failed tail answers any packet as a write.
        package static let answersReadsAsWrites = Quirks(rawValue: 2)
        /// The predecessor of a failed tail does not become the tail.
        package static let noNewTail = Quirks(rawValue: 4)
        /// A head's replacement gets its rule at the successor alone, which no client's write passes first.
        package static let headRuleAtSuccessor = Quirks(rawValue: 8)
        /// A new head has no higher session.
        package static let noSession = Quirks(rawValue: 16)
    }

    package let quirks: Quirks
    /// The nodes in service, head first.
    package private(set) var chain: [UInt32]
    /// The nodes that clients list, head first, failed ones included: a node's place says what it succeeds to.
    private let places: [UInt32]
    /// Who is in each place now; the failed node itself until it is replaced.
    private var occupants: [UInt32]
    private var keys: [UInt128] = []
    private var session: UInt64

    /// Roles are set by `insert`; nothing else is needed at the start.
    package init(chain: [UInt32], quirks: Quirks = []) {
        self.quirks = quirks
        self.chain = chain
        places = chain
        occupants = chain
        session = quirks.contains(.noSession) ? 0 : 1
    }

    /// Sets every switch's session; the first head's is 1.
    package func start(_ switches: inout [NetChainPaperSwitch]) {
        for position in switches.indices { switches[position].session = session }
    }

    /// Adds `key` to every node of the chain; false when one of them had no registers left for it.
    package mutating func insert(_ key: UInt128, into switches: inout [NetChainPaperSwitch]) -> Bool {
        var isEverywhere = true
        for position in switches.indices {
            guard let place = chain.firstIndex(of: switches[position].network.own) else { continue }
            let isAdded = switches[position].insert(key, role: ChainRole(position: place, of: chain.count))
            isEverywhere = isEverywhere && isAdded
        }
        if !keys.contains(key) { keys.append(key) }
        return isEverywhere
    }

    /// Takes `key` off every switch.
    package mutating func remove(_ key: UInt128, from switches: inout [NetChainPaperSwitch]) {
        for position in switches.indices { _ = switches[position].remove(key) }
        keys.removeAll { $0 == key }
    }

    // MARK: Fail-over (§5.1)

    /// Phase 1: the chain goes on without `failed`. Neighbours pass it over, its successor becomes head with a higher
    /// session, or its predecessor tail. A node that is not in the chain is passed by.
    package mutating func failOver(of failed: UInt32, _ switches: inout [NetChainPaperSwitch]) {
        guard let place = chain.firstIndex(of: failed), chain.count > 1 else { return }
        let wasTail = place == chain.count - 1
        let predecessor = place > 0 ? chain[place - 1] : nil
        chain.remove(at: place)
        let answers = wasTail && quirks.contains(.answersReadsAsWrites)
        let rule = FailureTable.Rule(destination: failed, action: answers ? .answerAsWrite : .failOver)
        for position in switches.indices {
            let own = switches[position].network.own
            guard own != failed, !quirks.contains(.onlyPredecessor) || own == predecessor else { continue }
            switches[position].failures.install(rule)
        }
        if wasTail, quirks.contains(.noNewTail) { return }
        assignRoles(&switches, newHead: place == 0)
    }

    private mutating func assignRoles(_ switches: inout [NetChainPaperSwitch], newHead: Bool) {
        if newHead, !quirks.contains(.noSession) { session += 1 }
        for position in switches.indices {
            guard let place = chain.firstIndex(of: switches[position].network.own) else { continue }
            switches[position].setRole(ChainRole(position: place, of: chain.count))
            if place == 0, newHead { switches[position].session = session }
        }
    }

    // MARK: Recovery (§5.2)

    /// Phase 2, first half: packets for `failed` stop at its neighbours. The published one does this for one virtual
    /// group after the other; here they go together. Nothing happens while `failed` is in the chain.
    package func stop(_ failed: UInt32, _ switches: inout [NetChainPaperSwitch]) {
        guard occupants.contains(failed), !chain.contains(failed) else { return }
        let rule = FailureTable.Rule(destination: failed, action: .drop)
        for position in switches.indices where switches[position].network.own != failed {
            switches[position].failures.install(rule)
        }
        // A tail's recovery stops reads too, which its predecessor answers meanwhile: its role ends here.
        guard occupants.last == failed, let predecessor = chain.last else { return }
        for position in switches.indices where switches[position].network.own == predecessor {
            switches[position].setRole(chain.count == 1 ? .head : .replica)
        }
    }

    /// Phase 2, second half, once `stop` has been done: `replacement` gets the registers of the successor, or of the
    /// predecessor where a tail is replaced, then its role, then the packets for `failed`. Rules stay: the one of the
    /// replacement goes before them. Nothing happens when `failed` is no failed node.
    package mutating func replace(
        _ failed: UInt32, with replacement: UInt32, _ switches: inout [NetChainPaperSwitch]
    ) {
        guard let place = occupants.firstIndex(of: failed), !chain.contains(failed), !chain.contains(replacement),
            let target = switches.firstIndex(where: { $0.network.own == replacement })
        else { return }
        let after = occupants[(place + 1)...].first { chain.contains($0) }
        guard let neighbour = after ?? chain.last,
            let source = switches.firstIndex(where: { $0.network.own == neighbour })
        else { return }
        for key in keys {
            _ = switches[target].insert(key, role: .replica)
            if let entry = switches[source].entry(of: key) { switches[target].restore(entry, of: key) }
        }
        let position = after.flatMap { chain.firstIndex(of: $0) } ?? chain.count
        chain.insert(replacement, at: position)
        occupants[place] = replacement
        assignRoles(&switches, newHead: position == 0)
        let onlySuccessor = position == 0 && quirks.contains(.headRuleAtSuccessor)
        for position in switches.indices where !onlySuccessor || switches[position].network.own == neighbour {
            // Both names are in use: the one that clients list, and that of an earlier replacement.
            redirect(failed, to: replacement, at: &switches[position])
            if places[place] != failed { redirect(places[place], to: replacement, at: &switches[position]) }
        }
    }

    /// A node that comes back under its own name has no more rules.
    private func redirect(_ name: UInt32, to replacement: UInt32, at neighbour: inout NetChainPaperSwitch) {
        if name == replacement { return neighbour.failures.removeAll(for: name) }
        neighbour.failures.install(.init(destination: name, action: .redirect(to: replacement)))
    }
}
