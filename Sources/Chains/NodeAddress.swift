/// Where a node listens. Chains name nodes by their address alone; the ports of their sockets may differ.
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
