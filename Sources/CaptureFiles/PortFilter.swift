package import Wire

/// Which packets the kernel hands over: those of some TCP ports, and those in which the ports cannot be seen.
package struct PortFilter: Sendable {
    package var ports: [UInt16]

    package init(ports: [UInt16]) {
        self.ports = ports
    }

    /// The filter in libpcap's language (pcap-filter(7)) for packets of `linkType`.
    ///
    /// Beside TCP segments of the ports it passes IP fragments of TCP but the first (they have no ports), and IPv6
    /// packets with extension headers (libpcap looks for ports behind the fixed header only). On Ethernet it looks
    /// under one and two VLAN tags. Each word `vlan` moves all offsets behind it, to the end of the expression, by a
    /// tag; so it stands last, and the second within the first. A filter for cooked packets knows no `vlan`; the
    /// kernel has taken off the first tag of these, and what still has one is passed whole.
    package func expression(for linkType: LinkType) -> String {
        let wanted = untagged
        switch linkType {
        case .ethernet: return "(\(wanted)) or (vlan and ((\(wanted)) or (vlan and (\(wanted)))))"
        case .linuxCooked, .linuxCooked2:
            return "(\(wanted)) or ether proto 0x8100 or ether proto 0x88a8 or ether proto 0x9100"
        default: return wanted
        }
    }

    private var untagged: String {
        let segments = ports.map { "tcp port \($0)" }.joined(separator: " or ")
        let fragments = "(ip[9] = 6 and ip[6:2] & 0x1fff != 0)"
        // Hop-by-hop options, routing, fragment, destination options.
        let extensions = "(ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 60)"
        return "\(segments) or \(fragments) or \(extensions)"
    }
}
