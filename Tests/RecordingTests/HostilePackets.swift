import CaptureFiles
import TestSupport
import Wire

/// An endless capture by somebody who wants a recorder to run out of memory.
struct HostilePackets {
    private enum Attack: CaseIterable {
        /// SYNs of connections that never do anything else.
        case syn
        /// Payload of connections without a start, a packet each.
        case halfOpen
        /// Payload far ahead of what is there.
        case outOfOrder
        /// Payload that is nothing, on and on.
        case garbage
        /// Streams that begin and never end.
        case endlessStreams
        /// Field blocks that never end.
        case endlessFields
        /// Streams with messages that are announced to be long, and are never whole.
        case endlessMessages
        /// Connections that begin, say little and end, always on the same ports.
        case samePorts
        /// First parts of IP datagrams.
        case fragments
    }

    private var random: SplitMix64
    private var time: Int64 = 1_700_000_000_000_000_000
    /// Bytes sent on a long-lived connection.
    private var sent: [UInt16: UInt32] = [:]
    private var stream: UInt32 = 1
    private let noise: [UInt8]

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        noise = (0..<1 << 16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        self.random = random
    }

    /// Puts the next packets into the batch, in place of what it holds.
    mutating func fill(_ batch: inout PacketBatch, count: Int) {
        batch.storage.removeAll(keepingCapacity: true)
        batch.packets.removeAll(keepingCapacity: true)
        while batch.packets.count < count {
            switch Attack.allCases[random.below(Attack.allCases.count)] {
            case .syn: append(anyClient(), anyPort(), sequence: anyWord(), flags: RawPacket.syn, [], to: &batch)
            case .halfOpen:
                append(anyClient(), anyPort(), sequence: anyWord(), flags: RawPacket.ack, noise(100), to: &batch)
            case .outOfOrder:
                let ahead = UInt32(1 + random.below(15 << 20))
                append(
                    1, UInt16(1 + random.below(40)), sequence: ahead, flags: RawPacket.ack, noise(1400),
                    to: &batch)
            case .garbage: talk(2, 500, noise(1400), to: &batch)
            case .endlessStreams:
                // HEADERS with END_HEADERS and nothing in them; DATA of a byte.
                stream = (stream + 2) & 0x7fff_ffff
                talk(3, 200, frame(1, flags: 4, []) + frame(0, flags: 0, [0]), to: &batch)
            case .endlessFields:
                talk(4, 500, frame(random.chance(0.1) ? 1 : 9, flags: 0, noise(1400)), to: &batch)
            case .endlessMessages:
                stream = (stream + 2) & 0x7fff_ffff
                let path = Array("/etcdserverpb.KV/Put".utf8)
                talk(
                    5, 200,
                    frame(1, flags: 4, [0x04, UInt8(path.count)] + path)
                        + frame(0, flags: 0, [0, 0, 0x10, 0, 0] + noise(1200)), to: &batch)
            case .samePorts:
                let port = UInt16(1 + random.below(50))
                let start = anyWord()
                append(6, port, sequence: start, flags: RawPacket.syn, [], to: &batch)
                append(6, port, sequence: start &+ 1, flags: RawPacket.ack, noise(20), to: &batch)
                append(6, port, sequence: start &+ 21, flags: RawPacket.rst, [], to: &batch)
            case .fragments:
                append(
                    anyClient(), anyPort(), sequence: anyWord(), flags: RawPacket.ack, noise(1400), to: &batch,
                    isFragment: true)
            }
        }
    }

    private mutating func anyClient() -> UInt32 { UInt32(truncatingIfNeeded: random.next()) | 1 << 24 }
    private mutating func anyPort() -> UInt16 { UInt16(truncatingIfNeeded: random.next()) | 0x8000 }
    private mutating func anyWord() -> UInt32 { UInt32(truncatingIfNeeded: random.next()) }
    private mutating func noise(_ count: Int) -> [UInt8] {
        let start = random.below(noise.count - count)
        return Array(noise[start..<start + count])
    }

    private func frame(_ type: UInt8, flags: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(payload.count)
        let head = [UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), type, flags]
        return head + [24, 16, 8, 0].map { UInt8(stream >> $0 & 0xff) } + payload
    }

    /// The next bytes of one of `count` connections that never end, each begun with SYN and HTTP/2's preface.
    private mutating func talk(_ client: UInt32, _ count: Int, _ bytes: [UInt8], to batch: inout PacketBatch) {
        let port = UInt16(Int(client) * 2000 + random.below(count))
        var payload = bytes
        if sent[port] == nil {
            append(client, port, sequence: .max, flags: RawPacket.syn, [], to: &batch)
            sent[port] = 0
            let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
            if client != 2 { payload = preface + bytes }
        }
        let offset = sent[port] ?? 0
        sent[port] = offset &+ UInt32(payload.count)
        append(client, port, sequence: offset, flags: RawPacket.ack, payload, to: &batch)
    }

    private mutating func append(
        _ client: UInt32, _ port: UInt16, sequence: UInt32, flags: UInt8, _ payload: [UInt8],
        to batch: inout PacketBatch,
        isFragment: Bool = false
    ) {
        func bytes(_ word: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(word >> $0 & 0xff) } }
        let length = 40 + payload.count
        time += 20_000
        let start = batch.storage.count
        batch.storage += [0x45, 0, UInt8(length >> 8), UInt8(length & 0xff), UInt8(random.below(256)), 7]
        batch.storage += [isFragment ? 0x20 : 0, 0, 64, 6, 0, 0]
        batch.storage += bytes(0x0a00_0000 ^ client) + bytes(0x0a00_0001)
        batch.storage += [UInt8(port >> 8), UInt8(port & 0xff)] + bytes(UInt32(RawPacket.serverPort)).suffix(2)
        batch.storage += bytes(sequence) + bytes(0) + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
        batch.storage += payload
        batch.packets.append(
            CapturedPacket(
                time: CaptureTime(nanoseconds: time), bytes: start..<batch.storage.count, originalLength: length,
                linkType: .rawIP, interface: 0))
    }
}
