import Chains
import Wire

/// A datagram under way.
struct BenchPacket {
    var from: UInt32
    var road: Outbox.Road
    var destination: Endpoint
    var bytes: [UInt8]
    var format: ChainFormat

    var payload: [UInt8] { road == .edge ? bytes : Array(bytes.dropFirst(FabricFrame.byteCount)) }
    var header: ChainPacket? { ChainPacket(payload.span, format: format) }
    var text: String { String(decoding: value, as: UTF8.self) }
    /// The value's bytes that count.
    var value: [UInt8] {
        guard let header else { return [] }
        return Array(payload.dropFirst(header.valueOffset(format)).prefix(header.valueByteCount))
    }
}

/// Switches of one kind joined by hand: a test says which packet is delivered when.
struct ReplicaBench<Machine: ReplicaMachine>: Bench {
    static var firstAddress: UInt32 { 0x7f00_000a }
    static var client: Endpoint { Endpoint(address: 0x7f00_0101, port: 40001) }

    let format: ChainFormat
    var switches: [UInt32: Machine] = [:]
    /// Sent and not yet delivered, oldest first.
    var packets: [BenchPacket] = []
    var now: UInt64 = 1_000_000_000
    var epoch: UInt32 = 0
    var chain: [UInt32] = []
    var outbox = Outbox()

    init(
        _ format: ChainFormat, switches count: Int = 3, change: (inout ReplicaConfiguration) -> Void = { _ in }
    ) {
        self.format = format
        for index in 0..<UInt32(count) {
            var configuration = ReplicaConfiguration(
                address: Self.firstAddress + index, clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24))
            change(&configuration)
            switches[configuration.address] = Machine(configuration)
        }
    }

    static func address(_ index: Int) -> UInt32 { firstAddress + UInt32(index) }

    // Control plane, a step at a time.

    @discardableResult
    mutating func tell(_ index: Int, _ message: ControlMessage) -> ControlMessage? {
        switches[Self.address(index)]?.receive(control: message, at: now)
    }

    /// Empty switches form a chain of group 0 with these keys.
    mutating func form(_ members: [Int], keys: [UInt64] = [1, 2], width: WidthClass = .bytes16) {
        epoch += 1
        for index in members { tell(index, .join(JoinTicket(group: 0, epoch: epoch, number: 1))) }
        activate(members)
        for key in keys {
            for index in members {
                tell(index, .insert(KeyEntry(key: ChainKey(low: key), group: 0, epoch: epoch, width: width)))
            }
        }
    }

    mutating func activate(_ members: [Int], closedSlots: [UInt32] = [], compares: Bool = true) {
        chain = members.map(Self.address)
        for index in members.reversed() {
            tell(
                index,
                .activate(
                    Activation(
                        group: 0, epoch: epoch, chain: chain, closedSlots: closedSlots, comparesAndSets: compares)))
        }
        grant(members)
    }

    mutating func seal(_ members: [Int]) {
        epoch += 1
        for index in members { tell(index, .seal(GroupEpoch(group: 0, epoch: epoch))) }
    }

    /// Members of the present chain go on as `members`, a chain of the next epoch.
    mutating func change(to members: [Int], closedSlots: [UInt32] = []) {
        seal(members)
        activate(members, closedSlots: closedSlots)
    }

    mutating func grant(_ members: [Int]) {
        for index in members {
            guard case .heartbeat(let beat)? = switches[Self.address(index)]?.heartbeat(at: now) else { continue }
            tell(index, .lease(Lease(clock: beat.clock, duration: 50_000_000, groups: beat.active)))
        }
    }

    /// Copies everything that changed after `since` from one switch to another, which joined.
    @discardableResult
    mutating func copy(from source: Int, to target: Int, since: UInt64 = 0) -> UInt64 {
        var first: UInt64?
        var cursor: UInt64? = 0
        while let start = cursor {
            let request = CopyRequest(
                ticket: JoinTicket(group: 0, epoch: epoch, number: 1), since: since, cursor: start)
            guard case .entries(let entries)? = tell(source, .copyRead(request)) else { return 0 }
            first = first ?? entries.stamp
            tell(target, .copyWrite(entries))
            cursor = entries.next
        }
        return first ?? 0
    }

    // Data plane.

    /// A request of the client's with the chain and epoch as they are.
    func request(
        _ operation: ChainOperation, key: UInt64 = 1, value: String? = nil, slot: UInt32 = 1, number: UInt32,
        expecting expected: ChainVersion = .none, to index: Int? = nil
    ) -> [UInt8] {
        var packet = ChainPacket(operation, key: ChainKey(low: key), group: 0, epoch: epoch)
        packet.slot = slot
        packet.request = number
        packet.aux = expected
        let bytes = Array((value ?? "").utf8)
        if operation == .write || operation == .compareAndSet {
            packet.valueLength = value == nil ? ChainPacket.deleted : UInt16(bytes.count)
            if !bytes.isEmpty { packet.width = WidthClass.fitting(bytes.count) ?? .bytes1024 }
        }
        var list: [UInt32] = []
        if format == .ncx, operation != .hello {
            let isWrite = operation == .write || operation == .compareAndSet
            list = isWrite ? chain : [index.map(Self.address) ?? chain.last ?? 0]
            packet.hops = UInt8(list.count)
        }
        var payload = [UInt8](repeating: 0, count: packet.byteCount(format))
        packet.store(in: &payload, at: 0, format: format)
        for (hop, address) in list.enumerated() {
            payload.storeBigEndian32(address, at: ChainPacket.listOffset(format) + 4 * hop)
        }
        payload.overwrite(from: packet.valueOffset(format), with: bytes.span)
        return payload
    }

    mutating func ask(_ index: Int, _ payload: [UInt8], from client: Endpoint = Self.client) {
        switches[Self.address(index)]?.receive(request: payload.span, from: client, at: now, into: &outbox)
        collect(from: Self.address(index))
    }

    mutating func advance(_ index: Int, by nanoseconds: UInt64 = 0) {
        now += nanoseconds
        switches[Self.address(index)]?.advance(to: now, into: &outbox)
        collect(from: Self.address(index))
    }

    private mutating func collect(from address: UInt32) {
        for datagram in outbox.datagrams {
            packets.append(
                BenchPacket(
                    from: address, road: datagram.road, destination: datagram.destination,
                    bytes: Array(outbox.bytes[datagram.bytes]), format: format))
        }
        outbox.removeAll()
    }

    /// Delivers a packet to its switch.
    mutating func deliver(_ packet: BenchPacket) {
        switches[packet.destination.address]?
            .receive(fabric: packet.bytes.span, from: packet.from, at: now, into: &outbox)
        collect(from: packet.destination.address)
    }

    /// Takes the first packet that fits out of those under way.
    mutating func take(_ operation: ChainOperation, to index: Int? = nil) -> BenchPacket? {
        let position = packets.firstIndex {
            $0.header?.operation == operation
                && (index.map(Self.address) ?? $0.destination.address) == $0.destination.address
        }
        return position.map { packets.remove(at: $0) }
    }

    /// Delivers everything between switches until nothing is under way; answers what came for clients.
    @discardableResult
    mutating func settle() -> [BenchPacket] {
        var replies: [BenchPacket] = []
        while !packets.isEmpty {
            let packet = packets.removeFirst()
            if packet.road == .edge { replies.append(packet) } else { deliver(packet) }
        }
        return replies
    }

    /// Asks, delivers everything, and answers the first reply.
    mutating func call(_ index: Int, _ payload: [UInt8]) -> BenchPacket? {
        ask(index, payload)
        return settle().first
    }

    func counters(_ index: Int) -> SwitchCounters { switches[Self.address(index)]?.counters ?? SwitchCounters() }
}

