/// From one chain to the next.
extension Controller {
    /// Begins a new epoch of a group with those of its chain that answer; everybody else is left out.
    mutating func reconfigure(_ group: Int, at now: UInt64, into actions: inout [ControllerAction]) {
        record.groups[group].entry.epoch += 1
        record.groups[group].entry.state = .sealed
        store(into: &actions)
        groups[group].pausedAt = groups[group].pausedAt ?? now
        let entry = record.groups[group].entry
        actions.append(.log(.sealing(group: entry.group, epoch: entry.epoch)))
        publish(groups: [entry], into: &actions)
        groups[group].phase = .sealing
        groups[group].answered = []
        groups[group].target = []
        seal(group, at: now, into: &actions)
    }

    /// Asks all of the chain that are not suspected; one whose stream is not open yet is asked when it is.
    private mutating func seal(_ group: Int, at now: UInt64, into actions: inout [ControllerAction]) {
        let entry = record.groups[group].entry
        groups[group].awaiting = entry.chain.filter { !isSuspected($0) && !groups[group].answered.contains($0) }
        let isReachable = groups[group].awaiting.allSatisfy(isAlive)
        let times = configuration.times
        groups[group].deadline = now + (isReachable ? times.sealing : max(times.sealing, times.suspicion))
        for node in groups[group].awaiting {
            send(.seal(GroupEpoch(group: entry.group, epoch: entry.epoch)), to: node, into: &actions)
        }
    }

    /// What a node that was away was to be asked.
    mutating func askAgain(_ group: Int, _ address: UInt32, _ actions: inout [ControllerAction]) {
        let entry = record.groups[group].entry
        let target = GroupEpoch(group: entry.group, epoch: entry.epoch)
        switch groups[group].phase {
        case .sealing: send(.seal(target), to: address, into: &actions)
        case .forming: send(.join(ticket(group)), to: address, into: &actions)
        default: break
        }
    }

    mutating func receiveSealed(
        _ report: SealReport, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let group = Int(report.group)
        guard group < groups.count, case .sealing = groups[group].phase,
            report.epoch == record.groups[group].entry.epoch, groups[group].awaiting.contains(address)
        else { return }
        groups[group].awaiting.removeAll { $0 == address }
        groups[group].answered.append(address)
        if groups[group].awaiting.isEmpty { settle(group, at: now, into: &actions) }
    }

    /// Everybody answered SEAL or was given up: those who did are the next chain.
    mutating func settle(_ group: Int, at now: UInt64, into actions: inout [ControllerAction]) {
        let entry = record.groups[group].entry
        let target = entry.chain.filter(groups[group].answered.contains)
        guard !target.isEmpty else {
            if !groups[group].isUnreachableSaid { actions.append(.log(.unreachable(group: entry.group))) }
            groups[group].isUnreachableSaid = true
            groups[group].phase = .sealing
            groups[group].deadline = now + configuration.times.sealing
            return
        }
        groups[group].isUnreachableSaid = false
        groups[group].awaiting = []
        groups[group].deadline = .max
        groups[group].target = target
        actions.append(.log(.sealed(group: entry.group, epoch: entry.epoch, by: target)))
        var end = target.count < entry.chain.count ? leasesOfBefore : 0
        for node in entry.chain where !target.contains(node) {
            if let grant = groups[group].lastGrant(to: node) { end = max(end, grant + configuration.times.leaseWait) }
        }
        groups[group].leasesEnd = end
        if let join = groups[group].join {
            if case .ready = join.stage, target.contains(join.source) {
                copyChanges(group, at: now, into: &actions)
                return
            }
            endJoin(group, into: &actions)
        }
        groups[group].phase = .leaving
        activateWhenLeasesEnd(group, at: now, into: &actions)
    }

    mutating func activateWhenLeasesEnd(_ group: Int, at now: UInt64, into actions: inout [ControllerAction]) {
        guard case .leaving = groups[group].phase, now >= groups[group].leasesEnd else { return }
        record.groups[group].entry.chain = groups[group].target
        record.groups[group].entry.state = .active
        store(into: &actions)
        groups[group].phase = .activating
        let isBackward = configuration.mutations.contains(.activatesHeadFirst)
        groups[group].activating = isBackward ? 0 : groups[group].target.count - 1
        activateNext(group, at: now, into: &actions)
    }

    private mutating func activateNext(_ group: Int, at now: UInt64, into actions: inout [ControllerAction]) {
        let entry = record.groups[group].entry
        groups[group].deadline = now + configuration.times.sealing
        let activation = Activation(
            group: entry.group, epoch: entry.epoch, chain: entry.chain,
            closedSlots: record.groups[group].closedSlots, comparesAndSets: entry.comparesAndSets)
        send(.activate(activation), to: entry.chain[groups[group].activating], into: &actions)
    }

