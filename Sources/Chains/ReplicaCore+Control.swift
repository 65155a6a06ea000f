/// Control messages: epochs, leases, the place in the chain, keys.
extension ReplicaCore {
    mutating func receive(control message: ControlMessage, at now: UInt64) -> ControlMessage? {
        switch message {
        case .lease(let lease):
            extend(lease, at: now)
            return nil
        case .seal(let target): return seal(target)
        case .join(let target): return join(target)
        case .copyRead(let request): return copyRead(request)
        case .copyWrite(let entries): return copyWrite(entries)
        case .activate(let activation): return activate(activation)
        case .insert(let entry): return insert(entry)
        case .remove(let entry): return remove(entry)
        case .counters(let request): return counts(request)
        default: return nil
        }
    }

    func refusal(_ request: Refusal.Request, _ reason: Refusal.Reason, _ ticket: JoinTicket) -> ControlMessage {
        .refused(Refusal(request, reason, group: ticket.group, epoch: ticket.epoch, join: ticket.number))
    }

    private func refusal(
        _ request: Refusal.Request, _ reason: Refusal.Reason, _ group: UInt16, _ epoch: UInt32
    ) -> ControlMessage {
        .refused(Refusal(request, reason, group: group, epoch: epoch))
    }

    // Liveness.

    func heartbeat(at now: UInt64) -> ControlMessage {
        var active: [GroupEpoch] = []
        for (number, group) in groups.enumerated() where group.isActive {
            active.append(GroupEpoch(group: UInt16(number), epoch: group.epoch))
        }
        return .heartbeat(Heartbeat(node: configuration.address, clock: now, active: active))
    }

    /// A lease counts from the time this switch asked for it: the controller counts from its grant, which is later, so
    /// it never believes a lease over that is not.
    private mutating func extend(_ lease: Lease, at now: UInt64) {
        guard lease.clock <= now else { return }
        let start = mutations.contains(.leaseFromReceipt) ? now : lease.clock
        let end = Self.later(start, by: lease.duration)
        for covered in lease.groups where Int(covered.group) < groups.count {
            let group = Int(covered.group)
            guard groups[group].isActive, groups[group].epoch == covered.epoch else { continue }
            groups[group].leaseEnd = max(groups[group].leaseEnd, end)
        }
    }

    // Configurations.

    private mutating func seal(_ target: GroupEpoch) -> ControlMessage {
        let group = Int(target.group)
        guard group < groups.count else { return refusal(.seal, .epoch, target.group, target.epoch) }
        switch groups[group].state {
        case .unknown, .joining: return refusal(.seal, .epoch, target.group, target.epoch)
        case .sealed:
            guard target.epoch >= groups[group].epoch else { return refusal(.seal, .epoch, target.group, target.epoch) }
        case .active:
            guard target.epoch > groups[group].epoch else { return refusal(.seal, .epoch, target.group, target.epoch) }
        }
        groups[group].state = .sealed
        groups[group].epoch = target.epoch
        groups[group].leaseEnd = 0
        var report = SealReport(group: target.group, epoch: target.epoch, keyCount: 0, highest: .none)
        for place in store.places.indices where holds(place, of: target.group) {
            report.keyCount += 1
            report.highest = max(report.highest, store.cells[store.topCell(place)].version)
        }
        return .sealed(report)
    }

    /// Whether a key of `group` is at `place`.
    func holds(_ place: Int, of group: UInt16) -> Bool {
        store.places[place].width != .none && store.places[place].group == group
    }

    /// Whatever was held of the group is of no use: others have gone on without this switch. What it keeps is the
    /// closed sessions, which stay closed.
    private mutating func join(_ target: JoinTicket) -> ControlMessage {
        let group = Int(target.group)
        guard group < configuration.limits.groups else { return refusal(.join, .full, target) }
        while groups.count <= group { groups.append(ReplicaGroup()) }
        let isLate =
            groups[group].isActive
            ? target.epoch <= groups[group].epoch : target.epoch < groups[group].epoch
        guard target.epoch > 0, !isLate else { return refusal(.join, .epoch, target) }
        if !mutations.contains(.rejoinsWithState) { discard(target.group) }
        groups[group].state = .joining
        groups[group].joinNumber = target.number
        groups[group].epoch = target.epoch
        groups[group].chain = []
        groups[group].leaseEnd = 0
        return .joined(target)
    }

    private mutating func discard(_ group: UInt16) {
        for place in store.places.indices where holds(place, of: group) {
            removePending(place)
            store.remove(at: place)
        }
        slots.remove(group: group)
    }

