import Wire

/// A packet of NetCRAQ: 22 bytes, at every hop and for every length of the chain.
///
/// ```
///   0      2         16      48                          176 bits
///   | KV_OP | padding | KEY_ID | VALUE                     |
/// ```
///
/// The paper gives KV_OP two bits and names its values READ, READ_REPLY, WRITE, ACKNOWLEDGE; that they count from 0 in
/// this order, and that zeros fill up the 22 bytes that it states, is ours. No version, no tag, no address.
package struct NetCRAQPaperPacket: Equatable, BitwiseCopyable, Sendable {
    package static let byteCount = 22

    package enum Operation: UInt8, CaseIterable, BitwiseCopyable, Sendable {
        case read = 0
        case readReply = 1
        case write = 2
        case acknowledge = 3
    }

    package var operation: Operation
    package var key: UInt32
    /// 0 in a read. A write of 0 deletes: which value does is not published.
    package var value: UInt128

    package init(_ operation: Operation, key: UInt32, value: UInt128 = 0) {
        self.operation = operation
        self.key = key
        self.value = value
    }

    /// Nil unless `payload` has 22 bytes and its padding is zero.
    package init?(_ payload: Span<UInt8>) {
        guard payload.count == Self.byteCount, payload[0] & 0x3f == 0, payload[1] == 0,
            let operation = Operation(rawValue: payload[0] >> 6)
        else { return nil }
        self.operation = operation
        key = payload.bigEndian32(at: 2)
        value = payload.bigEndian128(at: 6)
    }

    /// Stores the packet in the 22 bytes of `bytes` from `offset` on.
    package func store(in bytes: inout [UInt8], at offset: Int) {
        bytes[offset] = operation.rawValue << 6
        bytes[offset + 1] = 0
        bytes.storeBigEndian32(key, at: offset + 2)
        bytes.storeBigEndian128(value, at: offset + 6)
    }

    /// Appends the packet to `bytes`.
    package func append(to bytes: inout [UInt8]) {
        let offset = bytes.appendZeros(Self.byteCount)
        store(in: &bytes, at: offset)
    }
}