    mutating func receiveActivated(
        _ target: GroupEpoch, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let group = Int(target.group)
        guard group < groups.count, case .activating = groups[group].phase else { return }
        let entry = record.groups[group].entry
        guard target.epoch == entry.epoch, entry.chain[groups[group].activating] == address else { return }
        groups[group].activating += configuration.mutations.contains(.activatesHeadFirst) ? 1 : -1
        if entry.chain.indices.contains(groups[group].activating) {
            activateNext(group, at: now, into: &actions)
            return
        }
        groups[group].phase = .idle
        groups[group].deadline = .max
        if let join = groups[group].join, entry.chain.contains(join.node) {
            actions.append(
                .log(
                    .copied(
                        group: entry.group, node: join.node, keys: join.keyCount, bytes: join.byteCount,
                        keysWhileSealed: join.changedCount)))
            groups[group].join = nil
        }
        let paused = now - (groups[group].pausedAt ?? now)
        groups[group].pausedAt = nil
        actions.append(
            .log(.activated(group: entry.group, epoch: entry.epoch, chain: entry.chain, paused: paused)))
        publish(groups: [entry], into: &actions)
        repeatKeys(of: group, into: &actions)
    }

    /// A switch will not do what it was told: it lost what it held, or has no room.
    mutating func receiveRefused(
        _ refusal: Refusal, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let group = Int(refusal.group)
        guard group < groups.count, refusal.epoch == record.groups[group].entry.epoch else { return }
        switch (refusal.request, groups[group].phase) {
        case (.join, _), (.copyRead, _), (.copyWrite, _):
            guard let join = groups[group].join, join.number == refusal.join else { return }
            let isSealed = if case .copying = groups[group].phase { true } else { false }
            endJoin(group, into: &actions)
            if isSealed { settle(group, at: now, into: &actions) }
        case (.seal, .sealing):
            groups[group].awaiting.removeAll { $0 == address }
            if groups[group].awaiting.isEmpty { settle(group, at: now, into: &actions) }
        case (.activate, .activating): reconfigure(group, at: now, into: &actions)
        case (.insert, .idle): refuseKeys(of: refusal, into: &actions)
        default: break
        }
    }

    mutating func advance(_ group: Int, to now: UInt64, into actions: inout [ControllerAction]) {
        if case .leaving = groups[group].phase { activateWhenLeasesEnd(group, at: now, into: &actions) }
        guard now >= groups[group].deadline else { return }
        switch groups[group].phase {
        case .idle: reconfigure(group, at: now, into: &actions)
        case .sealing:
            if groups[group].answered.isEmpty {
                settle(group, at: now, into: &actions)
                seal(group, at: now, into: &actions)
            } else {
                settle(group, at: now, into: &actions)
            }
        case .activating:
            suspect(
                record.groups[group].entry.chain[groups[group].activating], .noAnswer, at: now, into: &actions)
            // It is the only one, or was suspected already.
            if case .activating = groups[group].phase { reconfigure(group, at: now, into: &actions) }
        case .forming, .copying, .leaving: groups[group].deadline = .max
        }
    }

    // First chains.

    /// Forms the empty chain of every group that never had one, once all its nodes are there.
    mutating func formGroups(at now: UInt64, into actions: inout [ControllerAction]) {
        for group in groups.indices {
            guard case .idle = groups[group].phase, record.groups[group].entry.chain.isEmpty else { continue }
            let chain = configuration.chain(of: group, among: configuration.nodes)
            if !chain.isEmpty, chain.allSatisfy(isAlive) { form(group, chain, at: now, into: &actions) }
        }
    }

    private mutating func form(
        _ group: Int, _ chain: [UInt32], at now: UInt64, into actions: inout [ControllerAction]
    ) {
        record.groups[group].entry.epoch += 1
        store(into: &actions)
        groups[group].phase = .forming
        groups[group].target = chain
        groups[group].awaiting = chain
        groups[group].pausedAt = now
        for node in chain { askAgain(group, node, &actions) }
    }

    mutating func receiveJoined(
        _ joined: JoinTicket, from address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        let group = Int(joined.group)
        guard group < groups.count, joined == ticket(group) else { return }
        if groups[group].join?.node == address {
            startCopy(group, into: &actions)
            return
        }
        guard case .forming = groups[group].phase else { return }
        groups[group].awaiting.removeAll { $0 == address }
        guard groups[group].awaiting.isEmpty else { return }
        groups[group].leasesEnd = 0
        groups[group].phase = .leaving
        activateWhenLeasesEnd(group, at: now, into: &actions)
    }

    /// Closes client sessions in a group for good, by a new epoch of the same chain.
    package mutating func close(
        slots: [UInt32], in group: UInt16, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        guard Int(group) < groups.count else { return }
        let known = Set(record.groups[Int(group)].closedSlots)
        record.groups[Int(group)].closedSlots = known.union(slots).sorted()
        store(into: &actions)
        if !record.groups[Int(group)].entry.chain.isEmpty { reconfigure(Int(group), at: now, into: &actions) }
    }
}
