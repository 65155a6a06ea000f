package import Chains
import Wire

/// A datagram on its way.
package struct Packet: BitwiseCopyable, Sendable {
    /// Payload bytes, with the fabric frame where it goes from switch to switch.
    package var byteCount: Int32
    /// Stations that it comes from and goes to; between them, in a line, others pass it on.
    package var sender: UInt16
    package var target: UInt16
    package var road: Outbox.Road
    package var kind: Kind
    /// The socket of the client that it comes from or goes to.
    package var client: Endpoint
    /// The packet behind this one in a queue or on the list of free ones; -1 at the end.
    fileprivate(set) package var next: Int32

    /// What a packet is to the model of a switch's cost.
    package enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// Goes towards the switch that answers or stores.
        case request
        case reply
        /// From the tail to the other switches.
        case acknowledgement
    }

    /// Bytes that the papers count: without the fabric frame.
    package var payloadBytes: Int { Int(byteCount) - (road.rawValue == Outbox.Road.edge.rawValue ? 0 : frameBytes) }
    private var frameBytes: Int { FabricFrame.byteCount }
}

/// All packets on their way, in one run of bytes with a slot each, used again and again.
package struct PacketPool: Sendable {
    /// Bytes of the slots, `slotBytes` each.
    package private(set) var bytes: [UInt8] = []
    package private(set) var packets: [Packet] = []
    private let slotBytes: Int
    private var firstFree: Int32 = -1
    package private(set) var inUse = 0

    /// `slotBytes`: the longest datagram.
    package init(slotBytes: Int) { self.slotBytes = slotBytes }

    /// Where the bytes of a packet lie.
    @inline(__always)
    package func range(of packet: Int) -> Range<Int> {
        let start = packet * slotBytes
        return start..<start + Int(packets[packet].byteCount)
    }

    /// Takes a slot and fills it. Precondition: `payload` is no longer than a slot.
    @inline(__always)
    package mutating func add(_ packet: Packet, payload: Span<UInt8>) -> Int {
        precondition(payload.count <= slotBytes, "a datagram is longer than the run's longest")
        let index: Int
        if firstFree >= 0 {
            index = Int(firstFree)
            firstFree = packets[index].next
            packets[index] = packet
        } else {
            index = packets.count
            packets.append(packet)
            _ = bytes.appendZeros(slotBytes)
        }
        packets[index].next = -1
        packets[index].byteCount = Int32(truncatingIfNeeded: payload.count)
        bytes.overwrite(from: index * slotBytes, with: payload)
        inUse += 1
        return index
    }

    /// A second packet with the same bytes.
    package mutating func duplicate(_ packet: Int) -> Int {
        let copy = Array(bytes[range(of: packet)])
        return add(packets[packet], payload: copy.span)
    }

    package mutating func remove(_ packet: Int) {
        packets[packet].next = firstFree
        firstFree = Int32(truncatingIfNeeded: packet)
        inUse -= 1
    }

    /// Sets which packet stands behind `packet`.
    @inline(__always)
    mutating func link(_ packet: Int, to next: Int) { packets[packet].next = Int32(truncatingIfNeeded: next) }
}
