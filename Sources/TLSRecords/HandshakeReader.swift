import Wire

/// Handshake messages (RFC 8446 §4) of one direction, over record boundaries. Those of interest are held whole; all
/// others are passed over by their length.
struct HandshakeReader {
    enum MessageType {
        static let clientHello: UInt8 = 1
        static let serverHello: UInt8 = 2
        static let endOfEarlyData: UInt8 = 5
        static let keyUpdate: UInt8 = 24
    }

    private static let headerBytes = 4
    private let limit: Int
    /// The message at hand: header and body so far.
    private(set) var message: [UInt8] = []
    private var skipBytes = 0
    private var isWhole = false

    init(limits: TLSLimits) { limit = limits.helloBytes }

    /// Forgets the message at hand: bytes are missing.
    mutating func reset() {
        message.removeAll()
        skipBytes = 0
        isWhole = false
    }

    /// Reads from `offset`, which moves on; the type of the next message of interest, which `message` then holds whole
    /// until the next call. `nil` when the bytes are used up.
    mutating func next(_ bytes: Span<UInt8>, from offset: inout Int) -> UInt8? {
        if isWhole {
            message.removeAll(keepingCapacity: message.capacity <= 4096)
            isWhole = false
        }
        while offset < bytes.count {
            if skipBytes > 0 {
                let step = min(skipBytes, bytes.count &- offset)
                skipBytes &-= step
                offset &+= step
                continue
            }
            if message.count < Self.headerBytes {
                message.append(bytes[offset])
                offset &+= 1
                if message.count < Self.headerBytes { continue }
            }
            let length = Int(message.span.bigEndian24(at: 1))
            guard isOfInterest(message[0]), length <= limit else {
                skipBytes = length
                message.removeAll(keepingCapacity: true)
                continue
            }
            let step = min(Self.headerBytes &+ length &- message.count, bytes.count &- offset)
            message.append(copying: bytes.extracting(offset..<offset &+ step))
            offset &+= step
            if message.count == Self.headerBytes &+ length {
                isWhole = true
                return message[0]
            }
        }
        return nil
    }

    private func isOfInterest(_ type: UInt8) -> Bool {
        switch type {
        case MessageType.clientHello, MessageType.serverHello, MessageType.endOfEarlyData, MessageType.keyUpdate: true
        default: false
        }
    }
}