typealias NetCRAQBench = ReplicaBench<NetCRAQSwitch>
typealias NetChainBench = ReplicaBench<NetChainSwitch>

/// A bench of either kind, so that one test serves both.
protocol Bench {
    var packets: [BenchPacket] { get set }
    var now: UInt64 { get set }
    var epoch: UInt32 { get set }
    var chain: [UInt32] { get set }
    var format: ChainFormat { get }

    @discardableResult
    mutating func tell(_ index: Int, _ message: ControlMessage) -> ControlMessage?
    mutating func form(_ members: [Int], keys: [UInt64], width: WidthClass)
    mutating func activate(_ members: [Int], closedSlots: [UInt32], compares: Bool)
    mutating func seal(_ members: [Int])
    mutating func change(to members: [Int], closedSlots: [UInt32])
    mutating func grant(_ members: [Int])
    @discardableResult
    mutating func copy(from source: Int, to target: Int, since: UInt64) -> UInt64
    func request(
        _ operation: ChainOperation, key: UInt64, value: String?, slot: UInt32, number: UInt32,
        expecting expected: ChainVersion, to index: Int?
    ) -> [UInt8]
    mutating func ask(_ index: Int, _ payload: [UInt8], from client: Endpoint)
    mutating func advance(_ index: Int, by nanoseconds: UInt64)
    mutating func deliver(_ packet: BenchPacket)
    mutating func take(_ operation: ChainOperation, to index: Int?) -> BenchPacket?
    @discardableResult
    mutating func settle() -> [BenchPacket]
    mutating func call(_ index: Int, _ payload: [UInt8]) -> BenchPacket?
    func counters(_ index: Int) -> SwitchCounters
}

extension Bench {
    mutating func form(_ members: [Int]) { form(members, keys: [1, 2], width: .bytes16) }
    mutating func activate(_ members: [Int]) { activate(members, closedSlots: [], compares: true) }
    mutating func change(to members: [Int]) { change(to: members, closedSlots: []) }
    mutating func ask(_ index: Int, _ payload: [UInt8]) {
        ask(index, payload, from: Endpoint(address: 0x7f00_0101, port: 40001))
    }
    mutating func take(_ operation: ChainOperation) -> BenchPacket? { take(operation, to: nil) }
    mutating func advance(_ index: Int) { advance(index, by: 0) }
    func request(
        _ operation: ChainOperation, key: UInt64 = 1, value: String? = nil, slot: UInt32 = 1, number: UInt32,
        expecting expected: ChainVersion = .none
    ) -> [UInt8] {
        request(operation, key: key, value: value, slot: slot, number: number, expecting: expected, to: nil)
    }

    /// Why the switch refuses; nil if it does not.
    mutating func refusal(_ index: Int, _ message: ControlMessage) -> Refusal.Reason? {
        if case .refused(let refusal)? = tell(index, message) { refusal.reason } else { nil }
    }

    /// The request with room for values of `width`.
    func widened(_ request: [UInt8], to width: WidthClass) -> [UInt8] {
        guard var packet = ChainPacket(request.span, format: format) else { return request }
        var bytes = request
        bytes += [UInt8](repeating: 0, count: width.byteCount - packet.width.byteCount)
        packet.width = width
        packet.store(in: &bytes, at: 0, format: format)
        return bytes
    }
}
