import Chains
import Wire

/// What the extended formats allow, said a second time from their drawings; and packets and control messages made of a
/// few bytes, so that a change of a byte is a change of a field.
enum ReplicaShapes {
    private static let operations: [UInt8] = [1, 2, 10, 11, 12, 13, 14, 15, 20, 21, 22, 24, 25]
    private static let upperBits: [UInt8] = [0, 1, 0, 1, 2, 3, 2, 3, 0, 0, 1, 2, 3]
    private static let carriers: [UInt8] = [11, 12, 14, 24, 25]
    private static let widths = [0, 16, 128, 1024]

    static func isWellFormed(_ payload: [UInt8], _ format: ChainFormat) -> Bool {
        let header = format == .cqx ? 48 : 64
        guard payload.count >= header, let row = operations.firstIndex(of: payload[1]), payload[2] <= 10,
            payload[3] <= 3
        else { return false }
        let width = widths[Int(payload[3])]
        var words = 0
        if format == .cqx {
            guard payload[0] == upperBits[row] << 6 | 1 else { return false }
        } else {
            words = Int(payload[60])
            guard payload[0] == 0xf1, words <= 9, payload[61..<64].allSatisfy({ $0 == 0 }) else { return false }
        }
        let place = format == .cqx ? 14 : 10
        let length = Int(payload[place]) << 8 | Int(payload[place + 1])
        let isLengthFree = payload[1] <= 2 || length == 0xffff
        return payload.count == header + 4 * words + width && (width == 0 || carriers.contains(payload[1]))
            && (isLengthFree || length <= width)
    }

    /// Whether a client may send it: HELLO, READ, WRITE, CAS.
    static func isRequest(_ payload: [UInt8]) -> Bool { [1, 10, 12, 14].contains(payload[1]) }

    /// A CQX request of another version is answered, too, if it is long enough.
    static func isOfOtherVersion(_ payload: [UInt8], _ format: ChainFormat) -> Bool {
        format == .cqx && payload.count >= 48 && payload[0] & 0x3f > 1 && payload[0] & 0x40 == 0
    }

    /// Bytes: operation, key, slot, request, version (epoch in the low two bits), aux, value length, epoch.
    static func packet(_ fields: [UInt8], _ format: ChainFormat, chain: [UInt32], epoch: UInt32, node: Int) -> [UInt8] {
        let byte = { (place: Int) in place < fields.count ? fields[place] : 0 }
        let operation = ChainOperation(rawValue: operations[Int(byte(0)) % operations.count]) ?? .read
        var packet = ChainPacket(operation, key: ChainKey(low: UInt64(byte(1) % 5)), group: 0, epoch: epoch)
        if byte(7) > 200 { packet.epoch = UInt32(byte(7) - 200) }
        packet.slot = UInt32(byte(2) % 6)
        packet.request = UInt32(byte(3) % 16)
        packet.version = ChainVersion(epoch: UInt32(byte(4) & 3), number: UInt64(byte(4) >> 2))
        packet.aux = ChainVersion(epoch: UInt32(byte(5) & 3), number: UInt64(byte(5) >> 2))
        if operation.mayCarryValue {
            packet.width = byte(6) > 200 ? .bytes128 : byte(6) == 0 ? .none : .bytes16
            packet.valueLength =
                byte(6) == 255 ? ChainPacket.deleted : UInt16(min(Int(byte(6)), packet.width.byteCount))
        }
        let position = chain.firstIndex(of: ReplicaLaws.address(node)) ?? 0
        let isWrite = operation.kvOperation == 2
        let list = format == .cqx ? [] : isWrite ? Array(chain.dropFirst(position)) : [ReplicaLaws.address(node)]
        packet.hops = UInt8(list.count)
        var bytes = [UInt8](repeating: byte(6), count: packet.byteCount(format))
        packet.store(in: &bytes, at: 0, format: format)
        for (hop, word) in list.enumerated() {
            bytes.storeBigEndian32(word, at: ChainPacket.listOffset(format) + 4 * hop)
        }
        return bytes
    }

    /// Bytes: kind, group, epoch, and what the kind needs.
    static func control(_ fields: [UInt8]) -> ControlMessage {
        let byte = { (place: Int) in place < fields.count ? fields[place] : 0 }
        let group = UInt16(byte(1) % 3) == 2 ? UInt16.max : UInt16(byte(1) % 3)
        let epoch = byte(2) == 255 ? UInt32.max : UInt32(byte(2))
        let pair = GroupEpoch(group: group, epoch: epoch)
        let ticket = JoinTicket(group: group, epoch: epoch, number: UInt32(byte(3) & 1))
        let key = ChainKey(high: byte(3) > 250 ? 1 : 0, low: UInt64(byte(3) % 6))
        let width = WidthClass(rawValue: byte(4) & 3) ?? .none
        let entry = KeyEntry(key: key, group: group, epoch: epoch, width: width)
        let wide = UInt64(byte(5)) << 56 | UInt64(byte(6))
        switch byte(0) % 10 {
        case 0: return .seal(pair)
        case 1: return .join(ticket)
        case 2:
            let chain = fields.dropFirst(3).map { ReplicaLaws.address(Int($0 % 5)) }
            return .activate(
                Activation(
                    group: group, epoch: epoch, chain: chain, closedSlots: [UInt32(byte(3)), 0],
                    comparesAndSets: byte(2) & 1 == 0))
        case 3: return .copyRead(CopyRequest(ticket: ticket, since: UInt64(byte(4)), cursor: wide))
        case 4:
            let versions = fields.dropFirst(4).map { field in
                VersionCopy(
                    version: ChainVersion(epoch: UInt32(field & 3), number: UInt64(field >> 2)),
                    slot: UInt32(field % 5), request: UInt32(field), client: Endpoint(address: 0, port: 0),
                    value: field == 0 ? nil : [UInt8](repeating: field, count: Int(field) % 20))
            }
            let slot = SlotCopy(
                slot: UInt32(byte(5) % 9), request: UInt32(byte(6)), key: key,
                version: ChainVersion(epoch: UInt32(byte(7) & 3), number: wide), status: .busy)
            return .copyWrite(
                CopyEntries(
                    ticket: ticket, keys: [KeyCopy(key: key, width: width, versions: versions)], slots: [slot],
                    removed: [ChainKey(low: UInt64(byte(6) % 6))], next: nil, stamp: 0))
        case 5: return .insert(entry)
        case 6: return .remove(entry)
        case 7: return .counters(CountersRequest(group: group, cursor: wide))
        case 8: return .lease(Lease(clock: wide, duration: wide, groups: [pair]))
        default: return .subscribe
        }
    }
}
