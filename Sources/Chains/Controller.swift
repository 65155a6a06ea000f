/// What a controller wants done, in this order. A store is durable before what follows it is done.
package enum ControllerAction: Equatable, Sendable {
    case store(ControllerRecord)
    case send(ControlMessage, toNode: UInt32)
    case push(ControlMessage, toClient: UInt64)
    case log(ControllerEvent)
}

/// Decides who forms which chain: epochs, leases, fail-over, joins, keys, sessions.
///
/// Its shell keeps a stream with every switch and every client, each in order and without loss while it is open, and
/// performs what is appended to `actions`. There is one controller at a time. Times are its own clock's nanoseconds.
///
/// A chain is changed in four steps: the next epoch is stored as sealed; all who hold the group's state seal it; the
/// lease of everybody left out runs out; the chain is stored and activated from tail to head, so that whoever answers
/// a client finds those after it ready.
package struct Controller: Sendable {
    /// A switch as the controller sees it.
    struct Node: Sendable {
        var address: UInt32
        var isConnected = false
        var hasBeenConnected = false
        var isSuspected = false
        var lastHeard: UInt64
        /// What its last heartbeat said.
        var active: [GroupEpoch] = []
    }

    package let configuration: ControllerConfiguration
    package internal(set) var record: ControllerRecord
    var nodes: [Node]
    var groups: [GroupControl]
    var keys = KeyControl()
    /// Subscribed clients, in the order of subscription.
    var clients: [UInt64] = []
    var directorySerial: UInt64 = 0
    /// Number of the last attempt to join.
    var joinNumber: UInt32 = 0
    /// Sessions from `record.nextSlot - limits.slotsPerStore` on are given out from here.
    var nextSlot: UInt32
    /// Leases of an earlier life of the controller are over after this.
    let leasesOfBefore: UInt64

    /// Begins, or goes on with what an earlier life stored.
    package init(_ configuration: ControllerConfiguration, record: ControllerRecord? = nil, at now: UInt64) {
        self.configuration = configuration
        var start = record ?? ControllerRecord()
        while start.groups.count < min(configuration.groups, Int(UInt16.max)) {
            start.groups.append(
                ControllerRecord.Group(
                    entry: GroupEntry(
                        group: UInt16(start.groups.count), epoch: 0, state: .sealed, chain: [],
                        comparesAndSets: configuration.comparesAndSets)))
        }
        self.record = start
        nextSlot = start.nextSlot
        nodes = configuration.nodes.map { Node(address: $0, lastHeard: now) }
        groups = Array(repeating: GroupControl(), count: start.groups.count)
        leasesOfBefore = record == nil ? 0 : now + configuration.times.leaseWait
        for group in groups.indices where !start.groups[group].entry.chain.isEmpty {
            // Whoever was granted a lease may be any node; the wait is the same for all.
            groups[group].pausedAt = start.groups[group].entry.state == .sealed ? now : nil
            if start.groups[group].entry.state == .sealed { groups[group].deadline = now }
        }
        keys.startWithdrawals(record: start, until: now + configuration.directoryLease)
    }

    // What may go.

    func index(of address: UInt32) -> Int? { nodes.firstIndex { $0.address == address } }

    func isAlive(_ address: UInt32) -> Bool {
        index(of: address).map { nodes[$0].isConnected && !nodes[$0].isSuspected } ?? false
    }

    func isSuspected(_ address: UInt32) -> Bool { index(of: address).map { nodes[$0].isSuspected } ?? true }

    func send(_ message: ControlMessage, to address: UInt32, into actions: inout [ControllerAction]) {
        guard let node = index(of: address), nodes[node].isConnected else { return }
        actions.append(.send(message, toNode: address))
    }

    func store(into actions: inout [ControllerAction]) { actions.append(.store(record)) }

    // Input.

    /// The stream of a switch is open.
    package mutating func connected(node address: UInt32, at now: UInt64, into actions: inout [ControllerAction]) {
        guard let node = index(of: address) else { return }
        nodes[node].isConnected = true
        nodes[node].hasBeenConnected = true
        nodes[node].isSuspected = false
        nodes[node].lastHeard = now
        nodes[node].active = []
        actions.append(.log(.nodeUp(address)))
        for group in groups.indices where groups[group].awaiting.contains(address) {
            askAgain(group, address, &actions)
        }
        formGroups(at: now, into: &actions)
    }

    /// The stream of a switch is closed.
    package mutating func disconnected(node address: UInt32, at now: UInt64, into actions: inout [ControllerAction]) {
        guard let node = index(of: address), nodes[node].isConnected else { return }
        nodes[node].isConnected = false
        nodes[node].active = []
        suspect(address, .streamClosed, at: now, into: &actions)
    }

    /// Takes a message of a switch.
    package mutating func receive(
        _ message: ControlMessage, fromNode address: UInt32, at now: UInt64, into actions: inout [ControllerAction]
    ) {
        guard let node = index(of: address), nodes[node].isConnected else { return }
        nodes[node].lastHeard = now
        if nodes[node].isSuspected {
            nodes[node].isSuspected = false
            actions.append(.log(.nodeUp(address)))
        }
        switch message {
        case .heartbeat(let beat): receive(beat, from: address, at: now, into: &actions)
        case .sealed(let report): receiveSealed(report, from: address, at: now, into: &actions)
        case .joined(let target): receiveJoined(target, from: address, at: now, into: &actions)
        case .entries(let entries): receiveEntries(entries, from: address, at: now, into: &actions)
        case .copied(let target): receiveCopied(target, from: address, at: now, into: &actions)
        case .activated(let target): receiveActivated(target, from: address, at: now, into: &actions)
        case .inserted(let entry): receiveInserted(entry, from: address, into: &actions)
        case .removed(let entry): receiveRemoved(entry, from: address, into: &actions)
        case .counts(let counts): receiveCounts(counts, from: address, into: &actions)
        case .refused(let refusal): receiveRefused(refusal, from: address, at: now, into: &actions)
        default: break
        }
        startJoins(at: now, into: &actions)
    }

    /// Does what is due at `now`.
    package mutating func advance(to now: UInt64, into actions: inout [ControllerAction]) {
        let times = configuration.times
        for node in nodes where !node.isSuspected && now >= node.lastHeard + times.suspicion {
            suspect(node.address, .silent, at: now, into: &actions)
        }
        for group in groups.indices { advance(group, to: now, into: &actions) }
        removeWithdrawn(at: now, into: &actions)
        startJoins(at: now, into: &actions)
    }

    /// When `advance` has something to do next.
    package var nextDeadline: UInt64? {
        var next = UInt64.max
        for node in nodes where !node.isSuspected { next = min(next, node.lastHeard + configuration.times.suspicion) }
        for group in groups {
            next = min(next, group.deadline)
            if case .leaving = group.phase { next = min(next, group.leasesEnd) }
        }
        next = min(next, keys.nextWithdrawal)
        return next == .max ? nil : next
    }
}
