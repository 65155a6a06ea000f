package import Chains

/// Where a node listens. Chains name nodes by their address alone; ports differ only where the system chose them.
package struct NodeAddress: Equatable, Sendable {
    package var address: UInt32
    package var requestPort: UInt16
    package var fabricPort: UInt16

    package init(address: UInt32, requestPort: UInt16, fabricPort: UInt16) {
        self.address = address
        self.requestPort = requestPort
        self.fabricPort = fabricPort
    }

    /// Where it takes requests of clients.
    package var request: Endpoint { Endpoint(address: address, port: requestPort) }
    /// Where it takes frames of other nodes.
    package var fabric: Endpoint { Endpoint(address: address, port: fabricPort) }
}

/// The port of each of some addresses.
package struct PortTable: Sendable {
    private let entries: [Endpoint]

    /// Precondition: no more nodes than a chain's controller looks through for each datagram, a few dozen.
    package init(_ entries: [Endpoint]) { self.entries = entries }

    package static func request(_ nodes: [NodeAddress]) -> PortTable { PortTable(nodes.map(\.request)) }
    package static func fabric(_ nodes: [NodeAddress]) -> PortTable { PortTable(nodes.map(\.fabric)) }

    /// 0: no port is known.
    package func port(of address: UInt32) -> UInt16 {
        for entry in entries where entry.address == address { return entry.port }
        return 0
    }

    package func contains(_ endpoint: Endpoint) -> Bool {
        for entry in entries where entry.address == endpoint.address && entry.port == endpoint.port { return true }
        return false
    }
}

/// The two sockets of a node.
package struct NodeSockets: Sendable {
    package let request: DatagramSocket
    package let fabric: DatagramSocket

    package var address: NodeAddress {
        NodeAddress(
            address: request.endpoint.address, requestPort: request.endpoint.port, fabricPort: fabric.endpoint.port)
    }

    package init(address: UInt32, requestPort: UInt16 = 8888, fabricPort: UInt16 = 8890) throws(SystemError) {
        request = try DatagramSocket(Endpoint(address: address, port: requestPort))
        fabric = try DatagramSocket(Endpoint(address: address, port: fabricPort))
    }

    /// Sockets of `count` nodes at 127.k.j.10 and those after it, with the first k and j where nobody else is: several
    /// chains may run beside each other. Port 0: the system's choice.
    package static func onLoopback(
        _ count: Int, requestPort: UInt16 = 8888, fabricPort: UInt16 = 8890
    ) throws(SystemError) -> [NodeSockets] {
        var refusal = SystemError(what: "find addresses on the loopback", code: 98)
        for block in UInt32(0)..<65_536 {
            do throws(SystemError) {
                var found: [NodeSockets] = []
                for index in 0..<UInt32(count) {
                    let address = 0x7f00_0000 | block << 8 | (10 + index)
                    found.append(
                        try NodeSockets(address: address, requestPort: requestPort, fabricPort: fabricPort))
                }
                return found
            } catch {
                guard error.isInUse else { throw error }
                refusal = error
            }
        }
        throw refusal
    }
}
