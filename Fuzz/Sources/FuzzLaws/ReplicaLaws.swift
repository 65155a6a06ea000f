import Chains
import Wire

/// The switches of the default variants: any bytes at either port of four of them, what they send each other, and any
/// control messages in between.
///
/// Not covered: whether an answer is the right one, which is for the random schedules of `ChainsTests`.
enum ReplicaLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        var reader = InputReader(bytes)
        let options = ReplicaInput.Options(rawValue: reader.byte(bytes))
        switch options.format {
        case .cqx: try play(ReplicasUnderLaw<NetCRAQSwitch>(options), &reader, bytes)
        case .ncx: try play(ReplicasUnderLaw<NetChainSwitch>(options), &reader, bytes)
        }
    }

    static let count = 4

    static func address(_ node: Int) -> UInt32 { 0x7f00_000a + UInt32(node) }

    /// The last of 256 is outside the clients' network.
    static func client(_ number: UInt8) -> Endpoint {
        Endpoint(address: number == 255 ? 0x7f00_0200 : 0x7f00_0100 + UInt32(number), port: 40_000)
    }

    private static func play<Machine: ReplicaMachine>(
        _ start: ReplicasUnderLaw<Machine>, _ reader: inout InputReader, _ bytes: Span<UInt8>
    ) throws(BrokenLaw) {
        var replicas = start
        while !reader.isAtEnd {
            let record = ReplicaInput.Record(&reader, bytes)
            let node = Int(record.node) % count
            let peer = Int(record.peer) % count
            let content = bytes.extracting(record.content).copied()
            switch record.kind {
            case .request: try replicas.request(content, at: node, client: record.peer)
            case .fabric: try replicas.fabric(content, at: node, from: address(Int(record.peer)))
            case .framed: try replicas.framed(content, at: node, from: peer)
            case .packet: try replicas.packet(content, at: node, record.peer)
            case .arrival: try replicas.arrive(Int(record.peer), isLost: record.node == 255)
            case .change: replicas.change(to: record.node, closing: UInt32(record.peer))
            case .join: replicas.join(node, from: peer)
            case .key: replicas.changeKey(record.peer, isRemoved: record.node & 1 != 0)
            case .time: try replicas.pass(record.peer, leases: record.node)
            case .control: replicas.tell(node, ReplicaShapes.control(content))
            }
        }
    }
}

/// Four switches, what is in flight between them, and the laws that hold whenever a datagram arrives.
struct ReplicasUnderLaw<Machine: ReplicaMachine> {
    private let options: ReplicaInput.Options
    private var switches: [Machine]
    private var flights: [(node: Int, from: UInt32, bytes: [UInt8])] = []
    private var outbox = Outbox()
    private var now: UInt64 = 1_000_000_000
    private var epoch: UInt32 = 1
    private var chain: [UInt32] = []
    /// More in flight are lost.
    private static var flightsMost: Int { 64 }

    init(_ options: ReplicaInput.Options) {
        self.options = options
        switches = (0..<ReplicaLaws.count).map { Machine(options.configuration(ReplicaLaws.address($0))) }
        for node in 0..<3 { tell(node, .join(JoinTicket(group: 0, epoch: 1, number: 1))) }
        activate([0, 1, 2], closing: 0)
        for key in [1, 2] as [UInt8] { changeKey(key, isRemoved: false) }
    }

    // Control.

    @discardableResult
    mutating func tell(_ node: Int, _ message: ControlMessage) -> ControlMessage? {
        switches[node].receive(control: message, at: now)
    }

    private mutating func activate(_ nodes: [Int], closing slot: UInt32) {
        chain = nodes.map(ReplicaLaws.address)
        let activation = Activation(group: 0, epoch: epoch, chain: chain, closedSlots: slot == 0 ? [] : [slot])
        for node in nodes.reversed() { tell(node, .activate(activation)) }
        grant(0xff)
    }

    private mutating func grant(_ nodes: UInt8) {
        for node in switches.indices where nodes & 1 << UInt8(node) != 0 {
            guard case .heartbeat(let beat) = switches[node].heartbeat(at: now) else { continue }
            tell(node, .lease(Lease(clock: beat.clock, duration: 50_000_000, groups: beat.active)))
        }
    }

    mutating func change(to nodes: UInt8, closing slot: UInt32) {
        epoch += 1
        let members = (0..<ReplicaLaws.count).filter { nodes & 1 << UInt8($0) != 0 }
        for node in members { tell(node, .seal(GroupEpoch(group: 0, epoch: epoch))) }
        activate(nodes & 128 == 0 ? members : members.reversed(), closing: slot)
    }

