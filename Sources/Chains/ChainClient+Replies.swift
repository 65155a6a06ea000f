import Wire

extension ChainClient {
    /// Takes a datagram that came from `source`; one that answers nothing under way changes nothing.
    package mutating func receive(
        _ payload: Span<UInt8>, from source: Endpoint, at now: UInt64, into output: inout ClientOutput
    ) {
        guard let packet = ChainPacket(payload, format: configuration.format) else { return }
        if case .helloReply = packet.operation {
            receiveHello(packet, from: source.address, at: now, into: &output)
            return
        }
        let place = index.find(Self.indexKey(packet.slot, packet.request))
        guard place >= 0, pending[place].isUsed, pending[place].transmissions > 0, packet.key == pending[place].key
        else { return }
        switch packet.operation {
        case .readReply where pending[place].kind.isRead:
            receiveRead(packet, payload, place, at: now, into: &output)
        case .writeReply where !pending[place].kind.isRead, .compareAndSetReply where pending[place].kind.isCompare:
            receiveWrite(packet, place, at: now, into: &output)
        default: break
        }
    }

    private mutating func receiveRead(
        _ packet: ChainPacket, _ payload: Span<UInt8>, _ place: Int, at now: UInt64, into output: inout ClientOutput
    ) {
        switch packet.status {
        case .ok:
            let offset = packet.valueOffset(configuration.format)
            let start = output.values.count
            output.values.append(copying: payload.extracting(offset..<offset + packet.valueByteCount))
            end(
                place, .ok, version: packet.version, value: start..<output.values.count, at: now, into: &output)
        case .notFound: end(place, .absent, version: packet.version, at: now, into: &output)
        case .staleEpoch, .wrongRole, .paused: wait(place, epoch: packet.epoch, at: now, into: &output)
        default: end(place, .refused(packet.status), version: packet.version, at: now, into: &output)
        }
    }

    private mutating func receiveWrite(
        _ packet: ChainPacket, _ place: Int, at now: UInt64, into output: inout ClientOutput
    ) {
        switch packet.status {
        case .ok: end(place, .ok, version: packet.version, at: now, into: &output)
        case .staleEpoch, .wrongRole, .paused: wait(place, epoch: packet.epoch, at: now, into: &output)
        case .closed:
            let slot = pending[place].slot
            end(place, .unknown, version: .none, at: now, into: &output, closing: slot)
        case .notFound, .outOfVersions, .tooLarge, .mismatch, .unsupported, .busy:
            // A head that has been replaced may refuse what its successor has done. Only where no other epoch's head
            // can have seen the request is a refusal the last word.
            let isLast = pending[place].epoch == packet.epoch || configuration.mutations.contains(.believesRejections)
            end(
                place, isLast ? .refused(packet.status) : .unknown, version: packet.version, at: now, into: &output)
        }
    }

    private mutating func end(
        _ place: Int, _ outcome: ClientOutcome, version: ChainVersion, at now: UInt64,
        into output: inout ClientOutput, closing slot: UInt32
    ) {
        sessions.removeAll { $0.slot == slot }
        end(place, outcome, version: version, at: now, into: &output)
    }

    /// A switch cannot say now. The timer begins anew, never doubled; a newer directory sends the request at once.
    private mutating func wait(_ place: Int, epoch: UInt32, at now: UInt64, into output: inout ClientOutput) {
        pending[place].timeout = configuration.timeout
        setDue(place, at: later(now, configuration.timeout))
        if epoch > (directory.group(pending[place].group)?.epoch ?? 0) { output.control.append(.subscribe) }
    }

    private mutating func receiveHello(
        _ packet: ChainPacket, from node: UInt32, at now: UInt64, into output: inout ClientOutput
    ) {
        guard directory.isNode(node) else { return }
        let classes = packet.status == .ok ? packet.valueLength & WidthClass.allBits : 0
        directory.setClasses(classes, of: node)
        for place in pending.indices where pending[place].isUsed && pending[place].greeting == node {
            if classes & pending[place].width.bit == 0 {
                let isUnsent = pending[place].transmissions == 0
                end(place, isUnsent ? .refused(.unsupported) : .unknown, version: .none, at: now, into: &output)
            } else {
                transmit(place, into: &output)
            }
        }
    }

    // The controller's messages.

    /// Takes a message of the controller. A group's new epoch sends all that is under way in it again, at once.
    package mutating func receive(
        control message: ControlMessage, at now: UInt64, into output: inout ClientOutput
    ) {
        switch message {
        case .slot(let slot):
            sessionsAsked = max(0, sessionsAsked - 1)
            guard slot != 0, sessions.count < configuration.limits.slots,
                !sessions.contains(where: { $0.slot == slot })
            else { return }
            sessions.append(Session(slot: slot))
            startWaiting(at: now, into: &output)
        case .directory(let update):
            for group in directory.take(update) {
                for place in pending.indices
                where pending[place].isUsed && pending[place].group == group && pending[place].request != 0 {
                    pending[place].timeout = configuration.timeout
                    setDue(place, at: later(now, configuration.timeout))
                    transmit(place, into: &output)
                }
            }
        default: break
        }
    }

    /// The stream to the controller is new: what was asked on the old one may be lost.
    package mutating func reconnected(into output: inout ClientOutput) {
        sessionsAsked = 0
        output.control.append(.subscribe)
        for _ in waiting where sessions.count + sessionsAsked < configuration.limits.slots {
            sessionsAsked += 1
            output.control.append(.slotRequest)
        }
    }
}
