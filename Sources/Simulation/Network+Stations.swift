import Chains
import Wire

/// Queues, service, and what ends or interrupts it.
extension Network {
    /// A packet reaches a station. Answers it if it is for a client and has been served at once.
    mutating func arrive(_ packet: Int, at station: Int) -> Int? {
        if stations[station].isDown {
            stations[station].counts.lostWhileDown += 1
            pool.remove(packet)
            return nil
        }
        let cost = stations[station].service.cost(of: pool.packets[packet])
        let isIdle = stations[station].serving < 0 && stations[station].waiting == 0
        if isIdle, cost == 0, stations[station].pausedUntil <= now { return complete(packet, at: station) }
        guard stations[station].waiting < stations[station].service.queueLimit else {
            stations[station].counts.overflows += 1
            log?.add(.dropped, at: now, from: station, to: station, packet: pool.packets[packet], in: pool, packet)
            pool.remove(packet)
            return nil
        }
        if stations[station].waiting == 0 {
            stations[station].first = packet
        } else {
            pool.link(stations[station].last, to: packet)
        }
        pool.link(packet, to: -1)
        stations[station].last = packet
        stations[station].waiting += 1
        stations[station].counts.waitingMax = max(stations[station].counts.waitingMax, stations[station].waiting)
        if stations[station].serving < 0 { serveNext(at: station) }
        return nil
    }

    /// Starts to serve the first that waits, if the station is free and has a processor.
    private mutating func serveNext(at station: Int) {
        guard stations[station].waiting > 0, !stations[station].waitsForProcessor else { return }
        if stations[station].processors >= 0, let shared = processors {
            if shared.free == 0 { return waitForProcessor(station) }
            processors?.free -= 1
        }
        startService(at: station)
    }

    private mutating func startService(at station: Int) {
        let packet = stations[station].first
        stations[station].first = Int(pool.packets[packet].next)
        stations[station].waiting -= 1
        stations[station].serving = packet
        let cost = stations[station].service.cost(of: pool.packets[packet])
        stations[station].counts.busy &+= cost
        let start = max(now, stations[station].pausedUntil)
        queue.schedule(.served, at: start &+ cost, station: station, argument: Int(stations[station].life))
    }

    private mutating func waitForProcessor(_ station: Int) {
        stations[station].waitsForProcessor = true
        stations[station].nextForProcessor = -1
        guard let last = processors?.last else { return }
        if last < 0 { processors?.first = station } else { stations[last].nextForProcessor = station }
        processors?.last = station
    }

    /// Gives a processor back, and to the station that has waited longest.
    private mutating func releaseProcessor() {
        guard let first = processors?.first else { return }
        if first < 0 {
            processors?.free += 1
            return
        }
        processors?.first = stations[first].nextForProcessor
        if stations[first].nextForProcessor < 0 { processors?.last = -1 }
        stations[first].waitsForProcessor = false
        if stations[first].waiting > 0 { startService(at: first) } else { releaseProcessor() }
    }

    /// A station has served its packet, unless it was paused or died meanwhile.
    mutating func served(by station: Int, life: UInt32) -> Int? {
        guard stations[station].life == life, stations[station].serving >= 0 else { return nil }
        if stations[station].pausedUntil > now {
            queue.schedule(.served, at: stations[station].pausedUntil, station: station, argument: Int(life))
            return nil
        }
        let packet = stations[station].serving
        stations[station].serving = -1
        if stations[station].processors >= 0 { releaseProcessor() }
        let delivered = complete(packet, at: station)
        if stations[station].serving < 0 { serveNext(at: station) }
        return delivered
    }

