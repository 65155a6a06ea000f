import CaptureFiles
import Foundation
import TestSupport
import Testing
import Wire

/// A recording of the repository, its packets in memory. All of them are Ethernet, IPv4 without options, not cut.
enum RealCapture: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case etcdctl = "etcdctl-mix"
    case edgesys = "edgesys-table1"
    case ccore = "ccore-mix"
    case netcraq = "netcraq-scale"

    var testDescription: String { rawValue }

    func packets() throws -> [RawPacket] {
        var reader = try CaptureReader(
            paths: [Repository.traces.appending(path: "\(rawValue).pcap.zst").path])
        var batch = PacketBatch()
        var packets: [RawPacket] = []
        while try reader.next(into: &batch) {
            for packet in batch.packets {
                let bytes = Array(batch.storage[packet.bytes])
                guard packet.linkType == .ethernet, packet.originalLength == bytes.count,
                    let parsed = RawPacket(time: packet.time.nanoseconds, bytes)
                else { throw Repository.Missing(what: "a whole TCP segment in \(rawValue)") }
                packets.append(parsed)
            }
        }
        return packets
    }
}

/// A TCP segment in an Ethernet frame, taken apart as far as a test changes it.
struct RawPacket {
    static let serverPort = 2379

    var time: Int64
    /// Ethernet and IPv4 header, TCP header with options.
    private var head: [UInt8]
    private var tcpStart: Int
    var payload: [UInt8]
    var sequence: UInt32
    var acknowledgement: UInt32
    var flags: UInt8
    /// Of the client, which tells the connection: each recording has one client and one server address.
    let clientPort: Int
    let isRequest: Bool

    static let fin: UInt8 = 1
    static let syn: UInt8 = 2
    static let rst: UInt8 = 4
    static let psh: UInt8 = 8
    static let ack: UInt8 = 16

    init?(time: Int64, _ bytes: [UInt8]) {
        guard bytes.count >= 54, bytes[12] == 8, bytes[13] == 0, bytes[23] == 6 else { return nil }
        let tcp = 14 + Int(bytes[14] & 15) * 4
        let end = 14 + (Int(bytes[16]) << 8 | Int(bytes[17]))
        guard bytes.count >= tcp + 20, end <= bytes.count else { return nil }
        let data = tcp + Int(bytes[tcp + 12] >> 4) * 4
        guard data <= end else { return nil }
        func word(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[tcp + offset + $1]) } }
        let source = Int(bytes[tcp]) << 8 | Int(bytes[tcp + 1])
        let destination = Int(bytes[tcp + 2]) << 8 | Int(bytes[tcp + 3])
        self.time = time
        head = Array(bytes[..<data])
        tcpStart = tcp
        payload = Array(bytes[data..<end])
        sequence = word(4)
        acknowledgement = word(8)
        flags = bytes[tcp + 13]
        isRequest = destination == Self.serverPort
        clientPort = isRequest ? source : destination
    }

    /// Of this direction of this connection, for tables.
    var flow: Int { clientPort << 1 | (isRequest ? 0 : 1) }
    /// The number of the first payload byte.
    var dataSequence: UInt32 { has(Self.syn) ? sequence &+ 1 : sequence }
    var endSequence: UInt32 { dataSequence &+ UInt32(payload.count) }

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    /// The part of the segment that begins at byte `range.lowerBound` of the payload. Only the last has FIN and PSH.
    func part(_ range: Range<Int>) -> RawPacket {
        var part = self
        part.payload = Array(payload[range])
        part.sequence = dataSequence &+ UInt32(range.lowerBound)
        if range.upperBound < payload.count { part.flags &= ~(Self.fin | Self.psh) }
        return part
    }

    /// The frame, all lengths right. Checksums are left: with offload they are wrong in real recordings as well.
    func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: head)
        bytes.append(contentsOf: payload)
        let length = head.count - 14 + payload.count
        bytes[start + 16] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[start + 17] = UInt8(truncatingIfNeeded: length)
        for place in 0..<4 {
            bytes[start + tcpStart + 4 + place] = UInt8(truncatingIfNeeded: sequence >> UInt32(24 - 8 * place))
            bytes[start + tcpStart + 8 + place] = UInt8(truncatingIfNeeded: acknowledgement >> UInt32(24 - 8 * place))
        }
        bytes[start + tcpStart + 13] = flags
    }
}

extension PacketBatch {
    init(_ packets: some Sequence<RawPacket>) {
        self.init()
        for packet in packets { append(packet) }
    }

    mutating func append(_ packet: RawPacket) {
        let start = storage.count
        packet.append(to: &storage)
        packets.append(
            CapturedPacket(
                time: CaptureTime(nanoseconds: packet.time), bytes: start..<storage.count,
                originalLength: storage.count - start, linkType: .ethernet, interface: 0))
    }
}
