import Wire

extension ReplicaCore {
    mutating func receive(
        request payload: Span<UInt8>, from client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        counters.packetsIn += 1
        counters.bytesIn += payload.count
        guard isClient(client) else {
            counters.foreign += 1
            return
        }
        guard let packet = ChainPacket(payload, format: format) else {
            if isOfOtherVersion(payload) {
                replyToOtherVersion(client, into: &outbox)
            } else {
                counters.malformed += 1
            }
            return
        }
        switch packet.operation {
        case .hello: replyToHello(packet, client, into: &outbox)
        case .read: read(packet, payload, from: client, at: now, into: &outbox)
        case .write, .compareAndSet: write(packet, payload, from: client, at: now, into: &outbox)
        default: counters.foreign += 1
        }
    }

    // Versions of the format.

    /// A CQX request of a version not known here. It is long enough that the answer is no longer than it.
    private func isOfOtherVersion(_ payload: Span<UInt8>) -> Bool {
        guard isNetCRAQ, payload.count >= format.headerByteCount else { return false }
        let version = payload[0] & 0x3f
        let kvOperation = payload[0] >> 6
        return version > ChainFormat.cqxVersion && (kvOperation == 0 || kvOperation == 2)
    }

    private mutating func replyToOtherVersion(_ client: Endpoint, into outbox: inout Outbox) {
        counters.rejections += 1
        let unknown = ChainPacket(.hello, key: ChainKey(low: 0), group: .max, epoch: 0)
        reply(.helloReply, to: unknown, .unsupported, version: .none, client: client, into: &outbox)
    }

    private mutating func replyToHello(_ packet: ChainPacket, _ client: Endpoint, into outbox: inout Outbox) {
        let start = outbox.bytes.count
        reply(.helloReply, to: packet, .ok, version: .none, client: client, into: &outbox)
        outbox.bytes.storeBigEndian16(
            packet.valueLength & WidthClass.allBits, at: start + (isNetCRAQ ? 14 : 10))
    }

    // What every request must pass.

    /// Whether a request may be handled; if not, it is answered. A closed session is refused in every epoch; else only
    /// an active switch answers, and only requests of its own epoch.
    private mutating func admit(
        _ packet: ChainPacket, _ payload: Span<UInt8>, _ operation: ChainOperation, from client: Endpoint,
        into outbox: inout Outbox
    ) -> Bool {
        let group = Int(packet.group)
        let status: ChainStatus
        if group >= groups.count {
            status = .staleEpoch
        } else if !groups[group].closedSlots.isEmpty, groups[group].closedSlots.containsAscending(packet.slot) {
            status = .closed
        } else if packet.epoch != groups[group].epoch {
            status = .staleEpoch
        } else if !groups[group].isActive {
            status = .paused
        } else if !listsSuffix(packet, payload) {
            status = .wrongRole
        } else {
            return true
        }
        refuse(packet, operation, status, version: .none, client, into: &outbox)
        return false
    }

    /// Whether an NCX request or write lists the chain from this switch on; a read lists this switch alone.
    func listsSuffix(_ packet: ChainPacket, _ payload: Span<UInt8>) -> Bool {
        guard !isNetCRAQ else { return true }
        let group = Int(packet.group)
        let position = groups[group].position
        let isWrite = packet.operation.kvOperation == 2
        guard Int(packet.hops) == (isWrite ? groups[group].chain.count - position : 1) else { return false }
        for hop in 0..<Int(packet.hops) {
            let word = payload.bigEndian32(at: ChainPacket.listOffset(format) + 4 * hop)
            if word != groups[group].chain[position + hop] { return false }
        }
        return true
    }

    private mutating func refuse(
        _ packet: ChainPacket, _ operation: ChainOperation, _ status: ChainStatus, version: ChainVersion,
        _ client: Endpoint, into outbox: inout Outbox
    ) {
        switch status {
        case .staleEpoch, .paused: counters.otherEpochs += 1
        case .outOfVersions: counters.versionOverflows += 1
        default: counters.rejections += 1
        }
        reply(operation, to: packet, status, version: version, client: client, into: &outbox)
    }

