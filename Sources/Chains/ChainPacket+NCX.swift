import Wire

/// NCX, all numbers big-endian; the list has no terminator, and its first word is the node that the packet is for:
///
/// ```
///  0    1     2        3       4       8       10     12     16
///  | f1 | xop | status | wcode | epoch | group | vlen | slot |
///  16      20              24               32          36           44    60   61     64
///  | reqId | version epoch | version number | aux epoch | aux number | KEY | sc | zero | list | value, zero-padded
/// ```
extension ChainPacket {
    init?(ncx payload: Span<UInt8>) {
        guard payload.count >= 64, payload[0] == ChainFormat.ncxMagic,
            let operation = ChainOperation(rawValue: payload[1]),
            let status = ChainStatus(rawValue: payload[2]), let width = WidthClass(rawValue: payload[3]),
            payload[60] <= UInt8(Self.hopsMax), payload.count == 64 + 4 * Int(payload[60]) + width.byteCount,
            payload[61] | payload[62] | payload[63] == 0
        else { return nil }
        self.operation = operation
        self.status = status
        self.width = width
        epoch = payload.bigEndian32(at: 4)
        group = payload.bigEndian16(at: 8)
        valueLength = payload.bigEndian16(at: 10)
        slot = payload.bigEndian32(at: 12)
        request = payload.bigEndian32(at: 16)
        version = ChainVersion(epoch: payload.bigEndian32(at: 20), number: payload.bigEndian64(at: 24))
        aux = ChainVersion(epoch: payload.bigEndian32(at: 32), number: payload.bigEndian64(at: 36))
        key = ChainKey(high: payload.bigEndian64(at: 44), low: payload.bigEndian64(at: 52))
        hops = payload[60]
        guard isConsistent else { return nil }
    }

    func storeNCX(in bytes: inout [UInt8], at offset: Int) {
        bytes[offset] = ChainFormat.ncxMagic
        bytes[offset + 1] = operation.rawValue
        bytes[offset + 2] = status.rawValue
        bytes[offset + 3] = width.rawValue
        bytes.storeBigEndian32(epoch, at: offset + 4)
        bytes.storeBigEndian16(group, at: offset + 8)
        bytes.storeBigEndian16(valueLength, at: offset + 10)
        bytes.storeBigEndian32(slot, at: offset + 12)
        bytes.storeBigEndian32(request, at: offset + 16)
        bytes.storeBigEndian32(version.epoch, at: offset + 20)
        bytes.storeBigEndian64(version.number, at: offset + 24)
        bytes.storeBigEndian32(aux.epoch, at: offset + 32)
        bytes.storeBigEndian64(aux.number, at: offset + 36)
        bytes.storeBigEndian64(key.high, at: offset + 44)
        bytes.storeBigEndian64(key.low, at: offset + 52)
        bytes[offset + 60] = hops
        bytes[offset + 61] = 0
        bytes.storeBigEndian16(0, at: offset + 62)
    }
}
