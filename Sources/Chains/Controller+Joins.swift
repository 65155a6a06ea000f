/// A node joins a chain: copied to while the chain serves, then, sealed, told what changed meanwhile.
extension Controller {
    /// Begins to bring `node` into a group's chain, at `position` (0: head) or where the configuration has it. Nothing
    /// happens if the group is not at rest, the node not there or in the chain already.
    package mutating func join(
        _ node: UInt32, _ group: UInt16, position: Int? = nil, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let number = Int(group)
        guard number < groups.count, case .idle = groups[number].phase, groups[number].join == nil, isAlive(node)
        else { return }
        let entry = record.groups[number].entry
        guard entry.state == .active, !entry.chain.contains(node), entry.chain.count < ChainPacket.hopsMax
        else { return }
        let place = self.position(of: node, asked: position, in: entry.chain, group: number)
        // The head's state is what comes after it, any other node's what comes before: a superset of all behind it.
        let source = entry.chain[max(0, place - 1)]
        guard isAlive(source) else { return }
        joinNumber &+= 1
        groups[number].join = GroupControl.Join(node: node, number: joinNumber, position: position, source: source)
        actions.append(.log(.joining(group: group, node: node)))
        send(.join(ticket(number)), to: node, into: &actions)
    }

    /// The join under way, or the forming of a first chain, in the present epoch.
    func ticket(_ group: Int) -> JoinTicket {
        let entry = record.groups[group].entry
        return JoinTicket(group: entry.group, epoch: entry.epoch, number: groups[group].join?.number ?? 0)
    }

    /// Where a node goes in a chain.
    private func position(of node: UInt32, asked: Int?, in chain: [UInt32], group: Int) -> Int {
        if let asked { return min(max(0, asked), chain.count) }
        let order = configuration.chain(of: group, among: chain + [node])
        guard let place = order.firstIndex(of: node) else { return chain.count }
        return chain.firstIndex { member in (order.firstIndex(of: member) ?? order.count) > place } ?? chain.count
    }

    /// Brings chains that are too short back to their length, while nodes are there.
    mutating func startJoins(at now: UInt64, into actions: inout [ControllerAction]) {
        var room = configuration.limits.joins
        for group in groups where group.join != nil { room -= 1 }
        guard room > 0 else { return }
        for group in groups.indices where room > 0 {
            let entry = record.groups[group].entry
            guard case .idle = groups[group].phase, groups[group].join == nil, entry.state == .active,
                entry.chain.count < configuration.chainLength
            else { continue }
            let spare = nodes.first { node in
                node.isConnected && !node.isSuspected && !entry.chain.contains(node.address)
                    && !node.active.contains { $0.group == entry.group }
            }
            guard let spare else { continue }
            join(spare.address, entry.group, at: now, into: &actions)
            room -= 1
        }
    }

    mutating func endJoin(_ group: Int, into actions: inout [ControllerAction]) {
        guard let join = groups[group].join else { return }
        groups[group].join = nil
        actions.append(.log(.joinEnded(group: record.groups[group].entry.group, node: join.node)))
    }

    mutating func startCopy(_ group: Int, into actions: inout [ControllerAction]) {
        guard let join = groups[group].join, case .asked = join.stage, case .idle = groups[group].phase
        else { return }
        groups[group].join?.stage = .copying
        read(group, since: 0, cursor: 0, into: &actions)
    }

    private mutating func read(
        _ group: Int, since: UInt64, cursor: UInt64, into actions: inout [ControllerAction]
    ) {
        guard let join = groups[group].join else { return }
        let request = CopyRequest(ticket: ticket(group), since: since, cursor: cursor)
        send(.copyRead(request), to: join.source, into: &actions)
    }

    mutating func receiveEntries(
        _ entries: CopyEntries, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let group = Int(entries.ticket.group)
        guard group < groups.count, var join = groups[group].join, join.source == address,
            entries.ticket == ticket(group)
        else { return }
        switch join.stage {
        case .asked, .ready: return
        case .copying: join.since = join.since ?? entries.stamp
        case .copyingChanges: join.changedCount += entries.keys.count
        }
        join.keyCount += entries.keys.count
        for key in entries.keys {
            for version in key.versions { join.byteCount += version.value?.count ?? 0 }
        }
        join.next = entries.next
        groups[group].join = join
        var copy = entries
        if configuration.mutations.contains(.skipsCopies) {
            copy.slots = []
            for key in copy.keys.indices {
                copy.keys[key].versions = [
                    VersionCopy(
                        version: .none, slot: 0, request: 0, client: Endpoint(address: 0, port: 0), value: nil)
                ]
            }
        }
        send(.copyWrite(copy), to: join.node, into: &actions)
    }

    mutating func receiveCopied(
        _ copied: JoinTicket, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let group = Int(copied.group)
        guard group < groups.count, let join = groups[group].join, join.node == address, copied == ticket(group)
        else { return }
        let isSealed = if case .copyingChanges = join.stage { true } else { false }
        if let next = join.next {
            read(group, since: isSealed ? join.since ?? 0 : 0, cursor: next, into: &actions)
        } else if isSealed {
            let place = position(of: join.node, asked: join.position, in: groups[group].target, group: group)
            groups[group].target.insert(join.node, at: place)
            groups[group].phase = .leaving
            activateWhenLeasesEnd(group, at: now, into: &actions)
        } else if case .copying = join.stage, case .idle = groups[group].phase {
            groups[group].join?.stage = .ready
            reconfigure(group, at: now, into: &actions)
        }
    }

    /// The chain is sealed: what changed since the copy began.
    mutating func copyChanges(_ group: Int, at now: UInt64, into actions: inout [ControllerAction]) {
        guard let join = groups[group].join else { return }
        groups[group].phase = .copying
        groups[group].join?.stage = .copyingChanges
        // A source that never changed anything has stamp 0, and everything is a change.
        read(group, since: join.since ?? 0, cursor: 0, into: &actions)
    }
}
