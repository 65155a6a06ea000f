import Chains
import Wire

/// A chain of switches on a table: every datagram between them lies in flight until a script delivers, drops or copies
/// it. Time stands still: what a timer would do is for its own tests.
struct ScriptBench<Machine: SwitchMachine> {
    /// Who sends and receives.
    enum Party: Hashable {
        case node(Int)
        case client(Int)
    }

    struct Flight {
        var source: Party
        var target: Party
        /// A fabric frame's header, or nothing at a client's edge, then the payload.
        var bytes: [UInt8]
        var payload: [UInt8]
        /// The client's port that an edge datagram goes to or comes from.
        var port: UInt16
        /// The operation that brought it about.
        var cause: Int
    }

    var switches: [Machine]
    var flights: [Flight] = []
    var deadNodes: Set<Int> = []
    /// Datagrams and payload bytes that were put in flight.
    private(set) var sentPackets = 0
    private(set) var sentBytes = 0
    var now: UInt64 = 0

    init(_ switches: [Machine]) { self.switches = switches }

    static func address(ofNode position: Int) -> UInt32 { 0x7f00_000a + UInt32(position) }
    static func endpoint(ofClient number: Int) -> Endpoint {
        Endpoint(address: 0x7f00_0100 + UInt32(number), port: 40_000 + UInt16(number))
    }

    /// 127.0.1.0/24.
    static var clientBlock: IPv4Network { IPv4Network(address: 0x7f00_0100, prefixLength: 24) }

    /// Each node sends to each, and to clients, directly.
    static func network(ofNode position: Int, of count: Int) -> PaperNetwork {
        PaperNetwork(
            own: address(ofNode: position), switches: (0..<count).map(address(ofNode:)), clients: clientBlock)
    }

    /// Nodes in a row, with the clients at one of them: whatever goes further passes all between.
    static func line(ofNode position: Int, of count: Int, clientsAt edge: Int, clients: Int) -> PaperNetwork {
        var network = network(ofNode: position, of: count)
        for other in 0..<count where abs(other - position) > 1 {
            let via = address(ofNode: other < position ? position - 1 : position + 1)
            network.routes.append(.init(to: address(ofNode: other), via: via))
        }
        if edge != position {
            let via = address(ofNode: edge < position ? position - 1 : position + 1)
            for client in 1...clients {
                network.routes.append(.init(to: endpoint(ofClient: client).address, via: via))
            }
        }
        return network
    }

    // MARK: Sending

    mutating func send(_ payload: [UInt8], from client: Int, to node: Int, cause: Int) {
        let port = Self.endpoint(ofClient: client).port
        put(
            Flight(
                source: .client(client), target: .node(node), bytes: payload, payload: payload, port: port,
                cause: cause))
    }

    private mutating func put(_ flight: Flight) {
        flights.append(flight)
        sentPackets += 1
        sentBytes += flight.payload.count
    }

    /// Takes the flight at `index` off the table and gives it to its target. A client's is answered; a dead node's is
    /// lost.
    mutating func deliver(_ index: Int) -> Flight {
        let flight = flights.remove(at: index)
        guard case .node(let node) = flight.target, !deadNodes.contains(node) else { return flight }
        var outbox = Outbox()
        switch flight.source {
        case .client(let client):
            let endpoint = Self.endpoint(ofClient: client)
            switches[node].receive(request: flight.bytes.span, from: endpoint, at: now, into: &outbox)
        case .node(let source):
            let address = Self.address(ofNode: source)
            switches[node].receive(fabric: flight.bytes.span, from: address, at: now, into: &outbox)
        }
        for datagram in outbox.datagrams {
            let target: Party =
                switch datagram.road {
                case .edge: .client(Int(datagram.destination.address) - 0x7f00_0100)
                case .fabric: .node(Int(datagram.destination.address) - 0x7f00_000a)
                }
            put(
                Flight(
                    source: .node(node), target: target, bytes: Array(outbox.bytes[datagram.bytes]),
                    payload: Array(outbox.bytes[datagram.payload]), port: datagram.destination.port,
                    cause: flight.cause))
        }
        return flight
    }

    /// Delivers all there is and what comes of it, oldest first, and answers what clients got. Ends after `most`
    /// deliveries, which no chain here needs.
    mutating func settle(most: Int = 10_000) -> [Flight] {
        var received: [Flight] = []
        for _ in 0..<most where !flights.isEmpty {
            let flight = deliver(0)
            if case .client = flight.target { received.append(flight) }
        }
        return received
    }

    mutating func resetCounts() {
        sentPackets = 0
        sentBytes = 0
    }
}
