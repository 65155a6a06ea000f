/// What a recording lacks, as far as its capture files (or the kernel) tell.
package struct CaptureHealth: Sendable, Equatable {
    package var packets = 0
    /// Captured bytes of the packets.
    package var packetBytes = 0
    /// Packets of which fewer bytes were captured than were on the wire.
    package var packetsCut = 0
    /// Whether a file ended within a packet, a block or a compressed frame. All before it was delivered.
    package var endsWithinPacket = false
    /// Places where a file contradicts its format: each costs the bytes counted in `damagedBytes`, and the packets
    /// that may have been in them.
    package var damages = 0
    /// Bytes (after decompression) of damaged records and blocks, and those behind a damage that were not read.
    package var damagedBytes = 0
    /// The first of the damages.
    package var firstDamage: CaptureDamage?
    /// Packets that the recorder says it lost: pcapng interface statistics, or the kernel's count of a live capture.
    package var packetsDropped: UInt64 = 0
    /// Those of them that never reached the recorder's kernel, as a pcapng file says (`isb_ifdrop`); the others were
    /// dropped by the kernel for want of room.
    package var packetsDroppedByInterface: UInt64 = 0

    package init() {}

    /// Adds what was found in another file.
    package mutating func add(_ other: CaptureHealth) {
        packets += other.packets
        packetBytes += other.packetBytes
        packetsCut += other.packetsCut
        endsWithinPacket = endsWithinPacket || other.endsWithinPacket
        damages += other.damages
        damagedBytes += other.damagedBytes
        firstDamage = firstDamage ?? other.firstDamage
        packetsDropped = packetsDropped.clampedSum(other.packetsDropped)
        packetsDroppedByInterface = packetsDroppedByInterface.clampedSum(other.packetsDroppedByInterface)
    }
}

extension UInt64 {
    func clampedSum(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// One place where a file contradicts its format.
package struct CaptureDamage: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// A pcap record says that its packet has this many bytes, captured or original.
        case recordLength(UInt32)
        /// A pcapng block says that it has this many bytes: too few, too many, or no multiple of four.
        case blockLength(UInt32)
        /// A pcapng block's length is repeated behind it with another value.
        case blockTrailer(expected: UInt32, found: UInt32)
        /// A section header without a byte order.
        case byteOrder(UInt32)
        /// A pcapng section of a version that cannot be read.
        case sectionVersion(UInt16)
        /// A packet of an interface that the section does not describe.
        case unknownInterface(UInt32)
        /// A packet that is longer than the block it lies in, or than any packet.
        case packetLength(UInt32)
        /// More TLS secrets than `CaptureLimits.secretsBytes`.
        case secrets
        /// The compressed stream cannot be unpacked further; the decompressor's words.
        case compression(String)
        /// Bytes behind the end of the compressed stream that are no such stream.
        case trailingBytes
    }

    /// Bytes (after decompression) before the damaged place.
    package var offset: Int
    package var reason: Reason

    package init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }
}

extension CaptureDamage.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .recordLength(let length): "a record length of \(length) bytes, more than a packet can have"
        case .blockLength(let length): "a block length of \(length) bytes, which no block can have"
        case .blockTrailer(let expected, let found): "the block's length is repeated as \(found), expected \(expected)"
        case .byteOrder(let magic): "the byte-order magic is 0x\(String(magic, radix: 16)), expected 0x1a2b3c4d"
        case .sectionVersion(let major): "a section of version \(major), expected 1"
        case .unknownInterface(let number): "a packet of interface \(number), which the section does not describe"
        case .packetLength(let length): "a packet of \(length) bytes, more than its block holds or a packet can have"
        case .secrets: "more TLS secrets than are kept"
        case .compression(let words): "the compressed data cannot be unpacked (\(words))"
        case .trailingBytes: "other bytes follow the compressed data"
        }
    }
}