    /// Does what a served packet is for: passes it on, hands it to the switch, or answers it for the client's owner.
    private mutating func complete(_ packet: Int, at station: Int) -> Int? {
        stations[station].counts.served += 1
        guard Int(pool.packets[packet].target) == station else {
            transmit(packet, from: station)
            return nil
        }
        Self.add(pool.bytes, range: pool.range(of: packet), to: &digest)
        log?.add(
            .received, at: now, from: Int(pool.packets[packet].sender), to: station, packet: pool.packets[packet],
            in: pool, packet)
        if station >= switches.count { return packet }
        let clock = stations[station].clock(at: now)
        Self.hand(
            pool.bytes, range: pool.range(of: packet), packet: pool.packets[packet], to: &switches[station], at: clock,
            into: &outbox)
        pool.remove(packet)
        flush(from: station)
        return nil
    }

    // A span of one property and a change of another have to be arguments of one call, to be seen as apart.
    @inline(__always)
    private static func hand(
        _ bytes: borrowing [UInt8], range: Range<Int>, packet: Packet, to machine: inout Switch, at clock: UInt64,
        into outbox: inout Outbox
    ) {
        let datagram = bytes.span.extracting(range)
        if packet.road.rawValue == Outbox.Road.edge.rawValue {
            machine.receive(request: datagram, from: packet.client, at: clock, into: &outbox)
        } else {
            let sender = address(ofSwitch: Int(packet.sender))
            machine.receive(fabric: datagram, from: sender, at: clock, into: &outbox)
        }
    }

    @inline(__always)
    private static func add(_ bytes: borrowing [UInt8], range: Range<Int>, to digest: inout RunDigest) {
        digest.add(bytes.span.extracting(range))
    }

    /// Lets a switch do what is due, when its deadline comes.
    mutating func advance(_ station: Int, scheduledFor time: UInt64) {
        guard stations[station].deadlineAt == time, !stations[station].isDown else { return }
        if stations[station].pausedUntil > now {
            stations[station].deadlineAt = stations[station].pausedUntil
            return queue.schedule(.deadline, at: stations[station].pausedUntil, station: station)
        }
        stations[station].deadlineAt = .max
        switches[station].advance(to: stations[station].clock(at: now), into: &outbox)
        flush(from: station)
    }

    /// Sees to it that a switch is called when its next deadline comes. To be called after what the owner did to it.
    @inline(__always)
    package mutating func scheduleDeadline(of station: Int) {
        guard let reading = Self.deadline(of: &switches[station]) else { return }
        let time = max(now &+ 1, stations[station].time(ofClock: reading))
        guard time < stations[station].deadlineAt else { return }
        stations[station].deadlineAt = time
        queue.schedule(.deadline, at: time, station: station)
    }

    // In place: a getter of an element would copy the machine first.
    @inline(__always)
    private static func deadline(of machine: inout Switch) -> UInt64? { machine.nextDeadline }

    /// The station dies: what it held and what waits for it is gone.
    package mutating func crash(_ station: Int) {
        stations[station].isDown = true
        stations[station].life &+= 1
        stations[station].deadlineAt = .max
        var waiting = stations[station].waiting
        var packet = stations[station].first
        while waiting > 0 {
            let next = Int(pool.packets[packet].next)
            pool.remove(packet)
            packet = next
            waiting -= 1
        }
        stations[station].waiting = 0
        if stations[station].serving >= 0 {
            pool.remove(stations[station].serving)
            stations[station].serving = -1
            if stations[station].processors >= 0 { releaseProcessor() }
        }
        log?.add(.crashed, at: now, station: station)
    }

    /// A crashed station comes back with a machine that knows nothing.
    package mutating func restart(_ station: Int, with machine: Switch) {
        switches[station] = machine
        stations[station].isDown = false
        stations[station].pausedUntil = 0
        log?.add(.restarted, at: now, station: station)
    }

    /// The station does nothing until `time`; packets wait.
    package mutating func pause(_ station: Int, until time: UInt64) {
        stations[station].pausedUntil = max(stations[station].pausedUntil, time)
        log?.add(.paused, at: now, station: station)
    }

    /// Sets how fast a station's clock goes: `drift` millionths faster than the run's time, from `start` on.
    package mutating func setClock(of station: Int, drift: Int, start: UInt64) {
        stations[station].clockDrift = Int64(drift)
        stations[station].clockStart = start
    }
}
