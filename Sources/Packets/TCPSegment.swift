import Wire

/// The header of a TCP segment (RFC 9293 §3.1), and where its payload lies. Checksums are not looked at: with
/// checksum offload they are wrong in every packet that the recording host sent.
struct TCPSegment {
    struct Flags: OptionSet {
        var rawValue: UInt8
        static let fin = Flags(rawValue: 0x01)
        static let syn = Flags(rawValue: 0x02)
        static let rst = Flags(rawValue: 0x04)
        static let psh = Flags(rawValue: 0x08)
        static let ack = Flags(rawValue: 0x10)
        /// What ends a direction or the connection.
        static let ending = Flags(rawValue: 0x05)
        /// What no stack sends together with SYN.
        static let neverWithSYN = Flags(rawValue: 0x0d)
    }

    var flags: Flags
    /// The number of the first payload byte: one more than the header's number when SYN is set.
    var sequence: SequenceNumber
    /// Has a meaning only with the ACK flag.
    var acknowledgement: SequenceNumber
    /// The payload as far as it was captured.
    var payload: Range<Int>
    /// Bytes of payload on the wire.
    var length: Int

    /// Reads the segment in `bytes[range]`, of which `wireLength` bytes were on the wire. Nil when the header is cut or
    /// says what cannot be.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, in range: Range<Int>, wireLength: Int) {
        guard range.count >= 20 else { return nil }
        let start = range.lowerBound
        let headerLength = Int(bytes[start + 12] >> 4) * 4
        guard headerLength >= 20, headerLength <= wireLength else { return nil }
        flags = Flags(rawValue: bytes[start + 13])
        // Such a packet is damaged, and the rest of it may still be right.
        if flags.contains(.syn), !flags.isDisjoint(with: .neverWithSYN) { flags.remove(.syn) }
        let number = SequenceNumber(bytes.bigEndian32(at: start + 4))
        sequence = flags.contains(.syn) ? number.advanced(by: 1) : number
        acknowledgement = SequenceNumber(bytes.bigEndian32(at: start + 8))
        payload = min(start + headerLength, range.upperBound)..<range.upperBound
        length = wireLength - headerLength
    }
}
