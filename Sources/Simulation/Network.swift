package import Chains
package import Wire

/// What a world is made of, but for its machines.
package struct NetworkModel: Sendable {
    package var topology: Topology
    package var link: LinkModel
    package var faults = LinkFaults.none
    package var switchService: ServiceModel
    package var clientService: ServiceModel
    /// Processors that all stations share; nil: each has its own.
    package var processors: Int?

    package init(
        topology: Topology, link: LinkModel, switchService: ServiceModel, clientService: ServiceModel,
        processors: Int? = nil
    ) {
        self.topology = topology
        self.link = link
        self.switchService = switchService
        self.clientService = clientService
        self.processors = processors
    }
}

/// Switches, clients and what lies between them, as discrete events: the same seed and the same calls give the same
/// run. Stations 0 and up are the switches in the order of the chain, those behind them the clients.
///
/// The owner asks for what happens next, one thing at a time, and is told of what concerns it: packets for clients, and
/// what it scheduled itself.
package struct Network<Switch: SwitchMachine>: Sendable {
    /// What the owner has to see to.
    package enum Happening: BitwiseCopyable, Sendable {
        /// A packet for a client: the owner reads its bytes and calls `release`.
        case delivery(client: Int, packet: Int)
        case owner(Event)
    }

    /// 127.0.0.10, address of the first switch.
    package static var firstSwitch: UInt32 { 0x7f00_000a }
    /// 127.0.1.1, address of the first client.
    package static var firstClient: UInt32 { 0x7f00_0101 }

    /// Nanoseconds since the run began.
    package internal(set) var now: UInt64 = 0
    /// The owner may configure a switch through `outbox` and `flush`.
    package var switches: [Switch]
    package internal(set) var stations: [Station]
    package var outbox = Outbox()
    package var numbers: SplitMix64
    package var faults: LinkFaults
    package internal(set) var traffic = TrafficCounts()
    package internal(set) var digest = RunDigest()
    package var log: EventLog?
    /// Datagrams to addresses where nobody is.
    package internal(set) var unroutable = 0
    package var clientCount: Int { stations.count - switches.count }
    package var eventsHandled: UInt64 { handled }
    package var packetsInFlight: Int { pool.inUse }

    var handled: UInt64 = 0
    let model: NetworkModel
    var queue = EventQueue()
    var pool: PacketPool
    var processors: SharedProcessors?
    /// For each client the switch that it hangs on, in a line.
    var attachment: [Int]
    /// For each pair of stations, sender first: when the last packet arrives, and until when the link is busy.
    var lastArrival: [UInt64]
    var busyUntil: [UInt64]

    /// Precondition: no more switches and clients than `SimulationLimits` allows.
    package init(_ model: NetworkModel, switches: [Switch], clients: Int, seed: UInt64) {
        precondition(switches.count <= SimulationLimits.switches && clients <= SimulationLimits.clients)
        self.model = model
        self.switches = switches
        faults = model.faults
        numbers = SplitMix64(seed: seed)
        pool = PacketPool(slotBytes: SimulationLimits.datagramBytes)
        stations = switches.map { _ in Station(service: model.switchService) }
        for _ in 0..<clients { stations.append(Station(service: model.clientService)) }
        if let count = model.processors {
            processors = SharedProcessors(free: count)
            for index in stations.indices { stations[index].processors = 0 }
        }
        attachment = [Int](repeating: 0, count: clients)
        let pairs = stations.count * stations.count
        lastArrival = [UInt64](repeating: 0, count: pairs)
        busyUntil = [UInt64](repeating: 0, count: model.link.perByte > 0 ? pairs : 0)
    }

    package static func address(ofSwitch index: Int) -> UInt32 { firstSwitch + UInt32(index) }
    package static func address(ofClient index: Int) -> UInt32 { firstClient + UInt32(index) }

    /// Hangs a client on a switch: where its packets enter and leave the line.
    package mutating func attach(client: Int, to index: Int) { attachment[client] = index }

    /// Schedules something of the owner's.
    package mutating func schedule(at time: UInt64, station: Int = 0, argument: Int = 0) {
        queue.schedule(.owner, at: max(time, now), station: station, argument: argument)
    }

    /// The bytes of a delivered packet, and the port that it came to.
    package func port(of packet: Int) -> UInt16 { pool.packets[packet].client.port }
    package func range(of packet: Int) -> Range<Int> { pool.range(of: packet) }
    package var packetBytes: [UInt8] { _read { yield pool.bytes } }

    /// The switch that a delivered packet comes from.
    package func sender(of packet: Int) -> UInt32 { Self.address(ofSwitch: Int(pool.packets[packet].sender)) }

    /// What the clock of a station shows now, and which of its lives this is.
    package func clock(of station: Int) -> UInt64 { stations[station].clock(at: now) }
    package func life(of station: Int) -> UInt32 { stations[station].life }

    /// Gives the slot of a delivered packet back.
    package mutating func release(_ packet: Int) { pool.remove(packet) }

    /// Sends a datagram of a client's socket to a switch.
    package mutating func send(_ payload: Span<UInt8>, from client: Int, port: UInt16, toSwitch target: Int) {
        let sender = switches.count + client
        let packet = Packet(
            byteCount: 0, sender: UInt16(sender), target: UInt16(target), road: .edge, kind: .request,
            client: Endpoint(address: Self.address(ofClient: client), port: port), next: -1)
        let index = pool.add(packet, payload: payload)
        begin(index, at: sender)
    }

    /// Handles events up to the next that concerns the owner; nil when nothing is left before `end`.
    package mutating func next(before end: UInt64) -> Happening? {
        while let time = queue.nextTime, time < end, let event = queue.next() {
            now = event.time
            handled &+= 1
            digest.add(event)
            let station = Int(event.station)
            switch event.kind {
            case .owner:
                return .owner(event)
            case .arrival:
                if let packet = arrive(Int(event.argument), at: station) {
                    return .delivery(client: station - switches.count, packet: packet)
                }
            case .served:
                if let packet = served(by: station, life: event.argument) {
                    return .delivery(client: station - switches.count, packet: packet)
                }
            case .deadline:
                advance(station, scheduledFor: event.time)
            }
        }
        return nil
    }
}
