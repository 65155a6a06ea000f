/// A link-layer header type, by its number in the pcap and pcapng files (LINKTYPE_ values of the tcpdump registry).
public struct LinkType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// BSD loopback: a 4-byte address family in the byte order of the recording host.
    public static let null = LinkType(rawValue: 0)
    public static let ethernet = LinkType(rawValue: 1)
    /// Raw IPv4 or IPv6, the version in the first nibble. Files use 101; some BSDs wrote 12 or 14.
    public static let rawIP = LinkType(rawValue: 101)
    public static let rawIPOfBSD = LinkType(rawValue: 12)
    public static let rawIPOfOpenBSD = LinkType(rawValue: 14)
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    public static let loop = LinkType(rawValue: 108)
    /// Linux "cooked" capture, version 1: a 16-byte pseudo header.
    public static let linuxCooked = LinkType(rawValue: 113)
    public static let rawIPv4 = LinkType(rawValue: 228)
    public static let rawIPv6 = LinkType(rawValue: 229)
    /// Linux "cooked" capture, version 2: a 20-byte pseudo header (`tcpdump -i any`).
    public static let linuxCooked2 = LinkType(rawValue: 276)
}
