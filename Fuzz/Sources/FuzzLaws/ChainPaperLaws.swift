import Chains
import Wire

/// The switches of the papers' chains: any bytes at either port of three of them, and what they send each other.
///
/// What is well formed is said here a second time, from the drawings of the formats. Not covered: whether an answer is
/// the right one, which is for schedules; time, which these switches do not have.
enum ChainPaperLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        var reader = InputReader(bytes)
        let options = ChainInput.Options(rawValue: reader.byte(bytes))
        if options.isNetChain {
            try play(PaperChainUnderLaw<NetChainPaperSwitch>(options), &reader, bytes)
        } else {
            try play(PaperChainUnderLaw<NetCRAQPaperSwitch>(options), &reader, bytes)
        }
    }

    private static func play<Machine: PaperMachine>(
        _ start: PaperChainUnderLaw<Machine>, _ reader: inout InputReader, _ bytes: Span<UInt8>
    ) throws(BrokenLaw) {
        var chain = start
        while !reader.isAtEnd {
            let record = ChainInput.Record(&reader, bytes)
            let node = Int(record.node) % chain.switches.count
            let content = bytes.extracting(record.content).copied()
            switch record.kind {
            case .request: try chain.request(content, at: node, client: record.peer)
            case .fabric: try chain.fabric(content, at: node, from: Chain.address(Int(record.peer)))
            case .framed: try chain.framed(content, at: node, record.peer)
            case .arrival: try chain.arrive(isLost: record.node == 255)
            case .failure: chain.control.failOver(of: Chain.address(node), &chain.switches)
            case .recovery: chain.recover(node, isComplete: record.peer & 1 != 0)
            case .key: chain.changeKey(record.peer, isRemoved: record.node & 1 != 0)
            }
        }
    }

    /// Addresses of a chain of three, and its clients.
    enum Chain {
        static let count = 3

        static func address(_ node: Int) -> UInt32 { 0x7f00_000a + UInt32(node) }
        /// The last of 256 is outside the clients' block.
        static func client(_ number: UInt8) -> Endpoint {
            Endpoint(address: number == 255 ? 0x7f00_0200 : 0x7f00_0100 + UInt32(number), port: 40_000)
        }

        static func network(_ node: Int, isLine: Bool) -> PaperNetwork {
            var network = PaperNetwork(
                own: address(node), switches: (0..<count).map(address),
                clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24))
            if isLine, node != 1 { network.routes = [.init(to: address(2 - node), via: address(1))] }
            return network
        }
    }
}

/// What the laws must know of a protocol.
protocol PaperMachine: SwitchMachine {
    associatedtype Control: ControlUnderLaw where Control.Switch == Self

    init(_ options: ChainInput.Options, node: Int)

    func hasSameState(as other: Self) -> Bool
    /// Whether a format allows `payload` at all, and whether as a client's request.
    func isWellFormed(_ payload: [UInt8]) -> (anywhere: Bool, asRequest: Bool)
    /// Whether `payload` decodes, and encodes to the same bytes.
    func repeats(_ payload: [UInt8]) -> Bool
    /// Most datagrams that one brings about.
    var outputsMost: Int { get }
}

/// What the laws do beside what a control plane is for.
protocol ControlUnderLaw: PaperControl where Switch: PaperMachine {
    mutating func take(key: UInt8, _ switches: inout [Switch])
    mutating func rejoin(_ failed: UInt32, _ switches: inout [Switch])
}

/// Three switches, what is in flight between them, and the laws that hold whenever a datagram arrives.
struct PaperChainUnderLaw<Machine: PaperMachine> {
    private typealias Chain = ChainPaperLaws.Chain

    var switches: [Machine]
    var control: Machine.Control
    private var flights: [(node: Int, from: UInt32, bytes: [UInt8])] = []
    private var outbox = Outbox()
    /// More in flight are lost.
    private static var flightsMost: Int { 64 }

    init(_ options: ChainInput.Options) {
        switches = (0..<Chain.count).map { Machine(options, node: $0) }
        control = Machine.Control(chain: (0..<Chain.count).map(Chain.address))
        control.start(&switches)
        for key in UInt32(1)...2 { _ = control.insert(key: key, into: &switches) }
    }

    mutating func changeKey(_ key: UInt8, isRemoved: Bool) {
        if isRemoved {
            control.take(key: key, &switches)
        } else {
            _ = control.insert(key: UInt32(key), into: &switches)
        }
    }

    mutating func recover(_ node: Int, isComplete: Bool) {
        control.stop(for: Chain.address(node), &switches)
        if isComplete { control.rejoin(Chain.address(node), &switches) }
    }

    mutating func arrive(isLost: Bool) throws(BrokenLaw) {
        guard !flights.isEmpty else { return }
        let flight = flights.removeFirst()
        if !isLost { try fabric(flight.bytes, at: flight.node, from: flight.from) }
    }

    mutating func framed(_ payload: [UInt8], at node: Int, _ parties: UInt8) throws(BrokenLaw) {
        let target = Int(parties >> 4)
        let destination =
            target < Chain.count ? Endpoint(address: Chain.address(target), port: 8888) : Chain.client(UInt8(target))
        var bytes = [UInt8](repeating: 0, count: FabricFrame.byteCount) + payload
        FabricFrame(ttl: 8, source: Chain.client(1), destination: destination).store(in: &bytes, at: 0)
        try fabric(bytes, at: node, from: Chain.address(Int(parties & 15)))
    }

