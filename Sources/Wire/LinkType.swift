/// A link-layer header type, by its number in the pcap and pcapng files (LINKTYPE_ values of the tcpdump registry).
package struct LinkType: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// BSD loopback: a 4-byte address family in the byte order of the recording host.
    package static let null = LinkType(rawValue: 0)
    package static let ethernet = LinkType(rawValue: 1)
    /// Raw IPv4 or IPv6, the version in the first nibble. Files use 101; some BSDs wrote 12 or 14.
    package static let rawIP = LinkType(rawValue: 101)
    package static let rawIPOfBSD = LinkType(rawValue: 12)
    package static let rawIPOfOpenBSD = LinkType(rawValue: 14)
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    package static let loop = LinkType(rawValue: 108)
    /// Linux "cooked" capture, version 1: a 16-byte pseudo header.
    package static let linuxCooked = LinkType(rawValue: 113)
    package static let rawIPv4 = LinkType(rawValue: 228)
    package static let rawIPv6 = LinkType(rawValue: 229)
    /// Linux "cooked" capture, version 2: a 20-byte pseudo header (`tcpdump -i any`).
    package static let linuxCooked2 = LinkType(rawValue: 276)
}
