/// Copies of a group for a switch that joins: everything while the chain serves, then what changed while it is sealed.
///
/// A copy's cursor is a place of the store, or, from `slotCursor` on, an entry of the session table.
extension ReplicaCore {
    private static let slotCursor: UInt64 = 1 << 32

    mutating func copyRead(_ request: CopyRequest) -> ControlMessage {
        let ticket = request.ticket
        let group = Int(ticket.group)
        guard group < groups.count, groups[group].isActive || groups[group].state == .sealed,
            groups[group].epoch == ticket.epoch
        else { return refusal(.copyRead, .epoch, ticket) }
        guard request.since == 0 || request.since >= removalsSince
        else { return refusal(.copyRead, .forgotten, ticket) }
        var answer = CopyEntries(
            ticket: ticket, keys: [], slots: [], removed: [], next: nil, stamp: stamp)
        if request.cursor < Self.slotCursor {
            readKeys(request, into: &answer)
        } else {
            readSlots(request, from: request.cursor - Self.slotCursor, into: &answer)
        }
        return .entries(answer)
    }

    private func readKeys(_ request: CopyRequest, into answer: inout CopyEntries) {
        if request.cursor == 0, request.since > 0 {
            answer.removed = removals.filter { $0.group == request.ticket.group && $0.stamp > request.since }.map(\.key)
        }
        answer.next = Self.slotCursor
        var byteCount = 0
        guard request.cursor < UInt64(store.places.count) else { return }
        for place in Int(request.cursor)..<store.places.count {
            guard holds(place, of: request.ticket.group), store.places[place].stamp > request.since else { continue }
            guard answer.keys.count < configuration.limits.entriesPerCopy,
                byteCount < configuration.limits.bytesPerCopy
            else {
                answer.next = UInt64(place)
                return
            }
            let copy = copy(of: place)
            for version in copy.versions { byteCount += version.value?.count ?? 0 }
            answer.keys.append(copy)
        }
    }

    private func copy(of place: Int) -> KeyCopy {
        var copy = KeyCopy(key: store.places[place].key, width: store.places[place].width, versions: [])
        for cell in store.cleanCell(place)...store.topCell(place) {
            let stored = store.cells[cell]
            var value: [UInt8]?
            if stored.length != ChainPacket.deleted {
                var bytes = [UInt8](repeating: 0, count: Int(stored.length))
                store.copyValue(of: cell, at: place, over: &bytes, from: 0)
                value = bytes
            }
            copy.versions.append(
                VersionCopy(
                    version: stored.version, slot: stored.slot, request: stored.request, client: stored.client,
                    value: value))
        }
        return copy
    }

    private func readSlots(_ request: CopyRequest, from cursor: UInt64, into answer: inout CopyEntries) {
        guard cursor < UInt64(slots.entries.count) else { return }
        for place in Int(cursor)..<slots.entries.count {
            let entry = slots.entries[place]
            guard entry.group == request.ticket.group, entry.stamp > request.since else { continue }
            guard answer.slots.count < configuration.limits.entriesPerCopy else {
                answer.next = Self.slotCursor + UInt64(place)
                return
            }
            answer.slots.append(
                SlotCopy(
                    slot: entry.slot, request: entry.request, key: entry.key, version: entry.version,
                    status: entry.status))
        }
    }

    /// All or nothing of a message is taken over, but for what does not fit the limits any more.
    mutating func copyWrite(_ entries: CopyEntries) -> ControlMessage {
        let ticket = entries.ticket
        let group = Int(ticket.group)
        guard group < groups.count, groups[group].state == .joining, ticket.number == groups[group].joinNumber,
            ticket.epoch >= groups[group].epoch
        else { return refusal(.copyWrite, .epoch, ticket) }
        guard entries.keys.allSatisfy({ canHold($0, of: ticket.group, epoch: ticket.epoch) }),
            entries.slots.allSatisfy({ $0.slot != 0 && $0.version.epoch <= ticket.epoch })
        else { return refusal(.copyWrite, .invalid, ticket) }
        groups[group].epoch = ticket.epoch
        for key in entries.removed { removeKey(key, group: ticket.group) }
        for copy in entries.keys {
            if store.find(copy.key) < 0, store.isFull { return refusal(.copyWrite, .full, ticket) }
            take(copy, group: ticket.group)
        }
        for copy in entries.slots {
            guard slots.hasRoom(group: ticket.group, slot: copy.slot)
            else { return refusal(.copyWrite, .full, ticket) }
            slots.set(
                SlotEntry(
                    group: ticket.group, status: copy.status, slot: copy.slot, request: copy.request, key: copy.key,
                    version: copy.version, stamp: nextStamp()))
        }
        return .copied(ticket)
    }

    /// Whether a copy is what a switch with as many cells can have sent.
    private func canHold(_ copy: KeyCopy, of group: UInt16, epoch: UInt32) -> Bool {
        let isNumber = !isNetCRAQ || copy.key.high == 0 && copy.key.low <= UInt32.max
        guard copy.width != .none, isNumber, (1...store.cellsPerKey).contains(copy.versions.count) else { return false }
        let place = store.find(copy.key)
        if place >= 0, store.places[place].group != group || store.places[place].width != copy.width { return false }
        for (index, version) in copy.versions.enumerated() {
            guard version.version.epoch <= epoch, (version.value?.count ?? 0) <= copy.width.byteCount,
                index == 0 || version.version > copy.versions[index - 1].version
            else { return false }
        }
        return true
    }

    private mutating func take(_ copy: KeyCopy, group: UInt16) {
        var place = store.find(copy.key)
        if place < 0 { place = store.insert(copy.key, group: group, width: copy.width) }
        store.dropDirty(at: place)
        for (index, version) in copy.versions.enumerated() {
            var cell = VersionCell()
            cell.version = version.version
            cell.client = version.client
            cell.slot = version.slot
            cell.request = version.request
            cell.length = version.value.map { UInt16($0.count) } ?? ChainPacket.deleted
            let value = version.value ?? []
            if index == 0 {
                store.setClean(cell, value: value.span, at: place)
            } else {
                _ = store.addDirty(cell, value: value.span, at: place)
            }
        }
        store.setStamp(nextStamp(), at: place)
    }
}
