import Wire

/// What a switch of a paper variant knows of the network around it: the forwarding that a P4 program leaves to IPv4.
package struct PaperNetwork: Equatable, Sendable {
    /// UDP port of requests, on every switch.
    package static let requestPort: UInt16 = 8888
    /// UDP port that NetChain's client listens on.
    package static let paperReplyPort: UInt16 = 8889

    /// The way to one address.
    package struct Route: Equatable, BitwiseCopyable, Sendable {
        package var destination: UInt32
        /// The neighbour that is next on the way.
        package var via: UInt32

        package init(to destination: UInt32, via: UInt32) {
            self.destination = destination
            self.via = via
        }
    }

    /// This switch.
    package let own: UInt32
    /// The switches whose fabric frames are taken, and that datagrams are sent to; this one among them.
    package var switches: [UInt32]
    /// Where clients are: nobody else is listened to, and nobody else gets an answer.
    package var clients: IPv4Network
    /// Addresses that are reached over a neighbour; all others are sent to directly. A line of switches has one for
    /// each switch and client that is not next to this one.
    package var routes: [Route]
    /// The UDP port at the client that answers go to. Nil: the port the request came from, which then is the request's
    /// tag. 8889 in the papers: one socket for each client address.
    package var replyPort: UInt16?

    package init(
        own: UInt32, switches: [UInt32], clients: IPv4Network, routes: [Route] = [], replyPort: UInt16? = nil
    ) {
        self.own = own
        self.switches = switches
        self.clients = clients
        self.routes = routes
        self.replyPort = replyPort
    }

    func isSwitch(_ address: UInt32) -> Bool {
        for each in switches where each == address { return true }
        return false
    }

    private func via(_ address: UInt32) -> UInt32? {
        for route in routes where route.destination == address { return route.via }
        return nil
    }

    /// Adds a copy of `payload`, which `client` began, for the switch at `address`; answers where the copy begins.
    func send(
        _ payload: Span<UInt8>, of client: Endpoint, ttl: UInt8, toSwitch address: UInt32, into outbox: inout Outbox
    ) -> Int {
        let destination = Endpoint(address: address, port: Self.requestPort)
        let frame = FabricFrame(ttl: ttl, source: client, destination: destination)
        return outbox.add(payload, behind: frame, toSwitch: via(address) ?? address)
    }

    /// Adds a copy of `payload`, an answer to `client`; answers where the copy begins. The answer's source is this
    /// switch, at the client's port (NetChain's source swaps addresses and sets the destination port only).
    func answer(_ payload: Span<UInt8>, to client: Endpoint, ttl: UInt8, into outbox: inout Outbox) -> Int {
        let destination = Endpoint(address: client.address, port: replyPort ?? client.port)
        let source = Endpoint(address: own, port: client.port)
        return pass(payload, FabricFrame(ttl: ttl, source: source, destination: destination), into: &outbox)
    }

    /// Adds a copy of `payload`, an answer on its way to the client that `frame` names.
    func pass(_ payload: Span<UInt8>, _ frame: FabricFrame, into outbox: inout Outbox) -> Int {
        guard let neighbour = via(frame.destination.address) else { return outbox.add(payload, to: frame.destination) }
        return outbox.add(payload, behind: frame, toSwitch: neighbour)
    }
}

extension SwitchCounters {
    mutating func count(in byteCount: Int) {
        packetsIn += 1
        bytesIn += byteCount
    }

    mutating func count(out byteCount: Int) {
        packetsOut += 1
        bytesOut += byteCount
    }
}
