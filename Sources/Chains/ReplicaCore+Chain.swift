import Wire

/// Packets of other switches.
extension ReplicaCore {
    mutating func receive(
        fabric datagram: Span<UInt8>, from address: UInt32, at now: UInt64, into outbox: inout Outbox
    ) {
        counters.packetsIn += 1
        counters.bytesIn += max(0, datagram.count - FabricFrame.byteCount)
        guard let frame = FabricFrame(datagram) else {
            counters.malformed += 1
            return
        }
        let payload = datagram.extracting(FabricFrame.byteCount..<datagram.count)
        guard let packet = ChainPacket(payload, format: format) else {
            counters.malformed += 1
            return
        }
        guard frame.destination.address == configuration.address, Int(packet.group) < groups.count else {
            counters.foreign += 1
            return
        }
        guard frame.ttl > 0 else {
            counters.expired += 1
            return
        }
        guard groups[Int(packet.group)].isActive,
            packet.epoch == groups[Int(packet.group)].epoch || mutations.contains(.ignoresEpochs)
        else {
            counters.otherEpochs += 1
            return
        }
        switch packet.operation {
        case .chainWrite: chainWrite(packet, payload, frame, from: address, at: now, into: &outbox)
        case .commit: commit(packet, payload, frame, from: address)
        case .tailRead, .versionQuery: tailRead(packet, frame, from: address, at: now, into: &outbox)
        case .versionReply: versionReply(packet, frame, from: address, at: now, into: &outbox)
        default: counters.foreign += 1
        }
    }

    /// Whether the packet's version can be one that a head of this or an earlier epoch assigned.
    private func isPossible(_ version: ChainVersion, in group: Int) -> Bool {
        version.number > 0 && version.epoch > 0
            && (version.epoch <= groups[group].epoch || mutations.contains(.ignoresEpochs))
    }

    /// The key's place; -1, and counted, if the key is not here or its values are of another width.
    private mutating func place(of packet: ChainPacket) -> Int {
        let place = store.find(packet.key, group: packet.group)
        guard place >= 0, packet.width == .none || packet.width == store.places[place].width else {
            counters.unknownKeys += 1
            return -1
        }
        return place
    }

    // CHAIN_WRITE.

    private mutating func chainWrite(
        _ packet: ChainPacket, _ payload: Span<UInt8>, _ frame: FabricFrame, from address: UInt32, at now: UInt64,
        into outbox: inout Outbox
    ) {
        let group = Int(packet.group)
        let isOfChain = address == groups[group].predecessor && listsSuffix(packet, payload)
        guard isOfChain && !groups[group].isHead || mutations.contains(.ignoresEpochs),
            isPossible(packet.version, in: group)
        else {
            counters.foreign += 1
            return
        }
        let place = place(of: packet)
        guard place >= 0 else { return }
        let isTail = groups[group].isTail
        if isNetCRAQ, packet.aux > store.cells[store.cleanCell(place)].version {
            let cell = store.dirtyCell(packet.aux, at: place)
            if cell >= 0 {
                store.makeClean(cell, at: place)
                store.setStamp(nextStamp(), at: place)
            }
        }
        let isNewer = isNew(packet.version, at: place)
        // The head has no more than these above its committed version, so this is never the case in a chain whose
        // switches have equally many cells. A write that is not kept must not go on.
        guard !isNewer || isTail || !isNetCRAQ || store.dirtyCount(place) < store.dirtyLimit,
            raiseSlot(packet)
        else {
            counters.versionOverflows += 1
            return
        }
        if isNewer || mutations.contains(.storesOlder) && !isNetCRAQ {
            counters.writes += 1
            keep(packet, payload, version: packet.version, client: frame.source, at: place, at: now)
        } else {
            counters.writesStale += 1
            if mutations.contains(.dropsOlder) { return }
        }
        if isTail {
            commitAtTail(packet, frame, at: place, into: &outbox)
        } else {
            let from = packet.valueOffset(format)
            let offset = open(
                packet, toPosition: groups[group].position + 1, owner: frame.source, ttl: frame.ttl - 1,
                into: &outbox)
            outbox.bytes.overwrite(from: offset, with: payload.extracting(from..<payload.count))
        }
    }

    /// Whether a version is above the committed one and not among the uncommitted ones.
    private func isNew(_ version: ChainVersion, at place: Int) -> Bool {
        version > store.cells[store.cleanCell(place)].version
            && (store.dirtyCount(place) == 0 || store.dirtyCell(version, at: place) < 0)
    }

    /// Stores a write: where it is committed by being stored (NetChain, a tail) in the committed version's place, else
    /// among the uncommitted ones.
    mutating func keep(
        _ packet: ChainPacket, _ payload: Span<UInt8>, version: ChainVersion, client: Endpoint, at place: Int,
        at now: UInt64
    ) {
        let group = Int(packet.group)
        var cell = VersionCell()
        cell.version = version
        cell.client = client
        cell.slot = packet.slot
        cell.request = packet.request
        cell.length = packet.valueLength
        let from = packet.valueOffset(format)
        let value = payload.extracting(from..<from + packet.valueByteCount)
        let isHead = groups[group].isHead
        let isTail = groups[group].isTail
        if isHead, !isTail, isNetCRAQ || groups[group].comparesAndSets {
            cell.dueAt = Self.later(now, by: configuration.resendInterval)
        }
        if isNetCRAQ, !isTail {
            _ = store.addDirty(cell, value: value, at: place)
        } else {
            store.setClean(cell, value: value, at: place)
        }
        store.setStamp(nextStamp(), at: place)
        if cell.dueAt != .max { addPending(place, at: cell.dueAt) }
    }

