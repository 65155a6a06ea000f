import Wire

/// What a client of a paper variant says and understands.
package enum PaperProtocol: Equatable, Sendable {
    case netChain(SequenceWidth)
    case netCRAQ
}

/// Requests and replies in the papers' formats.
package struct PaperCodec: Sendable {
    package let speech: PaperProtocol
    /// Addresses of the chain as this client knows it, head first.
    package var chain: [UInt32]
    private var reversed: [UInt32]

    package init(_ speech: PaperProtocol, chain: [UInt32]) {
        self.speech = speech
        self.chain = chain
        reversed = chain.reversed()
    }

    /// What a reply says.
    package struct Reply: Equatable, Sendable {
        package var isWrite: Bool
        package var key: UInt32
        package var value: UInt128
    }

    /// Puts a request into `bytes`, in place of what it held. Keys are numbers of 32 bits, NetCRAQ's KEY_ID, in both.
    package func store(_ isWrite: Bool, key: UInt32, value: UInt128, in bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        switch speech {
        case .netChain(let width):
            let packet = NetChainPaperPacket(
                isWrite ? .write : .read, remaining: UInt8(chain.count + 1), key: UInt128(key),
                value: isWrite ? value : 0)
            packet.append(list: isWrite ? chain : reversed, to: &bytes, width: width)
        case .netCRAQ:
            NetCRAQPaperPacket(isWrite ? .write : .read, key: key, value: isWrite ? value : 0).append(to: &bytes)
        }
    }

    /// Nil where the bytes are no reply.
    package func reply(_ bytes: borrowing [UInt8], _ range: Range<Int>) -> Reply? {
        reply(bytes.span.extracting(range))
    }

    package func reply(_ payload: Span<UInt8>) -> Reply? {
        switch speech {
        case .netChain(let width):
            guard let packet = NetChainPaperPacket(reply: payload, width: width),
                let key = UInt32(exactly: packet.key)
            else { return nil }
            let isWrite = packet.operation.rawValue == NetChainPaperPacket.Operation.writeReply.rawValue
            return Reply(isWrite: isWrite, key: key, value: packet.value)
        case .netCRAQ:
            guard let packet = NetCRAQPaperPacket(payload), packet.operation.rawValue & 1 != 0 else { return nil }
            let isWrite = packet.operation.rawValue == NetCRAQPaperPacket.Operation.acknowledge.rawValue
            return Reply(isWrite: isWrite, key: packet.key, value: packet.value)
        }
    }
}