    // Reads.

    private mutating func read(
        _ packet: ChainPacket, _ payload: Span<UInt8>, from client: Endpoint, at now: UInt64,
        into outbox: inout Outbox
    ) {
        guard admit(packet, payload, .readReply, from: client, into: &outbox) else { return }
        let group = Int(packet.group)
        let isTail = groups[group].isTail
        guard isNetCRAQ || isTail else {
            refuse(packet, .readReply, .wrongRole, version: .none, client, into: &outbox)
            return
        }
        guard hasLease(group, at: now) else {
            refuse(packet, .readReply, .paused, version: .none, client, into: &outbox)
            return
        }
        let place = store.find(packet.key, group: packet.group)
        guard place >= 0 else {
            counters.unknownKeys += 1
            reply(.readReply, to: packet, .notFound, version: .none, client: client, into: &outbox)
            return
        }
        if isTail || store.dirtyCount(place) == 0 || mutations.contains(.readsDirtyKeys) {
            counters.readsClean += 1
            store.countCleanRead(at: place)
            reply(toRead: packet, cell: store.cleanCell(place), at: place, client: client, into: &outbox)
            return
        }
        counters.readsDirty += 1
        store.countDirtyRead(at: place)
        var question = packet
        question.operation = configuration.asksForVersions ? .versionQuery : .tailRead
        question.aux = ChainVersion(epoch: 0, number: UInt64(groups[group].position))
        _ = open(question, toPosition: groups[group].chain.count - 1, owner: client, into: &outbox)
    }

    // Writes and CAS.

    private mutating func write(
        _ packet: ChainPacket, _ payload: Span<UInt8>, from client: Endpoint, at now: UInt64,
        into outbox: inout Outbox
    ) {
        let answer: ChainOperation =
            packet.operation.rawValue == ChainOperation.write.rawValue
            ? .writeReply : .compareAndSetReply
        guard admit(packet, payload, answer, from: client, into: &outbox) else { return }
        let group = Int(packet.group)
        guard groups[group].isHead else {
            refuse(packet, answer, .wrongRole, version: .none, client, into: &outbox)
            return
        }
        guard packet.slot != 0 else {
            // Nothing can be remembered of it, so it is refused whenever it comes.
            refuse(packet, answer, .unsupported, version: .none, client, into: &outbox)
            return
        }
        // Before any other check: what became of a request stays.
        let entry = slots.find(group: packet.group, slot: packet.slot)
        if entry >= 0, packet.request <= slots.entries[entry].request, !mutations.contains(.forgetsRequests) {
            retry(packet, answer, entry: entry, payload, from: client, at: now, into: &outbox)
            return
        }
        guard entry >= 0 || !slots.isFull else {
            refuse(packet, answer, .paused, version: .none, client, into: &outbox)
            return
        }
        let place = store.find(packet.key, group: packet.group)
        let verdict = judge(packet, at: place, at: now)
        if case .ok = verdict.status {
            accept(packet, payload, at: place, from: client, at: now, into: &outbox)
        } else if case .paused = verdict.status {
            refuse(packet, answer, .paused, version: .none, client, into: &outbox)
        } else {
            if place >= 0 { store.countRejection(at: place) } else { counters.unknownKeys += 1 }
            setSlot(packet, verdict.status, version: verdict.version)
            if case .outOfVersions = verdict.status, mutations.contains(.dropsSilently) {
                counters.versionOverflows += 1
                return
            }
            refuse(packet, answer, verdict.status, version: verdict.version, client, into: &outbox)
        }
    }

    /// A request that was seen before. An older one is a straggler: nobody waits for it. The same one was refused, and
    /// is refused again; or it has a version, which is sent down the chain once more, so that the tail answers.
    private mutating func retry(
        _ packet: ChainPacket, _ answer: ChainOperation, entry: Int, _ payload: Span<UInt8>,
        from client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        let known = slots.entries[entry]
        guard packet.request == known.request, packet.key == known.key else {
            counters.writesStale += 1
            return
        }
        guard case .ok = known.status else {
            refuse(packet, answer, known.status, version: known.version, client, into: &outbox)
            return
        }
        let group = Int(packet.group)
        let place = store.find(packet.key, group: packet.group)
        guard place >= 0, fits(packet, at: place) else {
            counters.writesStale += 1
            return
        }
        guard groups[group].chain.count > 1 else {
            reply(.writeReply, to: packet, .ok, version: known.version, client: client, into: &outbox)
            return
        }
        forward(packet, payload, version: known.version, at: place, owner: client, into: &outbox)
        counters.resent += 1
    }

