import Wire

/// Joins IP fragments (RFC 791 §3.2, RFC 8200 §4.5). Out of order, repeated and overlapping parts are taken; the first
/// copy of a byte wins, as everywhere here.
struct FragmentTable {
    /// A datagram of which parts are here.
    private struct Pending {
        var source: IPAddress
        var destination: IPAddress
        var identification: UInt32
        var isV6: Bool
        var parts = HeldBlocks()
        var fragmentCount = 0
        /// Length of the whole; nil until the last part came.
        var length: Int?
        /// Of the part at offset 0.
        var nextHeader: UInt8 = 0
        var elapsed: Int64
        var packets: Int
        var byteCount = 0
    }

    /// Oldest first.
    private var pending: [Pending] = []
    private var byteCount = 0
    /// The payload of the datagram that the last call completed.
    private(set) var joined: [UInt8] = []

    /// Longest payload that fragments may have.
    private static let lengthMax = 65_535

    var isEmpty: Bool { pending.isEmpty }
    /// Memory, in bytes.
    var cost: Int { byteCount + pending.count * MemoryLayout<Pending>.stride + joined.capacity }

    /// Takes a fragment, whose payload is `packet[datagram.payload]`. When it completes its datagram, the payload of
    /// the whole is in `joined`, and its first header's number is returned.
    mutating func receive(
        _ packet: Span<UInt8>, _ datagram: IPDatagram, _ fragment: IPDatagram.Fragment, packets: Int, elapsed: Int64,
        _ limits: TrackerLimits, _ health: inout TrackerHealth
    ) -> UInt8? {
        expire(packets: packets, elapsed: elapsed, limits, &health)
        let count = datagram.payload.count
        // Parts but the last have a multiple of 8 bytes; a cut one can complete nothing.
        guard count == datagram.payloadLength, count > 0, fragment.isLast || count & 7 == 0,
            fragment.offset + count <= Self.lengthMax
        else {
            health.fragmentsLost += 1
            return nil
        }
        let isV6 = !datagram.source.isIPv4
        let index =
            pending.firstIndex {
                $0.identification == fragment.identification && $0.isV6 == isV6 && $0.source == datagram.source
                    && $0.destination == datagram.destination
            } ?? open(datagram, fragment, isV6: isV6, packets: packets, elapsed: elapsed, limits, &health)
        let end = fragment.offset + count
        let knownEnd = pending[index].length ?? pending[index].parts.end ?? 0
        let contradicts =
            fragment.isLast
            ? (pending[index].length ?? end) != end || knownEnd > end
            : pending[index].length.map { end > $0 } ?? false
        guard !contradicts, pending[index].fragmentCount < limits.fragmentsPerDatagram else {
            health.fragmentsLost += 1
            return nil
        }
        if fragment.isLast { pending[index].length = end }
        if fragment.offset == 0, pending[index].parts.firstOffset != 0 {
            pending[index].nextHeader = datagram.nextHeader
        }
        let before = pending[index].parts.cost
        _ = pending[index].parts.insert(
            packet, datagram.payload, at: fragment.offset, time: CaptureTime(nanoseconds: 0))
        let growth = pending[index].parts.cost - before
        pending[index].byteCount += growth
        byteCount += growth
        pending[index].fragmentCount += 1
        if let length = pending[index].length, pending[index].parts.covers(length) {
            return join(index, &health)
        }
        while byteCount > limits.fragmentBytes { drop(0, &health) }
        return nil
    }

    /// Forgets what waited for too long.
    mutating func expire(packets: Int, elapsed: Int64, _ limits: TrackerLimits, _ health: inout TrackerHealth) {
        while let first = pending.first,
            elapsed - first.elapsed > limits.fragmentTime || packets - first.packets > limits.fragmentPackets
        {
            drop(0, &health)
        }
    }

    /// Forgets everything.
    mutating func finish(_ health: inout TrackerHealth) {
        while !pending.isEmpty { drop(0, &health) }
        joined = []
    }

    /// Hands out `joined` for the time in which its bytes are worked on; `giveBack` ends it.
    mutating func takeJoined() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &joined)
        return taken
    }

    mutating func giveBack(_ bytes: consuming [UInt8]) { joined = bytes }

    private mutating func open(
        _ datagram: IPDatagram, _ fragment: IPDatagram.Fragment, isV6: Bool, packets: Int, elapsed: Int64,
        _ limits: TrackerLimits, _ health: inout TrackerHealth
    ) -> Int {
        if pending.count >= limits.fragmentedDatagrams { drop(0, &health) }
        pending.append(
            Pending(
                source: datagram.source, destination: datagram.destination, identification: fragment.identification,
                isV6: isV6, elapsed: elapsed, packets: packets))
        return pending.count - 1
    }

    private mutating func join(_ index: Int, _ health: inout TrackerHealth) -> UInt8 {
        joined.removeAll(keepingCapacity: true)
        while !pending[index].parts.isEmpty {
            let block = pending[index].parts.removeFirst()
            joined.append(copying: block.bytes.span)
        }
        health.fragmentsJoined += pending[index].fragmentCount
        let nextHeader = pending[index].nextHeader
        byteCount -= pending[index].byteCount
        pending.remove(at: index)
        return nextHeader
    }

    private mutating func drop(_ index: Int, _ health: inout TrackerHealth) {
        health.fragmentsLost += pending[index].fragmentCount
        byteCount -= pending[index].byteCount
        pending.remove(at: index)
    }
}
