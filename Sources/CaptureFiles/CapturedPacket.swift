public import Wire

/// One packet as the recorder stored it.
public struct CapturedPacket: Sendable {
    public var time: CaptureTime
    /// Where the captured bytes lie in the batch's `storage`.
    public var bytes: Range<Int>
    /// Bytes that were on the wire; more than `bytes.count` when a snap length cut the packet, never less.
    public var originalLength: Int
    public var linkType: LinkType
    /// Number of the interface inside its section (pcapng), else 0.
    public var interface: UInt32

    public init(time: CaptureTime, bytes: Range<Int>, originalLength: Int, linkType: LinkType, interface: UInt32) {
        self.time = time
        self.bytes = bytes
        self.originalLength = originalLength
        self.linkType = linkType
        self.interface = interface
    }
}

/// Packets that were read together, and the bytes they lie in. The owner hands the same batch in again and again, so
/// that its arrays are allocated once.
public struct PacketBatch: Sendable {
    /// Raw bytes of the file or ring, of which the packets are parts.
    public var storage: [UInt8] = []
    public var packets: [CapturedPacket] = []
    /// TLS secrets of pcapng Decryption Secrets Blocks met in this batch, as text or bytes of the stated kind.
    public var secrets: [DecryptionSecrets] = []

    /// Bytes from which on a batch counts as full: small enough for a second-level cache, large enough that handing it
    /// on costs nothing.
    public static let fullBytes = 1 << 20

    public init() {}

    /// Bytes of the packets and of their descriptions.
    public var byteCount: Int { storage.count + packets.count * MemoryLayout<CapturedPacket>.stride }

    public var isFull: Bool { byteCount >= Self.fullBytes }

    /// Empties the batch and keeps its memory.
    public mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        packets.removeAll(keepingCapacity: true)
        secrets.removeAll(keepingCapacity: true)
    }
}

/// The payload of a pcapng Decryption Secrets Block.
public struct DecryptionSecrets: Sendable, Equatable {
    /// The kind of an NSS key log, "TLSK".
    public static let keyLog: UInt32 = 0x544c_534b

    public var kind: UInt32
    public var bytes: [UInt8]

    public init(kind: UInt32, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }
}
