import Wire

extension ConnectionTracker {
    /// What a SYN or SYN-ACK means for the connection that has its addresses and ports.
    enum SYNVerdict {
        /// It belongs to the connection: its own, repeated or late.
        case ofConnection
        /// It belongs to an older connection, or says nothing that could still be used.
        case stale
        /// It begins another connection on the same ports.
        case ofAnother
    }

    /// Judges a SYN by its initial sequence number first, by age second: a capture may hold the same connection twice,
    /// minutes apart and alike to the last bit, and a recorder may deliver a SYN behind the first data.
    func judge(_ segment: TCPSegment, _ slot: Int, _ direction: Direction, at time: CaptureTime) -> SYNVerdict {
        let state = connections[slot]
        let own = reassemblers[slot * 2 + Int(direction.rawValue)]
        let peer = reassemblers[slot * 2 + Int(direction.opposite.rawValue)]
        let start = segment.sequence
        let age = elapsed - state.firstElapsed
        let isClockSane = time.nanoseconds(since: state.firstTime) > -Self.clockSlack
        let isYoung = age <= limits.youngTime && isClockSane
        let isEarly = packetCount - state.firstPacket <= limits.latePackets

        if own.isPlaced, own.first == start {
            if state.isOver, packetCount - state.overPacket > limits.latePackets {
                // Delivered again soon after the end: a copy. From where the clock stands before that: told once more.
                let isCopy =
                    elapsed - state.overElapsed <= limits.youngTime
                    && time.nanoseconds >= state.lastTime.nanoseconds
                return isCopy ? .ofConnection : .ofAnother
            }
            if isYoung { return .ofConnection }
            let isHandshake = !own.hasPayload && !peer.hasPayload && !state.isOver
            return isHandshake && isClockSane && age <= limits.handshakeTime ? .ofConnection : .ofAnother
        }
        // A SYN-ACK names the SYN it answers.
        if segment.flags.contains(.ack), peer.origin == .start, peer.first != segment.acknowledgement {
            return isEarly && isYoung ? .stale : .ofAnother
        }
        let answersSYN = segment.flags.contains(.ack) && peer.origin == .start && !state.isOver
        switch own.origin {
        case .unknown:
            return isYoung || answersSYN && !peer.hasPayload ? .ofConnection : .ofAnother
        case .settling:
            return isYoung && own.canStart(at: start, within: limits.startBytes) ? .ofConnection : .ofAnother
        case .midway:
            // Its first bytes were missed, or came too late; what is there is still the beginning of this connection.
            let missed = own.first.distance(from: start)
            return isYoung && missed > 0 && missed <= limits.startBytes ? .stale : .ofAnother
        case .start:
            return answersSYN && !own.hasPayload ? .ofConnection : .ofAnother
        }
    }
}
