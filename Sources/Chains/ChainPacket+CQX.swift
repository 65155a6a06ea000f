import Wire

/// CQX, all numbers big-endian:
///
/// ```
///  0                   1     2        3       4        8       12      14     16
///  | KV_OP << 6 | 1    | xop | status | wcode | KEY_ID | epoch | group | vlen |
///  16     20      24              28               36          40           48
///  | slot | reqId | version epoch | version number | aux epoch | aux number | value, zero-padded
/// ```
extension ChainPacket {
    init?(cqx payload: Span<UInt8>) {
        guard payload.count >= 48, payload[0] & 0x3f == ChainFormat.cqxVersion,
            let operation = ChainOperation(rawValue: payload[1]), payload[0] >> 6 == operation.kvOperation,
            let status = ChainStatus(rawValue: payload[2]), let width = WidthClass(rawValue: payload[3]),
            payload.count == 48 + width.byteCount
        else { return nil }
        self.operation = operation
        self.status = status
        self.width = width
        key = ChainKey(low: UInt64(payload.bigEndian32(at: 4)))
        epoch = payload.bigEndian32(at: 8)
        group = payload.bigEndian16(at: 12)
        valueLength = payload.bigEndian16(at: 14)
        slot = payload.bigEndian32(at: 16)
        request = payload.bigEndian32(at: 20)
        version = ChainVersion(epoch: payload.bigEndian32(at: 24), number: payload.bigEndian64(at: 28))
        aux = ChainVersion(epoch: payload.bigEndian32(at: 36), number: payload.bigEndian64(at: 40))
        guard isConsistent else { return nil }
    }

    func storeCQX(in bytes: inout [UInt8], at offset: Int) {
        bytes[offset] = operation.kvOperation << 6 | ChainFormat.cqxVersion
        bytes[offset + 1] = operation.rawValue
        bytes[offset + 2] = status.rawValue
        bytes[offset + 3] = width.rawValue
        bytes.storeBigEndian32(UInt32(truncatingIfNeeded: key.low), at: offset + 4)
        bytes.storeBigEndian32(epoch, at: offset + 8)
        bytes.storeBigEndian16(group, at: offset + 12)
        bytes.storeBigEndian16(valueLength, at: offset + 14)
        bytes.storeBigEndian32(slot, at: offset + 16)
        bytes.storeBigEndian32(request, at: offset + 20)
        bytes.storeBigEndian32(version.epoch, at: offset + 24)
        bytes.storeBigEndian64(version.number, at: offset + 28)
        bytes.storeBigEndian32(aux.epoch, at: offset + 36)
        bytes.storeBigEndian64(aux.number, at: offset + 40)
    }
}
