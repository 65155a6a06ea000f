package import Chains

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
