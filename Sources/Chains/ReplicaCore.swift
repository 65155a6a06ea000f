import Wire

/// What both default variants have in common: a switch's groups, keys, sessions and counters, and how it sends.
///
/// Requests are in `ReplicaCore+Requests`, packets of other switches in `ReplicaCore+Chain`, what is sent again in
/// `ReplicaCore+Resending`, control messages in `ReplicaCore+Control` and `ReplicaCore+Copy`.
struct ReplicaCore: Sendable {
    let format: ChainFormat
    let configuration: ReplicaConfiguration
    let mutations: Mutations
    var counters = SwitchCounters()
    var groups: [ReplicaGroup] = []
    var store: KeyStore
    var slots: SlotTable
    /// Counts changes of keys and sessions; an entry has the number of its last one.
    var stamp: UInt64 = 0
    var removals: [RemovedKey] = []
    /// Removals before this stamp may be forgotten.
    var removalsSince: UInt64 = 0
    /// Keys with something to send again, in no order.
    var pending: [Int32] = []
    var resendCursor = 0
    /// When `advance` has something to do; `UInt64.max`: never.
    var resendAt = UInt64.max
    /// Earliest time found so far by the present round over `pending`.
    var resendAtNextRound = UInt64.max

    struct RemovedKey: Sendable {
        var key: ChainKey
        var group: UInt16
        var stamp: UInt64
    }

    /// UDP port of requests, in the fabric frames that switches send each other.
    static let requestPort: UInt16 = 8888

    init(_ configuration: ReplicaConfiguration, format: ChainFormat) {
        self.format = format
        self.configuration = configuration
        mutations = configuration.mutations
        // NetChain keeps the newest version alone (NSDI 2018 §4.1).
        store = KeyStore(
            cellsPerKey: format == .cqx ? configuration.cellsPerKey : 1, limit: configuration.limits.keys)
        slots = SlotTable(limit: configuration.limits.slots)
    }

    var isNetCRAQ: Bool { format.rawValue == ChainFormat.cqx.rawValue }

    mutating func nextStamp() -> UInt64 {
        stamp &+= 1
        return stamp
    }

    func hasLease(_ group: Int, at now: UInt64) -> Bool {
        now < groups[group].leaseEnd || mutations.contains(.ignoresLeases)
    }

    /// Whether requests may come from there, and answers go there.
    func isClient(_ endpoint: Endpoint) -> Bool {
        configuration.clients.contains(endpoint.address) && endpoint.port != 0
    }

    /// `interval` after `now`, where time has an end.
    static func later(_ now: UInt64, by interval: UInt64) -> UInt64 {
        let (sum, overflow) = now.addingReportingOverflow(interval)
        return overflow ? .max : sum
    }

    // Sending.

    /// Sends a reply without a value to `client`.
    mutating func reply(
        _ operation: ChainOperation, to request: ChainPacket, _ status: ChainStatus, version: ChainVersion,
        client: Endpoint, into outbox: inout Outbox
    ) {
        let group = Int(request.group)
        let epoch = group < groups.count ? groups[group].epoch : 0
        var packet = ChainPacket(operation, key: request.key, group: request.group, epoch: epoch)
        packet.status = status
        packet.slot = request.slot
        packet.request = request.request
        packet.version = version
        _ = open(packet, to: client, into: &outbox)
    }

    /// Answers a read from the version in `cell`.
    mutating func reply(
        toRead request: ChainPacket, cell: Int, at place: Int, client: Endpoint, into outbox: inout Outbox
    ) {
        var packet = ChainPacket(
            .readReply, key: request.key, group: request.group, epoch: groups[Int(request.group)].epoch)
        packet.slot = request.slot
        packet.request = request.request
        packet.version = store.cells[cell].version
        packet.valueLength = store.cells[cell].length
        packet.status = packet.isDeletion ? .notFound : .ok
        if packet.valueByteCount > 0 { packet.width = store.places[place].width }
        let start = open(packet, to: client, into: &outbox)
        store.copyValue(of: cell, at: place, over: &outbox.bytes, from: start + packet.valueOffset(format))
    }