    /// The tail answers every CHAIN_WRITE, old or new: what it carries, or something newer, is committed.
    private mutating func commitAtTail(
        _ packet: ChainPacket, _ frame: FabricFrame, at place: Int, into outbox: inout Outbox
    ) {
        let group = Int(packet.group)
        if isNetCRAQ {
            multicastCommit(at: place, into: &outbox)
        } else if groups[group].comparesAndSets {
            send(.commit, cell: store.cleanCell(place), at: place, toPosition: 0, into: &outbox)
        }
        guard isClient(frame.source) else { return }
        reply(.writeReply, to: packet, .ok, version: packet.version, client: frame.source, into: &outbox)
    }

    // COMMIT.

    private mutating func commit(
        _ packet: ChainPacket, _ payload: Span<UInt8>, _ frame: FabricFrame, from address: UInt32
    ) {
        let group = Int(packet.group)
        let isFromTail = address == groups[group].chain[groups[group].chain.count - 1]
        guard !groups[group].isTail, isFromTail || mutations.contains(.ignoresEpochs),
            isPossible(packet.version, in: group), isNetCRAQ || groups[group].isHead
        else {
            counters.foreign += 1
            return
        }
        let place = place(of: packet)
        guard place >= 0 else { return }
        counters.acknowledgements += 1
        guard isNetCRAQ else {
            let stored = store.cells[store.cleanCell(place)].version
            if packet.version > store.places[place].committed, packet.version <= stored {
                store.setCommitted(packet.version, at: place)
            }
            return
        }
        let clean = store.cells[store.cleanCell(place)].version
        guard packet.version > clean || mutations.contains(.commitLowers) || mutations.contains(.commitResets),
            raiseSlot(packet)
        else { return }
        let cell = store.dirtyCell(packet.version, at: place)
        if cell >= 0 {
            store.makeClean(cell, at: place)
        } else {
            var committed = VersionCell()
            committed.version = packet.version
            committed.client = frame.source
            committed.slot = packet.slot
            committed.request = packet.request
            committed.length = packet.valueLength
            let from = packet.valueOffset(format)
            store.setClean(
                committed, value: payload.extracting(from..<from + packet.valueByteCount), at: place)
        }
        if mutations.contains(.commitResets) { store.dropDirty(at: place) }
        store.setStamp(nextStamp(), at: place)
    }

    // Reads that were sent on.

    /// The tail answers the client, or tells the asking node which version is committed.
    private mutating func tailRead(
        _ packet: ChainPacket, _ frame: FabricFrame, from address: UInt32, at now: UInt64,
        into outbox: inout Outbox
    ) {
        let group = Int(packet.group)
        guard isNetCRAQ, groups[group].isTail, packet.aux.number < UInt64(groups[group].position),
            groups[group].chain[Int(packet.aux.number)] == address, isClient(frame.source)
        else {
            counters.foreign += 1
            return
        }
        let asker = Int(packet.aux.number)
        guard hasLease(group, at: now) else {
            counters.otherEpochs += 1
            reply(.readReply, to: packet, .paused, version: .none, client: frame.source, into: &outbox)
            return
        }
        let place = store.find(packet.key, group: packet.group)
        guard place >= 0 else {
            counters.unknownKeys += 1
            reply(.readReply, to: packet, .notFound, version: .none, client: frame.source, into: &outbox)
            return
        }
        let cell = store.cleanCell(place)
        counters.readsClean += 1
        store.countCleanRead(at: place)
        if case .versionQuery = packet.operation {
            var answer = packet
            answer.operation = .versionReply
            answer.version = store.cells[cell].version
            answer.aux = .none
            _ = open(answer, toPosition: asker, owner: frame.source, into: &outbox)
            return
        }
        reply(toRead: packet, cell: cell, at: place, client: frame.source, into: &outbox)
        // The asker may have lost the COMMIT; nothing else would clean its key before the next write.
        if store.cells[cell].version != .none {
            send(.commit, cell: cell, at: place, toPosition: asker, into: &outbox)
        }
    }

    /// What the tail had committed when it was asked becomes clean here, and the read is answered from here.
    private mutating func versionReply(
        _ packet: ChainPacket, _ frame: FabricFrame, from address: UInt32, at now: UInt64,
        into outbox: inout Outbox
    ) {
        let group = Int(packet.group)
        guard isNetCRAQ, !groups[group].isTail, isClient(frame.source),
            address == groups[group].chain[groups[group].chain.count - 1]
        else {
            counters.foreign += 1
            return
        }
        let place = store.find(packet.key, group: packet.group)
        guard place >= 0 else {
            counters.unknownKeys += 1
            return
        }
        guard hasLease(group, at: now) else {
            counters.otherEpochs += 1
            reply(.readReply, to: packet, .paused, version: .none, client: frame.source, into: &outbox)
            return
        }
        let cell = store.dirtyCell(packet.version, at: place)
        if cell >= 0 {
            store.makeClean(cell, at: place)
            store.setStamp(nextStamp(), at: place)
        }
        guard store.cells[store.cleanCell(place)].version >= packet.version else {
            // Only a switch that lost what it held can be behind; the client asks again.
            counters.writesStale += 1
            return
        }
        reply(toRead: packet, cell: store.cleanCell(place), at: place, client: frame.source, into: &outbox)
    }
}