    /// Only a switch that was sealed for this epoch, or copied to, takes part: one that was restarted holds nothing and
    /// must not answer as if it did.
    private mutating func activate(_ activation: Activation) -> ControlMessage {
        let number = activation.group
        let group = Int(number)
        guard group < groups.count else { return refusal(.activate, .epoch, number, activation.epoch) }
        let target = GroupEpoch(group: number, epoch: activation.epoch)
        switch groups[group].state {
        case .unknown: return refusal(.activate, .epoch, number, activation.epoch)
        case .active:
            let isRepeated = activation.epoch == groups[group].epoch && activation.chain == groups[group].chain
            return isRepeated ? .activated(target) : refusal(.activate, .epoch, number, activation.epoch)
        case .sealed:
            guard activation.epoch == groups[group].epoch else {
                return refusal(.activate, .epoch, number, activation.epoch)
            }
        case .joining:
            guard activation.epoch >= groups[group].epoch else {
                return refusal(.activate, .epoch, number, activation.epoch)
            }
        }
        guard (1...ChainPacket.hopsMax).contains(activation.chain.count),
            Set(activation.chain).count == activation.chain.count,
            let position = activation.chain.firstIndex(of: configuration.address)
        else { return refusal(.activate, .invalid, number, activation.epoch) }
        let closed = Set(groups[group].closedSlots).union(activation.closedSlots).sorted()
        guard closed.count <= configuration.limits.closedSlots else {
            return refusal(.activate, .full, number, activation.epoch)
        }

        slots.remove(group: number, only: closed)
        groups[group].closedSlots = closed
        groups[group].state = .active
        groups[group].epoch = activation.epoch
        groups[group].chain = activation.chain
        groups[group].position = position
        groups[group].predecessor = position > 0 ? activation.chain[position - 1] : 0
        groups[group].successor = position + 1 < activation.chain.count ? activation.chain[position + 1] : 0
        groups[group].comparesAndSets = activation.comparesAndSets
        groups[group].leaseEnd = 0
        for place in store.places.indices where holds(place, of: number) { takeUp(place) }
        return .activated(target)
    }

    /// What a key needs when its chain is activated: the tail commits its newest version, the others send again what
    /// may not have come further.
    private mutating func takeUp(_ place: Int) {
        let group = Int(store.places[place].group)
        let clean = store.cleanCell(place)
        removePending(place)
        guard isNetCRAQ else {
            let stored = store.cells[clean].version
            // What was known to be committed may be so at the old tail alone.
            store.setCommitted(groups[group].chain.count == 1 ? stored : .none, at: place)
            store.cells[clean].dueAt = .max
            if groups[group].isHead, !groups[group].isTail, groups[group].comparesAndSets, stored != .none {
                store.cells[clean].dueAt = 0
                addPending(place, at: 0)
            }
            return
        }
        store.cells[clean].dueAt = .max
        guard store.dirtyCount(place) > 0 else { return }
        if groups[group].isTail {
            if mutations.contains(.tailKeepsDirty) { return }
            store.makeClean(store.topCell(place), at: place)
            store.setStamp(nextStamp(), at: place)
            store.cells[clean].dueAt = 0
        } else {
            for cell in clean + 1...clean + store.dirtyCount(place) { store.cells[cell].dueAt = 0 }
        }
        addPending(place, at: 0)
    }

    // Keys.

    private mutating func insert(_ entry: KeyEntry) -> ControlMessage {
        let group = Int(entry.group)
        guard group < groups.count, groups[group].isActive, entry.epoch == groups[group].epoch
        else { return refusal(.insert, .epoch, entry.group, entry.epoch) }
        let isNumber = !isNetCRAQ || entry.key.high == 0 && entry.key.low <= UInt32.max
        guard entry.width != .none, isNumber else { return refusal(.insert, .invalid, entry.group, entry.epoch) }
        let place = store.find(entry.key)
        if place >= 0 {
            let isSame = store.places[place].group == entry.group && store.places[place].width == entry.width
            return isSame ? .inserted(entry) : refusal(.insert, .invalid, entry.group, entry.epoch)
        }
        guard !store.isFull else { return refusal(.insert, .full, entry.group, entry.epoch) }
        let new = store.insert(entry.key, group: entry.group, width: entry.width)
        store.setStamp(nextStamp(), at: new)
        return .inserted(entry)
    }

    private mutating func remove(_ entry: KeyEntry) -> ControlMessage {
        let group = Int(entry.group)
        guard group < groups.count, groups[group].isActive || groups[group].state == .joining,
            entry.epoch == groups[group].epoch
        else { return refusal(.remove, .epoch, entry.group, entry.epoch) }
        removeKey(entry.key, group: entry.group)
        return .removed(entry)
    }

    /// Removes a key, if it is here, and remembers that.
    mutating func removeKey(_ key: ChainKey, group: UInt16) {
        let place = store.find(key, group: group)
        guard place >= 0 else { return }
        removePending(place)
        store.remove(at: place)
        if removals.count >= configuration.limits.removals {
            removals.removeFirst(removals.count / 2)
            removalsSince = removals.first.map { $0.stamp } ?? stamp
        }
        removals.append(RemovedKey(key: key, group: group, stamp: nextStamp()))
    }

    private func counts(_ request: CountersRequest) -> ControlMessage {
        var answer = KeyCounts(group: request.group, rows: [], next: nil)
        guard request.cursor < UInt64(store.places.count) else { return .counts(answer) }
        for place in Int(request.cursor)..<store.places.count where holds(place, of: request.group) {
            guard answer.rows.count < configuration.limits.entriesPerCopy else {
                answer.next = UInt64(place)
                break
            }
            answer.rows.append(KeyCounts.Row(key: store.places[place].key, counts: store.places[place].hits))
        }
        return .counts(answer)
    }
}
