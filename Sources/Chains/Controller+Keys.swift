/// What a controller is doing with keys; lost by a restart, and begun anew.
struct KeyControl: Sendable {
    /// Who has acknowledged an INSERT or REMOVE in the present epoch.
    struct Acknowledgements: Sendable {
        var key: ChainKey
        var epoch: UInt32
        var nodes: [UInt32]
    }

    struct Withdrawal: Sendable {
        var key: ChainKey
        var until: UInt64
    }

    var acknowledgements: [Acknowledgements] = []
    /// Ascending in time.
    var withdrawals: [Withdrawal] = []
    /// What each switch last said was asked of a placed key.
    var hits: [ChainKey: [UInt32: KeyHits]] = [:]
    /// Numbers of removed keys; used again only by a mutation.
    var free: [ChainKey] = []

    var nextWithdrawal: UInt64 { withdrawals.first?.until ?? .max }

    mutating func startWithdrawals(record: ControllerRecord, until: UInt64) {
        for key in record.keys where key.state == .withdrawn {
            withdrawals.append(Withdrawal(key: key.placed.key, until: until))
        }
    }

    /// Notes that `node` has acknowledged; answers whether all of `chain` have, in this epoch.
    mutating func acknowledge(_ entry: KeyEntry, by node: UInt32, chain: [UInt32]) -> Bool {
        let place: Int
        if let known = acknowledgements.firstIndex(where: { $0.key == entry.key }) {
            place = known
            if acknowledgements[place].epoch != entry.epoch { acknowledgements[place].nodes = [] }
            acknowledgements[place].epoch = entry.epoch
        } else {
            place = acknowledgements.count
            acknowledgements.append(Acknowledgements(key: entry.key, epoch: entry.epoch, nodes: []))
        }
        if !acknowledgements[place].nodes.contains(node) { acknowledgements[place].nodes.append(node) }
        guard chain.allSatisfy(acknowledgements[place].nodes.contains) else { return false }
        acknowledgements.remove(at: place)
        return true
    }
}

/// Which keys the chains serve.
extension Controller {
    /// Places a key: inserts it at every node of its group's chain, then tells the clients. Answers its number; nil if
    /// the name is placed already, too long, or there is no room.
    @discardableResult
    package mutating func place(
        _ name: [UInt8], width: WidthClass, in group: UInt16? = nil, into actions: inout [ControllerAction]
    ) -> ChainKey? {
        guard width != .none, name.count <= configuration.limits.nameBytes,
            record.keys.count < configuration.limits.keys,
            !record.keys.contains(where: { $0.placed.name == name }), record.nextKey <= UInt64(UInt32.max),
            !groups.isEmpty, Int(group ?? 0) < groups.count
        else { return nil }
        var key = ChainKey(low: record.nextKey)
        if configuration.mutations.contains(.reusesKeys), let old = keys.free.popLast() {
            key = old
        } else {
            record.nextKey += 1
        }
        let number = group ?? UInt16(key.low % UInt64(groups.count))
        let placed = PlacedKey(name: name, key: key, group: number, width: width)
        record.keys.append(ControllerRecord.Key(placed: placed, state: .inserting))
        store(into: &actions)
        insertOrRemove(record.keys.count - 1, into: &actions)
        return key
    }

    /// Takes a key out of the directory, and out of the switches once no client goes by the old one.
    package mutating func evict(_ name: [UInt8], at now: UInt64, into actions: inout [ControllerAction]) {
        guard let place = record.keys.firstIndex(where: { $0.placed.name == name }),
            record.keys[place].state == .placed || record.keys[place].state == .inserting
        else { return }
        record.keys[place].state = .withdrawn
        store(into: &actions)
        keys.withdrawals.append(
            KeyControl.Withdrawal(
                key: record.keys[place].placed.key, until: now + configuration.directoryLease))
        publish(keys: [], removed: [name], into: &actions)
    }

    mutating func removeWithdrawn(at now: UInt64, into actions: inout [ControllerAction]) {
        while let first = keys.withdrawals.first, now >= first.until {
            keys.withdrawals.removeFirst()
            guard let place = record.keys.firstIndex(where: { $0.placed.key == first.key }) else { continue }
            record.keys[place].state = .removing
            store(into: &actions)
            insertOrRemove(place, into: &actions)
        }
    }

