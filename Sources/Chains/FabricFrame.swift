import Wire

/// The header of a datagram from switch to switch, in place of the IPv4 and UDP header that a hardware switch would
/// forward: a process cannot send with its client's source address. The payload after it is what the client sent, or
/// what the protocol makes of it. Never counted in header bytes.
///
/// ```
///  0       2         3     4                 8                      12            14                 16
///  | 4b 56 | version | ttl | source address  | destination address  | source port | destination port | payload
/// ```
package struct FabricFrame: Equatable, BitwiseCopyable, Sendable {
    package static let byteCount = 16
    package static let magic: UInt16 = 0x4b56
    package static let version: UInt8 = 1
    /// What an entering datagram starts with; each switch takes one, and drops it at 0.
    package static let ttlAtEntry: UInt8 = 64

    package var ttl: UInt8
    /// The client that asked.
    package var source: Endpoint
    /// The next chain node (port 8888), or the client that is answered (port 8889 or its own).
    package var destination: Endpoint

    package init(ttl: UInt8 = FabricFrame.ttlAtEntry, source: Endpoint, destination: Endpoint) {
        self.ttl = ttl
        self.source = source
        self.destination = destination
    }

    /// The header that `datagram` begins with; nil if it is shorter, of another magic or of another version.
    package init?(_ datagram: Span<UInt8>) {
        guard datagram.count >= Self.byteCount, datagram.bigEndian16(at: 0) == Self.magic, datagram[2] == Self.version
        else { return nil }
        ttl = datagram[3]
        source = Endpoint(address: datagram.bigEndian32(at: 4), port: datagram.bigEndian16(at: 12))
        destination = Endpoint(address: datagram.bigEndian32(at: 8), port: datagram.bigEndian16(at: 14))
    }

    /// Stores the header in the sixteen bytes of `bytes` at `offset`.
    package func store(in bytes: inout [UInt8], at offset: Int) {
        bytes.storeBigEndian16(Self.magic, at: offset)
        bytes[offset + 2] = Self.version
        bytes[offset + 3] = ttl
        bytes.storeBigEndian32(source.address, at: offset + 4)
        bytes.storeBigEndian32(destination.address, at: offset + 8)
        bytes.storeBigEndian16(source.port, at: offset + 12)
        bytes.storeBigEndian16(destination.port, at: offset + 14)
    }
}
