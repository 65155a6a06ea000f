import Wire

/// A switch of NetChain as published: NSDI 2018 algorithms 1 and 2, in the steps of its BMv2 source.
///
/// A packet for this switch reads or writes its registers and goes on by its list; a packet for another one passes the
/// failure table and is forwarded. What the head has stored it has stored: nothing is sent again, nothing is undone.
/// A switch keeps no client and no request, so a retry is a new write.
///
/// On one switch the steps are repeated for the packet's next destination, where a line of hardware switches would
/// leave them to the next one: a packet whose first node failed may find that its new destination is here.
package struct NetChainPaperSwitch: SwitchMachine {
    package private(set) var counters = SwitchCounters()
    package let options: NetChainPaperOptions
    package var network: PaperNetwork
    package var failures = FailureTable()
    /// The session of this switch as a head (NSDI 2018 §5.2): a new head gets a higher one than any before it. 0, or
    /// any in 16 bits: none, as in NetChain's source.
    package var session: UInt64
    var registers: NetChainRegisters

    /// `capacity`: keys at a time, 1 to 2^24.
    package init(
        _ options: NetChainPaperOptions, network: PaperNetwork, session: UInt64 = 1,
        capacity: Int = PaperLimits.keys
    ) {
        self.options = options
        self.network = network
        self.session = session
        registers = NetChainRegisters(capacity: min(max(capacity, 1), 1 << 24))
    }

    package var nextDeadline: UInt64? { nil }

    package mutating func advance(to now: UInt64, into outbox: inout Outbox) {}

    package mutating func receive(
        request payload: Span<UInt8>, from client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        counters.count(in: payload.count)
        guard let packet = NetChainPaperPacket(payload, width: options.width), packet.operation.isRequest else {
            counters.malformed += 1
            return
        }
        guard network.clients.contains(client.address) else {
            counters.foreign += 1
            return
        }
        carry(packet, payload, of: client, ttl: FabricFrame.ttlAtEntry - 1, into: &outbox)
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
        guard let packet = NetChainPaperPacket(payload, width: options.width),
            !packet.operation.isRequest || payload.bigEndian32(at: 0) == frame.destination.address
        else {
            counters.malformed += 1
            return
        }
        let client = packet.operation.isRequest ? frame.source : frame.destination
        guard network.isSwitch(address), network.clients.contains(client.address) else {
            counters.foreign += 1
            return
        }
        guard frame.ttl > 0 else {
            counters.expired += 1
            return
        }
        if packet.operation.isRequest {
            carry(packet, payload, of: client, ttl: frame.ttl - 1, into: &outbox)
        } else {
            var passed = frame
            passed.ttl -= 1
            _ = network.pass(payload, passed, into: &outbox)
            counters.count(out: payload.count)
        }
    }

    // MARK: A request

    /// A request on its way through this switch: its header, and how much of its list is taken off.
    private struct Passage {
        var packet: NetChainPaperPacket
        var taken = 0
        /// What stands in the first word's place.
        var replacement: UInt32?

        /// The word at `place` of what is left of the list; 0, its end, beyond it.
        func word(_ place: Int, _ payload: Span<UInt8>) -> UInt32 {
            if place == 0, let replacement { return replacement }
            return taken + place < packet.listWords ? payload.bigEndian32(at: 4 * (taken + place)) : 0
        }

        mutating func takeOff() {
            taken = min(taken + 1, packet.listWords)
            packet.remaining &-= 1
            replacement = nil
        }
    }

    /// What a step makes of a passage.
    private enum Step {
        /// The destination may be another one now.
        case goOn
        case forward
        case answer
        case drop
    }

    private mutating func carry(
        _ packet: NetChainPaperPacket, _ payload: Span<UInt8>, of client: Endpoint, ttl: UInt8,
        into outbox: inout Outbox
    ) {
        var passage = Passage(packet: packet)
        // Each word is taken off once and replaced once at most, unless replacements replace each other.
        for _ in 0..<2 * PaperLimits.listWords {
            let destination = passage.word(0, payload)
            let step = destination == network.own ? apply(&passage) : divert(&passage, payload)
            switch step {
            case .goOn: continue
            case .forward:
                guard network.isSwitch(destination) else {
                    counters.unroutable += 1
                    return
                }
                let rest = payload.extracting(4 * passage.taken..<payload.count)
                let offset = network.send(rest, of: client, ttl: ttl, toSwitch: destination, into: &outbox)
                finish(passage, rest.count, at: offset, in: &outbox)
            case .answer:
                let rest = payload.extracting(4 * passage.taken..<payload.count)
                let offset = network.answer(rest, to: client, ttl: ttl, into: &outbox)
                finish(passage, rest.count, at: offset, in: &outbox)
            case .drop: break
            }
            return
        }
        counters.unroutable += 1
    }

    private mutating func finish(_ passage: Passage, _ byteCount: Int, at offset: Int, in outbox: inout Outbox) {
        if let replacement = passage.replacement { outbox.bytes.storeBigEndian32(replacement, at: offset) }
        let header = offset + byteCount - options.width.headerBytes
        passage.packet.store(in: &outbox.bytes, at: header, width: options.width)
        counters.count(out: byteCount)
    }

    /// NSDI 2018 algorithm 1, for a packet whose destination is here.
    private mutating func apply(_ passage: inout Passage) -> Step {
        guard let slot = registers.index.slot(of: passage.packet.key) else {
            counters.unknownKeys += 1
            return .drop
        }
        var role = registers.role[slot]
        if options.quirks.contains(.oneRole), role.isHead { role = .head }
        if passage.packet.operation == .read {
            guard role.isTail || options.readsAnywhere else {
                counters.unroutable += 1
                return .drop
            }
            counters.readsClean += 1
            registers.reads[slot] += 1
            passage.packet.value = registers.value[slot]
        } else {
            guard store(&passage.packet, slot, isHead: role.isHead) else {
                counters.writesStale += 1
                return .drop
            }
            if role.isTail { passage.takeOff() }
        }
        passage.takeOff()
        if passage.packet.operation == .read || role.isTail { return Self.reply(&passage) }
        return .goOn
    }

    /// Stores a write: at the head with the next sequence number, elsewhere if it is newer than what is stored.
    private mutating func store(_ packet: inout NetChainPaperPacket, _ slot: Int, isHead: Bool) -> Bool {
        if isHead {
            packet.sequence = Self.next(after: registers.sequence[slot], session: session, width: options.width)
        } else if !options.isNewer(packet.sequence, than: registers.sequence[slot]) {
            return false
        }
        registers.sequence[slot] = packet.sequence
        registers.value[slot] = packet.value
        registers.writes[slot] += 1
        counters.writes += 1
        return true
    }

    /// Static, as `reply` is: a method that does not change the switch copies it.
    private static func next(after stored: UInt128, session: UInt64, width: SequenceWidth) -> UInt128 {
        if width == .bits16 { return (stored &+ 1) & 0xffff }
        // The first of a session is its number 1, above whatever an earlier session assigned.
        return UInt64(truncatingIfNeeded: stored >> 64) < session ? UInt128(session) << 64 | 1 : stored &+ 1
    }

    private static func reply(_ passage: inout Passage) -> Step {
        passage.packet.operation = passage.packet.operation == .read ? .readReply : .writeReply
        return .answer
    }

    /// NSDI 2018 algorithm 2, for a packet whose destination is elsewhere.
    private mutating func divert(_ passage: inout Passage, _ payload: Span<UInt8>) -> Step {
        let next = passage.word(1, payload)
        let mask: UInt16 = options.quirks.contains(.groupInEightBits) ? 0xff : 0xffff
        let action = failures.action(
            destination: passage.word(0, payload), next: next, group: passage.packet.group, groupMask: mask)
        switch action {
        case nil: return .forward
        case .redirect(let replacement):
            passage.replacement = replacement
            return .goOn
        case .failOver where next != 0:
            passage.takeOff()
            return .goOn
        case .failOver:
            // A write without a number was stored by nobody, and a read without another node has no value.
            guard passage.packet.operation == .write, passage.packet.sequence != 0 else { break }
            passage.takeOff()
            passage.takeOff()
            return Self.reply(&passage)
        case .answerAsWrite:
            passage.takeOff()
            passage.takeOff()
            passage.packet.operation = .writeReply
            return .answer
        case .drop: break
        }
        counters.stopped += 1
        return .drop
    }
}