    /// Sends INSERT or REMOVE to the chain, if it is active.
    private func insertOrRemove(_ place: Int, into actions: inout [ControllerAction]) {
        let placed = record.keys[place].placed
        let entry = record.groups[Int(placed.group)].entry
        guard entry.state == .active, case .idle = groups[Int(placed.group)].phase else { return }
        let key = KeyEntry(key: placed.key, group: placed.group, epoch: entry.epoch, width: placed.width)
        for node in entry.chain {
            if record.keys[place].state == .inserting { send(.insert(key), to: node, into: &actions) }
            if record.keys[place].state == .removing { send(.remove(key), to: node, into: &actions) }
        }
    }

    /// A new epoch: what was not acknowledged by the whole chain is sent to the whole chain again.
    mutating func repeatKeys(of group: Int, into actions: inout [ControllerAction]) {
        for place in record.keys.indices where Int(record.keys[place].placed.group) == group {
            insertOrRemove(place, into: &actions)
        }
    }

    private mutating func acknowledged(_ entry: KeyEntry, _ state: ControllerRecord.KeyState, by node: UInt32) -> Int? {
        guard Int(entry.group) < groups.count else { return nil }
        let group = record.groups[Int(entry.group)].entry
        guard entry.epoch == group.epoch, group.state == .active,
            let place = record.keys.firstIndex(where: { $0.placed.key == entry.key && $0.state == state })
        else { return nil }
        return keys.acknowledge(entry, by: node, chain: group.chain) ? place : nil
    }

    mutating func receiveInserted(_ entry: KeyEntry, from node: UInt32, into actions: inout [ControllerAction]) {
        guard let place = acknowledged(entry, .inserting, by: node) else { return }
        record.keys[place].state = .placed
        store(into: &actions)
        actions.append(.log(.keyPlaced(entry.key, group: entry.group)))
        publish(keys: [record.keys[place].placed], removed: [], into: &actions)
    }

    mutating func receiveRemoved(_ entry: KeyEntry, from node: UInt32, into actions: inout [ControllerAction]) {
        guard let place = acknowledged(entry, .removing, by: node) else { return }
        record.keys.remove(at: place)
        keys.hits[entry.key] = nil
        if configuration.mutations.contains(.reusesKeys) { keys.free.append(entry.key) }
        store(into: &actions)
        actions.append(.log(.keyRemoved(entry.key, group: entry.group)))
    }

    /// A switch has no room: keys of the group that are on their way in are given up.
    mutating func refuseKeys(of refusal: Refusal, into actions: inout [ControllerAction]) {
        guard refusal.reason == .full || refusal.reason == .invalid else { return }
        var isChanged = false
        for place in record.keys.indices
        where record.keys[place].placed.group == refusal.group && record.keys[place].state == .inserting {
            record.keys[place].state = .removing
            isChanged = true
            actions.append(
                .log(.keyRefused(record.keys[place].placed.key, group: refusal.group, refusal.reason)))
            insertOrRemove(place, into: &actions)
        }
        if isChanged { store(into: &actions) }
    }

    // What is asked of them.

    /// Asks every node of every active chain what was asked of its keys.
    package func askForCounts(into actions: inout [ControllerAction]) {
        for group in record.groups where group.entry.state == .active {
            for node in group.entry.chain {
                send(.counters(CountersRequest(group: group.entry.group, cursor: 0)), to: node, into: &actions)
            }
        }
    }

    mutating func receiveCounts(_ counts: KeyCounts, from node: UInt32, into actions: inout [ControllerAction]) {
        let known = Set(record.keys.map(\.placed.key))
        for row in counts.rows where known.contains(row.key) { keys.hits[row.key, default: [:]][node] = row.counts }
        guard let next = counts.next else { return }
        send(.counters(CountersRequest(group: counts.group, cursor: next)), to: node, into: &actions)
    }

    /// What was asked of a key at all switches that said so. A switch that was restarted begins at 0 again.
    package func hits(of key: ChainKey) -> KeyHits {
        var sum = KeyHits()
        for hits in (keys.hits[key] ?? [:]).values {
            sum.readsClean &+= hits.readsClean
            sum.readsDirty &+= hits.readsDirty
            sum.writes &+= hits.writes
            sum.rejections &+= hits.rejections
        }
        return sum
    }
}