    mutating func join(_ node: Int, from source: Int) {
        let ticket = JoinTicket(group: 0, epoch: epoch, number: 1)
        tell(node, .join(ticket))
        var cursor: UInt64? = 0
        while let start = cursor {
            let request = CopyRequest(ticket: ticket, since: 0, cursor: start)
            guard case .entries(let entries)? = tell(source, .copyRead(request)) else { return }
            tell(node, .copyWrite(entries))
            cursor = entries.next
        }
    }

    mutating func changeKey(_ number: UInt8, isRemoved: Bool) {
        let width: WidthClass = number & 4 != 0 ? .bytes128 : .bytes16
        let entry = KeyEntry(key: ChainKey(low: UInt64(number % 5)), group: 0, epoch: epoch, width: width)
        for node in switches.indices { tell(node, isRemoved ? .remove(entry) : .insert(entry)) }
    }

    mutating func pass(_ steps: UInt8, leases: UInt8) throws(BrokenLaw) {
        now += 4_000_000 * UInt64(steps)
        grant(leases)
        for node in switches.indices {
            let before = switches[node].counters
            outbox.removeAll()
            switches[node].advance(to: now, into: &outbox)
            let most = options.hasSmallLimits ? ReplicaLaws.count : 64 + ReplicaLaws.count
            try BrokenLaw.unless(
                outbox.datagrams.count <= most, "little is sent again at a time", "\(outbox.datagrams.count)")
            try BrokenLaw.unless(
                outbox.datagrams.allSatisfy { $0.road == .fabric }, "time alone answers no client", "it does")
            try takeOutputs(before, node, ttl: 65)
        }
    }

    // Datagrams.

    mutating func arrive(_ place: Int, isLost: Bool) throws(BrokenLaw) {
        guard !flights.isEmpty else { return }
        let flight = flights.remove(at: place % flights.count)
        if !isLost { try fabric(flight.bytes, at: flight.node, from: flight.from) }
    }

    mutating func packet(_ fields: [UInt8], at node: Int, _ peer: UInt8) throws(BrokenLaw) {
        let payload = ReplicaShapes.packet(fields, options.format, chain: chain, epoch: epoch, node: node)
        if ReplicaShapes.isRequest(payload) {
            try request(payload, at: node, client: peer)
        } else {
            try framed(payload, at: node, from: Int(peer) % ReplicaLaws.count)
        }
    }

    mutating func framed(_ payload: [UInt8], at node: Int, from peer: Int) throws(BrokenLaw) {
        var bytes = [UInt8](repeating: 0, count: FabricFrame.byteCount) + payload
        let destination = Endpoint(address: ReplicaLaws.address(node), port: 8888)
        FabricFrame(ttl: 8, source: ReplicaLaws.client(1), destination: destination).store(in: &bytes, at: 0)
        try fabric(bytes, at: node, from: ReplicaLaws.address(peer))
    }

    mutating func request(_ payload: [UInt8], at node: Int, client: UInt8) throws(BrokenLaw) {
        let before = switches[node]
        outbox.removeAll()
        switches[node].receive(request: payload.span, from: ReplicaLaws.client(client), at: now, into: &outbox)
        let isWellFormed =
            ReplicaShapes.isWellFormed(payload, options.format)
            || ReplicaShapes.isOfOtherVersion(payload, options.format)
        try check(before, node, payload, isWellFormed: isWellFormed, isKnown: client != 255)
        try BrokenLaw.unless(outbox.datagrams.count <= 1, "a request brings about one datagram", "\(outbox.datagrams)")
        for datagram in outbox.datagrams where datagram.road == .edge {
            try BrokenLaw.unlessEqual(datagram.destination, ReplicaLaws.client(client), "an answer goes to who asked")
        }
        try takeOutputs(before.counters, node, ttl: 65)
    }

    mutating func fabric(_ datagram: [UInt8], at node: Int, from address: UInt32) throws(BrokenLaw) {
        let before = switches[node]
        outbox.removeAll()
        switches[node].receive(fabric: datagram.span, from: address, at: now, into: &outbox)
        let frame = FabricFrame(datagram.span)
        let payload = Array(datagram.dropFirst(FabricFrame.byteCount))
        let isKnown = (0..<5).contains { ReplicaLaws.address($0) == address } && frame?.ttl != 0
        try check(
            before, node, payload, isWellFormed: frame != nil && ReplicaShapes.isWellFormed(payload, options.format),
            isKnown: isKnown)
        let answers = outbox.datagrams.filter { $0.road == .edge }
        try BrokenLaw.unless(answers.count <= 1, "a packet brings about one answer", "\(answers.count)")
        for answer in answers {
            try BrokenLaw.unlessEqual(answer.destination, frame?.source, "an answer goes to who asked")
        }
        try takeOutputs(before.counters, node, ttl: 65)
    }

