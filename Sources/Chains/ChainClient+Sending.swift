import Wire

extension ChainClient {
    /// Sends a request to the node that answers it, if its group is active.
    mutating func transmit(_ place: Int, into output: inout ClientOutput) {
        guard let entry = directory.group(pending[place].group), entry.state == .active, let head = entry.chain.first,
            let tail = entry.chain.last
        else { return }
        let kind = pending[place].kind
        let node = kind.isRead ? readNode(place, entry.chain, tail) : head
        if !isGreeted(node, pending[place].width) {
            pending[place].greeting = node
            greet(node, into: &output)
            return
        }
        pending[place].greeting = 0
        let operation: ChainOperation = kind.isRead ? .read : kind.isCompare ? .compareAndSet : .write
        var packet = ChainPacket(operation, key: pending[place].key, group: pending[place].group, epoch: entry.epoch)
        packet.slot = pending[place].slot
        packet.request = pending[place].request
        if kind.isCompare { packet.aux = pending[place].expected }
        if kind.hasValue {
            packet.valueLength = UInt16(pending[place].value.count)
            if packet.valueLength > 0 { packet.width = pending[place].width }
        } else if !kind.isRead {
            packet.valueLength = ChainPacket.deleted
        }
        let isListed = configuration.format == .ncx
        if isListed { packet.hops = kind.isRead ? 1 : UInt8(entry.chain.count) }
        let byteCount = packet.byteCount(configuration.format)
        let destination = Endpoint(address: node, port: ReplicaCore.requestPort)
        let start = output.outbox.open(byteCount: byteCount, to: destination)
        packet.store(in: &output.outbox.bytes, at: start, format: configuration.format)
        let list = start + ChainPacket.listOffset(configuration.format)
        for hop in 0..<Int(packet.hops) {
            output.outbox.bytes.storeBigEndian32(kind.isRead ? node : entry.chain[hop], at: list + 4 * hop)
        }
        let value = pending[place].value
        output.outbox.bytes.overwrite(from: start + packet.valueOffset(configuration.format), with: value.span)
        pending[place].epoch =
            pending[place].transmissions == 0 || pending[place].epoch == entry.epoch ? entry.epoch : 0
        pending[place].transmissions += 1
    }

    /// Where a read goes: by the policy first, to the next node of the chain with every try after it.
    private mutating func readNode(_ place: Int, _ chain: [UInt32], _ tail: UInt32) -> UInt32 {
        guard configuration.format == .cqx else { return tail }
        let first: Int
        switch configuration.reads {
        case .node(let node): first = chain.firstIndex(of: node) ?? chain.count - 1
        case .nearest(let nodes):
            let nearest = nodes.first { chain.contains($0) }
            first = nearest.flatMap { chain.firstIndex(of: $0) } ?? chain.count - 1
        case .roundRobin:
            if pending[place].transmissions == 0 { nextNode = (nextNode + 1) % chain.count }
            first = nextNode
        }
        return chain[(first + pending[place].tries) % chain.count]
    }

    // Classes above 16 bytes are used once the node has said that it takes them.

    private func isGreeted(_ node: UInt32, _ width: WidthClass) -> Bool {
        width == .bytes16 || directory.classes(of: node) & width.bit != 0
    }

    func greet(_ node: UInt32, into output: inout ClientOutput) {
        var packet = ChainPacket(.hello, key: ChainKey(low: 0), group: 0, epoch: 0)
        packet.valueLength = WidthClass.allBits
        let destination = Endpoint(address: node, port: ReplicaCore.requestPort)
        let start = output.outbox.open(byteCount: packet.byteCount(configuration.format), to: destination)
        packet.store(in: &output.outbox.bytes, at: start, format: configuration.format)
    }
}
