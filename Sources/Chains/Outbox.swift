import Wire

/// The datagrams that a machine wants sent, in order, in one run of bytes that is used again and again.
///
/// A machine opens a datagram and fills its payload; whoever called it sends all of them and empties the box. Memory
/// grows to the largest batch and stays.
package struct Outbox: Sendable {
    /// Which way a datagram leaves.
    package enum Road: UInt8, BitwiseCopyable, Sendable {
        /// To a client, the payload alone.
        case edge
        /// To another switch, behind a `FabricFrame`.
        case fabric
    }

    package struct Datagram: Sendable {
        package var road: Road
        /// Where the datagram goes: the client, or the address of the switch (its fabric port).
        package var destination: Endpoint
        /// Its bytes in `bytes`, the fabric frame's header included.
        package var bytes: Range<Int>

        /// The payload's bytes: what the papers count.
        package var payload: Range<Int> {
            road == .edge ? bytes : bytes.lowerBound + FabricFrame.byteCount..<bytes.upperBound
        }
    }

    /// UDP port that switches send fabric frames to.
    package static let fabricPort: UInt16 = 8890

    package internal(set) var bytes: [UInt8] = []
    package private(set) var datagrams: [Datagram] = []

    package init() {}

    package var isEmpty: Bool { datagrams.isEmpty }

    /// Forgets all datagrams, keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        datagrams.removeAll(keepingCapacity: true)
    }

    /// Adds a datagram of `byteCount` zero bytes for `client`; answers where its payload begins.
    package mutating func open(byteCount: Int, to client: Endpoint) -> Int {
        let start = bytes.appendZeros(byteCount)
        datagrams.append(Datagram(road: .edge, destination: client, bytes: start..<bytes.count))
        return start
    }

    /// Adds a datagram of `byteCount` zero payload bytes behind `frame` for the switch at `address`; answers where
    /// its payload begins.
    package mutating func open(byteCount: Int, behind frame: FabricFrame, toSwitch address: UInt32) -> Int {
        let start = bytes.appendZeros(FabricFrame.byteCount + byteCount)
        frame.store(in: &bytes, at: start)
        let destination = Endpoint(address: address, port: Self.fabricPort)
        datagrams.append(Datagram(road: .fabric, destination: destination, bytes: start..<bytes.count))
        return start + FabricFrame.byteCount
    }

    /// Adds a copy of `payload` for `client`; answers where it begins.
    @discardableResult
    package mutating func add(_ payload: Span<UInt8>, to client: Endpoint) -> Int {
        let start = bytes.count
        bytes.append(copying: payload)
        datagrams.append(Datagram(road: .edge, destination: client, bytes: start..<bytes.count))
        return start
    }

    /// Adds a copy of `payload` behind `frame` for the switch at `address`; answers where the copy begins.
    @discardableResult
    package mutating func add(_ payload: Span<UInt8>, behind frame: FabricFrame, toSwitch address: UInt32) -> Int {
        let start = open(byteCount: 0, behind: frame, toSwitch: address)
        bytes.append(copying: payload)
        datagrams[datagrams.count - 1].bytes = start - FabricFrame.byteCount..<bytes.count
        return start
    }
}
