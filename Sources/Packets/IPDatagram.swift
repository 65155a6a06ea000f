import Wire

/// What the IP header of a packet says, and where its payload lies.
struct IPDatagram: Equatable {
    /// A datagram that is only a part of one (RFC 791 §3.2, RFC 8200 §4.5).
    struct Fragment: Equatable {
        var identification: UInt32
        /// Where the part's first byte lies in the payload of the whole; a multiple of 8.
        var offset: Int
        var isLast: Bool
    }

    enum Decoded: Equatable {
        case datagram(IPDatagram)
        /// IP, but neither TCP nor a fragment that may be of TCP.
        case other
        case undecodable
    }

    var source: IPAddress
    var destination: IPAddress
    /// The number of what the payload begins with; of an IPv6 fragment, maybe an extension header's.
    var nextHeader: UInt8
    /// The payload as far as it was captured.
    var payload: Range<Int>
    /// Bytes of payload on the wire; more than `payload.count` when the packet was cut.
    var payloadLength: Int
    var fragment: Fragment?

    static let tcp: UInt8 = 6

    /// Longest packet whose length field is 0 because it does not fit (BIG TCP, at most 512 KiB in Linux).
    private static let bigPacketMax = 1 << 20
    /// Extension headers one behind the other; more than RFC 8200 §4.1 knows kinds of.
    private static let extensionHeadersMax = 8

    /// Reads the IP packet at `start`. `wireLength` is the length of the whole packet on the wire, at least
    /// `packet.count`. Bytes behind the IP packet (padding, frame check sequence) are left out.
    @inline(__always)
    static func decode(_ packet: Span<UInt8>, at start: Int, wireLength: Int, version: UInt8?) -> Decoded {
        guard start < packet.count else { return .undecodable }
        let nibble = packet[start] >> 4
        if let version, version != nibble { return .undecodable }
        switch nibble {
        case 4: return decodeV4(packet, at: start, wireLength: wireLength)
        case 6: return decodeV6(packet, at: start, wireLength: wireLength)
        default: return .undecodable
        }
    }

    @inline(__always)
    private static func decodeV4(_ packet: Span<UInt8>, at start: Int, wireLength: Int) -> Decoded {
        guard packet.count - start >= 20 else { return .undecodable }
        let headerLength = Int(packet[start] & 0x0f) * 4
        guard headerLength >= 20 else { return .undecodable }
        var totalLength = Int(packet.bigEndian16(at: start + 2))
        let there = wireLength - start
        if totalLength == 0, there <= bigPacketMax { totalLength = there }
        guard totalLength >= headerLength, totalLength <= there else { return .undecodable }
        let nextHeader = packet[start + 9]
        guard nextHeader == tcp else { return .other }
        let flagsAndOffset = packet.bigEndian16(at: start + 6)
        var fragment: Fragment?
        if flagsAndOffset & 0x3fff != 0 {
            fragment = Fragment(
                identification: UInt32(packet.bigEndian16(at: start + 4)), offset: Int(flagsAndOffset & 0x1fff) * 8,
                isLast: flagsAndOffset & 0x2000 == 0)
        }
        let payloadStart = start + headerLength
        guard payloadStart <= packet.count else { return .undecodable }
        return .datagram(
            IPDatagram(
                source: IPAddress(v4: packet.bigEndian32(at: start + 12)),
                destination: IPAddress(v4: packet.bigEndian32(at: start + 16)), nextHeader: nextHeader,
                payload: payloadStart..<min(start + totalLength, packet.count),
                payloadLength: totalLength - headerLength, fragment: fragment))
    }

    private static func decodeV6(_ packet: Span<UInt8>, at start: Int, wireLength: Int) -> Decoded {
        guard packet.count - start >= 40 else { return .undecodable }
        var length = Int(packet.bigEndian16(at: start + 4))
        let there = wireLength - start - 40
        // 0 with a jumbo option (RFC 2675) or from segmentation offload: the packet's own length is the better source.
        if length == 0, there <= bigPacketMax { length = there }
        guard length <= there else { return .undecodable }
        let wireEnd = start + 40 + length
        let end = min(wireEnd, packet.count)
        let chain = passExtensionHeaders(packet, from: start + 40, to: end, nextHeader: packet[start + 6])
        switch chain {
        case .undecodable: return .undecodable
        case .other: return .other
        case .upperLayer(let nextHeader, let offset, let fragment):
            return .datagram(
                IPDatagram(
                    source: IPAddress(
                        high: packet.bigEndian64(at: start + 8), low: packet.bigEndian64(at: start + 16)),
                    destination: IPAddress(
                        high: packet.bigEndian64(at: start + 24), low: packet.bigEndian64(at: start + 32)),
                    nextHeader: nextHeader, payload: offset..<end, payloadLength: wireEnd - offset, fragment: fragment))
        }
    }

    enum ExtensionChain: Equatable {
        /// TCP begins at `offset`; or, with a fragment, the part of whatever is described by `nextHeader`.
        case upperLayer(nextHeader: UInt8, offset: Int, fragment: Fragment?)
        case other
        case undecodable
    }

    /// Passes over IPv6 extension headers (RFC 8200 §4, AH RFC 4302 §2) in `packet[from..<to]`.
    static func passExtensionHeaders(
        _ packet: Span<UInt8>, from: Int, to end: Int, nextHeader: UInt8
    ) -> ExtensionChain {
        var offset = from
        var next = nextHeader
        for _ in 0...extensionHeadersMax {
            switch next {
            case tcp: return .upperLayer(nextHeader: next, offset: offset, fragment: nil)
            case 0, 43, 60, 51:  // hop-by-hop, routing, destination, authentication
                guard end - offset >= 8 else { return .undecodable }
                let length = Int(packet[offset + 1])
                let byteCount = next == 51 ? (length + 2) * 4 : (length + 1) * 8
                next = packet[offset]
                offset += byteCount
                guard offset <= end else { return .undecodable }
            case 44:
                guard end - offset >= 8 else { return .undecodable }
                let flagsAndOffset = packet.bigEndian16(at: offset + 2)
                next = packet[offset]
                let identification = packet.bigEndian32(at: offset + 4)
                offset += 8
                // An "atomic" fragment (RFC 6946) is the whole datagram.
                if flagsAndOffset & 0xfff9 == 0 { continue }
                guard next == tcp || next == 0 || next == 43 || next == 60 || next == 51 else { return .other }
                return .upperLayer(
                    nextHeader: next, offset: offset,
                    fragment: Fragment(
                        identification: identification, offset: Int(flagsAndOffset & 0xfff8),
                        isLast: flagsAndOffset & 1 == 0))
            default: return .other
            }
        }
        return .undecodable
    }
}
