import TestSupport
import Wire

/// Carries the same bytes in other packets, as networks and recorders do, without losing any.
struct PacketRewriter {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// Every segment cut at random bytes; all pieces have its time.
    mutating func split(_ packets: [RawPacket]) -> [RawPacket] {
        packets.flatMap { packet in
            guard packet.payload.count > 1, random.chance(0.7) else { return [packet] }
            var cuts = Set([0, packet.payload.count])
            for _ in 0...random.below(3) { cuts.insert(random.below(packet.payload.count)) }
            return Self.cut(packet, at: cuts)
        }
    }

    /// Every segment in pieces of `size` bytes.
    static func chop(_ packets: [RawPacket], size: Int) -> [RawPacket] {
        packets.flatMap { packet in
            if packet.payload.count <= size { return [packet] }
            return cut(
                packet, at: Set(stride(from: 0, to: packet.payload.count, by: size)).union([packet.payload.count]))
        }
    }

    private static func cut(_ packet: RawPacket, at cuts: Set<Int>) -> [RawPacket] {
        let places = cuts.sorted()
        return zip(places, places.dropFirst()).map { start, end in
            var part = packet.part(start..<end)
            // A single byte without PSH is how a keep-alive probe looks.
            if end - start == 1 { part.flags |= RawPacket.psh }
            return part
        }
    }

    /// Segments joined with the one before of their direction, if no more than `distance` packets lie between, nothing
    /// else of their connection came between, and they fit into a packet.
    mutating func merge(_ packets: [RawPacket], distance: Int = 3) -> [RawPacket] {
        var merged: [RawPacket] = []
        for packet in packets {
            let near = merged.indices.suffix(distance).last { merged[$0].clientPort == packet.clientPort }
            if let near, merged[near].flow == packet.flow, merged[near].endSequence == packet.sequence,
                !merged[near].payload.isEmpty, !packet.payload.isEmpty,
                (merged[near].flags | packet.flags) & (RawPacket.syn | RawPacket.fin | RawPacket.rst) == 0,
                merged[near].payload.count + packet.payload.count < 60_000, random.chance(0.8)
            {
                merged[near].payload += packet.payload
                merged[near].acknowledgement = packet.acknowledgement
                merged[near].flags |= packet.flags
            } else {
                merged.append(packet)
            }
        }
        return merged
    }

    /// Some segments once more, some packets later.
    mutating func duplicate(_ packets: [RawPacket]) -> [RawPacket] {
        later(packets) { packet, random in random.chance(0.15) ? [packet] : [] }
    }

    /// Bytes sent again with other borders: parts that begin in one segment and end in the next of the direction.
    mutating func retransmit(_ packets: [RawPacket]) -> [RawPacket] {
        var previous: [Int: RawPacket] = [:]
        return later(packets) { packet, random in
            defer { if !packet.payload.isEmpty { previous[packet.flow] = packet } }
            guard let before = previous[packet.flow], before.endSequence == packet.dataSequence,
                !packet.payload.isEmpty, before.payload.count + packet.payload.count < 60_000, random.chance(0.2)
            else { return [] }
            var joined = packet
            joined.sequence = before.dataSequence
            joined.payload = before.payload + packet.payload
            joined.flags &= ~(RawPacket.fin | RawPacket.syn)
            let from = random.below(before.payload.count)
            let to = before.payload.count + 1 + random.below(packet.payload.count)
            var part = joined.part(from..<max(to, from + 1))
            // A single byte without PSH is how a keep-alive probe looks.
            part.flags |= RawPacket.psh
            return [part]
        }
    }

    /// Probes of RFC 9293 §3.8.4: the last byte sent once more, as garbage, or no byte.
    mutating func probe(_ packets: [RawPacket]) -> [RawPacket] {
        var probed: [RawPacket] = []
        for packet in packets {
            probed.append(packet)
            let isQuiet = packet.flags & (RawPacket.syn | RawPacket.fin | RawPacket.rst) == 0
            guard isQuiet, packet.has(RawPacket.ack), !packet.payload.isEmpty, random.chance(0.1) else { continue }
            var probe = packet
            probe.sequence = packet.endSequence &- 1
            probe.payload = random.chance(0.5) ? [0] : []
            probe.flags = RawPacket.ack
            probed.append(probe)
        }
        return probed
    }

    /// Packets moved by at most `window` places, but none before the start of its connection.
    mutating func shuffle(_ packets: [RawPacket], window: Int = 6) -> [RawPacket] {
        var places: [(place: Int, index: Int)] = []
        for index in packets.indices {
            let moves = packets[index].payload.isEmpty ? 0 : random.below(window + 1)
            places.append((index + (random.chance(0.2) ? moves : 0), index))
        }
        places.sort { ($0.place, $0.index) < ($1.place, $1.index) }
        return places.enumerated().map { place, entry in
            var packet = packets[entry.index]
            // The recorder's clock does not go back because packets were swapped before it.
            packet.time = packets[place].time
            return packet
        }
    }

    /// The packets, and behind each, up to four places later, what `copies` makes of it.
    private mutating func later(
        _ packets: [RawPacket], _ copies: (RawPacket, inout SplitMix64) -> [RawPacket]
    ) -> [RawPacket] {
        var due: [Int: [RawPacket]] = [:]
        var result: [RawPacket] = []
        for (index, packet) in packets.enumerated() {
            result.append(packet)
            for copy in copies(packet, &random) { due[index + random.below(5), default: []].append(copy) }
            for var copy in due.removeValue(forKey: index) ?? [] {
                copy.time = packet.time
                result.append(copy)
            }
        }
        for index in due.keys.sorted() { result += due[index] ?? [] }
        return result
    }
}