    private func fits(_ packet: ChainPacket, at place: Int) -> Bool {
        packet.width == .none || packet.width == store.places[place].width
    }

    /// Whether a new write can be accepted: `ok`, or why not; `paused` is no verdict.
    private func judge(
        _ packet: ChainPacket, at place: Int, at now: UInt64
    ) -> (status: ChainStatus, version: ChainVersion) {
        guard place >= 0 else { return (.notFound, .none) }
        let clean = store.cells[store.cleanCell(place)].version
        let top = store.cells[store.topCell(place)].version
        if packet.valueByteCount > store.places[place].width.byteCount { return (.tooLarge, top) }
        guard fits(packet, at: place), top.number < .max else { return (.unsupported, top) }
        if case .compareAndSet = packet.operation {
            let group = Int(packet.group)
            guard isNetCRAQ || groups[group].comparesAndSets else { return (.unsupported, top) }
            let isUncommitted = isNetCRAQ ? store.dirtyCount(place) > 0 : store.places[place].committed != top
            if isUncommitted, !mutations.contains(.comparesUncommitted) { return (.busy, clean) }
            if !isExpected(packet.aux, store.topCell(place)) {
                return hasLease(group, at: now) ? (.mismatch, top) : (.paused, .none)
            }
        }
        let hasCell = !isNetCRAQ || groups[Int(packet.group)].isTail || store.dirtyCount(place) < store.dirtyLimit
        return hasCell ? (.ok, top) : (.outOfVersions, clean)
    }

    /// A CAS that expects no version expects no value: never written, or deleted at whatever version.
    private func isExpected(_ expected: ChainVersion, _ cell: Int) -> Bool {
        if expected == .none, store.cells[cell].length == ChainPacket.deleted { return true }
        return expected == store.cells[cell].version
    }

    /// The head gives a new write its version: above all of the key, with this epoch.
    private mutating func accept(
        _ packet: ChainPacket, _ payload: Span<UInt8>, at place: Int, from client: Endpoint, at now: UInt64,
        into outbox: inout Outbox
    ) {
        let group = Int(packet.group)
        let top = store.cells[store.topCell(place)].version
        let version: ChainVersion
        if mutations.contains(.numbersWithoutEpoch) {
            version = ChainVersion(epoch: 1, number: top.number + 1)
        } else {
            let epoch = groups[group].epoch
            version = ChainVersion(epoch: epoch, number: top.epoch == epoch ? top.number + 1 : 1)
        }
        counters.writes += 1
        store.countWrite(at: place)
        setSlot(packet, .ok, version: version)
        keep(packet, payload, version: version, client: client, at: place, at: now)
        if groups[group].isTail {
            store.setCommitted(version, at: place)
            reply(.writeReply, to: packet, .ok, version: version, client: client, into: &outbox)
        } else {
            forward(packet, payload, version: version, at: place, owner: client, into: &outbox)
        }
    }

    /// Sends a client's write on to the second node, as CHAIN_WRITE.
    private mutating func forward(
        _ packet: ChainPacket, _ payload: Span<UInt8>, version: ChainVersion, at place: Int, owner: Endpoint,
        into outbox: inout Outbox
    ) {
        var write = packet
        write.operation = .chainWrite
        write.status = .ok
        write.version = version
        write.aux = isNetCRAQ ? store.cells[store.cleanCell(place)].version : .none
        let from = packet.valueOffset(format)
        let offset = open(write, toPosition: 1, owner: owner, into: &outbox)
        outbox.bytes.overwrite(from: offset, with: payload.extracting(from..<payload.count))
    }
}
