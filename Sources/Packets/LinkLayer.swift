import Wire

/// Finds the IP packet behind the link-layer header of a captured packet.
enum LinkLayer {
    enum Finding: Equatable {
        /// The IP packet begins at this offset; nil version: its first nibble tells.
        case ip(start: Int, version: UInt8?)
        /// ARP, LLC, MPLS and everything else that is no IP.
        case other
        case undecodable
        case unknownLink
    }

    /// VLAN tags one behind the other that are passed over. Two are QinQ; more are seen in nested provider networks.
    private static let tagsMax = 4

    @inline(__always)
    static func find(in packet: Span<UInt8>, linkType: LinkType) -> Finding {
        // By number: a comparison with each of the named constants would cost more than all the rest.
        switch linkType.rawValue {
        case 1: return behindEtherType(at: 12, in: packet, headerEnd: 14)
        // Cooked, version 1: packet type, hardware type, address length (2 each), address 8, protocol 2.
        case 113: return behindEtherType(at: 14, in: packet, headerEnd: 16)
        // Cooked, version 2: protocol 2, reserved 2, interface 4, hardware type 2, packet type 1, length 1, address 8.
        case 276: return behindEtherType(at: 0, in: packet, headerEnd: 20)
        case 101, 12, 14: return .ip(start: 0, version: nil)  // raw IP, also as written on BSDs
        case 228: return .ip(start: 0, version: 4)
        case 229: return .ip(start: 0, version: 6)
        case 0, 108: return behindAddressFamily(in: packet)  // null and loop
        default: return .unknownLink
        }
    }

    /// The EtherType lies at `typeOffset`, the first tag or the payload at `headerEnd`. A tag is two bytes of
    /// priority and VLAN number, then the next EtherType (IEEE 802.1Q, 802.1ad).
    private static func behindEtherType(at typeOffset: Int, in packet: Span<UInt8>, headerEnd: Int) -> Finding {
        guard packet.count >= headerEnd else { return .undecodable }
        var type = packet.bigEndian16(at: typeOffset)
        var start = headerEnd
        var tags = 0
        while true {
            switch type {
            case 0x0800: return .ip(start: start, version: 4)
            case 0x86dd: return .ip(start: start, version: 6)
            case 0x8100, 0x88a8, 0x9100:
                tags += 1
                guard tags <= tagsMax, packet.count >= start + 4 else { return .undecodable }
                type = packet.bigEndian16(at: start + 2)
                start += 4
            default: return .other
            }
        }
    }

    /// BSD null and loop: the family in the byte order of whoever wrote it, which the small number betrays. AF_INET6
    /// is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
    private static func behindAddressFamily(in packet: Span<UInt8>) -> Finding {
        guard packet.count >= 4 else { return .undecodable }
        let family = packet.bigEndian32(at: 0)
        switch family > 0xffff ? family.byteSwapped : family {
        case 2: return .ip(start: 4, version: 4)
        case 10, 24, 28, 30: return .ip(start: 4, version: 6)
        default: return .other
        }
    }
}
