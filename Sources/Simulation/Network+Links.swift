import Chains
import Wire

/// Packets between stations.
extension Network {
    /// Counts a datagram that has just been sent and starts it on its way.
    mutating func begin(_ packet: Int, at station: Int) {
        traffic.datagrams += 1
        traffic.datagramBytes += pool.packets[packet].payloadBytes
        transmit(packet, from: station)
    }

    /// Sends what a switch put into the outbox, and empties it.
    package mutating func flush(from station: Int) {
        if !outbox.isEmpty {
            for index in outbox.datagrams.indices { send(outboxIndex: index, from: station) }
            outbox.removeAll()
        }
        scheduleDeadline(of: station)
    }

    @inline(__always)
    private mutating func send(outboxIndex: Int, from station: Int) {
        let datagram = outbox.datagrams[outboxIndex]
        let isEdge = datagram.road.rawValue == Outbox.Road.edge.rawValue
        let number = Int(datagram.destination.address) - Int(isEdge ? Self.firstClient : Self.firstSwitch)
        guard number >= 0, number < (isEdge ? stations.count - switches.count : switches.count) else {
            unroutable += 1
            return
        }
        let target = isEdge ? switches.count + number : number
        var kind = Packet.Kind.reply
        if !isEdge { kind = Self.isAcknowledgement(outbox.bytes.span, datagram.payload) ? .acknowledgement : .request }
        let packet = Packet(
            byteCount: 0, sender: UInt16(station), target: UInt16(target), road: datagram.road, kind: kind,
            client: datagram.destination, next: -1)
        let slot = Self.add(packet, bytes: outbox.bytes, range: datagram.bytes, to: &pool)
        begin(slot, at: station)
    }

    @inline(__always)
    private static func add(
        _ packet: Packet, bytes: borrowing [UInt8], range: Range<Int>, to pool: inout PacketPool
    ) -> Int {
        pool.add(packet, payload: bytes.span.extracting(range))
    }

    /// Whether a payload between switches is an acknowledgement: NetCRAQ's operation 3 in the top bits of its first
    /// byte, in NetChain's extended format COMMIT.
    @inline(__always)
    private static func isAcknowledgement(_ bytes: Span<UInt8>, _ payload: Range<Int>) -> Bool {
        guard payload.count >= 2 else { return false }
        let first = bytes[payload.lowerBound]
        return first == 0xf1 ? bytes[payload.lowerBound + 1] == 0x19 : first & 0xfe == 0xc0
    }

    /// The station that a packet at `station` reaches next.
    @inline(__always)
    private func hop(from station: Int, to target: Int) -> Int {
        if case .direct = model.topology { return target }
        let count = switches.count
        if station >= count { return attachment[station - count] }
        let goal = target >= count ? attachment[target - count] : target
        return station == goal ? target : station < goal ? station + 1 : station - 1
    }

    /// Puts a packet on the link to the next station.
    mutating func transmit(_ packet: Int, from station: Int) {
        let target = hop(from: station, to: Int(pool.packets[packet].target))
        let byteCount = pool.packets[packet].payloadBytes
        traffic.crossings += 1
        traffic.crossingBytes += byteCount
        log?.add(.sent, at: now, from: station, to: target, packet: pool.packets[packet], in: pool, packet)
        let pair = station * stations.count + target
        var arrival = now &+ model.link.delay
        if model.link.perByte > 0 {
            let start = max(now, busyUntil[pair])
            busyUntil[pair] = start &+ UInt64(byteCount) * model.link.perByte / 1000
            arrival = busyUntil[pair] &+ model.link.delay
        }
        if model.link.jitter > 0 {
            arrival &+= UInt64(numbers.below(Int(truncatingIfNeeded: model.link.jitter) + 1))
        }
        if !faults.isNone {
            if faults.loss > 0, numbers.chance(faults.loss) {
                traffic.lost += 1
                log?.add(.lost, at: now, from: station, to: target, packet: pool.packets[packet], in: pool, packet)
                return pool.remove(packet)
            }
            if faults.duplication > 0, numbers.chance(faults.duplication) {
                traffic.duplicated += 1
                let copy = pool.duplicate(packet)
                let late = arrival &+ UInt64(numbers.below(Int(truncatingIfNeeded: faults.holdMax) + 1))
                queue.schedule(.arrival, at: late, station: target, argument: copy)
            }
            if faults.reordering > 0, numbers.chance(faults.reordering) {
                traffic.reordered += 1
                arrival &+= UInt64(numbers.below(Int(truncatingIfNeeded: faults.holdMax) + 1))
                return queue.schedule(.arrival, at: arrival, station: target, argument: packet)
            }
        }
        arrival = max(arrival, lastArrival[pair])
        lastArrival[pair] = arrival
        queue.schedule(.arrival, at: arrival, station: target, argument: packet)
    }
}
