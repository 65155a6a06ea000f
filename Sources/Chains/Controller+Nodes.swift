extension Controller {
    /// Grants a lease for what the node is active in and is meant to be; to a node that still takes part in a group it
    /// was removed from, none at all before it has sealed that.
    mutating func receive(
        _ beat: Heartbeat, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        if let node = index(of: address) { nodes[node].active = beat.active }
        var covered: [GroupEpoch] = []
        var isRemoved = false
        for pair in beat.active where Int(pair.group) < groups.count {
            let entry = record.groups[Int(pair.group)].entry
            if entry.state == .active, entry.epoch == pair.epoch, entry.chain.contains(address) {
                covered.append(pair)
            } else if !entry.chain.contains(address), pair.epoch < entry.epoch {
                isRemoved = true
                send(.seal(GroupEpoch(group: pair.group, epoch: entry.epoch)), to: address, into: &actions)
            }
        }
        if !isRemoved {
            for pair in covered { groups[Int(pair.group)].noteGrant(to: address, at: now) }
            let lease = Lease(clock: beat.clock, duration: configuration.times.lease, groups: covered)
            send(.lease(lease), to: address, into: &actions)
        }
        // A node of a chain that does not take part has lost what it held, or was never told.
        for group in groups.indices {
            let entry = record.groups[group].entry
            guard case .idle = groups[group].phase, entry.state == .active, entry.chain.contains(address),
                !beat.active.contains(GroupEpoch(group: entry.group, epoch: entry.epoch))
            else { continue }
            reconfigure(group, at: now, into: &actions)
        }
        formGroups(at: now, into: &actions)
    }

    /// A switch is taken for failed: chains go on without it, if anybody is left.
    package mutating func suspect(
        _ address: UInt32, _ suspicion: ControllerEvent.Suspicion, at now: UInt64,
        into actions: inout [ControllerAction]
    ) {
        guard let node = index(of: address), !nodes[node].isSuspected else { return }
        nodes[node].isSuspected = true
        // One that never came is nobody's loss.
        if nodes[node].hasBeenConnected || record.groups.contains(where: { $0.entry.chain.contains(address) }) {
            actions.append(.log(.nodeSuspected(address, suspicion)))
        }
        for group in groups.indices { leaveOut(address, of: group, at: now, into: &actions) }
    }

    /// Goes on with a group without `address`, whatever was under way.
    private mutating func leaveOut(
        _ address: UInt32, of group: Int, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        if groups[group].join?.node == address || groups[group].join?.source == address {
            let wasCopying = groups[group].phase
            endJoin(group, into: &actions)
            if case .copying = wasCopying { settle(group, at: now, into: &actions) }
        }
        guard record.groups[group].entry.chain.contains(address) else {
            if case .forming = groups[group].phase, groups[group].target.contains(address) {
                groups[group].phase = .idle
                groups[group].awaiting = []
                groups[group].deadline = .max
            }
            return
        }
        switch groups[group].phase {
        case .forming: break
        case .sealing:
            groups[group].awaiting.removeAll { $0 == address }
            groups[group].answered.removeAll { $0 == address }
            if groups[group].awaiting.isEmpty { settle(group, at: now, into: &actions) }
        case .idle, .copying, .leaving, .activating:
            // The only node left is not given up: nobody else has what it holds.
            let others = record.groups[group].entry.chain.filter { $0 != address && isAlive($0) }
            if !others.isEmpty { reconfigure(group, at: now, into: &actions) }
        }
    }
}
