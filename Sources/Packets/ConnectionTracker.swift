package import Wire

/// Finds the TCP connections of the watched ports in captured packets and puts the bytes of each direction in order.
///
/// The server is the side whose port is watched; if both are, the side that a SYN goes to, and without a SYN the side
/// with the lower port (if they are equal, the destination of the first packet).
///
/// A connection begins with a SYN, a SYN-ACK or with payload; what else comes of unknown ports is let go. It is over
/// with FIN from both sides or RST, waits for late packets, and is then `.closed`. Idle connections stay.
package struct ConnectionTracker: Sendable {
    let limits: TrackerLimits
    private let ports: [UInt16]
    var output = StreamOutput()
    var connections: [ConnectionState] = []
    /// Two for each slot, that of requests first.
    var reassemblers: [Reassembler] = []
    private var table = ConnectionTable()
    var fragments = FragmentTable()

    /// Slots to use again, and those that were given free in the current call: they stay readable during it.
    private var freeSlots: [Int] = []
    private var freedSlots: [Int] = []
    /// Connections met so far.
    private var connectionNumber = 0
    /// The ends of the list in the order of use; the newest is also tried before the table.
    private var newest = -1
    private var oldest = -1

    var settling = TicketQueue()
    var lingering = TicketQueue()
    var holding = TicketQueue()

    /// Nanoseconds of capture time since the first packet; a clock that steps back stops it.
    private(set) var elapsed: Int64 = 0
    private var latestTime: CaptureTime?
    var packetCount = 0

    /// Follows TCP connections from or to any of `ports`.
    package init(ports: [UInt16], limits: TrackerLimits = TrackerLimits()) {
        self.ports = ports
        self.limits = limits
    }

    // MARK: Getters

    /// What the `.released` events of the last call refer to.
    package var released: [UInt8] { output.released }

    package var health: TrackerHealth { output.health }

    /// Connections that are not closed yet.
    package var openConnections: Int { table.count }

    /// Memory of out-of-order data and of fragments, bookkeeping included, in bytes.
    package var pendingBytes: Int { output.heldBytes + fragments.cost }

    /// The connection of a slot that was named in an event. Stays as it was after `.closed` until the slot is used by
    /// another `.opened`, which never happens in the same call.
    package func connection(_ slot: Int) -> TrackedConnection {
        let state = connections[slot]
        func flow(_ index: Int) -> TrackedConnection.Flow {
            let reassembler = reassemblers[index]
            return TrackedConnection.Flow(
                beginsAtStart: reassembler.origin == .start, payloadBytes: reassembler.payloadBytes,
                lostBytes: reassembler.lostBytes, gaps: reassembler.gaps)
        }
        return TrackedConnection(
            number: state.number, client: state.key.client, server: state.key.server,
            start: state.startSeen ? .seen : .midway,
            end: state.wasReset ? .reset : state.fins == 3 ? .finished : .open, firstTime: state.firstTime,
            lastTime: state.lastTime, request: flow(slot * 2), response: flow(slot * 2 + 1))
    }

    // MARK: Input

    /// Takes the next captured packet. `originalLength` bytes of it were on the wire; `packet` holds those captured.
    /// Ranges of `.packet` events refer to `packet`.
    package mutating func receive(
        _ packet: Span<UInt8>, originalLength: Int, linkType: LinkType, at time: CaptureTime,
        into events: inout [StreamEvent]
    ) {
        swap(&events, &output.events)
        defer { swap(&events, &output.events) }
        begin(at: time)
        // No link has packets over 4 GiB; a damaged length must not spoil the sum.
        let wireLength = max(packet.count, min(originalLength, 1 << 32))
        output.health.packets += 1
        output.health.packetBytes += wireLength
        if wireLength > packet.count { output.health.packetsCut += 1 }
        switch LinkLayer.find(in: packet, linkType: linkType) {
        case .ip(let start, let version):
            receiveIP(packet, from: start, wireLength: wireLength, version: version, at: time)
        case .other: output.health.packetsOfOthers += 1
        case .undecodable: output.health.packetsUndecodable += 1
        case .unknownLink:
            output.health.packetsOfUnknownLink += 1
            if output.health.unknownLink == nil { output.health.unknownLink = linkType }
        }
        if output.heldBytes > limits.heldBytesTotal { releaseOldestHeld(at: time) }
        if packetCount & 63 == 0 || !settling.isEmpty { lookAfter(at: time) }
    }

    /// The recording is over: hands on what is held, names what is missing, and closes all connections.
    package mutating func finish(at time: CaptureTime, into events: inout [StreamEvent]) {
        swap(&events, &output.events)
        defer { swap(&events, &output.events) }
        begin(at: time)
        fragments.finish(&output.health)
        for slot in connections.indices where connections[slot].isOpen { close(slot, at: time) }
    }

    private mutating func begin(at time: CaptureTime) {
        if !output.released.isEmpty { output.released.removeAll(keepingCapacity: true) }
        packetCount += 1
        if !freedSlots.isEmpty {
            freeSlots.append(contentsOf: freedSlots)
            freedSlots.removeAll(keepingCapacity: true)
        }
        guard let latest = latestTime else {
            latestTime = time
            return
        }
        let step = time.nanoseconds(since: latest)
        if step > 0 {
            elapsed = elapsed.addingReportingOverflow(step).overflow ? .max : elapsed + step
            latestTime = time
        } else if step < -Self.clockSlack {
            // The clock was set, or a recording of an earlier time follows: time goes on from here.
            latestTime = time
        }
    }

    /// Nanoseconds that a clock may be behind the latest time seen before it counts as set back for good.
    static let clockSlack: Int64 = 60_000_000_000

    private mutating func receiveIP(
        _ packet: Span<UInt8>, from start: Int, wireLength: Int, version: UInt8?, at time: CaptureTime
    ) {
        switch IPDatagram.decode(packet, at: start, wireLength: wireLength, version: version) {
        case .datagram(let datagram):
            guard let fragment = datagram.fragment else {
                receiveTCP(
                    packet, in: datagram.payload, wireLength: datagram.payloadLength, datagram, isInPacket: true,
                    at: time)
                return
            }
            receiveFragment(packet, datagram, fragment, at: time)
        case .other: output.health.packetsOfOthers += 1
        case .undecodable: output.health.packetsUndecodable += 1
        }
    }

    private mutating func receiveFragment(
        _ packet: Span<UInt8>, _ datagram: IPDatagram, _ fragment: IPDatagram.Fragment, at time: CaptureTime
    ) {
        guard
            let nextHeader = fragments.receive(
                packet, datagram, fragment, packets: packetCount, elapsed: elapsed, limits, &output.health)
        else { return }
        let whole = fragments.takeJoined()
        switch IPDatagram.passExtensionHeaders(whole.span, from: 0, to: whole.count, nextHeader: nextHeader) {
        case .upperLayer(_, let offset, nil):
            receiveTCP(
                whole.span, in: offset..<whole.count, wireLength: whole.count - offset, datagram, isInPacket: false,
                at: time)
        case .other: output.health.packetsOfOthers += 1
        case .upperLayer, .undecodable: output.health.packetsUndecodable += 1
        }
        fragments.giveBack(whole)
    }

    @inline(__always)
    private func isWatched(_ port: UInt16) -> Bool {
        for watched in ports where watched == port { return true }
        return false
    }

    private mutating func receiveTCP(
        _ bytes: Span<UInt8>, in range: Range<Int>, wireLength: Int, _ datagram: IPDatagram, isInPacket: Bool,
        at time: CaptureTime
    ) {
        guard range.count >= 4 else {
            output.health.packetsUndecodable += 1
            return
        }
        let source = Endpoint(address: datagram.source, port: bytes.bigEndian16(at: range.lowerBound))
        let destination = Endpoint(address: datagram.destination, port: bytes.bigEndian16(at: range.lowerBound + 2))
        let fromWatched = isWatched(source.port)
        let toWatched = isWatched(destination.port)
        guard fromWatched || toWatched else {
            output.health.packetsOfOthers += 1
            return
        }
        guard let segment = TCPSegment(bytes, in: range, wireLength: wireLength) else {
            output.health.packetsUndecodable += 1
            return
        }
        var direction = toWatched ? Direction.request : .response
        if fromWatched, toWatched { direction = self.direction(of: segment, from: source, to: destination) }
        let key =
            switch direction {
            case .request: ConnectionKey(client: source, server: destination)
            case .response: ConnectionKey(client: destination, server: source)
            }
        guard var slot = slot(of: key, for: segment, direction, at: time) else { return }
        if receive(segment, in: bytes, slot, direction, isInPacket: isInPacket, at: time) == .anotherConnection {
            close(slot, at: time)
            slot = open(key, at: time)
            _ = receive(segment, in: bytes, slot, direction, isInPacket: isInPacket, at: time)
        }
    }

    /// Which way a segment between two watched ports goes. Mutating only so that the tracker is not copied for it.
    private mutating func direction(of segment: TCPSegment, from source: Endpoint, to destination: Endpoint)
        -> Direction
    {
        if find(ConnectionKey(client: source, server: destination)) != nil { return .request }
        if find(ConnectionKey(client: destination, server: source)) != nil { return .response }
        if segment.flags.contains(.syn) { return segment.flags.contains(.ack) ? .response : .request }
        return source.port < destination.port ? .response : .request
    }

    @inline(__always)
    private func find(_ key: ConnectionKey) -> Int? {
        if newest >= 0, connections[newest].key == key { return newest }
        return table.find(key)
    }

    /// The slot of the connection that the segment belongs to, opened if need be. Nil: it begins none.
    private mutating func slot(
        of key: ConnectionKey, for segment: TCPSegment, _ direction: Direction, at time: CaptureTime
    ) -> Int? {
        if let slot = find(key) {
            guard segment.flags.contains(.syn) else { return slot }
            switch judge(segment, slot, direction, at: time) {
            case .ofConnection: return slot
            case .stale: return nil
            case .ofAnother:
                close(slot, at: time)
                return open(key, at: time)
            }
        }
        guard segment.flags.contains(.syn) || segment.length > 0 && !segment.flags.contains(.rst) else { return nil }
        return open(key, at: time)
    }

    private mutating func receive(
        _ segment: TCPSegment, in bytes: Span<UInt8>, _ slot: Int, _ direction: Direction, isInPacket: Bool,
        at time: CaptureTime
    ) -> Reassembler.Outcome {
        touch(slot)
        connections[slot].notePacket(at: time)
        let own = slot * 2 + Int(direction.rawValue)
        let peer = own ^ 1
        let context = SegmentContext(
            slot: slot, direction: direction, time: time, elapsed: elapsed,
            connectionPackets: connections[slot].packets, isInPacket: isInPacket)
        var peerContext = context
        peerContext.direction = direction.opposite
        let flags = segment.flags

        if flags.contains(.syn) {
            reassemblers[own].place(at: segment.sequence, isSeen: true, context, &output)
            if flags.contains(.ack), reassemblers[peer].canStart(at: segment.acknowledgement, within: limits.startBytes)
            {
                reassemblers[peer].place(at: segment.acknowledgement, isSeen: false, peerContext, &output)
            }
            noteStart(slot)
        }
        if segment.length > 0, !flags.contains(.rst),
            !reassemblers[own].receiveInTurn(segment, in: bytes, context, &output),
            receiveOutOfTurn(segment, in: bytes, own, context) == .anotherConnection
        {
            return .anotherConnection
        }
        if flags.contains(.fin) {
            reassemblers[own].receiveFIN(segment, context, windowBytes: limits.windowBytes, &output)
        }
        if flags.contains(.ack), !flags.contains(.syn) {
            reassemblers[peer].acknowledge(segment.acknowledgement, windowBytes: limits.windowBytes)
        }
        if !flags.isDisjoint(with: .ending) { noteEnd(slot, flags, context) }
        if connections[slot].isOver, segment.length > 0 { connections[slot].overElapsed = elapsed }
        if reassemblers[own].isDisturbed {
            reassemblers[own].check(context, limits, &output)
            queueHeld(own, slot)
        }
        if reassemblers[peer].isDisturbed {
            reassemblers[peer].check(peerContext, limits, &output)
            queueHeld(peer, slot)
        }
        if !connections[slot].isCounted { count(slot) }
        return .taken
    }

    private mutating func receiveOutOfTurn(
        _ segment: TCPSegment, in bytes: Span<UInt8>, _ own: Int, _ context: SegmentContext
    ) -> Reassembler.Outcome {
        let origin = reassemblers[own].origin
        let outcome = reassemblers[own].receiveOutOfTurn(segment, in: bytes, context, limits, &output)
        if origin == .unknown, reassemblers[own].origin == .settling {
            settling.append(ticket(own, context.slot, elapsed: elapsed))
        }
        return outcome
    }

    private mutating func noteStart(_ slot: Int) {
        connections[slot].startSeen = true
        if connections[slot].isCountedMidway {
            connections[slot].isCountedMidway = false
            output.health.connectionsMidway -= 1
        }
    }

    private mutating func noteEnd(_ slot: Int, _ flags: TCPSegment.Flags, _ context: SegmentContext) {
        let wasOver = connections[slot].isOver
        if flags.contains(.fin) { connections[slot].fins |= 1 << context.direction.rawValue }
        if flags.contains(.rst), !connections[slot].wasReset {
            connections[slot].wasReset = true
            output.events.append(
                StreamEvent(kind: .reset, direction: context.direction, slot: context.slot, time: context.time))
        }
        guard !wasOver, connections[slot].isOver else { return }
        connections[slot].overElapsed = elapsed
        connections[slot].overPacket = packetCount
        lingering.append(ticket(slot, slot, elapsed: elapsed))
    }

    mutating func count(_ slot: Int) {
        let hasPayload = reassemblers[slot * 2].nextOffset > 0 || reassemblers[slot * 2 + 1].nextOffset > 0
        guard hasPayload, !connections[slot].isCounted else { return }
        connections[slot].isCounted = true
        output.health.connections += 1
        if !connections[slot].startSeen {
            connections[slot].isCountedMidway = true
            output.health.connectionsMidway += 1
        }
    }

    // MARK: Opening and closing

    private mutating func open(_ key: ConnectionKey, at time: CaptureTime) -> Int {
        if table.count >= limits.connections, oldest >= 0 {
            output.health.connectionsEvicted += 1
            close(oldest, at: time)
        }
        let state = ConnectionState(
            key: key, number: connectionNumber, firstTime: time, lastTime: time, firstElapsed: elapsed,
            firstPacket: packetCount)
        connectionNumber += 1
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            connections[slot] = state
            reassemblers[slot * 2] = Reassembler()
            reassemblers[slot * 2 + 1] = Reassembler()
        } else {
            slot = connections.count
            connections.append(state)
            reassemblers.append(Reassembler())
            reassemblers.append(Reassembler())
        }
        table.insert(key, slot: slot)
        link(slot)
        output.events.append(StreamEvent(kind: .opened, slot: slot, time: time))
        return slot
    }

    mutating func close(_ slot: Int, at time: CaptureTime) {
        for direction in Direction.allCases {
            reassemblers[slot * 2 + Int(direction.rawValue)].finish(context(slot, direction, at: time), &output)
        }
        count(slot)
        output.events.append(StreamEvent(kind: .closed, slot: slot, time: time))
        connections[slot].isOpen = false
        table.remove(connections[slot].key)
        unlink(slot)
        freedSlots.append(slot)
    }

    func context(_ slot: Int, _ direction: Direction, at time: CaptureTime) -> SegmentContext {
        SegmentContext(
            slot: slot, direction: direction, time: time, elapsed: elapsed,
            connectionPackets: connections[slot].packets, isInPacket: false)
    }

    private mutating func touch(_ slot: Int) {
        if newest == slot { return }
        unlink(slot)
        link(slot)
    }

    private mutating func link(_ slot: Int) {
        connections[slot].older = newest
        connections[slot].newer = -1
        if newest >= 0 { connections[newest].newer = slot } else { oldest = slot }
        newest = slot
    }

    private mutating func unlink(_ slot: Int) {
        let newer = connections[slot].newer
        let older = connections[slot].older
        if newer >= 0 { connections[newer].older = older } else { newest = older }
        if older >= 0 { connections[older].newer = newer } else { oldest = newer }
    }
}
