import Wire

/// A switch of NetCRAQ as published: Algorithm 1, by its lines.
///
/// A node answers reads of keys whose newest value is in cell 0, and sends others to the tail, which answers the client
/// itself. Writes go from node to node; the tail makes each one clean and acknowledges it to all others, and to the
/// writer. Packets carry no version: an acknowledgement makes its own value clean, whatever was there. Known results of
/// that are listed in docs/chains.md.
package struct NetCRAQPaperSwitch: SwitchMachine {
    package private(set) var counters = SwitchCounters()
    package let options: NetCRAQPaperOptions
    package var network: PaperNetwork
    package var role: ChainRole
    /// Where dirty reads go.
    package var tail: UInt32
    /// Where writes go next. The listing prints `forward_to_tail` for both; the text says that writes visit all nodes.
    package var next: UInt32
    /// Who gets the tail's acknowledgements: all nodes but the tail, in the order of sending.
    package internal(set) var multicastGroup: [UInt32]
    /// False while a new node is being filled (§V): writes of clients and nodes are dropped.
    package var takesWrites = true
    /// Writes that were stored in a dirty cell (the right axis of figure 4).
    package private(set) var dirtyWrites = 0
    /// Reads that the tail answered from a dirty cell: line 11, which only a promoted tail reaches.
    package private(set) var dirtyReadsAtTail = 0
    var registers: NetCRAQRegisters

    /// A node alone: its place in a chain is set by `join`. `capacity`: keys at a time, 1 to 2^20.
    package init(_ options: NetCRAQPaperOptions, network: PaperNetwork, capacity: Int = PaperLimits.keys) {
        var options = options
        options.versions = min(max(options.versions, PaperLimits.versions.lowerBound), PaperLimits.versions.upperBound)
        self.options = options
        self.network = network
        role = [.head, .tail]
        tail = network.own
        next = network.own
        multicastGroup = []
        registers = NetCRAQRegisters(capacity: min(max(capacity, 1), 1 << 20), versions: options.versions)
    }

    package var nextDeadline: UInt64? { nil }

    package mutating func advance(to now: UInt64, into outbox: inout Outbox) {}

    package mutating func receive(
        request payload: Span<UInt8>, from client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        counters.count(in: payload.count)
        guard let packet = NetCRAQPaperPacket(payload) else {
            counters.malformed += 1
            return
        }
        let passage = Passage(client: client, ttl: FabricFrame.ttlAtEntry - 1, isFromClient: true)
        switch packet.operation {
        case .read, .write:
            guard network.clients.contains(client.address) else {
                counters.foreign += 1
                return
            }
            apply(packet, payload, passage, into: &outbox)
        case .readReply, .acknowledge: counters.malformed += 1
        }
    }

    package mutating func receive(
        fabric datagram: Span<UInt8>, from address: UInt32, at now: UInt64, into outbox: inout Outbox
    ) {
        counters.count(in: max(0, datagram.count - FabricFrame.byteCount))
        guard let frame = FabricFrame(datagram) else {
            counters.malformed += 1
            return
        }
        let payload = datagram.extracting(FabricFrame.byteCount..<datagram.count)
        guard let packet = NetCRAQPaperPacket(payload) else {
            counters.malformed += 1
            return
        }
        let destination = frame.destination.address
        let goesToSwitch = network.isSwitch(destination)
        guard network.isSwitch(address), goesToSwitch || network.clients.contains(destination) else {
            counters.foreign += 1
            return
        }
        // A reply goes to a client, a read or write to a switch; an acknowledgement to either.
        let isAllowed =
            switch packet.operation {
            case .read, .write: goesToSwitch
            case .readReply: !goesToSwitch
            case .acknowledge: true
            }
        guard isAllowed else {
            counters.malformed += 1
            return
        }
        guard !goesToSwitch || network.clients.contains(frame.source.address) else {
            counters.foreign += 1
            return
        }
        guard frame.ttl > 0 else {
            counters.expired += 1
            return
        }
        let passage = Passage(client: frame.source, ttl: frame.ttl - 1, isFromClient: false)
        if destination == network.own {
            apply(packet, payload, passage, into: &outbox)
        } else if !goesToSwitch {
            var passed = frame
            passed.ttl -= 1
            _ = network.pass(payload, passed, into: &outbox)
            counters.count(out: payload.count)
        } else if answersPassing(packet) {
            apply(packet, payload, passage, into: &outbox)
        } else {
            send(payload, passage, toSwitch: destination, into: &outbox)
        }
    }

    // MARK: Algorithm 1

    /// Whose packet this is, and how far it may still go.
    private struct Passage {
        var client: Endpoint
        /// Of what this switch sends on.
        var ttl: UInt8
        var isFromClient: Bool
    }

    private func slot(of key: UInt32) -> Int? {
        if case .versions = options.indexSize, key >= UInt32(options.versions) { return nil }
        return registers.index.slot(of: UInt128(key))
    }

    private func answersPassing(_ packet: NetCRAQPaperPacket) -> Bool {
        guard options.answersEnRoute, packet.operation == .read, let slot = slot(of: packet.key) else { return false }
        return registers.readIndex[slot] == 0
    }

    private mutating func apply(
        _ packet: NetCRAQPaperPacket, _ payload: Span<UInt8>, _ passage: Passage, into outbox: inout Outbox
    ) {
        guard let slot = slot(of: packet.key) else {
            counters.unknownKeys += 1
            return
        }
        switch packet.operation {
        case .read: read(packet, payload, slot, passage, into: &outbox)
        case .write: write(packet, payload, slot, passage, into: &outbox)
        case .acknowledge:
            // Lines 31 and 32.
            counters.acknowledgements += 1
            registers.writeClean(packet.value, slot, writeIndex: afterCommit)
        case .readReply: break
        }
    }

    /// `write_index` after lines 28 and 32.
    private var afterCommit: Int32 { Int32(options.reset.rawValue) }

    /// Lines 4 to 14.
    private mutating func read(
        _ packet: NetCRAQPaperPacket, _ payload: Span<UInt8>, _ slot: Int, _ passage: Passage,
        into outbox: inout Outbox
    ) {
        registers.reads[slot] += 1
        let isDirty = registers.readIndex[slot] > 0
        if isDirty, !role.isTail {
            counters.readsDirty += 1
            send(payload, passage, toSwitch: tail, into: &outbox)
            return
        }
        counters.readsClean += 1
        if isDirty { dirtyReadsAtTail += 1 }
        var reply = packet
        reply.operation = .readReply
        reply.value = registers.newest(slot)
        let offset = network.answer(payload, to: passage.client, ttl: passage.ttl, into: &outbox)
        reply.store(in: &outbox.bytes, at: offset)
        counters.count(out: payload.count)
    }

    /// Lines 15 to 30.
    private mutating func write(
        _ packet: NetCRAQPaperPacket, _ payload: Span<UInt8>, _ slot: Int, _ passage: Passage,
        into outbox: inout Outbox
    ) {
        guard takesWrites else {
            counters.otherEpochs += 1
            return
        }
        if case .head = options.entry, passage.isFromClient, !role.isHead {
            counters.rejections += 1
            return
        }
        let writeIndex = registers.writeIndex[slot]
        if writeIndex == 0 {
            registers.writeClean(packet.value, slot, writeIndex: 1)
        } else if Int(writeIndex) >= options.versions {
            counters.versionOverflows += 1
            return
        } else {
            registers.writeDirty(packet.value, slot)
            dirtyWrites += 1
        }
        registers.writes[slot] += 1
        counters.writes += 1
        guard role.isTail else {
            send(payload, passage, toSwitch: next, into: &outbox)
            return
        }
        registers.writeClean(packet.value, slot, writeIndex: afterCommit)
        var acknowledgement = packet
        acknowledgement.operation = .acknowledge
        for node in multicastGroup {
            let offset = network.send(payload, of: passage.client, ttl: passage.ttl, toSwitch: node, into: &outbox)
            acknowledgement.store(in: &outbox.bytes, at: offset)
            counters.count(out: payload.count)
        }
        guard options.acknowledgesClient else { return }
        let offset = network.answer(payload, to: passage.client, ttl: passage.ttl, into: &outbox)
        acknowledgement.store(in: &outbox.bytes, at: offset)
        counters.count(out: payload.count)
    }

    private mutating func send(
        _ payload: Span<UInt8>, _ passage: Passage, toSwitch address: UInt32, into outbox: inout Outbox
    ) {
        guard address != network.own, network.isSwitch(address) else {
            counters.unroutable += 1
            return
        }
        _ = network.send(payload, of: passage.client, ttl: passage.ttl, toSwitch: address, into: &outbox)
        counters.count(out: payload.count)
    }
}
