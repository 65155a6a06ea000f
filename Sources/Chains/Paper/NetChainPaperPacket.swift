import Wire

/// How wide NetChain's SEQ is.
package enum SequenceWidth: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// As published: a counter that wraps after 65 536 writes of a key.
    case bits16
    /// As NetCRAQ's authors widened it for their measurements; here the upper half is a session number, which NetChain
    /// asks for (NSDI 2018 §5.2) and has no field for.
    case bits128

    /// Bytes of the header behind the list.
    package var headerBytes: Int { self == .bits16 ? 38 : 52 }
    var sequenceBytes: Int { self == .bits16 ? 2 : 16 }
}

/// A packet of NetChain as its source has it: a list of addresses, its end, and a header of fixed size.
///
/// ```
///  | S0 | S1 | ... | 0.0.0.0 | OP | SC | SEQ     | KEY | VALUE | VGROUP |
///    4    4          4         1    1    2 or 16   16    16      2
/// ```
///
/// The first address is where the packet goes now. Writes list the chain from head to tail, reads from tail to head;
/// the words after the first one are for fail-over. Each node takes its word off once it is done; the tail takes the
/// end off a write too, so that a write's reply is a header alone, while a read's reply still has the rest of its list.
package struct NetChainPaperPacket: Equatable, BitwiseCopyable, Sendable {
    package enum Operation: UInt8, BitwiseCopyable, Sendable {
        case read = 10
        case readReply = 11
        case write = 12
        case writeReply = 13

        package var isRequest: Bool { rawValue & 1 == 0 }
    }

    package var operation: Operation
    /// Words of the list, its end included: n + 1 from the client, one less at each word taken off. No switch reads it.
    package var remaining: UInt8
    /// 0 from the client; what the head assigned. In 128 bits the session, then the number.
    package var sequence: UInt128
    package var key: UInt128
    /// 0 in a read.
    package var value: UInt128
    package var group: UInt16
    /// Words of the list in front of the header, its end included.
    package private(set) var listWords = 0

    package init(
        _ operation: Operation, remaining: UInt8 = 0, sequence: UInt128 = 0, key: UInt128, value: UInt128 = 0,
        group: UInt16 = 0
    ) {
        self.operation = operation
        self.remaining = remaining
        self.sequence = sequence
        self.key = key
        self.value = value
        self.group = group
    }

    /// What a switch reads: addresses up to a zero word, at most nine of them, then exactly a header; or a header
    /// alone. An address is one a node can have (classes A to C, not 0.x.x.x). Nil for all else, and for requests
    /// without an address.
    package init?(_ payload: Span<UInt8>, width: SequenceWidth) {
        let listBytes = payload.count - width.headerBytes
        guard listBytes >= 0, listBytes & 3 == 0, listBytes <= 4 * PaperLimits.listWords else { return nil }
        var offset = 0
        while offset < listBytes {
            if offset == listBytes - 4 {
                guard payload.bigEndian32(at: offset) == 0 else { return nil }
            } else {
                guard payload[offset] >= 0x01, payload[offset] <= 0xdf else { return nil }
            }
            offset += 4
        }
        self.init(headerOf: payload, width: width)
        if operation.isRequest, listWords < 2 { return nil }
    }

    /// What a client reads: the header is the last bytes, whatever is left of the list stands before them. Nil unless
    /// it is a reply.
    package init?(reply payload: Span<UInt8>, width: SequenceWidth) {
        let listBytes = payload.count - width.headerBytes
        guard listBytes >= 0, listBytes & 3 == 0, listBytes <= 4 * PaperLimits.listWords else { return nil }
        self.init(headerOf: payload, width: width)
        if operation.isRequest { return nil }
    }

    /// The header at the end of `payload`. Precondition: it has one.
    private init?(headerOf payload: Span<UInt8>, width: SequenceWidth) {
        let start = payload.count - width.headerBytes
        guard let operation = Operation(rawValue: payload[start]) else { return nil }
        self.operation = operation
        remaining = payload[start + 1]
        sequence = width == .bits16 ? UInt128(payload.bigEndian16(at: start + 2)) : payload.bigEndian128(at: start + 2)
        let rest = start + 2 + width.sequenceBytes
        key = payload.bigEndian128(at: rest)
        value = payload.bigEndian128(at: rest + 16)
        group = payload.bigEndian16(at: rest + 32)
        listWords = start / 4
    }

    /// Stores the header in the bytes of `bytes` from `offset` on, 38 or 52.
    package func store(in bytes: inout [UInt8], at offset: Int, width: SequenceWidth) {
        bytes[offset] = operation.rawValue
        bytes[offset + 1] = remaining
        if width == .bits16 {
            bytes.storeBigEndian16(UInt16(truncatingIfNeeded: sequence), at: offset + 2)
        } else {
            bytes.storeBigEndian128(sequence, at: offset + 2)
        }
        let rest = offset + 2 + width.sequenceBytes
        bytes.storeBigEndian128(key, at: rest)
        bytes.storeBigEndian128(value, at: rest + 16)
        bytes.storeBigEndian16(group, at: rest + 32)
    }

    /// Appends the addresses, their end and the header to `bytes`: a client's request, when `remaining` is one more
    /// than there are addresses.
    package func append(list: [UInt32], to bytes: inout [UInt8], width: SequenceWidth) {
        var offset = bytes.appendZeros(4 * (list.count + 1) + width.headerBytes)
        for address in list {
            bytes.storeBigEndian32(address, at: offset)
            offset += 4
        }
        store(in: &bytes, at: offset + 4, width: width)
    }
}
