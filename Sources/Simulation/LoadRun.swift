package import Chains
import Wire

/// Clients of a paper variant that ask as fast as they are told to, and what they get. They ask once: a request without
/// an answer is lost.
package struct LoadRun<Switch: SwitchMachine>: Sendable {
    private struct Slot: Sendable {
        /// Of the request before, where nothing is outstanding.
        var port: UInt16
        var isOutstanding = false
        var isWrite = false
        var sentAt: UInt64 = 0
    }

    package var network: Network<Switch>
    package private(set) var result: LoadResult
    private let load: LoadModel
    private let codec: PaperCodec
    private var numbers: SplitMix64
    /// By client and slot.
    private var slots: [Slot]
    /// By client: free slots, the next one last.
    private var free: [[Int32]]
    private var sweepAt: [UInt64]
    private var request: [UInt8] = []
    private var value: UInt128 = 0
    private let slotCount: Int
    private static var firstPort: UInt16 { 1024 }

    private enum Timer: Int {
        case arrival = 0
        case sweep = 1
    }

    /// Precondition: the clients of `load` are those of `network`.
    package init(_ network: Network<Switch>, _ load: LoadModel, _ codec: PaperCodec, seed: UInt64) {
        precondition(network.clientCount == load.clients.count, "a client of the load is none of the network")
        self.network = network
        self.load = load
        self.codec = codec
        numbers = SplitMix64(seed: seed)
        slotCount = load.slots
        let count = load.slots
        slots = load.clients.flatMap { _ in (0..<count).map { Slot(port: Self.firstPort + UInt16($0)) } }
        free = load.clients.map { _ in (0..<Int32(load.slots)).reversed() }
        sweepAt = load.clients.map { _ in .max }
        result = LoadResult(positions: codec.chain.count, duration: load.duration)
        for (client, position) in load.clients.enumerated() { self.network.attach(client: client, to: position) }
    }

    /// Runs warm-up and what is counted.
    package mutating func run() {
        for client in load.clients.indices {
            if case .closed(let window) = load.arrivals {
                for _ in 0..<window { ask(client) }
            } else {
                scheduleArrival(client)
            }
        }
        go(until: load.warmUp)
        result = LoadResult(positions: codec.chain.count, duration: load.duration)
        let before = network.traffic
        let events = network.eventsHandled
        go(until: load.warmUp + load.duration)
        result.traffic = network.traffic - before
        result.events = network.eventsHandled - events
        result.digest = network.digest
    }

    private mutating func go(until end: UInt64) {
        while let happening = network.next(before: end) {
            switch happening {
            case .delivery(let client, let packet): receive(packet, at: client)
            case .owner(let event):
                if event.argument == UInt32(Timer.arrival.rawValue) {
                    ask(Int(event.station))
                    scheduleArrival(Int(event.station))
                } else {
                    sweep(Int(event.station), at: event.time)
                }
            }
        }
    }

    private mutating func scheduleArrival(_ client: Int) {
        var wait: Double
        switch load.arrivals {
        case .closed: return
        case .constant(let rate): wait = 1e9 / rate
        case .poisson(let rate): wait = numbers.exponential(mean: 1e9 / rate)
        }
        wait = max(1, wait)
        network.schedule(
            at: network.now &+ UInt64(wait), station: client, argument: Timer.arrival.rawValue)
    }

    private mutating func ask(_ client: Int) {
        guard let slot = free[client].popLast() else {
            result.unsent += 1
            return
        }
        let isWrite = load.writeShare > 0 && numbers.chance(load.writeShare)
        let key = UInt32(numbers.below(load.keys)) + 1
        value += 1
        codec.store(isWrite, key: key, value: value, in: &request)
        let position = load.clients[client]
        let index = client * slotCount + Int(slot)
        // A slot's ports go round in steps of the slots, so that a late answer to an earlier request is told apart.
        let (next, overflow) = slots[index].port.addingReportingOverflow(UInt16(slotCount))
        let port = overflow ? Self.firstPort + UInt16(slot) : next
        slots[index] = Slot(port: port, isOutstanding: true, isWrite: isWrite, sentAt: network.now)
        if isWrite { result.writes[position].sent += 1 } else { result.reads[position].sent += 1 }
        let target: Int
        switch codec.speech {
        case .netChain: target = isWrite ? 0 : codec.chain.count - 1
        case .netCRAQ: target = isWrite ? 0 : position
        }
        Self.send(request, over: &network, from: client, port: port, toSwitch: target)
        if isWrite, !load.waitsForWrites { return forget(client, index) }
        if sweepAt[client] == .max { scheduleSweep(client, at: network.now &+ load.timeout) }
    }

    // A span of one property and a change of another have to be arguments of one call, to be seen as apart.
    private static func send(
        _ request: borrowing [UInt8], over network: inout Network<Switch>, from client: Int, port: UInt16,
        toSwitch target: Int
    ) {
        network.send(request.span, from: client, port: port, toSwitch: target)
    }

    /// A write that nobody waits for is over; a closed loop goes on once the client's host has had its turn.
    private mutating func forget(_ client: Int, _ index: Int) {
        slots[index].isOutstanding = false
        free[client].append(Int32(index - client * slotCount))
        if case .closed = load.arrivals {
            let pace = network.stations[network.switches.count + client].service.perPacket
            network.schedule(at: network.now &+ max(1, pace), station: client, argument: Timer.arrival.rawValue)
        }
    }

    private mutating func receive(_ packet: Int, at client: Int) {
        let port = network.port(of: packet)
        let reply = codec.reply(network.packetBytes, network.range(of: packet))
        network.release(packet)
        guard let reply, port >= Self.firstPort else { return }
        if reply.isWrite, !load.waitsForWrites {
            result.writes[load.clients[client]].done += 1
            return
        }
        let index = client * slotCount + Int(port - Self.firstPort) % slotCount
        guard slots[index].isOutstanding, slots[index].port == port, reply.isWrite == slots[index].isWrite else {
            return
        }
        let time = network.now - slots[index].sentAt
        let position = load.clients[client]
        if reply.isWrite {
            result.writes[position].done += 1
            result.writes[position].latency.add(time)
        } else {
            result.reads[position].done += 1
            result.reads[position].latency.add(time)
        }
        end(client, index)
    }

    /// The slot is free; a closed loop asks again.
    private mutating func end(_ client: Int, _ index: Int) {
        slots[index].isOutstanding = false
        free[client].append(Int32(index - client * slotCount))
        if case .closed = load.arrivals { ask(client) }
    }

    private mutating func scheduleSweep(_ client: Int, at time: UInt64) {
        sweepAt[client] = time
        network.schedule(at: time, station: client, argument: Timer.sweep.rawValue)
    }

    /// Gives up what has waited too long.
    private mutating func sweep(_ client: Int, at time: UInt64) {
        guard sweepAt[client] == time else { return }
        sweepAt[client] = .max
        var next = UInt64.max
        let first = client * slotCount
        for index in first..<first + slotCount where slots[index].isOutstanding {
            if slots[index].sentAt &+ load.timeout > time {
                next = min(next, slots[index].sentAt &+ load.timeout)
                continue
            }
            let position = load.clients[client]
            if slots[index].isWrite {
                result.writes[position].timedOut += 1
            } else {
                result.reads[position].timedOut += 1
            }
            end(client, index)
        }
        if next != .max { scheduleSweep(client, at: next) }
    }
}