    /// What the switch holds, as it tells others.
    private func state(_ machine: Machine) -> [ControlMessage] {
        var machine = machine
        var messages = [machine.heartbeat(at: 0)]
        for step in UInt32(0)..<2 where epoch >= step {
            let ticket = JoinTicket(group: 0, epoch: epoch - step, number: 0)
            var cursor: UInt64? = 0
            while let start = cursor {
                let request = CopyRequest(ticket: ticket, since: 0, cursor: start)
                guard let answer = machine.receive(control: .copyRead(request), at: now) else { break }
                messages.append(answer)
                cursor = if case .entries(let entries) = answer { entries.next } else { nil }
            }
        }
        return messages
    }

    /// The laws for one datagram, `before` the switch as it was.
    private func check(
        _ before: Machine, _ node: Int, _ payload: [UInt8], isWellFormed: Bool, isKnown: Bool
    ) throws(BrokenLaw) {
        let old = before.counters
        let new = switches[node].counters
        try BrokenLaw.unlessEqual(new.packetsIn - old.packetsIn, 1, "every datagram is counted")
        try BrokenLaw.unlessEqual(new.bytesIn - old.bytesIn, payload.count, "every payload byte is counted")
        let refused = new.malformed + new.foreign + new.expired - old.malformed - old.foreign - old.expired
        if !isWellFormed { try BrokenLaw.unlessEqual(refused, 1, "what no format allows is refused") }
        if isWellFormed {
            try BrokenLaw.unlessEqual(new.malformed, old.malformed, "what a format allows is not malformed")
        }
        if refused > 0 {
            try BrokenLaw.unlessEqual(refused, 1, "a datagram is refused for one reason")
            try BrokenLaw.unless(outbox.isEmpty, "what is refused has no answer", "\(outbox.datagrams.count) datagrams")
            let isSame = state(switches[node]) == state(before) && switches[node].nextDeadline == before.nextDeadline
            try BrokenLaw.unless(isSame, "what is refused changes nothing", "it did")
        }
        if !isKnown { try BrokenLaw.unless(outbox.isEmpty, "strangers are not answered", "one is") }
        if outbox.isEmpty { try BrokenLaw.unless(says(new, old), "no datagram vanishes uncounted", "\(new)") }
        let isLonger = outbox.datagrams.contains { datagram in
            datagram.road == .edge && datagram.payload.count > payload.count
                && outbox.bytes[datagram.payload.lowerBound + 1] != ChainOperation.readReply.rawValue
        }
        try BrokenLaw.unless(!isLonger, "only a read's answer is longer than what it answers", "another is")
    }

    /// Whether a counter says what became of a datagram that brought nothing about.
    private func says(_ new: SwitchCounters, _ old: SwitchCounters) -> Bool {
        [
            \SwitchCounters.malformed, \.foreign, \.expired, \.unknownKeys, \.writesStale, \.versionOverflows,
            \.rejections, \.otherEpochs, \.acknowledgements, \.writes,
        ]
        .contains { new[keyPath: $0] > old[keyPath: $0] }
    }

    private mutating func takeOutputs(_ old: SwitchCounters, _ node: Int, ttl: UInt8) throws(BrokenLaw) {
        let counters = switches[node].counters
        let sent = outbox.datagrams
        try BrokenLaw.unlessEqual(counters.packetsOut - old.packetsOut, sent.count, "each datagram is counted")
        try BrokenLaw.unlessEqual(
            counters.bytesOut - old.bytesOut, sent.reduce(0) { $0 + $1.payload.count }, "each payload byte is counted")
        for datagram in sent {
            let content = Array(outbox.bytes[datagram.payload])
            try BrokenLaw.unless(
                ReplicaShapes.isWellFormed(content, options.format), "what a switch sends is well formed", "\(content)")
            if datagram.road == .edge {
                let isClient = datagram.destination.address >> 8 == 0x7f_0001
                try BrokenLaw.unless(isClient, "only clients get answers", "\(datagram.destination)")
                continue
            }
            let frame = FabricFrame(outbox.bytes.span.extracting(datagram.bytes))
            try BrokenLaw.unless(
                frame.map { $0.ttl < ttl } ?? false, "the time to live is no more than at entry", "it is")
            let target = Int(datagram.destination.address) - Int(ReplicaLaws.address(0))
            try BrokenLaw.unless(target != node, "no switch sends to itself", "\(node)")
            guard flights.count < Self.flightsMost, switches.indices.contains(target) else { continue }
            flights.append((target, ReplicaLaws.address(node), Array(outbox.bytes[datagram.bytes])))
        }
    }
}
