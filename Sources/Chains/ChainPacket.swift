import Wire

/// The two extended formats, version 1.
package enum ChainFormat: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// NetCRAQ with versions, epochs and request numbers: 48 bytes and the value.
    case cqx
    /// NetChain with the same: 64 bytes, the list of nodes still to visit, and the value.
    case ncx

    /// Bytes before list and value.
    package var headerByteCount: Int { self == .cqx ? 48 : 64 }

    /// The first byte of NCX: a class E address, which no list of NetChain's own format begins with. The last digit is
    /// the version; f2 to ff are reserved.
    package static let ncxMagic: UInt8 = 0xf1
    /// The low six bits of CQX's first byte.
    package static let cqxVersion: UInt8 = 1
}

/// The header of an extended packet, whatever its format. Value and list stay where they lie; `value(in:)` and
/// `list` say where that is.
package struct ChainPacket: Equatable, BitwiseCopyable, Sendable {
    /// `valueLength` of a deleted key, and of the write that deletes it.
    package static let deleted: UInt16 = 0xffff
    /// Most words in an NCX list: with nine nodes and the widest value a packet still fits an Ethernet frame.
    package static let hopsMax = 9

    package var operation: ChainOperation
    package var status: ChainStatus = .ok
    /// Room for the value in this packet; `none` where there is none.
    package var width: WidthClass = .none
    /// Configuration of the group that the sender goes by.
    package var epoch: UInt32
    package var group: UInt16
    /// Bytes of the value, at most those of `width`, or `deleted`. In a HELLO the bitmap of classes.
    package var valueLength: UInt16 = 0
    /// Client session, never 0 in a write; of the write's owner between switches.
    package var slot: UInt32 = 0
    /// Number of the request within the session.
    package var request: UInt32 = 0
    package var version = ChainVersion.none
    /// Committed version in a CHAIN_WRITE of CQX, expected version in a CAS, place of the asking node in TAIL_READ and
    /// VERSION_QUERY, else zero.
    package var aux = ChainVersion.none
    package var key: ChainKey
    /// NCX: words in the list (`sc`), 0...9. CQX: 0.
    package var hops: UInt8 = 0

    package init(_ operation: ChainOperation, key: ChainKey, group: UInt16, epoch: UInt32) {
        self.operation = operation
        self.key = key
        self.group = group
        self.epoch = epoch
    }

    /// Bytes of the whole packet.
    package func byteCount(_ format: ChainFormat) -> Int {
        format.headerByteCount + 4 * Int(hops) + width.byteCount
    }

    /// Where the list begins.
    package static func listOffset(_ format: ChainFormat) -> Int { format.headerByteCount }

    /// Where the value begins.
    package func valueOffset(_ format: ChainFormat) -> Int { format.headerByteCount + 4 * Int(hops) }

    /// Bytes of value that count: 0 for a deletion.
    package var valueByteCount: Int { valueLength == Self.deleted ? 0 : Int(valueLength) }

    package var isDeletion: Bool { valueLength == Self.deleted }

    /// The packet that `payload` is; nil if it is not well formed.
    package init?(_ payload: Span<UInt8>, format: ChainFormat) {
        if format == .cqx { self.init(cqx: payload) } else { self.init(ncx: payload) }
    }

    /// Stores the header at `offset`; list and value are the caller's. Precondition: the bytes lie inside.
    package func store(in bytes: inout [UInt8], at offset: Int, format: ChainFormat) {
        if format == .cqx { storeCQX(in: &bytes, at: offset) } else { storeNCX(in: &bytes, at: offset) }
    }

    /// What both formats demand of the fields, once the length is known to be right.
    var isConsistent: Bool {
        if width != .none, !operation.mayCarryValue { return false }
        switch operation {
        case .hello, .helloReply: return true
        default: return valueLength == Self.deleted || Int(valueLength) <= width.byteCount
        }
    }
}