    /// Adds a datagram for a client with the header stored; answers where it begins.
    private mutating func open(_ packet: ChainPacket, to client: Endpoint, into outbox: inout Outbox) -> Int {
        let byteCount = packet.byteCount(format)
        let start = outbox.open(byteCount: byteCount, to: client)
        packet.store(in: &outbox.bytes, at: start, format: format)
        counters.packetsOut += 1
        counters.bytesOut += byteCount
        return start
    }

    /// Adds a datagram for the node at `position` of the group's chain, header and list stored; answers where its
    /// value begins. `owner` is the client whose request it carries.
    mutating func open(
        _ unlisted: ChainPacket, toPosition position: Int, owner: Endpoint, ttl: UInt8 = FabricFrame.ttlAtEntry,
        into outbox: inout Outbox
    ) -> Int {
        let group = Int(unlisted.group)
        var packet = unlisted
        packet.epoch = groups[group].epoch
        let count = groups[group].chain.count
        if isNetCRAQ {
            packet.hops = 0
        } else if case .chainWrite = packet.operation {
            packet.hops = UInt8(count - position)
        } else {
            packet.hops = 1
        }
        let address = groups[group].chain[position]
        let frame = FabricFrame(
            ttl: ttl, source: owner, destination: Endpoint(address: address, port: Self.requestPort))
        let byteCount = packet.byteCount(format)
        let start = outbox.open(byteCount: byteCount, behind: frame, toSwitch: address)
        packet.store(in: &outbox.bytes, at: start, format: format)
        for hop in 0..<Int(packet.hops) {
            outbox.bytes.storeBigEndian32(
                groups[group].chain[position + hop], at: start + ChainPacket.listOffset(format) + 4 * hop)
        }
        counters.packetsOut += 1
        counters.bytesOut += byteCount
        return start + packet.valueOffset(format)
    }

    /// Sends the version in `cell` with its owner, as CHAIN_WRITE to the successor or as COMMIT to anyone.
    mutating func send(
        _ operation: ChainOperation, cell: Int, at place: Int, toPosition position: Int, into outbox: inout Outbox
    ) {
        let stored = store.cells[cell]
        var packet = ChainPacket(operation, key: store.places[place].key, group: store.places[place].group, epoch: 0)
        packet.version = stored.version
        packet.slot = stored.slot
        packet.request = stored.request
        packet.valueLength = stored.length
        let isValueless = !isNetCRAQ && packet.operation.rawValue == ChainOperation.commit.rawValue
        if isValueless { packet.valueLength = 0 }
        if packet.valueByteCount > 0 { packet.width = store.places[place].width }
        if isNetCRAQ, case .chainWrite = operation {
            packet.aux = store.cells[store.cleanCell(place)].version
        }
        let offset = open(packet, toPosition: position, owner: stored.client, into: &outbox)
        if !isValueless { store.copyValue(of: cell, at: place, over: &outbox.bytes, from: offset) }
    }

    /// The tail tells the others what is committed.
    mutating func multicastCommit(at place: Int, into outbox: inout Outbox) {
        let cell = store.cleanCell(place)
        guard store.cells[cell].version != .none else { return }
        for position in 0..<groups[Int(store.places[place].group)].position {
            send(.commit, cell: cell, at: place, toPosition: position, into: &outbox)
        }
    }

    // Sessions.

    /// Notes that the session's `request` has become `version`, unless it went on already; false if there is no room.
    ///
    /// A version that is sent again carries its old owner. Were the entry lowered by it, a retry of the session's
    /// newer request would be taken for a new one.
    mutating func raiseSlot(_ packet: ChainPacket) -> Bool {
        let group = Int(packet.group)
        guard packet.slot != 0, !groups[group].closedSlots.containsAscending(packet.slot) else { return true }
        if mutations.contains(.dedupesAtHeadOnly), !groups[group].isHead { return true }
        let place = slots.find(group: packet.group, slot: packet.slot)
        if place >= 0 {
            guard packet.request > slots.entries[place].request || mutations.contains(.dedupeFalls) else { return true }
        } else if slots.isFull {
            return false
        }
        setSlot(packet, .ok, version: packet.version)
        return true
    }

    mutating func setSlot(_ packet: ChainPacket, _ status: ChainStatus, version: ChainVersion) {
        slots.set(
            SlotEntry(
                group: packet.group, status: status, slot: packet.slot, request: packet.request, key: packet.key,
                version: version, stamp: nextStamp()))
    }
}