    mutating func request(_ payload: [UInt8], at node: Int, client: UInt8) throws(BrokenLaw) {
        let before = switches[node]
        let source = Chain.client(client)
        outbox.removeAll()
        switches[node].receive(request: payload.span, from: source, at: 0, into: &outbox)
        let isWellFormed = before.isWellFormed(payload).asRequest
        try check(before, node, payload, ttl: 64, isWellFormed: isWellFormed, isKnown: client != 255)
    }

    mutating func fabric(_ datagram: [UInt8], at node: Int, from address: UInt32) throws(BrokenLaw) {
        let before = switches[node]
        outbox.removeAll()
        switches[node].receive(fabric: datagram.span, from: address, at: 0, into: &outbox)
        let isFramed = datagram.count >= 16 && Array(datagram.prefix(3)) == [0x4b, 0x56, 1]
        let payload = Array(datagram.dropFirst(16))
        let isKnown = (0..<Chain.count).contains { Chain.address($0) == address }
        try check(
            before, node, payload, ttl: isFramed ? datagram[3] : 0,
            isWellFormed: isFramed && before.isWellFormed(payload).anywhere, isKnown: isKnown)
    }

    /// The laws for one datagram, `before` the switch as it was.
    private mutating func check(
        _ before: Machine, _ node: Int, _ payload: [UInt8], ttl: UInt8, isWellFormed: Bool, isKnown: Bool
    ) throws(BrokenLaw) {
        let old = before.counters
        let new = switches[node].counters
        try BrokenLaw.unlessEqual(new.packetsIn - old.packetsIn, 1, "every datagram is counted")
        try BrokenLaw.unlessEqual(new.bytesIn - old.bytesIn, payload.count, "every payload byte is counted")
        if !isWellFormed {
            try BrokenLaw.unlessEqual(new.malformed - old.malformed, 1, "what no format allows is malformed")
        }
        let refused = new.malformed + new.foreign + new.expired - old.malformed - old.foreign - old.expired
        if !isKnown || ttl == 0 {
            try BrokenLaw.unlessEqual(refused, 1, "strangers, and what went too far, are refused")
        }
        if refused > 0 {
            try BrokenLaw.unlessEqual(refused, 1, "a datagram is refused for one reason")
            try BrokenLaw.unless(outbox.isEmpty, "what is refused has no answer", "\(outbox.datagrams.count) datagrams")
            try BrokenLaw.unless(switches[node].hasSameState(as: before), "what is refused changes nothing", "it did")
        } else {
            try BrokenLaw.unless(before.repeats(payload), "what is taken writes the same bytes", "\(payload)")
        }
        try checkOutputs(before, node, payload, ttl)
        if outbox.isEmpty { try BrokenLaw.unless(says(new, old), "no datagram vanishes uncounted", "\(new)") }
    }

    private mutating func checkOutputs(
        _ before: Machine, _ node: Int, _ payload: [UInt8], _ ttl: UInt8
    ) throws(BrokenLaw) {
        let counters = switches[node].counters
        let sent = outbox.datagrams
        try BrokenLaw.unless(sent.count <= before.outputsMost, "one brings about few", "\(sent.count) datagrams")
        try BrokenLaw.unlessEqual(counters.packetsOut - before.counters.packetsOut, sent.count, "each is counted")
        try BrokenLaw.unlessEqual(
            counters.bytesOut - before.counters.bytesOut, sent.reduce(0) { $0 + $1.payload.count },
            "each payload byte is counted")
        for datagram in sent {
            let content = Array(outbox.bytes[datagram.payload])
            try BrokenLaw.unless(content.count <= payload.count, "nothing is longer than what it comes from", "it is")
            if datagram.road == .edge {
                let isClient = datagram.destination.address >> 8 == 0x7f_0001
                try BrokenLaw.unless(isClient, "only clients get answers", "\(datagram.destination)")
                continue
            }
            try BrokenLaw.unless(
                before.isWellFormed(content).anywhere, "what a switch sends, a switch takes", "\(content)")
            let frame = FabricFrame(outbox.bytes.span.extracting(datagram.bytes))
            try BrokenLaw.unlessEqual(frame?.ttl, ttl &- 1, "each switch takes one off the time to live")
            let target = Int(datagram.destination.address) - Int(Chain.address(0))
            try BrokenLaw.unless((0..<Chain.count).contains(target), "only switches get frames", "\(target)")
            guard flights.count < Self.flightsMost else { continue }
            flights.append((target, Chain.address(node), Array(outbox.bytes[datagram.bytes])))
        }
    }

    /// Whether a counter says what became of a datagram that brought nothing about.
    private func says(_ new: SwitchCounters, _ old: SwitchCounters) -> Bool {
        [
            \SwitchCounters.malformed, \.foreign, \.expired, \.unknownKeys, \.unroutable, \.stopped, \.writesStale,
            \.versionOverflows, \.rejections, \.otherEpochs, \.acknowledgements, \.writes,
        ]
        .contains { new[keyPath: $0] > old[keyPath: $0] }
    }
}
